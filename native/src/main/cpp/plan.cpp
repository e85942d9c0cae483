/*
 * From recorded calls to planned ones.
 *
 * Weights. Every forward product is preceded by the renewal of its transposed copy, which does nothing while the copy is
 * as new as the values.
 *
 * Updates. Where a recording computes the gradients of a whole group, checks them and takes a step of Adam, each weight
 * gradient is updated tile by tile as it is computed, instead of being read again twice. The check has to come first, so
 * the merged updates stand where Adam stood, behind a bound of every gradient by its factors; should the bound not hold,
 * the same step runs gradients, check and Adam one after another. Both ways give the same bits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

namespace elbo4j {

namespace {

struct Range {
    const void* from;
    int64_t bytes;
};

bool overlap(const Range& a, const Range& b) {
    const char* one = (const char*)a.from;
    const char* two = (const char*)b.from;
    return a.from != nullptr && b.from != nullptr && one < two + b.bytes && two < one + a.bytes;
}

Range floats(const void* from, int64_t count) { return {from, count * 4}; }

/* What a call writes, at most two ranges; calls that end a step are none of those a gradient is moved across. */
struct Written {
    Range first;
    Range second;
    bool known;
};

Written written(const elbo4j_program& program, const Call& call) {
    int64_t rows = program.capacity;
    switch (call.kind) {
        case Kind::GATHER:
            return {floats(call.gather.out, rows * call.gather.columns), {}, true};
        case Kind::LINEAR_FORWARD: {
            const LinearForward& c = call.linear_forward;
            return {floats(c.y, rows * c.fold * c.out), floats(c.pre, rows * c.fold * c.out), true};
        }
        case Kind::LINEAR_BACKWARD_INPUT: {
            const LinearBackwardInput& c = call.linear_backward_input;
            return {floats(c.dx, rows * c.fold * c.in), {}, true};
        }
        case Kind::LINEAR_BACKWARD_WEIGHTS: {
            const LinearBackwardWeights& c = call.linear_backward_weights;
            return {floats(c.dw, c.in * c.out), floats(c.db, c.out), true};
        }
        case Kind::REPARAMETERIZE_FORWARD: {
            const ReparameterizeForward& c = call.reparameterize_forward;
            return {floats(c.z, rows * c.of.fold * c.of.d), {}, true};
        }
        case Kind::REPARAMETERIZE_BACKWARD: {
            const ReparameterizeBackward& c = call.reparameterize_backward;
            return {floats(c.d_mu_log_var, rows * 2 * c.of.d), {}, true};
        }
        case Kind::GAUSSIAN_KL_FORWARD:
            return {floats(call.gaussian_kl_forward.kl, rows), {}, true};
        case Kind::BERNOULLI_FORWARD:
            return {floats(call.bernoulli_forward.log_likelihood, rows * call.bernoulli_forward.fold), {}, true};
        case Kind::BERNOULLI_FORWARD_BACKWARD: {
            const BernoulliForwardBackward& c = call.bernoulli_forward_backward;
            return {floats(c.of.log_likelihood, rows * c.of.fold), floats(c.d_logits, rows * c.of.fold * c.of.d), true};
        }
        case Kind::ACCUMULATE:
        case Kind::PACK_WEIGHTS:
            return {{}, {}, true};
        default:
            return {{}, {}, false};
    }
}

