/*
 * From recorded calls to planned ones.
 *
 * Weights. Every forward product is preceded by the renewal of its transposed copy, which does nothing while the copy is
 * as new as the values, or where the product reads them as they lie: see direct in program.cpp.
 *
 * Zeros. Behind a call that brings in pixels, which are zero in most of a drawing, those that are not are listed for the
 * products of them that follow.
 *
 * Updates. Where a recording computes the gradients of a whole group, checks them and takes a step of Adam, each weight
 * gradient is updated tile by tile as it is computed, instead of being read again twice. The check has to come first, so
 * the merged updates stand where Adam stood, behind a bound of every gradient by the largest magnitudes of its factors,
 * which the calls that write them tell as far as they can; should the bound not hold, the same step runs gradients, check
 * and Adam one after another. Both ways give the same bits. Gradients that no call of the recording may read are stored in
 * the last step of a run only: nobody could see the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operands.h"

namespace elbo4j {

namespace {

/*
 * Whether the gradients that a call computes can be computed behind all calls up to `end` instead, together with an update of
 * the arrays of Adam: nothing on the way writes what it reads, or reads or writes what it writes, and it reads none of them.
 */
bool movable(const elbo4j_program& program, int64_t index, int64_t end, const Adam& adam) {
    Operands own;
    operands_of(program, program.recorded.items[index], own);
    const Range updated[] = {
        floats(adam.values + adam.offset, adam.size), floats(adam.gradients + adam.offset, adam.size),
        floats(adam.moment0 + adam.offset, adam.size), floats(adam.moment1 + adam.offset, adam.size)};
    for (const Range& read : own.read) {
        if (overlap(read, updated, 4)) {
            return false;
        }
    }
    for (int64_t i = index + 1; i < end; i++) {
        Operands other;
        if (!operands_of(program, program.recorded.items[i], other)) {
            return false;
        }
        for (const Range& read : own.read) {
            if (overlap(read, other.written, 3)) {
                return false;
            }
        }
        for (const Range& result : own.written) {
            if (overlap(result, other.read, 4) || overlap(result, other.written, 3)) {
                return false;
            }
        }
    }
    return true;
}

/*
 * Whether another call than the check and Adam of a group may read its gradients: those of the step, or of the one before.
 * Calls that add to gradients of the group do not count: a group with one is not merged.
 */
bool read_by_others(const elbo4j_program& program, int64_t check) {
    const Adam& adam = program.recorded.items[check + 1].adam;
    const Range gradients = floats(adam.gradients + adam.offset, adam.size);
    for (int64_t i = 0; i < program.recorded.count; i++) {
        const Call& call = program.recorded.items[i];
        bool may_read = i != check && i != check + 1 && call.kind != Kind::SELECT_ROWS && call.kind != Kind::ADVANCE;
        Operands operands;
        if (may_read && (!operands_of(program, call, operands) || overlap(gradients, operands.read, 4))) {
            return true;
        }
    }
    return false;
}

/* Whether the array [offset, offset + size) of the gradients is one that the call overwrites. */
bool computes(const Call& call, const float* gradients, int64_t offset, int64_t size) {
    if (call.kind != Kind::LINEAR_BACKWARD_WEIGHTS || call.linear_backward_weights.write != ELBO4J_OVERWRITE) {
        return false;
    }
    const LinearBackwardWeights& c = call.linear_backward_weights;
    return (c.dw == gradients + offset && c.in * c.out == size) || (c.db == gradients + offset && c.out == size);
}

/* Whether a call computes gradients of the group that Adam updates. */
bool belongs(const Call& call, const Adam& adam) {
    const float* dw = call.linear_backward_weights.dw;
    return call.kind == Kind::LINEAR_BACKWARD_WEIGHTS && dw >= adam.gradients + adam.offset &&
           dw < adam.gradients + adam.offset + adam.size;
}

/*
 * Whether a check and the Adam of its group follow each other, the calls before compute every view of the group exactly once,
 * and could as well do it there.
 */
