// Chooses the data rows of a batch: the next ones of the epoch's order.
//
// Formula: active = max(0, min(capacity, row_count - position)); row_ids(i) = first_row + order(position + i), order
//     the identity or the permutation of Shuffle.java: six Feistel rounds over Philox with cycle-walking.
// Memory: row_ids [capacity], overwritten, padding -1; sets active and order_rows of the state.
// Launch: any grid, any block of whole warps; a thread takes a row; no shared memory.
// Numerics: integers, equal on every backend.
// See docs/kernels/gather.md.
#include "philox.cuh"

// The permutation of 0 .. 2^(2 half_bits) - 1 that an epoch has.
__device__ inline long long feistel(long long seed, unsigned epoch, long long value, int half_bits) {
    constexpr int ROUNDS = 6;
    const long long mask = (1LL << half_bits) - 1;
    long long left = value >> half_bits;
    long long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
        const Words words = philox(seed, static_cast<unsigned>(right), static_cast<unsigned>(round), epoch,
                                   stream_of(PURPOSE_SHUFFLE, 0));
        const long long next = left ^ (words.at[0] & mask);
        left = right;
        right = next;
    }
    return left << half_bits | right;
}

// The row at a position of the shuffled order of n rows; a value outside is permuted again.
__device__ inline long long shuffled_row(long long seed, long long epoch, long long position, long long n) {
    const int half_bits = max(1, (64 - __clzll(n - 1) + 1) / 2);
    long long row = position;
    do {
        row = feistel(seed, static_cast<unsigned>(epoch), row, half_bits);
    } while (row >= n);
    return row;
}

KERNEL select_rows(StepState* state, long long capacity, long long first_row, long long row_count, int shuffled,
                   long long* row_ids) {
    const long long position = state->position;
    const long long active = max(0LL, min(capacity, row_count - position));
    for (long long i = grid_thread(); i < capacity; i += grid_threads()) {
        if (i >= active) {
            row_ids[i] = -1;
        } else if (shuffled != 0) {
            row_ids[i] = first_row + shuffled_row(state->seed, state->epoch, position + i, row_count);
        } else {
            row_ids[i] = first_row + position + i;
        }
    }
    if (grid_thread() == 0) {
        state->active = active;
        state->order_rows = row_count;
    }
}
