// Memory: allocation, pinned host memory, copies and fills.
#include <cstring>

#include "api.h"
#include "block_runner.h"
#include "settings.h"
#include "streams.h"

using namespace emu;

namespace {

struct Copy {
    void* to;
    const void* from;
    size_t bytes;
};

struct Fill {
    void* to;
    unsigned value;
    size_t count;
    int width;
};

EmuFault fault_of(const char* name, int status, int signal, uintptr_t address, const char* message) {
    EmuFault fault = {};
    fault.status = status;
    fault.signal = signal;
    fault.address = address;
    std::snprintf(fault.kernel, sizeof fault.kernel, "%s", name);
    std::snprintf(fault.message, sizeof fault.message, "%s", message);
    return fault;
}

// On a device thread: host memory that is gone by now must not take the process down.
EmuFault guarded(const char* name, void (*function)(void*), void* state) {
    Trap trap;
    if (!BlockRunner::of_this_thread().run_guarded(function, state, &trap)) return {};
    return fault_of(name, CUDA_ERROR_ILLEGAL_ADDRESS, trap.signal, trap.address, "memory is not accessible");
}

void do_copy(void* state) {
    const Copy& copy = *static_cast<Copy*>(state);
    std::memmove(copy.to, copy.from, copy.bytes);
}

void do_fill(void* state) {
    const Fill& fill = *static_cast<Fill*>(state);
    if (fill.width == 1) {
        std::memset(fill.to, static_cast<int>(fill.value), fill.count);
    } else {
        for (size_t i = 0; i < fill.count; i++) static_cast<unsigned*>(fill.to)[i] = fill.value;
    }
}

// The range is checked again when the operation runs: it may have been freed in between, in a graph above all.
EmuFault check_live(Context* context, const char* name, uintptr_t address, size_t bytes) {
    if (context->memory->contains(address, bytes)) return {};
    return fault_of(name, CUDA_ERROR_ILLEGAL_ADDRESS, 0, address, "device memory was freed before the operation ran");
}

CUresult enqueue_copy(Context& context, CUstream handle, const char* name, void* to, const void* from, size_t bytes,
                      bool to_device, bool from_device, bool wait) {
    OpPtr op;
    {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        const auto target = reinterpret_cast<uintptr_t>(to);
        const auto source = reinterpret_cast<uintptr_t>(from);
        if (to_device && !context.memory->contains(target, bytes)) return CUDA_ERROR_INVALID_VALUE;
        if (from_device && !context.memory->contains(source, bytes)) return CUDA_ERROR_INVALID_VALUE;
        if (!wait && !(to_device && from_device) && !context.memory->is_host(to_device ? source : target, bytes)) {
            counters().unpinned_async_copies++;
        }
        auto work = std::make_shared<Work>();
        work->type = CU_GRAPH_NODE_TYPE_MEMCPY;
        work->name = name;
        Context* owner = &context;
        work->run = [=]() -> EmuFault {
            EmuFault fault = {};
            if (to_device) fault = check_live(owner, name, target, bytes);
            if (fault.status == 0 && from_device) fault = check_live(owner, name, source, bytes);
            Copy copy = {to, from, bytes};
            return fault.status != 0 ? fault : guarded(name, do_copy, &copy);
        };
        const int status = enqueue(context, *stream, work, &op);
        if (status != CUDA_SUCCESS) return status;
    }
    return wait ? context.engine.wait(op) : CUDA_SUCCESS;
}

// The forms without a stream are in the legacy stream and, like the driver's, may return before they have run.
CUresult enqueue_fill(Context& context, CUstream handle, const char* name, CUdeviceptr to, unsigned value, size_t count,
                      int width) {
    std::lock_guard<std::mutex> lock(context.mutex);
    Stream* stream = context.stream(handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (to % width != 0 || !context.memory->contains(to, count * width)) return CUDA_ERROR_INVALID_VALUE;
    auto work = std::make_shared<Work>();
    work->type = CU_GRAPH_NODE_TYPE_MEMSET;
    work->name = name;
    Context* owner = &context;
    work->run = [=]() -> EmuFault {
        const EmuFault fault = check_live(owner, name, to, count * width);
        Fill fill = {reinterpret_cast<void*>(to), value, count, width};
        return fault.status != 0 ? fault : guarded(name, do_fill, &fill);
    };
    return enqueue(context, *stream, work);
}

int refuse(Context& context) {
    std::lock_guard<std::mutex> lock(context.mutex);
    return refuse_during_capture(context);
}

CUresult host_alloc(Context& context, void** address, size_t bytes) {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    const int refused = refuse(context);
    if (refused != 0) return refused;
    *address = context.memory->allocate(bytes, Space::kHost);
    return *address != nullptr ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

}  // namespace

EMU_API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    return call("cuMemAlloc_v2", [&](Context& context) -> CUresult {
        if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
        const int refused = refuse(context);
        if (refused != 0) return refused;
        void* memory = context.memory->allocate(bytes, Space::kDevice);
        if (memory == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
        *address = reinterpret_cast<CUdeviceptr>(memory);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuMemFree_v2(CUdeviceptr address) {
    return call("cuMemFree_v2", [&](Context& context) -> CUresult {
        const int refused = refuse(context);
        if (refused != 0) return refused;
        if (address == 0) return CUDA_SUCCESS;
        // Freeing waits for the device, as the driver's does.
        int status = context.engine.wait_all();
        if (status != 0) return status;
        status = context.memory->release(address, Space::kDevice);
        if (status == CUDA_ERROR_ILLEGAL_ADDRESS) {
            context.engine.fail(fault_of("cuMemFree", status, 0, address, "bytes behind this allocation were written"));
        }
        return status;
    });
}

EMU_API CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
    return call("cuMemGetInfo_v2", [&](Context& context) -> CUresult {
        const size_t used = context.memory->device_bytes();
        *total_bytes = settings().memory_bytes;
        *free_bytes = *total_bytes > used ? *total_bytes - used : 0;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
    return call("cuMemGetAddressRange_v2", [&](Context& context) -> CUresult {
        uintptr_t start = 0;
        size_t size = 0;
        if (!context.memory->range_of(address, &start, &size)) return CUDA_ERROR_NOT_FOUND;
        if (base != nullptr) *base = start;
        if (bytes != nullptr) *bytes = size;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    return call("cuMemHostAlloc", [&](Context& context) { return host_alloc(context, address, bytes); });
}

EMU_API CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
    return call("cuMemAllocHost_v2", [&](Context& context) { return host_alloc(context, address, bytes); });
}

EMU_API CUresult cuMemFreeHost(void* address) {
    return call("cuMemFreeHost", [&](Context& context) -> CUresult {
        const int refused = refuse(context);
        if (refused != 0) return refused;
        const int status = context.engine.wait_all();
        if (status != 0) return status;
        return context.memory->release(reinterpret_cast<uintptr_t>(address), Space::kHost);
    });
}

EMU_API CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
    return call("cuMemHostRegister_v2", [&](Context& context) -> CUresult {
        if (address == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
        const bool added = context.memory->adopt(reinterpret_cast<uintptr_t>(address), bytes, Space::kRegistered);
        return added ? CUDA_SUCCESS : CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    });
}

EMU_API CUresult cuMemHostUnregister(void* address) {
    return call("cuMemHostUnregister", [&](Context& context) -> CUresult {
        const int status = context.engine.wait_all();
        if (status != 0) return status;
        const bool removed = context.memory->disown(reinterpret_cast<uintptr_t>(address), Space::kRegistered);
        return removed ? CUDA_SUCCESS : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    });
}

EMU_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned) {
    return call("cuMemHostGetDevicePointer_v2", [&](Context& context) -> CUresult {
        if (!context.memory->is_host(reinterpret_cast<uintptr_t>(host), 0)) return CUDA_ERROR_INVALID_VALUE;
        *device = reinterpret_cast<CUdeviceptr>(host);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    return call("cuMemcpyHtoD_v2", [&](Context& context) {
        return enqueue_copy(context, nullptr, "cuMemcpyHtoD", pointer(to), from, bytes, true, false, true);
    });
}

EMU_API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoH_v2", [&](Context& context) {
        return enqueue_copy(context, nullptr, "cuMemcpyDtoH", to, pointer(from), bytes, false, true, true);
    });
}

EMU_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoD_v2", [&](Context& context) {
        return enqueue_copy(context, nullptr, "cuMemcpyDtoD", pointer(to), pointer(from), bytes, true, true, false);
    });
}

EMU_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
    return call("cuMemcpyHtoDAsync_v2", [&](Context& context) {
        return enqueue_copy(context, stream, "cuMemcpyHtoDAsync", pointer(to), from, bytes, true, false, false);
    });
}

EMU_API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return call("cuMemcpyDtoHAsync_v2", [&](Context& context) {
        return enqueue_copy(context, stream, "cuMemcpyDtoHAsync", to, pointer(from), bytes, false, true, false);
    });
}

EMU_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return call("cuMemcpyDtoDAsync_v2", [&](Context& context) {
        return enqueue_copy(context, stream, "cuMemcpyDtoDAsync", pointer(to), pointer(from), bytes, true, true, false);
    });
}

EMU_API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
    return call("cuMemsetD8_v2",
                [&](Context& context) { return enqueue_fill(context, nullptr, "cuMemsetD8", to, value, count, 1); });
}

EMU_API CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
    return call("cuMemsetD32_v2",
                [&](Context& context) { return enqueue_fill(context, nullptr, "cuMemsetD32", to, value, count, 4); });
}

EMU_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    return call("cuMemsetD8Async", [&](Context& context) {
        return enqueue_fill(context, stream, "cuMemsetD8Async", to, value, count, 1);
    });
}

EMU_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
    return call("cuMemsetD32Async", [&](Context& context) {
        return enqueue_fill(context, stream, "cuMemsetD32Async", to, value, count, 4);
    });
}
