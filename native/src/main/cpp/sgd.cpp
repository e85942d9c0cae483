/* One step of gradient descent: w = w - lr * g, as one fma. */
#include "call.h"
#include "each.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void sgd(const Sgd& call, const Run& run, Piece piece) {
    if (run.state->halted != 0) {
        return;
    }
    const Floats minus_rate = floats(-(float)value_of(call.learning_rate, run.state));
    const float* gradients = call.gradients + call.offset;
    float* values = call.values + call.offset;
    for_each_vector(piece.from, piece.to, [=](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
        store_first(values + i, fma(minus_rate, load_first(gradients + i, n), load_first(values + i, n)), n);
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
