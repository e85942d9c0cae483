// The arithmetic of the emulated cuBLAS: plain loops, with the input rounding that a compute type stands for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emu_blas {

enum class Type { kFloat32 = 0, kFloat16 = 2, kBfloat16 = 14 };
enum class Rounding { kNone, kTf32, kBfloat16, kFloat16 };

// C = alpha * op(A) * op(B) + beta * C, column-major, `batch` times.
struct Gemm {
    bool transpose_a, transpose_b;
    int m, n, k;
    const void* a;
    const void* b;
    void* c;
    Type type_a, type_b, type_c;
    int lda, ldb, ldc;
    long long stride_a, stride_b, stride_c;
    int batch;
    Rounding rounding;
    float alpha, beta;          // if the pointers below are null
    const float* device_alpha;  // read when the operation runs
    const float* device_beta;
    void* workspace;  // overwritten with NaN; null: none
    size_t workspace_bytes;
};

void run_gemm(const Gemm& gemm);

size_t type_bytes(Type type);
// Bytes from the first to behind the last element of a matrix in all batches.
size_t span_bytes(Type type, int rows, int columns, int leading, long long stride, int batch);

}  // namespace emu_blas
