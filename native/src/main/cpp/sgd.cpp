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
    for_each_vector(call.offset + piece.from, call.offset + piece.to, [&](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
        Floats g = load_first(call.gradients + i, n);
        store_first(call.values + i, fma(minus_rate, g, load_first(call.values + i, n)), n);
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
