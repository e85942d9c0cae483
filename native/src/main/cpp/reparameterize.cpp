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
#include "elementary.h"
#include "latent.h"
#include "random.h"
#include "weight.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void reparameterize_forward(const ReparameterizeForward& call, const Run& run, Piece piece) {
    const Reparameterize& of = call.of;
    const Clamp clamp = {of.clamp_low, of.clamp_high};
    for_each_tile(piece, of.fold, of.d, [&](const Tile& tile) {
        alignas(64) float epsilon[TILE_NUMBERS];
        draw_normals(of.noise, run.state, tile, epsilon);
        int64_t from = 4 * tile.block;
        int64_t to = from + 4 * tile.blocks < of.d ? from + 4 * tile.blocks : of.d;
        for (int64_t row = tile.row; row < tile.row + tile.rows; row++) {
            const float* mus = of.mu_log_var + row * 2 * of.d;
            for_each_vector(from, to, [&](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
                Floats mu = load_first(mus + j, n);
                Floats deviation = exp(floats(0.5f) * clamped(load_first(mus + of.d + j, n), clamp));
                for (int64_t s = tile.sample; s < tile.sample + tile.samples; s++) {
                    Floats e = load_first(epsilon + tile.at(row, s) + (j - from), n);
                    store_first(call.z + (row * of.fold + s) * of.d + j, fma(deviation, e, mu), n);
                }
            });
        }
    });
}

void reparameterize_backward(const ReparameterizeBackward& call, const Run& run, Piece piece) {
    const Reparameterize& of = call.of;
    const Clamp clamp = {of.clamp_low, of.clamp_high};
    const Floats weight = floats(weight_of(call.kl_weight, call.reduction, run));
    /* Sums of dz and of dz * epsilon, from one tile to the next with further samples of the same row. */
    alignas(64) float sums[TILE_NUMBERS];
    alignas(64) float epsilon_sums[TILE_NUMBERS];
    for_each_tile(piece, of.fold, of.d, [&](const Tile& tile) {
        alignas(64) float epsilon[TILE_NUMBERS];
        draw_normals(of.noise, run.state, tile, epsilon);
        int64_t from = 4 * tile.block;
        int64_t to = from + 4 * tile.blocks < of.d ? from + 4 * tile.blocks : of.d;
        bool begins = tile.sample == 0;
        bool ends = tile.sample + tile.samples == of.fold;
        for (int64_t row = tile.row; row < tile.row + tile.rows; row++) {
            const float* mus = of.mu_log_var + row * 2 * of.d;
            float* d_mus = call.d_mu_log_var + row * 2 * of.d;
            for_each_vector(from, to, [&](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
                Floats sum = begins ? floats(0.0f) : load_first(sums + (j - from), n);
                Floats epsilon_sum = begins ? floats(0.0f) : load_first(epsilon_sums + (j - from), n);
                for (int64_t s = tile.sample; s < tile.sample + tile.samples; s++) {
                    Floats g = load_first(call.dz + (row * of.fold + s) * of.d + j, n);
                    sum = sum + g;
                    epsilon_sum = fma(g, load_first(epsilon + tile.at(row, s) + (j - from), n), epsilon_sum);
                }
                if (!ends) {
                    store_first(sums + (j - from), sum, n);
                    store_first(epsilon_sums + (j - from), epsilon_sum, n);
                    return;
                }
                Floats log_var = load_first(mus + of.d + j, n);
                Floats lv = clamped(log_var, clamp);
                Floats kl = weight * (floats(0.5f) * expm1(lv));
                Floats d_log_var = fma(epsilon_sum, floats(0.5f) * exp(floats(0.5f) * lv), kl);
                store_first(d_mus + j, fma(weight, load_first(mus + j, n), sum), n);
                store_first(d_mus + of.d + j, passed(d_log_var, log_var, clamp), n);
            });
        }
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
