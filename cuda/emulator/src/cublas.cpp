// The emulated cuBLAS: handles, and products enqueued on a stream, so that capture records them too.
#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <set>
#include <vector>

#include "../include/emu_cublas.h"
#include "../include/emu_enqueue.h"
#include "gemm.h"

#define EMU_API extern "C" __attribute__((visibility("default")))

using namespace emu_blas;

struct cublasContext {
    CUstream stream = nullptr;
    int math_mode = CUBLAS_DEFAULT_MATH;
    int pointer_mode = CUBLAS_POINTER_MODE_HOST;
    void* workspace = nullptr;  // null: the handle's own, of which only the identity matters
    size_t workspace_bytes = 0;
};

namespace {

constexpr int kVersion = 120600;

std::mutex& handles_mutex() {
    static std::mutex& mutex = *new std::mutex;
    return mutex;
}

std::set<cublasHandle_t>& handles() {
    static std::set<cublasHandle_t>& all = *new std::set<cublasHandle_t>;
    return all;
}

template <class Body>
cublasStatus_t with_handle(const char* name, cublasHandle_t handle, Body&& body) {
    const int injected = emu_count_call(name);
    if (injected != 0) return injected;
    {
        std::lock_guard<std::mutex> lock(handles_mutex());
        if (handles().count(handle) == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return CUBLAS_STATUS_ALLOC_FAILED;
    }
}

bool known_type(int type) { return type == CUDA_R_32F || type == CUDA_R_16F || type == CUDA_R_16BF; }

// False if the emulator (or cuBLAS) does not support the compute type.
bool rounding_of(int compute, int math_mode, int type_a, Rounding* rounding) {
    *rounding = Rounding::kNone;
    if (compute == CUBLAS_COMPUTE_32F_PEDANTIC) return true;
    if (compute == CUBLAS_COMPUTE_32F) {
        if (math_mode == CUBLAS_TF32_TENSOR_OP_MATH && type_a == CUDA_R_32F) *rounding = Rounding::kTf32;
        return true;
    }
    if (type_a != CUDA_R_32F) return false;  // the fast modes convert binary32 operands
    if (compute == CUBLAS_COMPUTE_32F_FAST_TF32) {
        *rounding = Rounding::kTf32;
    } else if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) {
        *rounding = Rounding::kBfloat16;
    } else if (compute == CUBLAS_COMPUTE_32F_FAST_16F) {
        *rounding = Rounding::kFloat16;
    } else {
        return false;
    }
    return true;
}

uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

cublasStatus_t enqueue(cublasHandle_t handle, const char* name, Gemm gemm, const void* alpha, const void* beta) {
    if (gemm.m < 0 || gemm.n < 0 || gemm.k < 0 || gemm.batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
    const int rows_a = gemm.transpose_a ? gemm.k : gemm.m, columns_a = gemm.transpose_a ? gemm.m : gemm.k;
    const int rows_b = gemm.transpose_b ? gemm.n : gemm.k, columns_b = gemm.transpose_b ? gemm.k : gemm.n;
    if (gemm.lda < std::max(1, rows_a) || gemm.ldb < std::max(1, rows_b) || gemm.ldc < std::max(1, gemm.m)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (alpha == nullptr || beta == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (gemm.m == 0 || gemm.n == 0 || gemm.batch == 0) return CUBLAS_STATUS_SUCCESS;
    std::vector<EmuRange> ranges = {
        {address(gemm.c), span_bytes(gemm.type_c, gemm.m, gemm.n, gemm.ldc, gemm.stride_c, gemm.batch)}};
    gemm.device_alpha = gemm.device_beta = nullptr;
    if (handle->pointer_mode == CUBLAS_POINTER_MODE_DEVICE) {
        gemm.device_alpha = static_cast<const float*>(alpha);
        gemm.device_beta = static_cast<const float*>(beta);
        ranges.push_back({address(alpha), sizeof(float)});
        ranges.push_back({address(beta), sizeof(float)});
    } else {
        gemm.alpha = *static_cast<const float*>(alpha);
        gemm.beta = *static_cast<const float*>(beta);
    }
    if (gemm.device_alpha != nullptr || gemm.alpha != 0.0f) {
        ranges.push_back(
            {address(gemm.a), span_bytes(gemm.type_a, rows_a, columns_a, gemm.lda, gemm.stride_a, gemm.batch)});
        ranges.push_back(
            {address(gemm.b), span_bytes(gemm.type_b, rows_b, columns_b, gemm.ldb, gemm.stride_b, gemm.batch)});
    }
    gemm.workspace = handle->workspace;
    gemm.workspace_bytes = handle->workspace_bytes;
    if (gemm.workspace != nullptr) ranges.push_back({address(gemm.workspace), gemm.workspace_bytes});
    EmuOperation operation = {};
    operation.name = name;
    operation.run = [](void* state) { run_gemm(*static_cast<Gemm*>(state)); };
    operation.destroy = [](void* state) { delete static_cast<Gemm*>(state); };
    operation.state = new Gemm(gemm);
    operation.ranges = ranges.data();
    operation.range_count = static_cast<int>(ranges.size());
    operation.exclusive = gemm.workspace != nullptr ? address(gemm.workspace) : address(handle);
    return emu_enqueue(handle->stream, &operation) == CUDA_SUCCESS ? CUBLAS_STATUS_SUCCESS
                                                                   : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t gemm_ex(cublasHandle_t handle, const char* name, int transpose_a, int transpose_b, int m, int n, int k,
                       const void* alpha, const void* a, int type_a, int lda, long long stride_a, const void* b,
                       int type_b, int ldb, long long stride_b, const void* beta, void* c, int type_c, int ldc,
                       long long stride_c, int batch, int compute) {
    if (transpose_a < 0 || transpose_a > 2 || transpose_b < 0 || transpose_b > 2) return CUBLAS_STATUS_INVALID_VALUE;
    if (!known_type(type_a) || type_a != type_b) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (type_c != CUDA_R_32F && type_c != type_a) return CUBLAS_STATUS_NOT_SUPPORTED;
    Gemm gemm = {};
    if (!rounding_of(compute, handle->math_mode, type_a, &gemm.rounding)) return CUBLAS_STATUS_NOT_SUPPORTED;
    gemm.transpose_a = transpose_a != CUBLAS_OP_N;
    gemm.transpose_b = transpose_b != CUBLAS_OP_N;
    gemm.m = m;
    gemm.n = n;
    gemm.k = k;
    gemm.a = a;
    gemm.b = b;
    gemm.c = c;
    gemm.type_a = static_cast<Type>(type_a);
    gemm.type_b = static_cast<Type>(type_b);
    gemm.type_c = static_cast<Type>(type_c);
    gemm.lda = lda;
    gemm.ldb = ldb;
    gemm.ldc = ldc;
    gemm.stride_a = stride_a;
    gemm.stride_b = stride_b;
    gemm.stride_c = stride_c;
    gemm.batch = batch;
    return enqueue(handle, name, gemm, alpha, beta);
}

}  // namespace

EMU_API cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    const int injected = emu_count_call("cublasCreate_v2");
    if (injected != 0) return injected;
    CUcontext context = nullptr;
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (cuCtxGetCurrent(&context) != CUDA_SUCCESS || context == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    auto* made = new cublasContext;
    std::lock_guard<std::mutex> lock(handles_mutex());
    handles().insert(made);
    *handle = made;
    return CUBLAS_STATUS_SUCCESS;
}

EMU_API cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    return with_handle("cublasDestroy_v2", handle, [&]() -> cublasStatus_t {
        std::lock_guard<std::mutex> lock(handles_mutex());
        handles().erase(handle);
        delete handle;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
    *version = kVersion;
    return CUBLAS_STATUS_SUCCESS;
}

EMU_API cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, CUstream stream) {
    return with_handle("cublasSetStream_v2", handle, [&]() -> cublasStatus_t {
        handle->stream = stream;
        handle->workspace = nullptr;  // documented: back to the default workspace
        handle->workspace_bytes = 0;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, CUstream* stream) {
    return with_handle("cublasGetStream_v2", handle, [&]() -> cublasStatus_t {
        *stream = handle->stream;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
    return with_handle("cublasSetWorkspace_v2", handle, [&]() -> cublasStatus_t {
        if (address(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
        handle->workspace = workspace;
        handle->workspace_bytes = bytes;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasSetMathMode(cublasHandle_t handle, int mode) {
    return with_handle("cublasSetMathMode", handle, [&]() -> cublasStatus_t {
        handle->math_mode = mode & 0xf;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasGetMathMode(cublasHandle_t handle, int* mode) {
    return with_handle("cublasGetMathMode", handle, [&]() -> cublasStatus_t {
        *mode = handle->math_mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, int mode) {
    return with_handle("cublasSetPointerMode_v2", handle, [&]() -> cublasStatus_t {
        if (mode < 0 || mode > 1) return CUBLAS_STATUS_INVALID_VALUE;
        handle->pointer_mode = mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, int* mode) {
    return with_handle("cublasGetPointerMode_v2", handle, [&]() -> cublasStatus_t {
        *mode = handle->pointer_mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

EMU_API cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, int transpose_a, int transpose_b, int m, int n, int k,
                                      const float* alpha, const float* a, int lda, const float* b, int ldb,
                                      const float* beta, float* c, int ldc) {
    return with_handle("cublasSgemm_v2", handle, [&] {
        return gemm_ex(handle, "cublasSgemm", transpose_a, transpose_b, m, n, k, alpha, a, CUDA_R_32F, lda, 0, b,
                       CUDA_R_32F, ldb, 0, beta, c, CUDA_R_32F, ldc, 0, 1, CUBLAS_COMPUTE_32F);
    });
}

EMU_API cublasStatus_t cublasSgemv_v2(cublasHandle_t handle, int transpose, int m, int n, const float* alpha,
                                      const float* a, int lda, const float* x, int incx, const float* beta, float* y,
                                      int incy) {
    return with_handle("cublasSgemv_v2", handle, [&]() -> cublasStatus_t {
        if (incx < 1 || incy < 1) return CUBLAS_STATUS_NOT_SUPPORTED;  // negative strides: legal, but not emulated
        const int rows = transpose == CUBLAS_OP_N ? m : n, columns = transpose == CUBLAS_OP_N ? n : m;
        // y^T = x^T op(A)^T as a product with one row: the strides of the vectors become leading dimensions.
        return gemm_ex(handle, "cublasSgemv", CUBLAS_OP_N, transpose == CUBLAS_OP_N ? CUBLAS_OP_T : CUBLAS_OP_N, 1,
                       rows, columns, alpha, x, CUDA_R_32F, incx, 0, a, CUDA_R_32F, lda, 0, beta, y, CUDA_R_32F, incy,
                       0, 1, CUBLAS_COMPUTE_32F_PEDANTIC);
    });
}

EMU_API cublasStatus_t cublasGemmEx(cublasHandle_t handle, int transpose_a, int transpose_b, int m, int n, int k,
                                    const void* alpha, const void* a, int type_a, int lda, const void* b, int type_b,
                                    int ldb, const void* beta, void* c, int type_c, int ldc, int compute, int) {
    return with_handle("cublasGemmEx", handle, [&] {
        return gemm_ex(handle, "cublasGemmEx", transpose_a, transpose_b, m, n, k, alpha, a, type_a, lda, 0, b, type_b,
                       ldb, 0, beta, c, type_c, ldc, 0, 1, compute);
    });
}

EMU_API cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, int transpose_a, int transpose_b, int m, int n,
                                                  int k, const void* alpha, const void* a, int type_a, int lda,
                                                  long long stride_a, const void* b, int type_b, int ldb,
                                                  long long stride_b, const void* beta, void* c, int type_c, int ldc,
                                                  long long stride_c, int batch, int compute, int) {
    return with_handle("cublasGemmStridedBatchedEx", handle, [&] {
        return gemm_ex(handle, "cublasGemmStridedBatchedEx", transpose_a, transpose_b, m, n, k, alpha, a, type_a, lda,
                       stride_a, b, type_b, ldb, stride_b, beta, c, type_c, ldc, stride_c, batch, compute);
    });
}

EMU_API const char* cublasGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_ALLOC_FAILED:
            return "CUBLAS_STATUS_ALLOC_FAILED";
        case CUBLAS_STATUS_INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case CUBLAS_STATUS_EXECUTION_FAILED:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case CUBLAS_STATUS_NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
        default:
            return "CUBLAS_STATUS_UNKNOWN";
    }
}

EMU_API const char* cublasGetStatusString(cublasStatus_t status) { return cublasGetStatusName(status); }
