// Brings rows that the host has staged into a step: as they are, or divided by 255.
//
// Formula: out(r, c) = value(in(r, c)).
// Memory: in [rows, columns] u8 or f32, on the device or pinned on the host; out [rows, columns], overwritten, and its
//     bf16 twin, which may be null. Padding rows of in are not read, and those of out are zeros.
// Launch: any grid, any block of whole warps; a thread takes four elements; no shared memory.
// Numerics: UNIT is one rounded division.
// See docs/kernels/load.md.
#include "pixels.cuh"

template <class T>
__device__ inline void load(const long long* active, long long rows, long long columns, const T* in, int pixels,
                            float* out, __nv_bfloat16* twin) {
    const long long total = rows * columns;
    const long long live = active_rows(active, rows) * columns;
    for (long long at = 4 * grid_thread(); at < total; at += 4 * grid_threads()) {
        const Four four = gathered(in, at, four_of(live - at), true, pixels, Words{});
        const int count = four_of(total - at);
        store_four(out, at, four, count, true);
        store_twin(twin, at, four, count, true);
    }
}

KERNEL load_u8_f32(const long long* active, long long rows, long long columns, const unsigned char* in, int pixels,
                   float* out, __nv_bfloat16* twin) {
    load(active, rows, columns, in, pixels, out, twin);
}

KERNEL load_f32_f32(const long long* active, long long rows, long long columns, const float* in, int pixels,
                    float* out, __nv_bfloat16* twin) {
    load(active, rows, columns, in, pixels, out, twin);
}
