// Products against a naive double reference: transposes, strides, types, compute types; capture and workspaces.
#include "check.h"
#include "emu_bfloat16.h"
#include "emu_cublas.h"

namespace {

unsigned state = 1;
float noise() {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / (1 << 23) - 1.0f;
}

std::vector<float> noise(size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = noise();
    return values;
}

const void* pointer(CUdeviceptr address) { return reinterpret_cast<const void*>(address); }
void* target(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

cublasHandle_t new_handle() {
    cublasHandle_t handle = nullptr;
    OK(cublasCreate_v2(&handle));
    return handle;
}

// The largest error of one product, in units of sum |a b|.
double error_of(cublasHandle_t handle, int ta, int tb, int m, int n, int k, int padding, int compute) {
    const int lda = (ta ? k : m) + padding, ldb = (tb ? n : k) + padding, ldc = m + padding;
    const std::vector<float> a = noise(size_t(lda) * (ta ? m : k)), b = noise(size_t(ldb) * (tb ? k : n));
    std::vector<float> c = noise(size_t(ldc) * n);
    const CUdeviceptr pa = upload(a), pb = upload(b), pc = upload(c);
    const float alpha = 1.5f, beta = -0.5f;
    OK(cublasGemmEx(handle, ta, tb, m, n, k, &alpha, pointer(pa), CUDA_R_32F, lda, pointer(pb), CUDA_R_32F, ldb, &beta,
                    target(pc), CUDA_R_32F, ldc, compute, -1));
    const std::vector<float> got = download<float>(pc, c.size());
    double worst = 0;
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < m; i++) {
            double sum = 0, scale = 1e-30;
            for (int p = 0; p < k; p++) {
                const double product = double(a[ta ? p + i * lda : i + p * lda]) * b[tb ? j + p * ldb : p + j * ldb];
                sum += product;
                scale += std::fabs(product);
            }
            const double expected = alpha * sum + beta * c[i + j * ldc];
            worst = std::max(worst, std::fabs(got[i + j * ldc] - expected) / (scale + 1));
        }
        for (int i = m; i < ldc; i++) CHECK(got[i + j * ldc] == c[i + j * ldc]);  // padding is left alone
    }
    OK(cuMemFree_v2(pa));
    OK(cuMemFree_v2(pb));
    OK(cuMemFree_v2(pc));
    return worst;
}

void transposes_strides_and_compute_types() {
    cublasHandle_t handle = new_handle();
    const int sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 1, 33}, {64, 20, 31}};
    for (const auto& s : sizes) {
        for (int ta = 0; ta < 2; ta++) {
            for (int tb = 0; tb < 2; tb++) {
                for (int padding : {0, 3}) {
                    CHECK(error_of(handle, ta, tb, s[0], s[1], s[2], padding, CUBLAS_COMPUTE_32F) < 1e-6);
                    CHECK(error_of(handle, ta, tb, s[0], s[1], s[2], padding, CUBLAS_COMPUTE_32F_FAST_TF32) <
                          1.0 / 1024);
                    CHECK(error_of(handle, ta, tb, s[0], s[1], s[2], padding, CUBLAS_COMPUTE_32F_FAST_16BF) <
                          1.0 / 128);
                }
            }
        }
    }
    // The reduced types must really lose precision, or a test of their tolerance would test nothing.
    CHECK(error_of(handle, 0, 0, 64, 64, 64, 0, CUBLAS_COMPUTE_32F_FAST_TF32) > 1e-6);
    CHECK(error_of(handle, 0, 0, 64, 64, 64, 0, CUBLAS_COMPUTE_32F_FAST_16BF) > 1e-4);
    OK(cublasSetMathMode(handle, CUBLAS_TF32_TENSOR_OP_MATH));
    CHECK(error_of(handle, 0, 0, 64, 64, 64, 0, CUBLAS_COMPUTE_32F) > 1e-6);
    OK(cublasDestroy_v2(handle));
    CHECK_STATUS(CUBLAS_STATUS_NOT_INITIALIZED, cublasSetMathMode(handle, 0));
}

void bfloat16_batches() {
    cublasHandle_t handle = new_handle();
    const int m = 4, n = 3, k = 5, batch = 2;
    std::vector<__nv_bfloat16> a(m * k * batch), b(k * n * batch);
    for (auto& value : a) value = __float2bfloat16_rn(noise());
    for (auto& value : b) value = __float2bfloat16_rn(noise());
    const CUdeviceptr pa = upload(a), pb = upload(b), pc = device_memory(m * n * batch * 4);  // C holds NaN
    const float one = 1, zero = 0;
    OK(cublasGemmStridedBatchedEx(handle, 0, 0, m, n, k, &one, pointer(pa), CUDA_R_16BF, m, m * k, pointer(pb),
                                  CUDA_R_16BF, k, k * n, &zero, target(pc), CUDA_R_32F, m, m * n, batch,
                                  CUBLAS_COMPUTE_32F, -1));
    const std::vector<float> got = download<float>(pc, m * n * batch);
    for (int z = 0; z < batch; z++) {
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < m; i++) {
                double sum = 0;
                for (int p = 0; p < k; p++) {
                    sum +=
                        double(__bfloat162float(a[z * m * k + i + p * m])) * __bfloat162float(b[z * k * n + p + j * k]);
                }
                CHECK(std::fabs(got[z * m * n + i + j * m] - sum) < 1e-5);
            }
        }
    }
    CHECK_STATUS(CUBLAS_STATUS_NOT_SUPPORTED,
                 cublasGemmEx(handle, 0, 0, m, n, k, &one, pointer(pa), CUDA_R_16BF, m, pointer(pb), CUDA_R_16BF, k,
                              &zero, target(pc), CUDA_R_32F, m, CUBLAS_COMPUTE_32F_FAST_TF32, -1));
}

