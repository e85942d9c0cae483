/*
 * The Bernoulli log-likelihood of each row from logits, in nats, and the gradient of its negative in the same pass:
 *
 *   log_likelihood = -sum_j (max(l, 0) - l * x + log1p(e)),  e = exp(-|l|)
 *   d_logits       = w * (sigmoid(l) - x)
 *
 * Finite for every finite logit: no probability is formed and no logarithm of one. One exponential serves both.
 */
#include "call.h"
#include "each.h"
#include "elementary.h"
#include "magnitude.h"
#include "weight.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* -log p(x | l), e = exp(-|l|). */
ELBO4J_INLINE Floats loss(const Floats& l, const Floats& x, const Floats& e) {
    return fma(-l, x, at_least(l, 0.0f)) + log1p_unit(e);
}

ELBO4J_INLINE Floats sigmoid(const Floats& l, const Floats& e) {
    const Floats one = floats(1.0f);
    return select(less(l, floats(0.0f)), e, one) / (one + e);
}

/* The rows of the target are those before folding. */
static inline const float* target_row(const BernoulliForward& call, int64_t row) {
    return call.target + (call.fold == 1 ? row : row / call.fold) * call.d;
}

void bernoulli_forward(const BernoulliForward& call, const Run&, Piece piece) {
    for (int64_t row = piece.from; row < piece.to; row++) {
        const float* logits = call.logits + row * call.d;
        const float* target = target_row(call, row);
        Floats sum = floats(0.0f);
        for_each_vector(0, call.d, [&](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
            Floats l = load_first(logits + j, n);
            Floats x = load_first(target + j, n);
            sum = sum + first(loss(l, x, exp_nonpositive(-abs(l))), n);
        });
        call.log_likelihood[row] = -tree_sum(sum);
    }
}

void bernoulli_forward_backward(const BernoulliForwardBackward& call, const Run& run, Piece piece) {
    const BernoulliForward& of = call.of;
    const Floats weight = floats(weight_of(call.weight, call.reduction, run));
    Magnitude largest;
    for (int64_t row = piece.from; row < piece.to; row++) {
        const float* logits = of.logits + row * of.d;
        const float* target = target_row(of, row);
        float* d_logits = call.d_logits + row * of.d;
        Floats sum = floats(0.0f);
        Magnitude of_row;
        for_each_vector(0, of.d, [&](int64_t j, int64_t n) ELBO4J_INLINE_LAMBDA {
            Floats l = load_first(logits + j, n);
            Floats x = load_first(target + j, n);
            Floats e = exp_nonpositive(-abs(l));
            sum = sum + first(loss(l, x, e), n);
            Floats d = weight * (sigmoid(l, e) - x);
            store_first(d_logits + j, d, n);
            of_row.take(d, n);
        });
        largest.take(of_row);
        of.log_likelihood[row] = -tree_sum(sum);
    }
    largest.raise_largest(piece);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
