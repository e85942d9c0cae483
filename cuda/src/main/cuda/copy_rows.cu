// Copies the active rows of a matrix, and zeros its padding: the input of a product that reads whole matrices.
//
// Formula: out(r, c) = x(r, c) for active r, else 0; bf16 rounds to nearest even.
// Memory: x and out [rows * fold, columns]; out is overwritten; padding rows of x are not read.
// Launch: any grid, any block of whole warps; a thread takes four elements; no shared memory.
// Numerics: f32 exact; bf16 one rounding.
// See docs/kernels/linear.md.
#include "common.cuh"

KERNEL copy_rows_f32(const long long* active, long long rows, int fold, long long columns, const float* x, float* out) {
    const long long total = rows * fold * columns;
    const long long live = active_rows(active, rows) * fold * columns;
    for (long long at = 4 * grid_thread(); at < total; at += 4 * grid_threads()) {
        store_four(out, at, load_four(x, at, four_of(live - at), true), four_of(total - at), true);
    }
}

KERNEL copy_rows_bf16(const long long* active, long long rows, int fold, long long columns, const float* x,
                      __nv_bfloat16* out) {
    const long long total = rows * fold * columns;
    const long long live = active_rows(active, rows) * fold * columns;
    for (long long at = 4 * grid_thread(); at < total; at += 4 * grid_threads()) {
        store_twin(out, at, load_four(x, at, four_of(live - at), true), four_of(total - at), true);
    }
}
