// From the product of both heads to the latent sample and the KL divergence, in one pass over each row.
//
// Formula: mu_log_var = product + bias, then reparameterize_forward and gaussian_kl_forward.
// Memory: mu_log_var [rows, 2 columns], holds the product on entry and is overwritten; bias [2 columns]; z [rows,
//     columns], overwritten; kl [rows], overwritten unless null; bf16 twins may be null. Padding rows are zeros.
// Launch: any grid; blocks of whole warps, of which each takes a row, or (32, n), in which each warp takes one; 128
//     bytes static.
// Numerics: the bits of linear_forward_f32, reparameterize_forward_f32 and, with the same block,
//     gaussian_kl_forward_f32.
// See docs/kernels/reparameterize.md.
#include "latent.cuh"

KERNEL latent_forward_f32(const long long* active, long long rows, long long columns, const float* bias,
                          float* mu_log_var, __nv_bfloat16* heads_twin, float low, float high, const StepState* state,
                          const long long* noise_rows, int row_key, int purpose, float* z, __nv_bfloat16* z_twin,
                          float* kl) {
    const Noise noise = {state, noise_rows, row_key, purpose};
    const Clamp clamp = {low, high};
    const long long live = active_rows(active, rows);
    const bool vector = columns % 4 == 0;
    for (long long row = first_row(); row < rows; row += row_stride()) {
        float sum = 0.0f;
        for (long long column = 4LL * threadIdx.x; column < columns; column += 4LL * blockDim.x) {
            const int count = four_of(columns - column);
            const long long mu_at = 2 * row * columns + column;
            const long long log_var_at = mu_at + columns;
            Four mu = {};
            Four log_var = {};
            Four sampled = {};
            if (row < live) {
                mu = load_four(mu_log_var, mu_at, count, vector);
                log_var = load_four(mu_log_var, log_var_at, count, vector);
                const Four mu_bias = load_four(bias, column, count, vector);
                const Four log_var_bias = load_four(bias, columns + column, count, vector);
                for (int j = 0; j < 4; j++) {
                    mu.at[j] += mu_bias.at[j];
                    log_var.at[j] += log_var_bias.at[j];
                }
                sampled = reparameterized(mu, log_var, clamp, noise_normals(noise, row, 0, column), count);
                sum = add_kl(sum, mu, log_var, clamp, count);
            }
            store_four(mu_log_var, mu_at, mu, count, vector);
            store_four(mu_log_var, log_var_at, log_var, count, vector);
            store_twin(heads_twin, mu_at, mu, count, vector);
            store_twin(heads_twin, log_var_at, log_var, count, vector);
            store_four(z, row * columns + column, sampled, count, vector);
            store_twin(z_twin, row * columns + column, sampled, count, vector);
        }
        if (kl != nullptr) {
            sum = row_sum(sum);
            if (threadIdx.x == 0) kl[row] = sum;
        }
    }
}
