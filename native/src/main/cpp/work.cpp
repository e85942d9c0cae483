#include "work.h"

namespace elbo4j {

namespace {

/* Elements, or fused multiply-adds, that are worth handing to another thread. */
constexpr int64_t ELEMENT_GRAIN = 1 << 13;
constexpr int64_t PRODUCT_GRAIN = 1 << 19;

Work by_elements(int64_t units, int64_t elements_each) {
    int64_t each = elements_each < 1 ? 1 : elements_each;
    return {units, (ELEMENT_GRAIN + each - 1) / each};
}

Work by_products(int64_t units, int64_t multiplications) {
    int64_t each = units > 0 ? multiplications / units : 1;
    return {units, each >= PRODUCT_GRAIN ? 1 : PRODUCT_GRAIN / (each < 1 ? 1 : each)};
}

/* Elements of a factor that a bound looks at, over all factors. */
int64_t mean_of_factors(const elbo4j_program& program, const BoundGradients& bound, int64_t rows) {
    int64_t elements = 0;
    for (int64_t i = 0; i < bound.updates; i++) {
        const LinearBackwardWeights& c = program.planned.items[bound.first_update + i].linear_update.gradients;
        elements += rows * c.fold * ((bound.looked_for[2 * i] ? c.in : 0) + (bound.looked_for[2 * i + 1] ? c.out : 0));
    }
    return elements / (2 * bound.updates);
}

}  // namespace

Work work_of(const elbo4j_program& program, const Call& call, const Run& run) {
    const Kernels& kernels = *program.kernels;
    int64_t rows = run.active_rows;
    switch (call.kind) {
        case Kind::GATHER:
            return by_elements(rows, call.gather.columns);
        case Kind::LOAD:
            return by_elements(rows, call.load.columns);
        case Kind::LIST_NONZEROS: {
            int64_t units = kernels.list_nonzeros_units(call.list_nonzeros, run);
            return by_elements(units, rows * call.list_nonzeros.columns / (units < 1 ? 1 : units));
        }
        case Kind::STORE:
            return by_elements(rows, call.store.columns * call.store.fold);
        case Kind::PACK_WEIGHTS:
            return by_elements(kernels.pack_weights_units(call.pack_weights), call.pack_weights.in * 32);
        case Kind::LINEAR_FORWARD: {
            const LinearForward& c = call.linear_forward;
            return by_products(kernels.linear_forward_units(c, run), rows * c.fold * c.in * c.out);
        }
        case Kind::LINEAR_BACKWARD_INPUT: {
            const LinearBackwardInput& c = call.linear_backward_input;
            return by_products(kernels.linear_backward_input_units(c, run), rows * c.fold * c.in * c.out);
        }
        case Kind::LINEAR_BACKWARD_WEIGHTS: {
            const LinearBackwardWeights& c = call.linear_backward_weights;
            return by_products(kernels.linear_backward_weights_units(c, run), rows * c.fold * c.in * c.out);
        }
        case Kind::LINEAR_UPDATE: {
            /* Adam on a weight takes as long as so many multiplications. */
            constexpr int64_t ADAM = 32;
            const LinearBackwardWeights& c = call.linear_update.gradients;
            return by_products(kernels.linear_backward_weights_units(c, run), (rows * c.fold + ADAM) * c.in * c.out);
        }
        /* Noise, exponentials and the like weigh several elements. */
        case Kind::REPARAMETERIZE_FORWARD:
            return by_elements(rows, 8 * call.reparameterize_forward.of.d * call.reparameterize_forward.of.fold);
        case Kind::REPARAMETERIZE_BACKWARD:
            return by_elements(rows, 8 * call.reparameterize_backward.of.d * call.reparameterize_backward.of.fold);
        case Kind::GAUSSIAN_KL_FORWARD:
            return by_elements(rows, 4 * call.gaussian_kl_forward.d);
        case Kind::BERNOULLI_FORWARD:
            return by_elements(rows * call.bernoulli_forward.fold, 4 * call.bernoulli_forward.d);
        case Kind::BERNOULLI_FORWARD_BACKWARD:
            return by_elements(rows * call.bernoulli_forward_backward.of.fold,
                               4 * call.bernoulli_forward_backward.of.d);
        case Kind::CHECK_GRADIENTS: {
            const CheckGradients& c = call.check_gradients;
            int64_t elements = 0;
            for (int64_t i = 0; i < c.count; i++) {
                elements += c.sizes[i];
            }
            return by_elements(elements, 1);
        }
        case Kind::ADAM:
            return by_elements(call.adam.size, 1);
        case Kind::SGD:
            return by_elements(call.sgd.size, 1);
        case Kind::BOUND_GRADIENTS:
            return by_elements(2 * call.bound_gradients.updates, mean_of_factors(program, call.bound_gradients, rows));
        case Kind::SELECT_ROWS:
        case Kind::ACCUMULATE:
        case Kind::ADVANCE:
            break;
    }
    return {0, 1};
}

int64_t pieces_of(const elbo4j_program& program, const Call& call, int64_t active_rows) {
    Work work = work_of(program, call, {program.state, active_rows});
    int64_t pieces = work.units / work.grain;
    return pieces < 1 ? 1 : pieces < program.threads ? pieces : program.threads;
}

}  // namespace elbo4j