bool mergeable(const elbo4j_program& program, int64_t index) {
    const Calls& calls = program.recorded;
    if (index + 1 >= calls.count || calls.items[index].kind != Kind::CHECK_GRADIENTS ||
        calls.items[index + 1].kind != Kind::ADAM) {
        return false;
    }
    const CheckGradients& check = calls.items[index].check_gradients;
    const Adam& adam = calls.items[index + 1].adam;
    if (check.gradients != adam.gradients) {
        return false;
    }
    int64_t expected = 0;
    for (int64_t c = 0; c < index; c++) {
        if (belongs(calls.items[c], adam)) {
            if (!movable(program, c, index, adam)) {
                return false;
            }
            expected += 2;
        }
    }
    /* Views lie in ascending order; between them is less than an alignment, which no update changes. */
    int64_t end = adam.offset;
    for (int64_t v = 0; v < check.count; v++) {
        int64_t computed = 0;
        for (int64_t c = 0; c < index; c++) {
            computed += computes(calls.items[c], check.gradients, check.offsets[v], check.sizes[v]) ? 1 : 0;
        }
        if (computed != 1 || check.offsets[v] < end || check.offsets[v] - end >= 16) {
            return false;
        }
        end = check.offsets[v] + check.sizes[v];
    }
    return check.count == expected && expected > 0 && adam.offset + adam.size == end;
}

/* Marks the checks that become bounds, and the gradients that are updated as they are computed. */
void mark(elbo4j_program& program) {
    Calls& calls = program.recorded;
    for (int64_t i = 0; i < calls.count; i++) {
        if (mergeable(program, i)) {
            calls.items[i].merged = true;
            for (int64_t c = 0; c < i; c++) {
                calls.items[c].merged |= belongs(calls.items[c], calls.items[i + 1].adam);
            }
        }
    }
}

bool append(Calls& calls, const Call& call) {
    Call* place = calls.append();
    if (place != nullptr) {
        *place = call;
    }
    return place != nullptr;
}

/* Whether a call writes every element of the array, and tells the largest magnitude. */
bool tells_largest(const Call& call, const float* array, int64_t width, int64_t fold) {
    switch (call.kind) {
        case Kind::LINEAR_FORWARD: {
            const LinearForward& c = call.linear_forward;
            return c.y == array && c.out == width && c.fold == fold;
        }
        case Kind::LINEAR_BACKWARD_INPUT: {
            const LinearBackwardInput& c = call.linear_backward_input;
            return c.dx == array && c.in == width && c.fold == fold;
        }
        case Kind::BERNOULLI_FORWARD_BACKWARD: {
            const BernoulliForwardBackward& c = call.bernoulli_forward_backward;
            return c.d_logits == array && c.of.d == width && c.of.fold == fold;
        }
        default:
            return false;
    }
}

/* The largest magnitude that a call may gather into the whole array, 0 if that is not known. */
float most_gathered(const Call& call, const float* array, int64_t width, int64_t fold) {
    const Gather& c = call.gather;
    bool bytes = call.kind == Kind::GATHER && c.type == ELBO4J_U8 && c.out == array && c.columns == width && fold == 1;
    return !bytes ? 0 : c.pixels == ELBO4J_AS_IS ? 255 : 1;
}

/* Lets the call that writes a factor of a recorded one tell its largest magnitude; says whether it is told, or known. */
bool let_writer_tell(elbo4j_program& program, int64_t index, const float* array, int64_t width, uint32_t* largest) {
    int64_t fold = program.recorded.items[index].linear_backward_weights.fold;
    const Call* writer = last_writer(program, floats(array, program.capacity * fold * width), index);
    if (writer == nullptr) {
        return false;
    }
    float most = most_gathered(*writer, array, width, fold);
    if (most > 0) {
        memcpy(largest, &most, sizeof most);
        return true;
    }
    if (!tells_largest(*writer, array, width, fold)) {
        return false;
    }
    for (int64_t i = 0; i < program.planned.count; i++) {
        Call& planned = program.planned.items[i];
        if (planned.number == writer->number && planned.kind == writer->kind && planned.largest == nullptr) {
            planned.largest = largest;
            return true;
        }
    }
    return false;
}

/*
 * Lays the lists of what is not zero out in memory from an address on, and gives their bytes; lists have room for
 * what the last store of sixteen numbers writes beyond their end.
 */
int64_t nonzero_layout(const elbo4j_program& program, const ListNonzeros& list, char* memory) {
    constexpr int64_t BEHIND = 16;
    int64_t eight_rows = (program.capacity + 7) / 8;
    int64_t eight_columns = (list.columns + 7) / 8;
    int64_t columns_room = list.columns + BEHIND;
    int64_t rows_room = program.capacity + BEHIND;
    char* free = memory;
    auto next = [&free](int64_t bytes) {
        char* here = free;
        free += (bytes + 63) / 64 * 64;
        return here;
    };
    int32_t* columns = (int32_t*)next(eight_rows * columns_room * 4);
    int64_t listed_rooms = list.wants_rows ? eight_columns * rows_room : 0;
    int32_t* rows = (int32_t*)next(listed_rooms * 4);
    int32_t* column_counts = (int32_t*)next(eight_rows * 4);
    int32_t* row_counts = (int32_t*)next(eight_columns * 4);
    float* values = (float*)next(listed_rooms * 8 * 4);
    uint16_t* masks = (uint16_t*)next((eight_columns + 1) / 2 * rows_room * 2);
    if (memory != nullptr) {
        *list.nonzeros = {columns_room, columns, column_counts, rows_room, rows, row_counts, values, masks, false};
    }
    return free - memory;
}

