/* The KL divergence from N(mu, exp(lv)) to N(0, I) of each row, in nats: kl = sum_j (mu^2 + (expm1(lv) - lv)) / 2. */
#include "call.h"
#include "each.h"
#include "latent.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void gaussian_kl_forward(const GaussianKlForward& call, const Run&, Piece piece) {
    const Clamp clamp = {call.clamp_low, call.clamp_high};
    for (int64_t row = piece.from; row < piece.to; row++) {
        const float* mus = call.mu_log_var + row * 2 * call.d;
        Floats sum = floats(0.0f);
        for_each_vector(0, call.d, [&](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
            Floats mu = load_first(mus + j, n);
            Floats lv = clamped(load_first(mus + call.d + j, n), clamp);
            sum = sum + first(floats(0.5f) * fma(mu, mu, expm1(lv) - lv), n);
        });
        call.kl[row] = tree_sum(sum);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
