/* Looks for gradients that are not finite or too large to be squared, and halts the run at the first view with one. */
#include "each.h"
#include "halt.h"
#include "magnitude.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* OptimizerKernels.MAX_GRADIENT; the float below it, as no float equals it. */
constexpr float MAX_GRADIENT = 1e18f;

uint32_t largest_magnitude(const float* values, int64_t count) {
    constexpr int CHAINS = 4;
    Magnitude largest[CHAINS];
    int64_t i = 0;
    for (; i <= count - CHAINS * LANES; i += CHAINS * LANES) {
        for (int c = 0; c < CHAINS; c++) {
            largest[c].take(load(values + i + c * LANES), LANES);
        }
    }
    for_each_vector(
        i, count, [&](int64_t at, int64_t n) ELBO4J_INLINE_LAMBDA { largest[0].take(load_first(values + at, n), n); });
    for (int c = 1; c < CHAINS; c++) {
        largest[0].take(largest[c]);
    }
    return largest[0].bits_of_largest();
}

uint32_t largest_gradient(const CheckGradients& call, Piece piece) {
    uint32_t largest = 0;
    int64_t begin = 0;
    for (int64_t range = 0; range < call.count && begin < piece.to; range++) {
        int64_t end = begin + call.sizes[range];
        int64_t from = piece.from > begin ? piece.from : begin;
        int64_t to = piece.to < end ? piece.to : end;
        if (from < to) {
            uint32_t magnitude = largest_magnitude(call.gradients + call.offsets[range] + (from - begin), to - from);
            largest = magnitude > largest ? magnitude : largest;
        }
        begin = end;
    }
    return largest;
}

void halt_on_gradients(const CheckGradients& call, elbo4j_state* state) {
    for (int64_t range = 0; range < call.count && state->halted == 0; range++) {
        const float* gradients = call.gradients + call.offsets[range];
        int64_t first_bad = -1;
        int64_t bad = 0;
        for (int64_t i = 0; i < call.sizes[range]; i++) {
            /* The negation catches NaN as well. */
            if (!(__builtin_fabsf(gradients[i]) <= MAX_GRADIENT)) {
                first_bad = bad == 0 ? i : first_bad;
                bad++;
            }
        }
        if (bad > 0) {
            halt(state, call.halt_names[range], first_bad, bad);
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
