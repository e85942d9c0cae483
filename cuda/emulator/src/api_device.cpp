// Initialisation, devices, primary contexts and the stack of current contexts.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

#include "api.h"
#include "fault.h"
#include "settings.h"
#include "streams.h"

namespace emu {
namespace {

std::atomic<bool> ready{false};

// The stack of contexts of a thread; never destroyed with it, since a JVM's thread may end after our TLS is gone.
std::vector<Context*>& context_stack() {
    static thread_local std::vector<Context*>* stack = new std::vector<Context*>;
    return *stack;
}

CUcontext handle_of(Context* context) { return reinterpret_cast<CUcontext>(context); }

// Null if the handle is no context.
Context* context_of(CUcontext handle) {
    for (int i = 0; i < visible_devices(); i++) {
        if (handle_of(&primary_context(i)) == handle) return &primary_context(i);
    }
    return nullptr;
}

bool valid(CUdevice device) { return device >= 0 && device < visible_devices(); }

int attribute(int id, int* value) {
    const int capability = settings().compute_capability;
    struct Entry {
        int id, value;
    };
    const Entry table[] = {
        {1, 1024},  // MAX_THREADS_PER_BLOCK
        {2, 1024},
        {3, 1024},
        {4, 64},  // MAX_BLOCK_DIM
        {5, 0x7fffffff},
        {6, 65535},
        {7, 65535},                        // MAX_GRID_DIM
        {8, 48 * 1024},                    // MAX_SHARED_MEMORY_PER_BLOCK
        {9, 64 * 1024},                    // TOTAL_CONSTANT_MEMORY
        {10, 32},                          // WARP_SIZE
        {11, 0x7fffffff},                  // MAX_PITCH
        {12, 65536},                       // MAX_REGISTERS_PER_BLOCK
        {13, 1000000},                     // CLOCK_RATE
        {14, 512},                         // TEXTURE_ALIGNMENT
        {15, 1},                           // GPU_OVERLAP
        {16, settings().multiprocessors},  // MULTIPROCESSOR_COUNT
        {17, 0},
        {18, 0},
        {19, 1},
        {20, 0},  // KERNEL_EXEC_TIMEOUT, INTEGRATED, CAN_MAP_HOST_MEMORY, COMPUTE_MODE
        {31, 1},
        {32, 0},  // CONCURRENT_KERNELS, ECC_ENABLED
        {33, 0},
        {34, 0},
        {35, 0},  // PCI_BUS_ID, PCI_DEVICE_ID, TCC_DRIVER
        {36, 1000000},
        {37, 1024},     // MEMORY_CLOCK_RATE, GLOBAL_MEMORY_BUS_WIDTH
        {38, 4 << 20},  // L2_CACHE_SIZE
        {39, 2048},     // MAX_THREADS_PER_MULTIPROCESSOR
        {40, 2},
        {41, 1},
        {50, 0},  // ASYNC_ENGINE_COUNT, UNIFIED_ADDRESSING, PCI_DOMAIN_ID
        {75, capability / 10},
        {76, capability % 10},
        {78, 0},
        {79, 1},
        {80, 1},           // STREAM_PRIORITIES, GLOBAL_L1_CACHE, LOCAL_L1_CACHE
        {81, 228 * 1024},  // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
        {82, 65536},
        {83, 0},
        {84, 0},  // MAX_REGISTERS_PER_MULTIPROCESSOR, MANAGED_MEMORY, MULTI_GPU_BOARD
        {88, 0},
        {89, 0},
        {90, 1},
        {91, 1},           // PAGEABLE_ACCESS, CONCURRENT_MANAGED, PREEMPTION, HOST_POINTER_REGISTERED
        {95, 1},           // COOPERATIVE_LAUNCH
        {97, 227 * 1024},  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        {99, 1},
        {102, 0},
        {106, 32},
        {111, 1024},
        {115, 0},
        {120, 0},
    };
    for (const Entry& entry : table) {
        if (entry.id == id) {
            *value = entry.value;
            return CUDA_SUCCESS;
        }
    }
    return CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

bool initialized() { return ready; }

Context* current_context() {
    auto& stack = context_stack();
    return stack.empty() ? nullptr : stack.back();
}

CUresult inject(const char* name, int status) {
    Context* context = current_context();
    if (context != nullptr && is_sticky(status)) {
        EmuFault fault = {};
        fault.status = status;
        std::snprintf(fault.kernel, sizeof fault.kernel, "%s", name);
        std::snprintf(fault.message, sizeof fault.message, "injected");
        context->engine.fail(fault);
    }
    return status;
}

std::string device_uuid_text(int device) {
    char text[48];
    std::snprintf(text, sizeof text, "GPU-656d756c-6174-6564-0000-%012d", device);
    return text;
}

}  // namespace emu

using namespace emu;

EMU_API CUresult cuInit(unsigned flags) {
    const int injected = count_call("cuInit");
    if (injected != 0) return injected;
    if (settings().init_result != 0) return settings().init_result;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    static std::mutex& once = *new std::mutex;
    std::lock_guard<std::mutex> lock(once);
    if (ready) return CUDA_SUCCESS;
    if (!enumerate_devices()) return CUDA_ERROR_NO_DEVICE;
    install_fault_handlers();
    ready = true;
    return CUDA_SUCCESS;
}

EMU_API CUresult cuDriverGetVersion(int* version) {
    const int injected = count_call("cuDriverGetVersion");
    if (injected != 0) return injected;
    *version = settings().driver_version;
    return CUDA_SUCCESS;
}

EMU_API CUresult cuDeviceGetCount(int* count) {
    return call_without_context("cuDeviceGetCount", [&]() -> CUresult {
        *count = visible_devices();
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    return call_without_context("cuDeviceGet", [&]() -> CUresult {
        if (!valid(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
        *device = ordinal;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    return call_without_context("cuDeviceGetName", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        std::snprintf(name, static_cast<size_t>(length), "Emulated CUDA device %d", physical_device(device));
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
    return call_without_context("cuDeviceGetUuid", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        // The bytes of device_uuid_text.
        const unsigned char bytes[16] = {0x65, 0x6d, 0x75, 0x6c, 0x61, 0x74, 0x65, 0x64};
        std::memcpy(uuid->bytes, bytes, sizeof bytes);
        const int ordinal = physical_device(device);
        uuid->bytes[15] = static_cast<char>(ordinal / 10 * 16 + ordinal % 10);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    return call_without_context("cuDeviceTotalMem_v2", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        *bytes = settings().memory_bytes;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDeviceGetAttribute(int* value, int id, CUdevice device) {
    return call_without_context("cuDeviceGetAttribute", [&]() -> CUresult {
        return valid(device) ? attribute(id, value) : CUDA_ERROR_INVALID_DEVICE;
    });
}

EMU_API CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    return call_without_context("cuDeviceComputeCapability", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        *major = settings().compute_capability / 10;
        *minor = settings().compute_capability % 10;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    return call_without_context("cuDevicePrimaryCtxRetain", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        Context& primary = primary_context(device);
        const int status = primary.engine.status();
        if (status != 0) return status;
        std::lock_guard<std::mutex> lock(primary.mutex);
        primary.retained++;
        *context = handle_of(&primary);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return call_without_context("cuDevicePrimaryCtxRelease_v2", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        Context& primary = primary_context(device);
        {
            std::lock_guard<std::mutex> lock(primary.mutex);
            if (primary.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
            if (--primary.retained > 0) return CUDA_SUCCESS;
        }
        // Sticky errors survive the last release, as they do in a process that has lost its device.
        const int status = primary.engine.wait_all();
        if (status == 0) primary.reset();
        return status;
    });
}

EMU_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return call_without_context("cuDevicePrimaryCtxReset_v2", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        primary_context(device).reset();
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    return call_without_context("cuDevicePrimaryCtxSetFlags_v2", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        primary_context(device).flags = flags;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    return call_without_context("cuDevicePrimaryCtxGetState", [&]() -> CUresult {
        if (!valid(device)) return CUDA_ERROR_INVALID_DEVICE;
        *flags = primary_context(device).flags;
        *active = primary_context(device).alive() ? 1 : 0;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuCtxSetCurrent(CUcontext handle) {
    return call_without_context("cuCtxSetCurrent", [&]() -> CUresult {
        auto& stack = context_stack();
        Context* context = context_of(handle);
        if (handle != nullptr && context == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
        if (!stack.empty()) stack.pop_back();
        if (context != nullptr) stack.push_back(context);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuCtxGetCurrent(CUcontext* context) {
    return call_without_context("cuCtxGetCurrent", [&]() -> CUresult {
        *context = handle_of(current_context());
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuCtxPushCurrent_v2(CUcontext handle) {
    return call_without_context("cuCtxPushCurrent_v2", [&]() -> CUresult {
        Context* context = context_of(handle);
        if (context == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
        context_stack().push_back(context);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuCtxPopCurrent_v2(CUcontext* context) {
    return call_without_context("cuCtxPopCurrent_v2", [&]() -> CUresult {
        auto& stack = context_stack();
        if (stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
        if (context != nullptr) *context = handle_of(stack.back());
        stack.pop_back();
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuCtxGetDevice(CUdevice* device) {
    return call_without_context("cuCtxGetDevice", [&]() -> CUresult {
        for (int i = 0; i < visible_devices(); i++) {
            if (&primary_context(i) == current_context()) {
                *device = i;
                return CUDA_SUCCESS;
            }
        }
        return CUDA_ERROR_INVALID_CONTEXT;
    });
}

EMU_API CUresult cuCtxSynchronize(void) {
    return call("cuCtxSynchronize", [&](Context& context) -> CUresult {
        {
            std::lock_guard<std::mutex> lock(context.mutex);
            // Waits for every stream, so that any capture of the context is in its way.
            for (const auto& capture : context.captures) capture->invalidated = true;
            if (!context.captures.empty()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
        return context.engine.wait_all();
    });
}
