// What a dense layer does around its matrix products: bias and activation, the activation's gradient, the bias
// gradient.
//
// Formula: forward a = y + bias(column), pre = a, y = f(a); backward input dx = dx * f'(saved); backward weights
//     db(column) = sum over rows of g.
// Memory: matrices [rows * fold, columns], vectors [columns]. y and dx hold the product on entry and are overwritten;
//     pre and the bf16 twins may be null; db is overwritten or, with `add`, added to. Padding rows of y, pre and dx
//     are zeros, those of g are not read. partial: [ceil(rows * fold / 64), columns], only for a grid of height above
//     1. Backward input bias: both in one pass over dx, which is the g of the layer below.
// Launch: forward and backward input: any grid, any block of whole warps, no shared memory. Column sums: block
//     (32, 8), grid (columns / 32, 1), or (columns / 32, 64-row blocks) followed by the finishing kernel; 1 KiB
//     static.
// Numerics: a 64-row block is eight chains (row mod 8), added in ascending order, and so are the blocks: the same
//     bits for every grid. relu passes a NaN on.
// See docs/kernels/linear.md.
#include "activation.cuh"
#include "common.cuh"

KERNEL linear_forward_f32(const long long* active, long long rows, int fold, long long columns, int activation,
                          const float* bias, float* y, float* pre, __nv_bfloat16* twin) {
    const long long total = rows * fold * columns;
    const long long live = active_rows(active, rows) * fold * columns;
    for (long long at = 4 * grid_thread(); at < total; at += 4 * grid_threads()) {
        const int count = four_of(live - at);
        Four a = load_four(y, at, count, true);
        Four out = {};
        long long column = at % columns;
        for (int i = 0; i < 4; i++) {
            if (i < count) {
                a.at[i] += bias[column];
                out.at[i] = activation_value(activation, a.at[i]);
                column = column + 1 < columns ? column + 1 : 0;
            }
        }
        const int stored = four_of(total - at);
        if (pre != nullptr) store_four(pre, at, a, stored, true);
        store_four(y, at, out, stored, true);
        store_twin(twin, at, out, stored, true);
    }
}

KERNEL linear_backward_input_f32(const long long* active, long long rows, int fold, long long columns, int activation,
                                 const float* saved, float* dx, __nv_bfloat16* twin) {
    const long long total = rows * fold * columns;
    const long long live = active_rows(active, rows) * fold * columns;
    for (long long at = 4 * grid_thread(); at < total; at += 4 * grid_threads()) {
        const int count = four_of(live - at);
        Four d = load_four(dx, at, count, true);
        const Four s = load_four(saved, at, count, true);
        for (int i = 0; i < 4; i++) {
            if (i < count) d.at[i] *= activation_derivative(activation, s.at[i]);
        }
        const int stored = four_of(total - at);
        store_four(dx, at, d, stored, true);
        store_twin(twin, at, d, stored, true);
    }
}

constexpr int SUM_ROWS = 64;
constexpr int SUM_CHAINS = 8;

// Sums of value(row, column) over the rows below `end`, a column each, of `blocks` blocks of rows.
template <class Value>
__device__ inline void column_sums(long long end, long long blocks, long long columns, float* partial, float* db,
                                   int add, const Value& value) {
    __shared__ float chains[SUM_CHAINS][WARP];
    const bool whole = gridDim.y == 1;
    for (long long first = WARP * static_cast<long long>(blockIdx.x); first < columns;
         first += WARP * static_cast<long long>(gridDim.x)) {
        const long long column = first + threadIdx.x;
        float total = 0.0f;
        for (long long block = blockIdx.y; block < blocks; block += gridDim.y) {
            const long long block_end = min(end, SUM_ROWS * (block + 1));
            for (int chain = static_cast<int>(threadIdx.y); chain < SUM_CHAINS; chain += static_cast<int>(blockDim.y)) {
                float sum = 0.0f;
                for (long long row = SUM_ROWS * block + chain; row < block_end; row += SUM_CHAINS) {
                    if (column < columns) sum += value(row, column);
                }
                chains[chain][threadIdx.x] = sum;
            }
            __syncthreads();
            if (threadIdx.y == 0 && column < columns) {
                float sum = 0.0f;
                for (int chain = 0; chain < SUM_CHAINS; chain++) sum += chains[chain][threadIdx.x];
                total += sum;
                if (!whole) partial[block * columns + column] = sum;
            }
            __syncthreads();
        }
        if (whole && threadIdx.y == 0 && column < columns) db[column] = add != 0 ? db[column] + total : total;
    }
}

__device__ inline long long blocks_of(long long rows) { return (rows + SUM_ROWS - 1) / SUM_ROWS; }

KERNEL linear_backward_weights_f32(const long long* active, long long rows, int fold, long long columns, const float* g,
                                   float* partial, float* db, int add) {
    const long long live = active_rows(active, rows) * fold;
    column_sums(live, blocks_of(gridDim.y == 1 ? live : rows * fold), columns, partial, db, add,
                [=](long long row, long long column) { return g[row * columns + column]; });
}

// A call of its own: inlined beside the sums, nine derivatives do not fit the registers of a full block.
__device__ __noinline__ float derivative_called(int activation, float saved) {
    return activation_derivative(activation, saved);
}

KERNEL linear_backward_input_bias_f32(const long long* active, long long rows, int fold, long long columns,
                                      int activation, const float* saved, float* dx, __nv_bfloat16* twin,
                                      float* partial, float* db, int add) {
    const long long live = active_rows(active, rows) * fold;
    const long long total = rows * fold;
    // Padding rows add zeros, which change no bit of a sum that begins at zero.
    column_sums(total, blocks_of(total), columns, partial, db, add, [=](long long row, long long column) {
        const long long at = row * columns + column;
        const float d = row < live ? dx[at] * derivative_called(activation, saved[at]) : 0.0f;
        dx[at] = d;
        if (twin != nullptr) twin[at] = __float2bfloat16_rn(d);
        return d;
    });
}

KERNEL linear_backward_weights_finish_f32(const float* partial, long long blocks, long long columns, float* db,
                                          int add) {
    for (long long column = grid_thread(); column < columns; column += grid_threads()) {
        float total = 0.0f;
        for (long long block = 0; block < blocks; block++) total += partial[block * columns + column];
        db[column] = add != 0 ? db[column] + total : total;
    }
}
