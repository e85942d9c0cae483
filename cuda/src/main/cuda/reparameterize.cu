// The reparameterization trick with its noise drawn in place, and its gradient together with that of the KL
// divergence.
//
// Formula: z = mu + exp(lv / 2) epsilon; dmu = sum_s dz + w mu; dlogVar = sum_s dz epsilon exp(lv / 2) / 2 + w
//     expm1(lv) / 2, passed through the clamp's gradient rule; lv = min(max(logVar, low), high).
// Memory: mu_log_var and d_mu_log_var [rows, 2 columns], means first; z and dz [rows * fold, columns], row b * fold +
//     s the sample s of row b; outputs are overwritten, padding rows with zeros; bf16 twins may be null.
// Launch: any grid, any block of whole warps; a thread takes four columns, one Philox block for each sample; no
//     dynamic shared memory.
// Numerics: epsilon is not stored, the backward pass draws it again. Samples are added in ascending order.
// See docs/kernels/reparameterize.md.
#include "latent.cuh"

KERNEL reparameterize_forward_f32(const long long* active, long long rows, int fold, long long columns,
                                  const float* mu_log_var, float low, float high, const StepState* state,
                                  const long long* noise_rows, int row_key, int purpose, float* z,
                                  __nv_bfloat16* twin) {
    const Noise noise = {state, noise_rows, row_key, purpose};
    const Clamp clamp = {low, high};
    const long long live = active_rows(active, rows);
    const long long groups = (columns + 3) / 4;
    const bool vector = columns % 4 == 0;
    for (long long i = grid_thread(); i < rows * fold * groups; i += grid_threads()) {
        const long long sample_row = i / groups;
        const long long column = 4 * (i % groups);
        const long long row = sample_row / fold;
        const int sample = static_cast<int>(sample_row % fold);
        const int count = four_of(columns - column);
        Four four = {};
        if (row < live) {
            const Four mu = load_four(mu_log_var, 2 * row * columns + column, count, vector);
            const Four log_var = load_four(mu_log_var, (2 * row + 1) * columns + column, count, vector);
            four = reparameterized(mu, log_var, clamp, noise_normals(noise, row, sample, column), count);
        }
        store_four(z, sample_row * columns + column, four, count, vector);
        store_twin(twin, sample_row * columns + column, four, count, vector);
    }
}

KERNEL reparameterize_backward_f32(const long long* active, long long rows, int fold, long long columns,
                                   const float* mu_log_var, float low, float high, const StepState* state,
                                   const long long* noise_rows, int row_key, int purpose, const float* dz,
                                   double kl_weight, int kl_slot, int mean, float* d_mu_log_var, __nv_bfloat16* twin) {
    const Noise noise = {state, noise_rows, row_key, purpose};
    const Clamp clamp = {low, high};
    const long long live = active_rows(active, rows);
    const long long groups = (columns + 3) / 4;
    const bool vector = columns % 4 == 0;
    const float w = block_weight(state, kl_weight, kl_slot, mean, live);
    for (long long i = grid_thread(); i < rows * groups; i += grid_threads()) {
        const long long row = i / groups;
        const long long column = 4 * (i % groups);
        const int count = four_of(columns - column);
        const long long mu_at = 2 * row * columns + column;
        const long long log_var_at = mu_at + columns;
        Four d_mu = {};
        Four d_log_var = {};
        if (row < live) {
            for (int sample = 0; sample < fold; sample++) {
                const Four g = load_four(dz, (row * fold + sample) * columns + column, count, vector);
                const Four epsilon = noise_normals(noise, row, sample, column);
                for (int j = 0; j < 4; j++) {
                    d_mu.at[j] += g.at[j];
                    d_log_var.at[j] += g.at[j] * epsilon.at[j];
                }
            }
            const Four mu = load_four(mu_log_var, mu_at, count, vector);
            const Four log_var = load_four(mu_log_var, log_var_at, count, vector);
            for (int j = 0; j < 4; j++) {
                const float lv = clamped(log_var.at[j], clamp);
                const float d = d_log_var.at[j] * (0.5f * expf(0.5f * lv)) + w * (0.5f * expm1f(lv));
                d_mu.at[j] += w * mu.at[j];
                d_log_var.at[j] = passed(d, log_var.at[j], clamp);
            }
        }
        store_four(d_mu_log_var, mu_at, d_mu, count, vector);
        store_four(d_mu_log_var, log_var_at, d_log_var, count, vector);
        store_twin(twin, mu_at, d_mu, count, vector);
        store_twin(twin, log_var_at, d_log_var, count, vector);
    }
}
