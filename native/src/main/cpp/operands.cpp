#include "operands.h"

namespace elbo4j {

bool overlap(const Range& a, const Range& b) {
    const char* one = (const char*)a.from;
    const char* two = (const char*)b.from;
    return a.from != nullptr && b.from != nullptr && one < two + b.bytes && two < one + a.bytes;
}

bool operands_of(const elbo4j_program& program, const Call& call, Operands& operands) {
    int64_t rows = program.capacity;
    switch (call.kind) {
        case Kind::GATHER: {
            const Gather& c = call.gather;
            operands = {{{c.row_ids, rows * 8}, {c.data, c.data_rows * c.columns * (c.type == ELBO4J_U8 ? 1 : 4)}},
                        {floats(c.out, rows * c.columns)}};
            return true;
        }
        case Kind::LOAD: {
            const Load& c = call.load;
            operands = {{{c.in, rows * c.columns * (c.type == ELBO4J_U8 ? 1 : 4)}}, {floats(c.out, rows * c.columns)}};
            return true;
        }
        case Kind::LINEAR_FORWARD: {
            const LinearForward& c = call.linear_forward;
            int64_t all = rows * c.fold;
            operands = {{floats(c.x, all * c.in), floats(c.pack.w.values, c.in * c.out), floats(c.b, c.out)},
                        {floats(c.y, all * c.out), floats(c.pre, all * c.out)}};
            return true;
        }
        case Kind::LINEAR_BACKWARD_INPUT: {
            const LinearBackwardInput& c = call.linear_backward_input;
            int64_t all = rows * c.fold;
            operands = {{floats(c.g, all * c.out), floats(c.w, c.in * c.out), floats(c.saved, all * c.in)},
                        {floats(c.dx, all * c.in)}};
            return true;
        }
        case Kind::LINEAR_BACKWARD_WEIGHTS: {
            const LinearBackwardWeights& c = call.linear_backward_weights;
            int64_t all = rows * c.fold;
            operands = {{floats(c.x, all * c.in), floats(c.g, all * c.out)},
                        {floats(c.dw, c.in * c.out), floats(c.db, c.out)}};
            return true;
        }
        case Kind::REPARAMETERIZE_FORWARD: {
            const ReparameterizeForward& c = call.reparameterize_forward;
            operands = {{floats(c.of.mu_log_var, rows * 2 * c.of.d), {c.of.noise.row_ids, rows * 8}},
                        {floats(c.z, rows * c.of.fold * c.of.d)}};
            return true;
        }
        case Kind::REPARAMETERIZE_BACKWARD: {
            const ReparameterizeBackward& c = call.reparameterize_backward;
            operands = {{floats(c.of.mu_log_var, rows * 2 * c.of.d),
                         {c.of.noise.row_ids, rows * 8},
                         floats(c.dz, rows * c.of.fold * c.of.d)},
                        {floats(c.d_mu_log_var, rows * 2 * c.of.d)}};
            return true;
        }
        case Kind::GAUSSIAN_KL_FORWARD: {
            const GaussianKlForward& c = call.gaussian_kl_forward;
            operands = {{floats(c.mu_log_var, rows * 2 * c.d)}, {floats(c.kl, rows)}};
            return true;
        }
        case Kind::BERNOULLI_FORWARD:
        case Kind::BERNOULLI_FORWARD_BACKWARD: {
            bool backward = call.kind == Kind::BERNOULLI_FORWARD_BACKWARD;
            const BernoulliForward& c = backward ? call.bernoulli_forward_backward.of : call.bernoulli_forward;
            int64_t all = rows * c.fold;
            operands = {{floats(c.logits, all * c.d), floats(c.target, rows * c.d)},
                        {floats(c.log_likelihood, all),
                         floats(backward ? call.bernoulli_forward_backward.d_logits : nullptr, all * c.d)}};
            return true;
        }
        case Kind::ACCUMULATE:
            operands = {{floats(call.accumulate.per_row, rows * call.accumulate.fold)}, {}};
            return true;
        case Kind::CHECK_GRADIENTS: {
            const CheckGradients& c = call.check_gradients;
            if (c.count == 0) {
                return false;
            }
            int64_t last = c.count - 1;
            operands = {{floats(c.gradients + c.offsets[0], c.offsets[last] + c.sizes[last] - c.offsets[0])}, {}};
            return true;
        }
        case Kind::ADAM: {
            const Adam& c = call.adam;
            operands = {{floats(c.gradients + c.offset, c.size)},
                        {floats(c.values + c.offset, c.size), floats(c.moment0 + c.offset, c.size),
                         floats(c.moment1 + c.offset, c.size)}};
            return true;
        }
        default:
            return false;
    }
}

bool overlap(const Range& range, const Range* others, int count) {
    for (int i = 0; i < count; i++) {
        if (overlap(range, others[i])) {
            return true;
        }
    }
    return false;
}

const Call* last_writer(const elbo4j_program& program, const Range& array, int64_t before) {
    for (int64_t i = before - 1; i >= 0; i--) {
        const Call& call = program.recorded.items[i];
        Operands operands;
        if (!operands_of(program, call, operands)) {
            return nullptr;
        }
        if (overlap(array, operands.written, 3)) {
            return &call;
        }
    }
    return nullptr;
}

}  // namespace elbo4j
