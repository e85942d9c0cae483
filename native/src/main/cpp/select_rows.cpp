/*
 * Chooses the batch of the present step: row_ids(i) = first_row + order(position + i), the order of Shuffle.java: a
 * balanced Feistel network (Luby and Rackoff 1988) over Philox, with cycle-walking (Black and Rogaway 2002).
 */
#include "random.h"

namespace elbo4j {
namespace ELBO4J_ISA {

constexpr int FEISTEL_ROUNDS = 6;
constexpr int32_t PURPOSE_SHUFFLE = 2;

/* The two halves of sixteen numbers, of at most 31 bits each. */
struct Halves {
    Ints left;
    Ints right;
};

ELBO4J_INLINE Halves permuted(const PhiloxKeys& keys, int32_t epoch, const Halves& value, const Ints& half_mask) {
    Halves result = value;
    for (int round = 0; round < FEISTEL_ROUNDS; round++) {
        PhiloxWords words = philox(keys, {{result.right, ints(round), ints(epoch), ints(PURPOSE_SHUFFLE << 24)}});
        result = {result.right, result.left ^ (words.at[0] & half_mask)};
    }
    return result;
}

/* Overwrites ids[count], at most sixteen, with the rows at the places from `position` of the shuffled order of n. */
static void shuffled_rows(const elbo4j_state* state, int64_t position, int64_t count, int64_t n, int64_t* ids) {
    int bit_length = n == 1 ? 0 : 64 - __builtin_clzll((uint64_t)(n - 1));
    int half_bits = bit_length < 2 ? 1 : (bit_length + 1) / 2;
    int64_t mask = ((int64_t)1 << half_bits) - 1;
    int32_t left[LANES];
    int32_t right[LANES];
    for (int64_t i = 0; i < LANES; i++) {
        int64_t place = i < count ? position + i : position;
        left[i] = (int32_t)(place >> half_bits);
        right[i] = (int32_t)(place & mask);
    }
    PhiloxKeys keys = philox_keys(state->seed);
    const Ints half_mask = ints((int32_t)mask);
    const Ints last_left = ints((int32_t)((n - 1) >> half_bits));
    const Ints last_right = ints((int32_t)((n - 1) & mask));
    Halves row = {load(left), load(right)};
    Ints outside = ints(-1);
    while (any(outside)) {
        Halves next = permuted(keys, (int32_t)state->epoch, row, half_mask);
        row = {select(outside, next.left, row.left), select(outside, next.right, row.right)};
        outside = less(last_left, row.left) | (equal(last_left, row.left) & less(last_right, row.right));
    }
    store(left, row.left);
    store(right, row.right);
    for (int64_t i = 0; i < count; i++) {
        ids[i] = (int64_t)left[i] << half_bits | right[i];
    }
}

void select_rows(const SelectRows& call, elbo4j_state* state) {
    int64_t left = call.row_count - state->position;
    int64_t active = left < 0 ? 0 : left < call.capacity ? left : call.capacity;
    state->active_rows = active;
    state->order_rows = call.row_count;
    for (int64_t i = 0; i < active; i += LANES) {
        int64_t count = active - i < LANES ? active - i : LANES;
        int64_t* ids = call.row_ids + i;
        if (call.shuffled) {
            shuffled_rows(state, state->position + i, count, call.row_count, ids);
        }
        for (int64_t k = 0; k < count; k++) {
            ids[k] = call.first_row + (call.shuffled ? ids[k] : state->position + i + k);
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
