// The KL divergence from a diagonal Gaussian to the standard normal, for each row, in nats.
//
// Formula: kl = sum_j (mu^2 + (expm1(lv) - lv)) / 2, lv = min(max(logVar, low), high).
// Memory: mu_log_var [rows, 2 columns], means first; kl [rows], overwritten, padding with zeros.
// Launch: any grid; blocks of whole warps, of which each takes a row, or (32, n), in which each warp takes one; 128
//     bytes static.
// Numerics: expm1(lv) - lv keeps the digits near lv = 0. A thread sums groups of four columns in ascending order, the
//     block its threads by a tree: the bits depend on the width of the block, not on its height or the grid.
// See docs/kernels/gaussian_kl.md.
#include "latent.cuh"

KERNEL gaussian_kl_forward_f32(const long long* active, long long rows, long long columns, const float* mu_log_var,
                               float low, float high, float* kl) {
    const Clamp clamp = {low, high};
    const long long live = active_rows(active, rows);
    const bool vector = columns % 4 == 0;
    for (long long row = first_row(); row < rows; row += row_stride()) {
        float sum = 0.0f;
        for (long long column = 4LL * threadIdx.x; row < live && column < columns; column += 4LL * blockDim.x) {
            const int count = four_of(columns - column);
            const Four mu = load_four(mu_log_var, 2 * row * columns + column, count, vector);
            const Four log_var = load_four(mu_log_var, (2 * row + 1) * columns + column, count, vector);
            sum = add_kl(sum, mu, log_var, clamp, count);
        }
        sum = row_sum(sum);
        if (threadIdx.x == 0) kl[row] = sum;
    }
}
