// The Bernoulli log-likelihood of rows from logits, in nats, and its gradient in the same pass; also straight from
// the product of the last layer, whose bias is then added here.
//
// Formula: log_likelihood = -sum_j (max(l, 0) - l x + log1p(e)), e = exp(-|l|); d_logits = w (sigmoid(l) - x).
// Memory: logits and d_logits [rows * fold, columns], maybe the same; target [rows, columns], row b for the samples b
//     * fold + s; log_likelihood [rows * fold]; bias [columns]. Outputs are overwritten, padding rows with zeros; the
//     bf16 twin of d_logits may be null. logits are written only where they are d_logits.
// Launch: any grid; blocks of whole warps, of which each takes a row, or (32, n), in which each warp takes one; 132
//     bytes static.
// Numerics: finite for every finite logit: no probability is formed and no logarithm of one. One exponential serves
//     both results. The order of the row sum depends on the width of the block, not on its height or the grid.
// See docs/kernels/bernoulli.md.
#include "activation.cuh"
#include "step_state.cuh"

// Without bias the logits are taken as they are, without d_logits no gradient is formed.
__device__ inline void bernoulli_rows(const long long* active, long long rows, int fold, long long columns,
                                      const float* bias, const float* logits, const float* target, float weight,
                                      float* log_likelihood, float* d_logits, __nv_bfloat16* twin) {
    const long long live = active_rows(active, rows) * fold;
    const bool vector = columns % 4 == 0;
    for (long long row = first_row(); row < rows * fold; row += row_stride()) {
        float sum = 0.0f;
        for (long long column = 4LL * threadIdx.x; column < columns; column += 4LL * blockDim.x) {
            const int count = four_of(columns - column);
            const long long at = row * columns + column;
            Four d = {};
            if (row < live) {
                Four l = load_four(logits, at, count, vector);
                const Four x = load_four(target, row / fold * columns + column, count, vector);
                if (bias != nullptr) {
                    const Four b = load_four(bias, column, count, vector);
                    for (int j = 0; j < 4; j++) l.at[j] += b.at[j];
                }
                for (int j = 0; j < 4; j++) {
                    if (j < count) {
                        const float e = expf(-fabsf(l.at[j]));
                        sum += relu(l.at[j]) - l.at[j] * x.at[j] + log1pf(e);
                        d.at[j] = weight * (sigmoid_of(l.at[j], e) - x.at[j]);
                    }
                }
            }
            if (d_logits != nullptr) store_four(d_logits, at, d, count, vector);
            store_twin(twin, at, d, count, vector);
        }
        sum = row_sum(sum);
        if (threadIdx.x == 0) log_likelihood[row] = row < live ? -sum : 0.0f;
    }
}

KERNEL bernoulli_forward_f32(const long long* active, long long rows, int fold, long long columns, const float* logits,
                             const float* target, float* log_likelihood) {
    bernoulli_rows(active, rows, fold, columns, nullptr, logits, target, 0.0f, log_likelihood, nullptr, nullptr);
}

KERNEL bernoulli_forward_backward_f32(const long long* active, long long rows, int fold, long long columns,
                                      const float* logits, const float* target, const StepState* state, double weight,
                                      int slot, int mean, float* log_likelihood, float* d_logits, __nv_bfloat16* twin) {
    const float w = block_weight(state, weight, slot, mean, active_rows(active, rows));
    bernoulli_rows(active, rows, fold, columns, nullptr, logits, target, w, log_likelihood, d_logits, twin);
}

KERNEL linear_bernoulli_forward_backward_f32(const long long* active, long long rows, int fold, long long columns,
                                             const float* bias, float* logits, const float* target,
                                             const StepState* state, double weight, int slot, int mean,
                                             float* log_likelihood, float* d_logits, __nv_bfloat16* twin) {
    const float w = block_weight(state, weight, slot, mean, active_rows(active, rows));
    bernoulli_rows(active, rows, fold, columns, bias, logits, target, w, log_likelihood, d_logits, twin);
}