void vectors() {
    cublasHandle_t handle = new_handle();
    const CUdeviceptr a = upload(std::vector<float>{1, 2, 3, 4, 5, 6});  // 2 x 3
    const CUdeviceptr x = upload(std::vector<float>{1, 0, 10, 0, 100, 0}), y = device_memory(12);
    const float one = 1, zero = 0;
    auto f = [](CUdeviceptr p) { return reinterpret_cast<float*>(p); };
    OK(cublasSgemv_v2(handle, CUBLAS_OP_N, 2, 3, &one, f(a), 2, f(x), 2, &zero, f(y), 1));
    CHECK(download<float>(y, 2) == (std::vector<float>{531, 642}));
    OK(cublasSgemv_v2(handle, CUBLAS_OP_T, 2, 3, &one, f(a), 2, f(x), 2, &zero, f(y), 1));
    CHECK(download<float>(y, 3) == (std::vector<float>{21, 43, 65}));
}

void capture_and_workspaces() {
    cublasHandle_t first = new_handle(), second = new_handle();
    CUstream s = new_stream(), t = new_stream();
    const CUdeviceptr a = upload(std::vector<float>(16, 1.0f)), b = device_memory(64), c = device_memory(64);
    const CUdeviceptr workspace = device_memory(1 << 16);
    const float one = 1, zero = 0;
    auto f = [](CUdeviceptr p) { return reinterpret_cast<float*>(p); };
    auto product = [&](cublasHandle_t handle, CUdeviceptr to) {
        OK(cublasSgemm_v2(handle, 0, 0, 4, 4, 4, &one, f(a), 4, f(a), 4, &zero, f(to), 4));
    };
    for (const bool shared : {false, true}) {
        const long before = emu_counter("violations");
        OK(cublasSetStream_v2(first, s));
        OK(cublasSetStream_v2(second, t));
        OK(cublasSetWorkspace_v2(first, target(workspace), 1 << 15));
        OK(cublasSetWorkspace_v2(second, target(workspace + (shared ? 0 : 1 << 15)), 1 << 15));
        CUevent fork = new_event(), join = new_event();
        OK(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        OK(cuEventRecord(fork, s));
        OK(cuStreamWaitEvent(t, fork, 0));
        product(first, b);
        product(second, c);
        OK(cuEventRecord(join, t));
        OK(cuStreamWaitEvent(s, join, 0));
        CUgraph graph = nullptr;
        CUgraphExec executable = nullptr;
        OK(cuStreamEndCapture(s, &graph));
        OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
        CHECK(emu_counter("violations") - before == (shared ? 1 : 0));
        OK(cuGraphLaunch(executable, s));
        OK(cuStreamSynchronize(s));
        CHECK(download<float>(b, 16) == std::vector<float>(16, 4.0f));
        CHECK(download<float>(c, 16) == std::vector<float>(16, 4.0f));
    }
    CHECK(std::isnan(download<float>(workspace, 1)[0]));
    const long before = emu_counter("violations");
    product(first, b);
    product(second, c);  // the same workspace without an order between the streams
    CHECK(emu_counter("violations") - before == 1);
    OK(cuCtxSynchronize());
}

void errors() {
    cublasHandle_t handle = new_handle();
    const CUdeviceptr a = upload(std::vector<float>(16, 1.0f)), c = device_memory(64);
    const float one = 1, zero = 0;
    auto f = [](CUdeviceptr p) { return reinterpret_cast<float*>(p); };
    CHECK_STATUS(CUBLAS_STATUS_INVALID_VALUE,
                 cublasSgemm_v2(handle, 0, 0, 4, 4, 4, &one, f(a), 3, f(a), 4, &zero, f(c), 4));
    emu_fail_nth("cublasSgemm_v2", 1, CUBLAS_STATUS_ALLOC_FAILED);
    CHECK_STATUS(CUBLAS_STATUS_ALLOC_FAILED,
                 cublasSgemm_v2(handle, 0, 0, 4, 4, 4, &one, f(a), 4, f(a), 4, &zero, f(c), 4));
    OK(cublasSgemm_v2(handle, 0, 0, 4, 5, 4, &one, f(a), 4, f(a), 4, &zero, f(c), 4));  // one column too many
    CHECK_STATUS(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    CHECK_STATUS(CUBLAS_STATUS_EXECUTION_FAILED,
                 cublasSgemm_v2(handle, 0, 0, 4, 4, 4, &one, f(a), 4, f(a), 4, &zero, f(c), 4));
}

}  // namespace

int main() {
    RUN(transposes_strides_and_compute_types);
    RUN(bfloat16_batches);
    RUN(vectors);
    RUN(capture_and_workspaces);
    RUN(errors);
    return finish();
}
