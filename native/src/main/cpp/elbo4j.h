/*
 * The C interface of elbo4j's native CPU backend.
 *
 * A program is a list of kernel calls: made by elbo4j_program_create, filled by one function a kernel, planned, bound to
 * its working memory, and run any number of times by one call. Names, shapes and formulas are those of the Java
 * interfaces in io.github.elbo4j.backend; matrices are row-major [rows, columns] of binary32, as dense as that says.
 *
 * Nothing is checked here: pointers, sizes and codes must be right, which the Java side sees to. Functions that can run
 * out of memory say so by their result; nothing is thrown and nothing aborts. A program is filled, planned and run by one
 * thread at a time; elbo4j_program_help alone may be called beside a run.
 */
#ifndef ELBO4J_H
#define ELBO4J_H

#include <stdint.h>

#if defined(_WIN32)
#define ELBO4J_API __declspec(dllexport)
#else
#define ELBO4J_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every change of this header that a caller could notice. */
#define ELBO4J_ABI_VERSION 1

/* Results of functions that can fail. */
#define ELBO4J_OK 0
#define ELBO4J_OUT_OF_MEMORY 1

/* Activation codes: the order of io.github.elbo4j.backend.Activation. */
enum {
    ELBO4J_IDENTITY,
    ELBO4J_RELU,
    ELBO4J_LEAKY_RELU,
    ELBO4J_ELU,
    ELBO4J_GELU,
    ELBO4J_SILU,
    ELBO4J_TANH,
    ELBO4J_SIGMOID,
    ELBO4J_SOFTPLUS
};

/* Element types of data. */
enum { ELBO4J_U8, ELBO4J_F32 };

/* What becomes of elements that are gathered: the order of DataKernels.Pixels. */
enum { ELBO4J_AS_IS, ELBO4J_UNIT, ELBO4J_BERNOULLI };

/* What identifies a row to the generator: the order of Noise.RowKey. */
enum { ELBO4J_BATCH_POSITION, ELBO4J_DATA_ROW, ELBO4J_COMMON, ELBO4J_OFF };

/* How gradients of rows are put together: the order of LatentKernels.Reduction. */
enum { ELBO4J_SUM, ELBO4J_MEAN };

/* Whether a result replaces an output or is added to it: the order of LinearKernels.Write. */
enum { ELBO4J_OVERWRITE, ELBO4J_ADD };

/* Counters, schedule, sums and flag of a step state; eight bytes each, read and written by Java while nothing runs. */
typedef struct {
    int64_t seed;
    int64_t step;
    int64_t epoch;
    int64_t position;
    int64_t rows;        /* rows seen since the sums were reset */
    int64_t active_rows; /* of the present step */
    int64_t order_rows;  /* rows of the order that the present step selects from; 0 if it selects none */
    int64_t halted;      /* 1 once a value was not finite */
    int64_t halt_step;
    int64_t halt_name; /* the number that the kernel call was given for its tensor */
    int64_t halt_first;
    int64_t halt_count;
    int64_t table_first; /* step of the schedule's first row */
    int64_t slots;       /* columns of the schedule */
    double* table;
    double* sums;
} elbo4j_state;

/* A number: the constant if slot is negative, else that column of the schedule at the present step. */
typedef struct {
    double constant;
    int64_t slot;
} elbo4j_scalar;

/* Which random numbers a kernel draws; row_ids only for ELBO4J_DATA_ROW. */
typedef struct {
    const int64_t* row_ids;
    int32_t purpose;
    int32_t row_key;
} elbo4j_noise;

/*
 * Weights with a transposed copy for forward products, which is renewed when one reads it. version counts changes of the
 * values, whoever makes them; the copy was made at packed_version. Zero packed: the program has a copy of its own, which is
 * never as new.
 */
typedef struct {
    const float* values;
    float* packed;
    const int64_t* version;
    int64_t* packed_version;
} elbo4j_weights;

typedef struct elbo4j_program elbo4j_program;

ELBO4J_API int32_t elbo4j_abi_version(void);

/* Instruction sets this library was built for, worst first; their number, names, and whether this CPU has one (1 or 0). */
ELBO4J_API int32_t elbo4j_isa_count(void);
ELBO4J_API const char* elbo4j_isa_name(int32_t isa);
ELBO4J_API int32_t elbo4j_isa_supported(int32_t isa);

/* Zeroed memory, aligned to 64 bytes and followed by 64 bytes that may be read; NULL if there is none. */
ELBO4J_API void* elbo4j_allocate(int64_t bytes);
ELBO4J_API void elbo4j_free(void* memory);

/*
 * A program for at most `threads` threads and `capacity` batch rows on a step state (NULL if no call takes one).
 * NULL if there is no memory.
 */
ELBO4J_API elbo4j_program* elbo4j_program_create(int32_t isa, int32_t threads, int64_t capacity, elbo4j_state* state);
ELBO4J_API void elbo4j_program_destroy(elbo4j_program* program);

/* Merges what can be merged, and gives the bytes of working memory that a run needs; -1 if there is no memory for the plan. */
ELBO4J_API int64_t elbo4j_program_plan(elbo4j_program* program);

/* Gives the program that working memory, which must be aligned to 64 bytes, and live as long as the program. */
ELBO4J_API void elbo4j_program_bind(elbo4j_program* program, void* workspace);

/* The threads worth having for so many batch rows, 1 to the program's number. */
ELBO4J_API int32_t elbo4j_program_threads(const elbo4j_program* program, int64_t active_rows);

