#include "gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../include/emu_bfloat16.h"

namespace emu_blas {
namespace {

// TF32 keeps 10 bits of mantissa; tensor cores are fed by conversion to nearest, ties away from zero.
float round_tf32(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) == 0x7f800000u) return value;
    bits = (bits + 0x1000u) & ~0x1fffu;
    std::memcpy(&value, &bits, sizeof bits);
    return value;
}

float round_input(float value, Rounding rounding) {
    switch (rounding) {
        case Rounding::kTf32:
            return round_tf32(value);
        case Rounding::kBfloat16:
            return __bfloat162float(__float2bfloat16_rn(value));
        case Rounding::kFloat16:
            return __half2float(__float2half_rn(value));
        case Rounding::kNone:
            break;
    }
    return value;
}

float load(const void* base, Type type, size_t index) {
    switch (type) {
        case Type::kBfloat16:
            return __bfloat162float(static_cast<const __nv_bfloat16*>(base)[index]);
        case Type::kFloat16:
            return __half2float(static_cast<const __half*>(base)[index]);
        case Type::kFloat32:
            break;
    }
    return static_cast<const float*>(base)[index];
}

void store(void* base, Type type, size_t index, float value) {
    switch (type) {
        case Type::kBfloat16:
            static_cast<__nv_bfloat16*>(base)[index] = __float2bfloat16_rn(value);
            return;
        case Type::kFloat16:
            static_cast<__half*>(base)[index] = __float2half_rn(value);
            return;
        case Type::kFloat32:
            break;
    }
    static_cast<float*>(base)[index] = value;
}

// op(X) as rows x columns floats, column-major without gaps.
std::vector<float> pack(const void* x, Type type, bool transpose, int rows, int columns, int leading, size_t offset,
                        Rounding rounding) {
    std::vector<float> packed(static_cast<size_t>(rows) * columns);
    for (int j = 0; j < columns; j++) {
        for (int i = 0; i < rows; i++) {
            const size_t index = transpose ? offset + j + static_cast<size_t>(i) * leading
                                           : offset + i + static_cast<size_t>(j) * leading;
            packed[static_cast<size_t>(j) * rows + i] = round_input(load(x, type, index), rounding);
        }
    }
    return packed;
}

void multiply(const Gemm& g, size_t batch, float alpha, float beta) {
    const size_t offset_c = batch * g.stride_c;
    std::vector<float> a, b;
    if (alpha != 0.0f) {  // like the real one: with alpha 0, A and B are not read
        a = pack(g.a, g.type_a, g.transpose_a, g.m, g.k, g.lda, batch * g.stride_a, g.rounding);
        b = pack(g.b, g.type_b, g.transpose_b, g.k, g.n, g.ldb, batch * g.stride_b, g.rounding);
    }
    std::vector<float> sums(g.m);
    for (int j = 0; j < g.n; j++) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int p = 0; p < (alpha != 0.0f ? g.k : 0); p++) {
            const float factor = b[static_cast<size_t>(j) * g.k + p];
            const float* column = &a[static_cast<size_t>(p) * g.m];
            for (int i = 0; i < g.m; i++) sums[i] += column[i] * factor;
        }
        for (int i = 0; i < g.m; i++) {
            const size_t index = offset_c + i + static_cast<size_t>(j) * g.ldc;
            float value = alpha * sums[i];
            if (beta != 0.0f) value += beta * load(g.c, g.type_c, index);  // with beta 0, C may hold NaN
            store(g.c, g.type_c, index, value);
        }
    }
}

}  // namespace

size_t type_bytes(Type type) { return type == Type::kFloat32 ? 4 : 2; }

size_t span_bytes(Type type, int rows, int columns, int leading, long long stride, int batch) {
    if (rows == 0 || columns == 0 || batch == 0) return 0;
    const size_t matrix = static_cast<size_t>(columns - 1) * leading + rows;
    return (static_cast<size_t>(batch - 1) * stride + matrix) * type_bytes(type);
}

void run_gemm(const Gemm& g) {
    if (g.workspace != nullptr) {
        // Both ends: enough to destroy what someone else keeps there, without the price of 32 MiB for each product.
        const size_t head = std::min<size_t>(g.workspace_bytes, 64 * 1024);
        const size_t tail = std::min<size_t>(g.workspace_bytes, 4096);
        std::memset(g.workspace, 0xff, head);
        std::memset(static_cast<char*>(g.workspace) + g.workspace_bytes - tail, 0xff, tail);
    }
    const float alpha = g.device_alpha != nullptr ? *g.device_alpha : g.alpha;
    const float beta = g.device_beta != nullptr ? *g.device_beta : g.beta;
    for (int batch = 0; batch < g.batch; batch++) multiply(g, batch, alpha, beta);
}

}  // namespace emu_blas
