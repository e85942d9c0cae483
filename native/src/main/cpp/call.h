/*
 * A recorded kernel call: its kind and its arguments, whose meaning stands in elbo4j.h. Plain data, known to every
 * translation unit and free of code that an instruction set could change.
 */
#ifndef ELBO4J_CALL_H
#define ELBO4J_CALL_H

#include "elbo4j.h"

namespace elbo4j {

/* What a run knows beside the calls. */
struct Run {
    elbo4j_state* state;
    int64_t active_rows;
    /* Whether the present forward product reads the weights as they lie, not their transposed copy. */
    bool direct = false;
    /* Threads that may take part: those that walk through weights have a range of their rows each, the same in every call. */
    int32_t threads = 1;
    /* Whether this is the last step of the run, whose gradients the caller may look at. */
    bool last = true;
};

/*
 * Whether rows so many floats apart share a few sets of the caches: their lines of 64 bytes are a multiple of eight apart, so
 * that columns use an eighth of the sets at most.
 */
static inline bool shares_sets(int64_t stride) { return stride % 128 == 0; }

/*
 * Memory of a thread: for a copy of a panel, and for a list of the numbers of its rows that are not zero if the call makes one.
 * The panel begins there in its matrix; -1 if the room holds none.
 */
struct Room {
    float* floats;
    int32_t* list;
    int64_t panel;
    int64_t listed;
};

/*
 * Which elements of a matrix are not zero, see nonzeros.h. Numbers that lists have room for are sixteen more than there may
 * be in them.
 */
struct Nonzeros {
    /* For each eight rows: columns_room numbers of columns, and how many of them there are. */
    int64_t columns_room;
    int32_t* columns;
    int32_t* column_counts;
    /*
     * For each eight columns the same of rows, the eight elements of each row that is listed, and for each sixteen what they
     * are listed from: a mask for each row.
     */
    int64_t rows_room;
    int32_t* rows;
    int32_t* row_counts;
    float* values;
    uint16_t* masks;
    /* Whether rows are listed in the present step. */
    bool rows_listed;
};

/*
 * Units from (inclusive) to (exclusive) of a call, and the room of the thread that has them, if the call wants one. Where
 * `largest` is given, it is raised to the bits of the largest magnitude of y by linear_forward, of dx by
 * linear_backward_input, and of d_logits by bernoulli_forward_backward. Where `nonzeros` is given, gather and load write the
 * masks of the rows they bring in, and linear_forward and linear_backward_weights may leave out what is not listed of x.
 */
struct Piece {
    int64_t from;
    int64_t to;
    Room* room = nullptr;
    uint32_t* largest = nullptr;
    const Nonzeros* nonzeros = nullptr;
};

struct SelectRows {
    int64_t capacity;
    int64_t first_row;
    int64_t row_count;
    bool shuffled;
    int64_t* row_ids;
};

struct Gather {
    const int64_t* row_ids;
    const void* data;
    int32_t type;
    int32_t pixels;
    int64_t data_rows;
    int64_t columns;
    elbo4j_noise noise;
    float* out;
};

struct Load {
    const void* in;
    int32_t type;
    int32_t pixels;
    int64_t columns;
    float* out;
};

/* Of x [active rows, columns], from the masks of its rows. */
struct ListNonzeros {
    const float* x;
    int64_t columns;
    Nonzeros* nonzeros;
    bool wants_rows; /* whether a product may leave out rows */
};

struct Store {
    int64_t fold;
    int64_t columns;
    const float* in;
    float* out;
};

/* Brings the transposed copy of weights up to date. */
struct PackWeights {
    elbo4j_weights w;
    int64_t in;
    int64_t out;
};

struct LinearForward {
    int64_t fold;
    int64_t in;
    int64_t out;
    const float* x;
    PackWeights pack;
    const float* b;
    int32_t activation;
    float* y;
    float* pre;
};

struct LinearBackwardInput {
    int64_t fold;
    int64_t in;
    int64_t out;
    const float* g;
    const float* w;
    int32_t activation;
    int32_t write;
    const float* saved;
    float* dx;
};

struct LinearBackwardWeights {
    int64_t fold;
    int64_t in;
    int64_t out;
    const float* x;
    const float* g;
    float* dw;
    float* db;
    int32_t write;
};

struct Reparameterize {
    int64_t fold;
    int64_t d;
    const float* mu_log_var;
    float clamp_low;
    float clamp_high;
    elbo4j_noise noise;
};

struct ReparameterizeForward {
    Reparameterize of;
    float* z;
};

struct ReparameterizeBackward {
    Reparameterize of;
    const float* dz;
    elbo4j_scalar kl_weight;
    int32_t reduction;
    float* d_mu_log_var;
};

struct GaussianKlForward {
    int64_t d;
    const float* mu_log_var;
    float clamp_low;
    float clamp_high;
    float* kl;
};

struct BernoulliForward {
    int64_t fold;
    int64_t d;
    const float* logits;
    const float* target;
    float* log_likelihood;
};

struct BernoulliForwardBackward {
    BernoulliForward of;
    elbo4j_scalar weight;
    int32_t reduction;
    float* d_logits;
};

struct Accumulate {
    int64_t fold;
    int64_t metric;
    int64_t halt_name;
    const float* per_row;
};

/* Ranges of the gradients; the three arrays belong to the program. */
struct CheckGradients {
    const float* gradients;
    int64_t count;
    const int64_t* offsets;
    const int64_t* sizes;
    const int64_t* halt_names;
};

struct Adam {
    float* values;
    const float* gradients;
    float* moment0;
    float* moment1;
    int64_t offset;
    int64_t size;
    int64_t* version;
    elbo4j_scalar learning_rate;
    elbo4j_scalar correction1;
    elbo4j_scalar correction2;
    float beta1;
    float beta2;
    float one_minus_beta1;
    float one_minus_beta2;
    float epsilon;
};

/* Adam on what LinearBackwardWeights computes, tile by tile; see plan.cpp for when that may be. */
struct LinearUpdate {
    LinearBackwardWeights gradients;
    Adam adam;
    int64_t weight_offset; /* of both in the arrays of adam */
    int64_t bias_offset;
    bool read; /* whether another call of the recording reads the gradients: every step stores them then */
};

struct Sgd {
    float* values;
    const float* gradients;
    int64_t offset;
    int64_t size;
    int64_t* version;
    elbo4j_scalar learning_rate;
};

struct Advance {};

/* The number that a kernel takes at the present step. */
static inline double value_of(const elbo4j_scalar& scalar, const elbo4j_state* state) {
    return scalar.slot < 0 ? scalar.constant
                           : state->table[(state->step - state->table_first) * state->slots + scalar.slot];
}

}  // namespace elbo4j

#endif
