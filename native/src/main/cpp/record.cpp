/* The functions that append a kernel call to a program. */
#include <string.h>

#include "program.h"

using namespace elbo4j;

namespace {

/* A new call of the program; null where there is no memory. */
Call* append(elbo4j_program* program, Kind kind) {
    Call* call = program->recorded.append();
    if (call != nullptr) {
        *call = {};
        call->kind = kind;
        call->number = (int32_t)(program->recorded.count - 1);
    }
    return call;
}

/* Appends a call whose arguments are one member of the union. */
template <class Arguments>
int32_t append(elbo4j_program* program, Kind kind, Arguments Call::*member, const Arguments& arguments) {
    Call* call = append(program, kind);
    if (call == nullptr) {
        return ELBO4J_OUT_OF_MEMORY;
    }
    call->*member = arguments;
    return ELBO4J_OK;
}

}  // namespace

int32_t elbo4j_select_rows(elbo4j_program* program, int64_t first_row, int64_t row_count, int32_t shuffled,
                           int64_t* row_ids) {
    return append(program, Kind::SELECT_ROWS, &Call::select_rows,
                  {program->capacity, first_row, row_count, shuffled != 0, row_ids});
}

int32_t elbo4j_gather_f32(elbo4j_program* program, const int64_t* row_ids, const void* data, int32_t type,
                          int64_t data_rows, int64_t columns, int32_t pixels, const elbo4j_noise* noise, float* out) {
    return append(program, Kind::GATHER, &Call::gather, {row_ids, data, type, pixels, data_rows, columns, *noise, out});
}

int32_t elbo4j_load_f32(elbo4j_program* program, const void* in, int32_t type, int64_t columns, int32_t pixels,
                        float* out) {
    return append(program, Kind::LOAD, &Call::load, {in, type, pixels, columns, out});
}

int32_t elbo4j_store_f32(elbo4j_program* program, int64_t fold, const float* in, int64_t columns, float* out) {
    return append(program, Kind::STORE, &Call::store, {fold, columns, in, out});
}

int32_t elbo4j_linear_forward_f32(elbo4j_program* program, int64_t fold, const float* x, int64_t in, int64_t out,
                                  const elbo4j_weights* w, const float* b, int32_t activation, float* y, float* pre) {
    return append(program, Kind::LINEAR_FORWARD, &Call::linear_forward,
                  {fold, in, out, x, {*w, in, out}, b, activation, y, pre});
}

int32_t elbo4j_linear_backward_input_f32(elbo4j_program* program, int64_t fold, const float* g, int64_t in, int64_t out,
                                         const float* w, int32_t activation, const float* saved, float* dx,
                                         int32_t write) {
    return append(program, Kind::LINEAR_BACKWARD_INPUT, &Call::linear_backward_input,
                  {fold, in, out, g, w, activation, write, saved, dx});
}

int32_t elbo4j_linear_backward_weights_f32(elbo4j_program* program, int64_t fold, const float* x, const float* g,
                                           int64_t in, int64_t out, float* dw, float* db, int32_t write) {
    return append(program, Kind::LINEAR_BACKWARD_WEIGHTS, &Call::linear_backward_weights,
                  {fold, in, out, x, g, dw, db, write});
}

int32_t elbo4j_reparameterize_forward_f32(elbo4j_program* program, int64_t fold, const float* mu_log_var, int64_t d,
                                          double clamp_low, double clamp_high, const elbo4j_noise* noise, float* z) {
    return append(program, Kind::REPARAMETERIZE_FORWARD, &Call::reparameterize_forward,
                  {{fold, d, mu_log_var, (float)clamp_low, (float)clamp_high, *noise}, z});
}