bool brings(const Call& call) { return call.kind == Kind::GATHER || call.kind == Kind::LOAD; }

ListNonzeros what_is_brought(const Call& call) {
    bool gathered = call.kind == Kind::GATHER;
    return {gathered ? call.gather.out : call.load.out, gathered ? call.gather.columns : call.load.columns,
            call.nonzeros, false};
}

/* Lets a product know what is not zero of the x [capacity, in] that a call has brought in; false if there is no memory. */
bool let_know_nonzeros(elbo4j_program& program, int64_t product, const float* x, int64_t in, int64_t out) {
    /* Products with fewer outputs cost less than the lists. */
    constexpr int64_t ENOUGH_OUTPUTS = 32;
    const Call* writer = last_writer(program, floats(x, program.capacity * in), product);
    if (out < ENOUGH_OUTPUTS || writer == nullptr || !brings(*writer) || what_is_brought(*writer).x != x ||
        what_is_brought(*writer).columns != in) {
        return true;
    }
    Call& writes = program.recorded.items[writer - program.recorded.items];
    if (writes.nonzeros == nullptr) {
        writes.nonzeros = (Nonzeros*)elbo4j_allocate(sizeof(Nonzeros));
        if (writes.nonzeros == nullptr) {
            return false;
        }
    }
    program.recorded.items[product].nonzeros = writes.nonzeros;
    return true;
}

/* The same for all products. */
bool let_know_nonzeros(elbo4j_program& program) {
    for (int64_t i = 0; i < program.recorded.count; i++) {
        const Call& call = program.recorded.items[i];
        bool known = true;
        if (call.kind == Kind::LINEAR_FORWARD && call.linear_forward.fold == 1) {
            const LinearForward& c = call.linear_forward;
            known = let_know_nonzeros(program, i, c.x, c.in, c.out);
        } else if (call.kind == Kind::LINEAR_BACKWARD_WEIGHTS && call.linear_backward_weights.fold == 1) {
            const LinearBackwardWeights& c = call.linear_backward_weights;
            known = let_know_nonzeros(program, i, c.x, c.in, c.out);
        }
        if (!known) {
            return false;
        }
    }
    return true;
}

/* A call that brings in what products know the nonzeros of, and their lists; those of rows for gradients of weights only. */
bool append_bringing(elbo4j_program& program, const Call& call) {
    Call list = {};
    list.kind = Kind::LIST_NONZEROS;
    list.number = call.number;
    list.list_nonzeros = what_is_brought(call);
    for (int64_t i = 0; i < program.recorded.count; i++) {
        const Call& other = program.recorded.items[i];
        list.list_nonzeros.wants_rows |= other.kind == Kind::LINEAR_BACKWARD_WEIGHTS && other.nonzeros == call.nonzeros;
    }
    program.nonzero_bytes += nonzero_layout(program, list.list_nonzeros, nullptr);
    return append(program.planned, call) && append(program.planned, list);
}