/* Whether the gradients that a call computes can be computed behind all calls up to `end` instead. */
bool movable(const elbo4j_program& program, int64_t index, int64_t end) {
    const LinearBackwardWeights& c = program.recorded.items[index].linear_backward_weights;
    int64_t rows = program.capacity * c.fold;
    const Range reads[] = {floats(c.x, rows * c.in), floats(c.g, rows * c.out)};
    for (int64_t i = index + 1; i < end; i++) {
        Written other = written(program, program.recorded.items[i]);
        if (!other.known) {
            return false;
        }
        for (const Range& read : reads) {
            if (overlap(read, other.first) || overlap(read, other.second)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether the array [offset, offset + size) of the gradients is one that the call overwrites. */
bool computes(const Call& call, const float* gradients, int64_t offset, int64_t size) {
    if (call.kind != Kind::LINEAR_BACKWARD_WEIGHTS || call.linear_backward_weights.write != ELBO4J_OVERWRITE) {
        return false;
    }
    const LinearBackwardWeights& c = call.linear_backward_weights;
    return (c.dw == gradients + offset && c.in * c.out == size) || (c.db == gradients + offset && c.out == size);
}

/*
 * Where check and Adam of one group follow each other and the calls before compute every view of it exactly once, and
 * could as well do it there: the index of the check. Else -1.
 */
int64_t mergeable(const elbo4j_program& program) {
    const Calls& calls = program.recorded;
    for (int64_t i = 0; i + 1 < calls.count; i++) {
        if (calls.items[i].kind != Kind::CHECK_GRADIENTS || calls.items[i + 1].kind != Kind::ADAM) {
            continue;
        }
        const CheckGradients& check = calls.items[i].check_gradients;
        const Adam& adam = calls.items[i + 1].adam;
        if (check.gradients != adam.gradients) {
            return -1;
        }
        int64_t covered = 0;
        int64_t expected = 0;
        for (int64_t c = 0; c < i; c++) {
            bool gradient = calls.items[c].kind == Kind::LINEAR_BACKWARD_WEIGHTS;
            if (gradient && !movable(program, c, i)) {
                return -1;
            }
            expected += gradient ? 2 : 0;
        }
        /* Views lie in ascending order; between them is less than an alignment, which no update changes. */
        int64_t end = adam.offset;
        for (int64_t v = 0; v < check.count; v++) {
            int64_t computed = 0;
            for (int64_t c = 0; c < i; c++) {
                computed += computes(calls.items[c], check.gradients, check.offsets[v], check.sizes[v]) ? 1 : 0;
            }
            if (computed != 1 || check.offsets[v] < end || check.offsets[v] - end >= 16) {
                return -1;
            }
            end = check.offsets[v] + check.sizes[v];
            covered++;
        }
        return covered == expected && covered > 0 && adam.offset + adam.size - end < 16 ? i : -1;
    }
    return -1;
}

bool append(Calls& calls, const Call& call) {
    Call* place = calls.append();
    if (place != nullptr) {
        *place = call;
    }
    return place != nullptr;
}

/* The bound and the merged updates, which stand before check and Adam. */
bool append_updates(elbo4j_program& program, int64_t check) {
    const Calls& recorded = program.recorded;
    const Adam& adam = recorded.items[check + 1].adam;
    int64_t updates = 0;
    for (int64_t i = 0; i < check; i++) {
        updates += recorded.items[i].kind == Kind::LINEAR_BACKWARD_WEIGHTS ? 1 : 0;
    }
    Call bound = {};
    bound.kind = Kind::BOUND_GRADIENTS;
    bound.number = recorded.items[check].number;
    bound.bound_gradients = {program.planned.count + 1, updates, nullptr};
    bound.bound_gradients.largest = (uint32_t*)elbo4j_allocate(2 * updates * (int64_t)sizeof(uint32_t));
    if (bound.bound_gradients.largest == nullptr) {
        return false;
    }
    if (!append(program.planned, bound)) {
        elbo4j_free(bound.bound_gradients.largest);
        return false;
    }
    /* From the last layer to the first, as they were issued: what was computed last is still in the cache. */
    for (int64_t i = 0; i < check; i++) {
        if (recorded.items[i].kind == Kind::LINEAR_BACKWARD_WEIGHTS) {
            Call update = {};
            update.kind = Kind::LINEAR_UPDATE;
            update.number = recorded.items[i].number;
            const LinearBackwardWeights& c = recorded.items[i].linear_backward_weights;
            update.linear_update = {c, adam, c.dw - adam.gradients, c.db - adam.gradients};
            if (!append(program.planned, update)) {
                return false;
            }
        }
    }
    return true;
}

/* Bytes of a transposed copy, with room for the last load of a register and the alignment of what follows. */
int64_t packed_size(const PackWeights& pack) { return (pack.in * pack.out * 4 + 2 * 64 - 1) / 64 * 64; }

/* A forward product behind the renewal of the copy it reads, which lies in the working memory if it has no place of its own. */
bool append_forward(elbo4j_program& program, const Call& forward) {
    Call pack = {};
    pack.kind = Kind::PACK_WEIGHTS;
    pack.number = forward.number;
    pack.pack_weights = forward.linear_forward.pack;
    return append(program.planned, pack) && append(program.planned, forward);
}

}  // namespace

int64_t panel_bytes(const elbo4j_program& program, const Call& call) {
    /* Copies that leave the second-level cache would be as far away as what they are of. */
    constexpr int64_t MOST = INT64_C(1) << 20;
    int64_t depth = 0;
    if (call.kind == Kind::LINEAR_BACKWARD_INPUT) {
        depth = call.linear_backward_input.out;
    } else if (call.kind == Kind::LINEAR_BACKWARD_WEIGHTS || call.kind == Kind::LINEAR_UPDATE) {
        const LinearBackwardWeights& c =
            call.kind == Kind::LINEAR_UPDATE ? call.linear_update.gradients : call.linear_backward_weights;
        depth = program.capacity * c.fold;
    }
    int64_t width = program.kernels->panel * (int64_t)sizeof(float);
    return depth <= MOST / width ? depth * width : 0;
}

int64_t plan(elbo4j_program& program) {
    const Calls& recorded = program.recorded;
    int64_t check = mergeable(program);
    program.packed_bytes = 0;
    program.panel_bytes = 0;
    for (int64_t i = 0; i < recorded.count; i++) {
        const Call& call = recorded.items[i];
        int64_t panel = panel_bytes(program, call);
        program.panel_bytes = panel > program.panel_bytes ? panel : program.panel_bytes;
        bool moved = i < check && call.kind == Kind::LINEAR_BACKWARD_WEIGHTS;
        bool added = true;
        if (i == check) {
            added = append_updates(program, check) && append(program.planned, call);
        } else if (call.kind == Kind::LINEAR_FORWARD) {
            added = append_forward(program, call);
            const PackWeights& pack = call.linear_forward.pack;
            program.packed_bytes += pack.w.packed == nullptr ? packed_size(pack) : 0;
        } else if (!moved) {
            added = append(program.planned, call);
        }
        if (!added) {
            return -1;
        }
    }
    return program.packed_bytes + program.threads * program.panel_bytes;
}

}  // namespace elbo4j

using namespace elbo4j;

void elbo4j_program_bind(elbo4j_program* program, void* workspace) {
    program->workspace = (char*)workspace;
    char* free = program->workspace;
    for (int64_t i = 0; i < program->planned.count; i++) {
        Call& call = program->planned.items[i];
        if (call.kind == Kind::PACK_WEIGHTS && call.pack_weights.w.packed == nullptr) {
            call.pack_weights.w.packed = (float*)free;
            program->planned.items[i + 1].linear_forward.pack.w.packed = (float*)free;
            free += packed_size(call.pack_weights);
        }
    }
}

namespace {

const char* words(const Call& call) {
    switch (call.kind) {
        case Kind::PACK_WEIGHTS:
            return "transposed copy of the weights, if they have changed";
        case Kind::BOUND_GRADIENTS:
            return "bound of all gradients by their factors";
        case Kind::LINEAR_UPDATE:
            return "gradients and Adam in one pass while the bound holds";
        default:
            return "";
    }
}

}  // namespace

int64_t elbo4j_program_explain(const elbo4j_program* program, char* text, int64_t size) {
    int64_t length = 0;
    for (int64_t i = 0; i < program->planned.count; i++) {
        const Call& call = program->planned.items[i];
        char line[96];
        int written = snprintf(line, sizeof line, "%d %s\n", call.number, words(call));
        for (int c = 0; c < written; c++, length++) {
            if (length < size - 1) {
                text[length] = line[c];
            }
        }
    }
    if (size > 0) {
        text[length < size - 1 ? length : size - 1] = 0;
    }
    return length;
}
