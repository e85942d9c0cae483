// The least a test needs: checks that count, and the driver behind a few short names.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "emu_control.h"
#include "emu_driver.h"

inline int& failures() {
    static int count = 0;
    return count;
}

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            std::printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            failures()++;                                                       \
        }                                                                       \
    } while (false)

#define CHECK_STATUS(expected, call)                                                                     \
    do {                                                                                                 \
        const int status_ = (call);                                                                      \
        if (status_ != (expected)) {                                                                     \
            std::printf("%s:%d: %s is %d, not %d\n", __FILE__, __LINE__, #call, status_, int(expected)); \
            failures()++;                                                                                \
        }                                                                                                \
    } while (false)

#define OK(call) CHECK_STATUS(CUDA_SUCCESS, call)

#define RUN(test)                   \
    do {                            \
        std::printf("%s\n", #test); \
        std::fflush(stdout);        \
        fresh_device();             \
        test();                     \
        emu_clear_failures();       \
    } while (false)

inline int finish() {
    std::printf(failures() == 0 ? "all passed\n" : "%d checks failed\n", failures());
    return failures() == 0 ? 0 : 1;
}

inline std::vector<char> file_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A context without any of the last test's objects or errors.
inline void fresh_device() {
    static CUcontext context = [] {
        CUcontext made = nullptr;
        OK(cuInit(0));
        OK(cuDevicePrimaryCtxRetain(&made, 0));
        return made;
    }();
    emu_reset();
    emu_clear_failures();
    OK(cuCtxSetCurrent(context));
}

inline void set_seed(unsigned seed) { emu_set_option("seed", std::to_string(seed).c_str()); }

inline CUmodule load(const char* name) {
    const std::vector<char> image = file_bytes(std::string(MODULE_DIR "/") + name + ".so");
    CUmodule module = nullptr;
    CHECK(!image.empty());
    if (!image.empty()) OK(cuModuleLoadData(&module, image.data()));
    return module;
}

inline CUfunction function(CUmodule module, const char* name) {
    CUfunction found = nullptr;
    OK(cuModuleGetFunction(&found, module, name));
    return found;
}

template <class... A>
CUresult launch(CUfunction function, unsigned grid, unsigned block, unsigned shared, CUstream stream, A... arguments) {
    void* values[] = {static_cast<void*>(&arguments)..., nullptr};
    return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, stream, values, nullptr);
}

inline CUdeviceptr device_memory(size_t bytes) {
    CUdeviceptr address = 0;
    OK(cuMemAlloc_v2(&address, bytes));
    return address;
}

template <class T>
CUdeviceptr upload(const std::vector<T>& values) {
    const CUdeviceptr address = device_memory(values.size() * sizeof(T));
    OK(cuMemcpyHtoD_v2(address, values.data(), values.size() * sizeof(T)));
    return address;
}

template <class T>
std::vector<T> download(CUdeviceptr address, size_t count) {
    std::vector<T> values(count);
    OK(cuMemcpyDtoH_v2(values.data(), address, count * sizeof(T)));
    return values;
}

inline CUstream new_stream() {
    CUstream stream = nullptr;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    return stream;
}

inline CUevent new_event() {
    CUevent event = nullptr;
    OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    return event;
}

inline std::vector<float> ramp(size_t count) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) values[i] = static_cast<float>(i % 1000) * 0.25f - 100.0f;
    return values;
}
