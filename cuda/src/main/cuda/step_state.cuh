// The counters, schedule, sums and halt flag of a recording, in device memory: a captured graph needs no new argument
// from step to step. Java reads and writes the same offsets.
#pragma once

#include "common.cuh"

struct StepState {
    long long seed;  // key of Philox; its low half is the first key word
    long long step;  // counted from 0
    long long epoch;  // number of the permutation
    long long position;    // rows of the epoch that are done
    long long rows;        // rows seen since the sums were reset
    long long active;      // active batch rows of the present step
    long long order_rows;  // rows of the order that select_rows chose from; 0: none
    long long halt_name;   // -1 while nothing is halted
    long long halt_step;  // step that was halted
    long long halt_first;   // first bad element
    long long halt_count;   // bad elements
    long long table_first;  // step of the schedule's first row
    long long table_steps;  // rows of the schedule
    long long slots;                 // numbers in a row of the schedule
    const double* table;             // [table_steps, slots]
    double* sums;                    // one for each metric
    unsigned long long check_first;  // scratch of check_gradients: all ones between calls
    unsigned check_ticket;           // 0 between calls
    unsigned reserved;  // keeps the size a multiple of 8
};
static_assert(sizeof(StepState) == 144, "Java addresses the fields by offset");

__device__ inline bool halted(const StepState* state) { return state != nullptr && state->halt_name >= 0; }

// Stops the run at the present step. Called by one thread, and only when nothing is halted yet.
__device__ inline void halt(StepState* state, long long name, long long first, long long count) {
    state->halt_step = state->step;
    state->halt_first = first;
    state->halt_count = count;
    state->halt_name = name;
}

// The constant, or with a slot the schedule's number at the present step; NaN if there is no schedule.
__device__ inline double scalar(const StepState* state, double value, int slot) {
    if (slot < 0) return value;
    if (state->table_steps < 1 || slot >= state->slots) return nan("");
    const long long row = min(max(state->step - state->table_first, 0LL), state->table_steps - 1);
    return state->table[row * state->slots + slot];
}

// The weight of a gradient, for the whole block by its first thread: binary64 is slow on most devices.
__device__ inline float block_weight(const StepState* state, double value, int slot, int mean, long long active) {
    __shared__ float weight;
    if (threadIdx.x == 0 && threadIdx.y == 0) {
        weight = static_cast<float>(scalar(state, value, slot) / (mean != 0 ? static_cast<double>(active) : 1.0));
    }
    __syncthreads();
    return weight;
}