/* The bound and the merged updates, which stand before check and Adam. */
bool append_updates(elbo4j_program& program, int64_t check) {
    const Calls& recorded = program.recorded;
    const Adam& adam = recorded.items[check + 1].adam;
    int64_t updates = 0;
    for (int64_t i = 0; i < check; i++) {
        updates += belongs(recorded.items[i], adam) ? 1 : 0;
    }
    Call bound = {};
    bound.kind = Kind::BOUND_GRADIENTS;
    bound.number = recorded.items[check].number;
    bound.bound_gradients = {program.planned.count + 1, updates, nullptr, nullptr};
    uint32_t* largest = (uint32_t*)elbo4j_allocate(2 * updates * (int64_t)sizeof(uint32_t));
    bool* looked_for = (bool*)elbo4j_allocate(2 * updates * (int64_t)sizeof(bool));
    bound.bound_gradients.largest = largest;
    bound.bound_gradients.looked_for = looked_for;
    if (largest == nullptr || looked_for == nullptr || !append(program.planned, bound)) {
        elbo4j_free(largest);
        elbo4j_free(looked_for);
        return false;
    }
    bool read = read_by_others(program, check);
    /* From the last layer to the first, as they were issued: what was computed last is still in the cache. */
    for (int64_t i = 0; i < check; i++) {
        if (belongs(recorded.items[i], adam)) {
            Call update = {};
            update.kind = Kind::LINEAR_UPDATE;
            update.number = recorded.items[i].number;
            const LinearBackwardWeights& c = recorded.items[i].linear_backward_weights;
            update.nonzeros = recorded.items[i].nonzeros;
            update.linear_update = {c, adam, c.dw - adam.gradients, c.db - adam.gradients, read};
            *looked_for++ = !let_writer_tell(program, i, c.x, c.in, largest++);
            *looked_for++ = !let_writer_tell(program, i, c.g, c.out, largest++);
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
    int64_t columns = program.kernels->panel;
    int64_t depth = 0;
    if (call.kind == Kind::LINEAR_FORWARD) {
        depth = call.linear_forward.in;
    } else if (call.kind == Kind::LINEAR_BACKWARD_INPUT) {
        depth = shares_sets(call.linear_backward_input.in) ? call.linear_backward_input.out : 0;
    } else if (call.kind == Kind::LINEAR_BACKWARD_WEIGHTS || call.kind == Kind::LINEAR_UPDATE) {
        const LinearBackwardWeights& c =
            call.kind == Kind::LINEAR_UPDATE ? call.linear_update.gradients : call.linear_backward_weights;
        depth = shares_sets(c.in) || call.nonzeros != nullptr ? program.capacity * c.fold : 0;
        /* Of g where rows of x are left out: a block of its columns. */
        int64_t block = program.kernels->block;
        columns = call.nonzeros != nullptr && columns < block ? block : columns;
    }
    int64_t width = columns * (int64_t)sizeof(float);
    /* Behind the transpose of x stand the numbers of its columns that are not zero. */
    int64_t list = call.kind == Kind::LINEAR_FORWARD ? ((depth + 16) * 4 + 63) / 64 * 64 : 0;
    return depth <= MOST / width ? depth * width + list : 0;
}

int64_t plan(elbo4j_program& program) {
    const Calls& recorded = program.recorded;
    mark(program);
    if (!let_know_nonzeros(program)) {
        return -1;
    }
    program.packed_bytes = 0;
    program.nonzero_bytes = 0;
    program.panel_bytes = 0;
    program.panel_threads = 0;
    for (int64_t i = 0; i < recorded.count; i++) {
        const Call& call = recorded.items[i];
        int64_t panel = panel_bytes(program, call);
        int64_t threads = pieces_of(program, call, program.capacity);
        program.panel_bytes = panel > program.panel_bytes ? panel : program.panel_bytes;
        program.panel_threads = threads > program.panel_threads ? threads : program.panel_threads;
        bool added = true;
        if (call.merged && call.kind == Kind::CHECK_GRADIENTS) {
            added = append_updates(program, i) && append(program.planned, call);
        } else if (call.kind == Kind::LINEAR_FORWARD) {
            added = append_forward(program, call);
            const PackWeights& pack = call.linear_forward.pack;
            program.packed_bytes += pack.w.packed == nullptr ? packed_size(pack) : 0;
        } else if (!call.merged) {
            added = brings(call) && call.nonzeros != nullptr ? append_bringing(program, call)
                                                             : append(program.planned, call);
        }
        if (!added) {
            return -1;
        }
    }
    return program.packed_bytes + program.nonzero_bytes + program.panel_threads * program.panel_bytes;
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
    for (int64_t i = 0; i < program->planned.count; i++) {
        const Call& call = program->planned.items[i];
        if (call.kind == Kind::LIST_NONZEROS) {
            free += nonzero_layout(*program, call.list_nonzeros, free);
        }
    }
}

namespace {

const char* words(const Call& call) {
    switch (call.kind) {
        case Kind::PACK_WEIGHTS:
            return "transposed copy of the weights, if it is read and they have changed";
        case Kind::LIST_NONZEROS:
            return "lists of what is not zero: products leave out the rest where that pays";
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
        char line[160];
        int written;
        if (call.kind == Kind::BOUND_GRADIENTS) {
            const BoundGradients& bound = call.bound_gradients;
            int looked_for = 0;
            for (int64_t factor = 0; factor < 2 * bound.updates; factor++) {
                looked_for += bound.looked_for[factor] ? 1 : 0;
            }
            written = snprintf(line, sizeof line,
                               "%d bound of all gradients by their factors, of which it looks at %d of %d\n",
                               call.number, looked_for, (int)(2 * bound.updates));
        } else {
            written = snprintf(line, sizeof line, "%d %s\n", call.number, words(call));
        }
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
