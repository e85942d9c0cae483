/* One step of Adam (Kingma and Ba 2015, in PyTorch's form) over the elements of a group; the formula is in adam.h. */
#include "adam.h"

#include "each.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void adam(const Adam& call, const Run& run, Piece piece) {
    if (run.state->halted != 0) {
        return;
    }
    const AdamStep step = adam_step(call, run.state);
    const float* gradients = call.gradients + call.offset;
    float* values = call.values + call.offset;
    float* moment0 = call.moment0 + call.offset;
    float* moment1 = call.moment1 + call.offset;
    for_each_vector(piece.from, piece.to, [=](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
        Floats w = load_first(values + i, n);
        Floats m = load_first(moment0 + i, n);
        Floats v = load_first(moment1 + i, n);
        adam_update(step, load_first(gradients + i, n), w, m, v);
        store_first(values + i, w, n);
        store_first(moment0 + i, m, n);
        store_first(moment1 + i, v, n);
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
