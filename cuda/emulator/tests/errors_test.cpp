// Injected errors, sticky errors, memory accounting, and ten thousand faults in one process.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "check.h"

namespace {

void nth_call_fails() {
    emu_fail_nth("cuMemAlloc_v2", 3, CUDA_ERROR_OUT_OF_MEMORY);
    device_memory(16);
    device_memory(16);
    CUdeviceptr p = 0;
    CHECK_STATUS(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&p, 16));
    device_memory(16);
    CHECK(emu_counter("live_allocations") == 3);
    emu_fail_nth("cuMemAlloc_v2", 0, CUDA_ERROR_OUT_OF_MEMORY);
    for (int i = 0; i < 3; i++) CHECK_STATUS(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&p, 16));
    emu_clear_failures();
    device_memory(16);
}

void memory_is_finite_and_accounted() {
    size_t free_before = 0, total = 0, free_after = 0;
    OK(cuMemGetInfo_v2(&free_before, &total));
    const CUdeviceptr p = device_memory(1 << 20);
    OK(cuMemGetInfo_v2(&free_after, &total));
    CHECK(free_before - free_after == 1 << 20);
    CUdeviceptr q = 0;
    CHECK_STATUS(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&q, total));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(&q, 0));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(p + 16));
    OK(cuMemFree_v2(p));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(p));
    OK(cuMemGetInfo_v2(&free_after, &total));
    CHECK(free_before == free_after);
    float value = 0;
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(&value, p, 4));
}

void asynchronous_errors_stick() {
    CUfunction kernel = function(load("sound"), "add_constant");
    const CUdeviceptr x = device_memory(256);
    for (int status : {700, 716, 719}) {
        fresh_device();
        kernel = function(load("sound"), "add_constant");
        const CUdeviceptr y = device_memory(256);
        emu_fail_nth("kernel", 2, status);
        OK(launch(kernel, 1, 64, 0, nullptr, y, 1.0f, 64));
        OK(launch(kernel, 1, 64, 0, nullptr, y, 1.0f, 64));  // fails later
        CHECK_STATUS(status, cuCtxSynchronize());
        CHECK_STATUS(status, cuMemFree_v2(y));
        CHECK_STATUS(status, launch(kernel, 1, 64, 0, nullptr, y, 1.0f, 64));
        CUstream stream = nullptr;
        CHECK_STATUS(status, cuStreamCreate(&stream, 0));
    }
    (void)x;
    fresh_device();
    // An injected status of another kind does not stick.
    emu_fail_nth("cuLaunchKernel", 1, 701);
    kernel = function(load("sound"), "add_constant");
    const CUdeviceptr z = device_memory(256);
    CHECK_STATUS(701, launch(kernel, 1, 64, 0, nullptr, z, 1.0f, 64));
    OK(launch(kernel, 1, 64, 0, nullptr, z, 1.0f, 64));
    OK(cuCtxSynchronize());
}

void bad_launches() {
    CUfunction kernel = function(load("sound"), "add_constant");
    const CUdeviceptr x = device_memory(256);
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, launch(kernel, 0, 64, 0, nullptr, x, 1.0f, 64));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, launch(kernel, 1, 2048, 0, nullptr, x, 1.0f, 64));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, launch(kernel, 1, 64, 100000, nullptr, x, 1.0f, 64));
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(kernel, 1, 1, 1, 64, 1, 1, 0, nullptr, nullptr, nullptr));
    CHECK_STATUS(CUDA_ERROR_INVALID_HANDLE, launch(reinterpret_cast<CUfunction>(8), 1, 64, 0, nullptr, x, 1.0f, 64));
    CHECK_STATUS(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(reinterpret_cast<CUstream>(0x1234)));
    const unsigned char cubin[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0, 190, 0};
    CUmodule module = nullptr;
    CHECK_STATUS(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, cubin));
    CHECK_STATUS(CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(&module, "this is no module image"));
}

void stubs_say_so() {
    auto stub = reinterpret_cast<int (*)(void*)>(dlsym(RTLD_DEFAULT, "cuMemAllocManaged"));
    CHECK(stub != nullptr && stub(nullptr) == CUDA_ERROR_NOT_SUPPORTED);
}

void host_memory_that_is_gone() {
    void* host = nullptr;
    OK(cuMemHostAlloc(&host, 4096, 0));
    const CUdeviceptr x = device_memory(4096);
    CUstream stream = new_stream();
    OK(cuMemcpyDtoHAsync_v2(host, x, 4096, stream));
    CHECK(emu_counter("unpinned_async_copies") == 0);
    OK(cuMemFreeHost(host));
    OK(cuMemcpyDtoHAsync_v2(host, x, 4096, stream));
    CHECK(emu_counter("unpinned_async_copies") == 1);
    CHECK_STATUS(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(stream));
}

void ten_thousand_faults() {
    struct Case {
        const char* kernel;
        int status;
    };
    const Case cases[] = {
        {"out_of_bounds", 700}, {"null_pointer", 700}, {"misaligned_scalar", 716}, {"divide_by_zero", 719}};
    const long before = emu_counter("faults");
    CUcontext context = nullptr;
    OK(cuCtxGetCurrent(&context));
    for (int i = 0; i < 10000; i++) {
        const Case& c = cases[i % 4];
        if (i % 4 == 0) emu_reset();
        CUmodule module = load("broken");
        const CUdeviceptr y = i % 4 == 1 ? 0 : device_memory(256);
        const int launched = launch(function(module, c.kernel), 2, 64, 0, nullptr, y, 64);
        CHECK_STATUS(c.status, launched != 0 ? launched : cuCtxSynchronize());
        OK(cuDevicePrimaryCtxReset_v2(0));
        if (failures() > 10) return;
    }
    CHECK(emu_counter("faults") - before == 10000);
}

__attribute__((no_sanitize("undefined"))) void write_to_null() {
    volatile int* null = nullptr;
    *null = 1;
}

// A fault of the host program is not the emulator's: it must end the process as it would without it.
void host_faults_are_chained() {
    const pid_t child = fork();
    if (child == 0) {
        write_to_null();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

}  // namespace

int main() {
    RUN(nth_call_fails);
    RUN(memory_is_finite_and_accounted);
    RUN(asynchronous_errors_stick);
    RUN(bad_launches);
    RUN(stubs_say_so);
    RUN(host_memory_that_is_gone);
    RUN(ten_thousand_faults);
    RUN(host_faults_are_chained);
    return finish();
}
