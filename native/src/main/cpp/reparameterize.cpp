/*
 * The reparameterization trick (Kingma and Welling 2014), epsilon drawn in place:
 *
 *   z = mu + exp(lv / 2) * epsilon
 *   dmu      = sum_s dz                             + w * mu
 *   dlog_var = sum_s dz * epsilon * exp(lv / 2) / 2 + w * expm1(lv) / 2
 *
 * with the KL divergence's gradient in the backward pass. Sums over samples ascend.
 */
#include "each.h"
#include "latent.h"
#include "random.h"
#include "weight.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void reparameterize_forward(const ReparameterizeForward& call, const Run& run, Piece piece) {
    const Reparameterize& of = call.of;
    const Clamp clamp = {of.clamp_low, of.clamp_high};
    const int64_t d = of.d;
    for_each_tile(piece, of.fold, d, [&](const Tile& tile) {
        alignas(64) float epsilon[TILE_NUMBERS];
        draw_normals(of.noise, run.state, tile, epsilon);
        const int64_t from = 4 * tile.block;
        const int64_t to = tile.end(d);
        const int64_t samples = tile.samples;
        const int64_t stride = tile.stride();
        for (int64_t row = tile.row; row < tile.row + tile.rows; row++) {
            const float* mu = of.mu_log_var + row * 2 * d;
            const float* log_var = mu + d;
            const float* e = epsilon + tile.at(row);
            float* z = call.z + (row * of.fold + tile.sample) * d;
            for_each_vector(from, to, [=](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
                Floats mean = load_first(mu + j, n);
                Floats scale = deviation(clamped(load_first(log_var + j, n), clamp));
                for (int64_t s = 0; s < samples; s++) {
                    store_first(z + s * d + j, fma(scale, load_first(e + s * stride + (j - from), n), mean), n);
                }
            });
        }
    });
}

void reparameterize_backward(const ReparameterizeBackward& call, const Run& run, Piece piece) {
    const Reparameterize& of = call.of;
    const Clamp clamp = {of.clamp_low, of.clamp_high};
    const Floats weight = floats(weight_of(call.kl_weight, call.reduction, run));
    const int64_t d = of.d;
    /* Sums of dz and of dz * epsilon, from one tile to the next with further samples of the same row. */
    alignas(64) float kept[2][TILE_NUMBERS];
    for_each_tile(piece, of.fold, d, [&](const Tile& tile) {
        alignas(64) float epsilon[TILE_NUMBERS];
        draw_normals(of.noise, run.state, tile, epsilon);
        const int64_t from = 4 * tile.block;
        const int64_t to = tile.end(d);
        const int64_t samples = tile.samples;
        const int64_t stride = tile.stride();
        const bool begins = tile.sample == 0;
        const bool ends = tile.sample + samples == of.fold;
        float* sums = kept[0];
        float* epsilon_sums = kept[1];
        for (int64_t row = tile.row; row < tile.row + tile.rows; row++) {
            const float* mu = of.mu_log_var + row * 2 * d;
            const float* e = epsilon + tile.at(row);
            const float* dz = call.dz + (row * of.fold + tile.sample) * d;
            float* d_mu = call.d_mu_log_var + row * 2 * d;
            for_each_vector(from, to, [=](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
                Floats sum = begins ? floats(0.0f) : load_first(sums + (j - from), n);
                Floats epsilon_sum = begins ? floats(0.0f) : load_first(epsilon_sums + (j - from), n);
                for (int64_t s = 0; s < samples; s++) {
                    Floats g = load_first(dz + s * d + j, n);
                    sum = sum + g;
                    epsilon_sum = fma(g, load_first(e + s * stride + (j - from), n), epsilon_sum);
                }
                if (!ends) {
                    store_first(sums + (j - from), sum, n);
                    store_first(epsilon_sums + (j - from), epsilon_sum, n);
                    return;
                }
                Floats log_var = load_first(mu + d + j, n);
                Floats lv = clamped(log_var, clamp);
                Floats kl = weight * (floats(0.5f) * expm1(lv));
                Floats d_log_var = fma(epsilon_sum, floats(0.5f) * deviation(lv), kl);
                store_first(d_mu + j, fma(weight, load_first(mu + j, n), sum), n);
                store_first(d_mu + d + j, passed(d_log_var, log_var, clamp), n);
            });
        }
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
