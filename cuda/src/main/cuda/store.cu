// Leaves the active rows of a result where the host reads them.
//
// Formula: out(r, c) = in(r, c) for active r.
// Memory: in and out [rows * fold, columns]; out on the device or pinned on the host; its padding rows stay as they are.
// Launch: any grid, any block of whole warps; a thread takes four elements; no shared memory.
// Numerics: exact.
// See docs/kernels/load.md.
#include "common.cuh"

KERNEL store_f32(const long long* active, long long rows, int fold, long long columns, const float* in, float* out) {
    const long long live = active_rows(active, rows) * fold * columns;
    for (long long at = 4 * grid_thread(); at < live; at += 4 * grid_threads()) {
        const int count = four_of(live - at);
        store_four(out, at, load_four(in, at, count, true), count, true);
    }
}