int32_t elbo4j_reparameterize_backward_f32(elbo4j_program* program, int64_t fold, const float* mu_log_var, int64_t d,
                                           double clamp_low, double clamp_high, const elbo4j_noise* noise,
                                           const float* dz, const elbo4j_scalar* kl_weight, int32_t reduction,
                                           float* d_mu_log_var) {
    return append(
        program, Kind::REPARAMETERIZE_BACKWARD, &Call::reparameterize_backward,
        {{fold, d, mu_log_var, (float)clamp_low, (float)clamp_high, *noise}, dz, *kl_weight, reduction, d_mu_log_var});
}

int32_t elbo4j_gaussian_kl_forward_f32(elbo4j_program* program, const float* mu_log_var, int64_t d, double clamp_low,
                                       double clamp_high, float* kl) {
    return append(program, Kind::GAUSSIAN_KL_FORWARD, &Call::gaussian_kl_forward,
                  {d, mu_log_var, (float)clamp_low, (float)clamp_high, kl});
}

int32_t elbo4j_bernoulli_forward_f32(elbo4j_program* program, int64_t fold, const float* logits, const float* target,
                                     int64_t d, float* log_likelihood) {
    return append(program, Kind::BERNOULLI_FORWARD, &Call::bernoulli_forward,
                  {fold, d, logits, target, log_likelihood});
}

int32_t elbo4j_bernoulli_forward_backward_f32(elbo4j_program* program, int64_t fold, const float* logits,
                                              const float* target, int64_t d, const elbo4j_scalar* weight,
                                              int32_t reduction, float* log_likelihood, float* d_logits) {
    return append(program, Kind::BERNOULLI_FORWARD_BACKWARD, &Call::bernoulli_forward_backward,
                  {{fold, d, logits, target, log_likelihood}, *weight, reduction, d_logits});
}

int32_t elbo4j_accumulate_f32(elbo4j_program* program, int64_t fold, int64_t metric, const float* per_row,
                              int64_t halt_name) {
    return append(program, Kind::ACCUMULATE, &Call::accumulate, {fold, metric, halt_name, per_row});
}

int32_t elbo4j_check_gradients_f32(elbo4j_program* program, const float* gradients, int64_t count,
                                   const int64_t* offsets, const int64_t* sizes, const int64_t* halt_names) {
    /* One block of three arrays, which the program frees by the first. */
    int64_t* copies = (int64_t*)elbo4j_allocate(3 * count * (int64_t)sizeof(int64_t));
    if (copies == nullptr) {
        return ELBO4J_OUT_OF_MEMORY;
    }
    memcpy(copies, offsets, (size_t)count * sizeof(int64_t));
    memcpy(copies + count, sizes, (size_t)count * sizeof(int64_t));
    memcpy(copies + 2 * count, halt_names, (size_t)count * sizeof(int64_t));
    int32_t result = append(program, Kind::CHECK_GRADIENTS, &Call::check_gradients,
                            {gradients, count, copies, copies + count, copies + 2 * count});
    if (result != ELBO4J_OK) {
        elbo4j_free(copies);
    }
    return result;
}

int32_t elbo4j_adam_f32(elbo4j_program* program, float* values, const float* gradients, float* moment0, float* moment1,
                        int64_t offset, int64_t size, int64_t* version, const elbo4j_scalar* learning_rate,
                        const elbo4j_scalar* correction1, const elbo4j_scalar* correction2, double beta1, double beta2,
                        double epsilon) {
    return append(program, Kind::ADAM, &Call::adam,
                  {values, gradients, moment0, moment1, offset, size, version, *learning_rate, *correction1,
                   *correction2, (float)beta1, (float)beta2, (float)(1 - beta1), (float)(1 - beta2), (float)epsilon});
}

int32_t elbo4j_sgd_f32(elbo4j_program* program, float* values, const float* gradients, int64_t offset, int64_t size,
                       int64_t* version, const elbo4j_scalar* learning_rate) {
    return append(program, Kind::SGD, &Call::sgd, {values, gradients, offset, size, version, *learning_rate});
}

int32_t elbo4j_advance(elbo4j_program* program) { return append(program, Kind::ADVANCE, &Call::advance, {}); }