/*
 * Runs the step `times` times on the rows it selects, or on `active_rows` if it selects none; if these are negative, on
 * all, and the state keeps the rows that a program before it has selected. `helped`: whether other threads may call
 * elbo4j_program_help for this `run` (1, 2, ...; each program counts its own).
 */
ELBO4J_API void elbo4j_program_run(elbo4j_program* program, int64_t times, int64_t active_rows, int64_t run,
                                   int32_t helped);

/*
 * Helps with run number `run` until it has ended; waits for it if it has not begun, and comes back at once if it has
 * ended. Any number of threads may call it; beyond `threads` - 1 at a time they do not help.
 */
ELBO4J_API void elbo4j_program_help(elbo4j_program* program, int64_t run);

/* Lets helpers of run number `run` come back although it was never begun; nothing if it has ended. */
ELBO4J_API void elbo4j_program_end(elbo4j_program* program, int64_t run);

/*
 * Writes what runs, one line a call: the number of the recorded call that it begins with, a space, and how the library
 * runs it; cut to `size` with a closing zero. Gives the whole length.
 */
ELBO4J_API int64_t elbo4j_program_explain(const elbo4j_program* program, char* text, int64_t size);

/* The kernels, each appending a call to the program. Results: ELBO4J_OK, ELBO4J_OUT_OF_MEMORY. */

ELBO4J_API int32_t elbo4j_select_rows(elbo4j_program* program, int64_t first_row, int64_t row_count, int32_t shuffled,
                                      int64_t* row_ids);

ELBO4J_API int32_t elbo4j_gather_f32(elbo4j_program* program, const int64_t* row_ids, const void* data, int32_t type,
                                     int64_t data_rows, int64_t columns, int32_t pixels, const elbo4j_noise* noise,
                                     float* out);

ELBO4J_API int32_t elbo4j_load_f32(elbo4j_program* program, const void* in, int32_t type, int64_t columns,
                                   int32_t pixels, float* out);

ELBO4J_API int32_t elbo4j_store_f32(elbo4j_program* program, int64_t fold, const float* in, int64_t columns,
                                    float* out);

/* pre is NULL unless the activation's derivative needs its input. */
ELBO4J_API int32_t elbo4j_linear_forward_f32(elbo4j_program* program, int64_t fold, const float* x, int64_t in,
                                             int64_t out, const elbo4j_weights* w, const float* b, int32_t activation,
                                             float* y, float* pre);

ELBO4J_API int32_t elbo4j_linear_backward_input_f32(elbo4j_program* program, int64_t fold, const float* g, int64_t in,
                                                    int64_t out, const float* w, int32_t activation, const float* saved,
                                                    float* dx, int32_t write);

ELBO4J_API int32_t elbo4j_linear_backward_weights_f32(elbo4j_program* program, int64_t fold, const float* x,
                                                      const float* g, int64_t in, int64_t out, float* dw, float* db,
                                                      int32_t write);

ELBO4J_API int32_t elbo4j_reparameterize_forward_f32(elbo4j_program* program, int64_t fold, const float* mu_log_var,
                                                     int64_t d, double clamp_low, double clamp_high,
                                                     const elbo4j_noise* noise, float* z);

ELBO4J_API int32_t elbo4j_reparameterize_backward_f32(elbo4j_program* program, int64_t fold, const float* mu_log_var,
                                                      int64_t d, double clamp_low, double clamp_high,
                                                      const elbo4j_noise* noise, const float* dz,
                                                      const elbo4j_scalar* kl_weight, int32_t reduction,
                                                      float* d_mu_log_var);

ELBO4J_API int32_t elbo4j_gaussian_kl_forward_f32(elbo4j_program* program, const float* mu_log_var, int64_t d,
                                                  double clamp_low, double clamp_high, float* kl);

ELBO4J_API int32_t elbo4j_bernoulli_forward_f32(elbo4j_program* program, int64_t fold, const float* logits,
                                                const float* target, int64_t d, float* log_likelihood);

/* d_logits may be logits. */
ELBO4J_API int32_t elbo4j_bernoulli_forward_backward_f32(elbo4j_program* program, int64_t fold, const float* logits,
                                                         const float* target, int64_t d, const elbo4j_scalar* weight,
                                                         int32_t reduction, float* log_likelihood, float* d_logits);

ELBO4J_API int32_t elbo4j_accumulate_f32(elbo4j_program* program, int64_t fold, int64_t metric, const float* per_row,
                                         int64_t halt_name);

/* count ranges of the gradients, each with its offset, size and the number that names it in halt_name. */
ELBO4J_API int32_t elbo4j_check_gradients_f32(elbo4j_program* program, const float* gradients, int64_t count,
                                              const int64_t* offsets, const int64_t* sizes, const int64_t* halt_names);

/* version counts changes of the values, see elbo4j_weights. */
ELBO4J_API int32_t elbo4j_adam_f32(elbo4j_program* program, float* values, const float* gradients, float* moment0,
                                   float* moment1, int64_t offset, int64_t size, int64_t* version,
                                   const elbo4j_scalar* learning_rate, const elbo4j_scalar* correction1,
                                   const elbo4j_scalar* correction2, double beta1, double beta2, double epsilon);

ELBO4J_API int32_t elbo4j_sgd_f32(elbo4j_program* program, float* values, const float* gradients, int64_t offset,
                                  int64_t size, int64_t* version, const elbo4j_scalar* learning_rate);

ELBO4J_API int32_t elbo4j_advance(elbo4j_program* program);

#ifdef __cplusplus
}
#endif

#endif
