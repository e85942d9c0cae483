// The few driver calls that the kit's programs need, taken from libcuda.so.1 at run time: they build without a CUDA
// toolkit and run on any driver, the emulated one included.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace driver {

using Address = unsigned long long;
using Handle = void*;

template <typename Function>
Function symbol(const char* name) {
    static void* library = dlopen("libcuda.so.1", RTLD_NOW);
    if (library == nullptr) {
        std::fprintf(stderr, "no NVIDIA driver: %s\n", dlerror());
        std::exit(1);
    }
    void* found = dlsym(library, name);
    if (found == nullptr) {
        std::fprintf(stderr, "the driver has no %s; install a newer one\n", name);
        std::exit(1);
    }
    return reinterpret_cast<Function>(found);
}

inline void check(const char* call, int status) {
    if (status == 0) return;
    const char* text = nullptr;
    symbol<int (*)(int, const char**)>("cuGetErrorString")(status, &text);
    std::fprintf(stderr, "%s: %d %s\n", call, status, text == nullptr ? "" : text);
    std::exit(1);
}

// Calls a driver function by name; a status that is not success ends the program.
template <typename... Arguments>
void call(const char* name, Arguments... arguments) {
    check(name, symbol<int (*)(Arguments...)>(name)(arguments...));
}

// Makes the primary context of the first device current and gives a stream that waits for nothing else.
inline Handle open() {
    int device = 0;
    Handle context = nullptr, stream = nullptr;
    call("cuInit", 0u);
    call("cuDeviceGet", &device, 0);
    call("cuDevicePrimaryCtxRetain", &context, device);
    call("cuCtxSetCurrent", context);
    call("cuStreamCreate", &stream, 1u);
    return stream;
}

inline Address allocate(std::size_t bytes) {
    Address address = 0;
    call("cuMemAlloc_v2", &address, bytes);
    return address;
}

inline void synchronize(Handle stream) { call("cuStreamSynchronize", stream); }

}  // namespace driver
