// Brings the chosen rows of a data set into the batch: as they are, divided by 255, or drawn as Bernoulli
// variables.
//
// Formula: out(i, c) = value(data(row_ids(i), c)).
// Memory: data [data_rows, columns] u8 or f32, row_ids [rows], out [rows, columns], overwritten, and its bf16 twin,
//     which may be null. Padding rows are zeros, and so is a row id outside the data.
// Launch: any grid, any block of whole warps; a thread takes four columns, and one Philox block for them; no shared
//     memory.
// Numerics: UNIT is one rounded division; BERNOULLI of u8 needs integers only: floor(word * 255 / 2^32) < q.
// See docs/kernels/gather.md.
#include "pixels.cuh"

template <class T>
__device__ inline void gather(const long long* active, long long rows, const long long* row_ids, const T* data,
                              long long data_rows, long long columns, int pixels, const Noise& noise, float* out,
                              __nv_bfloat16* twin) {
    const long long live = active_rows(active, rows);
    const long long groups = (columns + 3) / 4;
    const bool vector = columns % 4 == 0;
    for (long long i = grid_thread(); i < rows * groups; i += grid_threads()) {
        const long long row = i / groups;
        const long long column = 4 * (i % groups);
        const int count = four_of(columns - column);
        const long long source = row < live ? row_ids[row] : -1;
        Four four = {};
        if (source >= 0 && source < data_rows) {
            Words words = {};
            if (pixels == PIXELS_BERNOULLI) words = noise_words(noise, row, 0, column);
            four = gathered(data, source * columns + column, count, vector, pixels, words);
        }
        store_four(out, row * columns + column, four, count, vector);
        store_twin(twin, row * columns + column, four, count, vector);
    }
}

KERNEL gather_u8_f32(const long long* active, long long rows, const long long* row_ids, const unsigned char* data,
                     long long data_rows, long long columns, int pixels, const StepState* state,
                     const long long* noise_rows, int row_key, int purpose, float* out, __nv_bfloat16* twin) {
    const Noise noise = {state, noise_rows, row_key, purpose};
    gather(active, rows, row_ids, data, data_rows, columns, pixels, noise, out, twin);
}

KERNEL gather_f32_f32(const long long* active, long long rows, const long long* row_ids, const float* data,
                      long long data_rows, long long columns, int pixels, const StepState* state,
                      const long long* noise_rows, int row_key, int purpose, float* out, __nv_bfloat16* twin) {
    const Noise noise = {state, noise_rows, row_key, purpose};
    gather(active, rows, row_ids, data, data_rows, columns, pixels, noise, out, twin);
}
