// Modules, functions and kernel launches.
#include <cstring>

#include "api.h"
#include "settings.h"
#include "streams.h"
#include "workers.h"

using namespace emu;

namespace {

constexpr int kMaxThreadsPerBlock = 1024;
constexpr int kMaxThreadsPerMultiprocessor = 2048;
constexpr int kMaxBlocksPerMultiprocessor = 32;
constexpr int kSharedPerMultiprocessor = 228 * 1024;
constexpr int kReservedSharedPerBlock = 1024;
constexpr int kMaxDynamicShared = 227 * 1024;

Function* function_of(Context& context, CUfunction handle) {
    auto* function = reinterpret_cast<Function*>(handle);
    for (Module* module : context.modules) {
        for (const auto& entry : module->functions) {
            if (entry.second.get() == function) return function;
        }
    }
    return nullptr;
}

Module* module_of(Context& context, CUmodule handle) {
    auto* module = reinterpret_cast<Module*>(handle);
    return context.modules.count(module) != 0 ? module : nullptr;
}

int resident_blocks(int threads, size_t shared) {
    if (threads <= 0 || threads > kMaxThreadsPerBlock || shared > kMaxDynamicShared) return 0;
    const int warps = (threads + 31) / 32;
    const int by_threads = kMaxThreadsPerMultiprocessor / 32 / warps;
    const int by_shared = static_cast<int>(kSharedPerMultiprocessor / (shared + kReservedSharedPerBlock));
    return std::min({by_threads, by_shared, kMaxBlocksPerMultiprocessor});
}

// Argument values are copied at the launch: the caller may change its own at once.
struct Arguments {
    std::vector<char> bytes;
    std::vector<size_t> offsets;
};

std::shared_ptr<const Arguments> copy_arguments(const EmuKernel& kernel, void** values) {
    auto copy = std::make_shared<Arguments>();
    size_t total = 0;
    for (int i = 0; i < kernel.parameter_count; i++) {
        copy->offsets.push_back(total);
        total += (kernel.parameters[i].size + 15) / 16 * 16;
    }
    // vector<char> is aligned for any type of up to 16 bytes, as kernel parameters are.
    copy->bytes.resize(total);
    for (int i = 0; i < kernel.parameter_count; i++) {
        std::memcpy(copy->bytes.data() + copy->offsets[i], values[i], kernel.parameters[i].size);
    }
    return copy;
}

// The index of a pointer parameter that points to no live allocation; -1 if there is none.
int dead_pointer(Context& context, const EmuKernel& kernel, const Arguments& arguments, uintptr_t* address) {
    for (int i = 0; i < kernel.parameter_count; i++) {
        if (!kernel.parameters[i].is_pointer) continue;
        std::memcpy(address, arguments.bytes.data() + arguments.offsets[i], sizeof *address);
        if (*address != 0 && !context.memory->contains(*address, 0)) return i;
    }
    return -1;
}

EmuFault launch_fault(const EmuKernel& kernel, int status, uintptr_t address, const std::string& message) {
    EmuFault fault = {};
    fault.status = status;
    fault.address = address;
    std::snprintf(fault.kernel, sizeof fault.kernel, "%s", kernel.name);
    std::snprintf(fault.message, sizeof fault.message, "%s", message.c_str());
    return fault;
}

uint64_t launch_seed() {
    static std::atomic<uint64_t> launches{0};
    static std::atomic<uint64_t> last_seed{0};
    const uint64_t seed = settings().seed;
    if (last_seed.exchange(seed) != seed) launches = 0;  // setting a seed repeats the schedule from here
    return Random::mix(seed, launches++);
}

EmuFault run_kernel(Context& context, const Function& function, const Arguments& arguments, const EmuDim3& grid,
                    const EmuDim3& block, size_t shared, bool cooperative) {
    const EmuKernel& kernel = *function.kernel;
    const int injected = count_call("kernel");
    if (injected != 0) return launch_fault(kernel, injected, 0, "injected");
    uintptr_t address = 0;
    const int dead = dead_pointer(context, kernel, arguments, &address);
    if (dead >= 0) {
        return launch_fault(kernel, CUDA_ERROR_ILLEGAL_ADDRESS, address,
                            "parameter " + std::to_string(dead) + " points to memory freed since the launch");
    }
    Launch launch;
    launch.kernel = &kernel;
    launch.module = function.module;
    for (size_t offset : arguments.offsets) {
        launch.arguments.push_back(const_cast<char*>(arguments.bytes.data()) + offset);
    }
    launch.grid = grid;
    launch.block = block;
    launch.shared_bytes = shared;
    launch.cooperative = cooperative;
    launch.seed = launch_seed();
    run_launch(launch);
    return launch.aborted ? launch.fault : EmuFault{};
}

CUresult launch(Context& context, CUfunction handle, EmuDim3 grid, EmuDim3 block, unsigned shared,
                CUstream stream_handle, void** values, bool cooperative) {
    std::lock_guard<std::mutex> lock(context.mutex);
    Function* function = function_of(context, handle);
    Stream* stream = context.stream(stream_handle);
    if (function == nullptr || stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    const EmuKernel& kernel = *function->kernel;
    const uint64_t threads = uint64_t{block.x} * block.y * block.z;
    const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
    if (threads == 0 || threads > kMaxThreadsPerBlock || block.z > 64) return CUDA_ERROR_INVALID_VALUE;
    if (blocks == 0 || blocks > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) return CUDA_ERROR_INVALID_VALUE;
    if (shared > static_cast<unsigned>(function->max_dynamic_shared)) return CUDA_ERROR_INVALID_VALUE;
    if (kernel.parameter_count > 0 && values == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (cooperative &&
        blocks > uint64_t(resident_blocks(static_cast<int>(threads), shared)) * settings().multiprocessors) {
        return CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE;
    }
    const std::shared_ptr<const Arguments> arguments = copy_arguments(kernel, values);
    uintptr_t address = 0;
    const int dead = dead_pointer(context, kernel, *arguments, &address);
    if (dead >= 0) {
        // A real device would find out while running, if ever.
        char text[160];
        std::snprintf(text, sizeof text, "kernel %s: parameter %d, 0x%llx, points to no live allocation", kernel.name,
                      dead, static_cast<unsigned long long>(address));
        log_line(text);
        return CUDA_ERROR_INVALID_VALUE;
    }
    auto work = std::make_shared<Work>();
    work->type = CU_GRAPH_NODE_TYPE_KERNEL;
    work->name = kernel.name;
    Context* owner = &context;
    work->run = [=]() { return run_kernel(*owner, *function, *arguments, grid, block, shared, cooperative); };
    return enqueue(context, *stream, work);
}

}  // namespace

EMU_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    return call("cuModuleLoadData", [&](Context& context) -> CUresult {
        if (image == nullptr) return CUDA_ERROR_INVALID_VALUE;
        std::lock_guard<std::mutex> lock(context.mutex);
        const int refused = refuse_during_capture(context);
        if (refused != 0) return refused;
        int status = CUDA_SUCCESS;
        std::unique_ptr<Module> loaded = Module::load(image, &status);
        if (loaded == nullptr) return status;
        context.modules.insert(loaded.get());
        *module = reinterpret_cast<CUmodule>(loaded.release());
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuModuleUnload(CUmodule handle) {
    return call("cuModuleUnload", [&](Context& context) -> CUresult {
        const int status = context.engine.wait_all();
        if (status != 0) return status;
        std::lock_guard<std::mutex> lock(context.mutex);
        Module* module = module_of(context, handle);
        if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        context.modules.erase(module);
        delete module;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
    return call("cuModuleGetFunction", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Module* module = module_of(context, handle);
        if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        Function* found = module->function(name);
        if (found == nullptr) return CUDA_ERROR_NOT_FOUND;
        *function = reinterpret_cast<CUfunction>(found);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule handle, const char* name) {
    return call("cuModuleGetGlobal_v2", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Module* module = module_of(context, handle);
        if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        uintptr_t start = 0;
        size_t size = 0;
        if (!module->global(name, &start, &size)) return CUDA_ERROR_NOT_FOUND;
        context.memory->adopt(start, size, Space::kGlobal);
        if (address != nullptr) *address = start;
        if (bytes != nullptr) *bytes = size;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuFuncGetAttribute(int* value, int attribute, CUfunction handle) {
    return call("cuFuncGetAttribute", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Function* function = function_of(context, handle);
        if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        switch (attribute) {
            case 0:
                *value = kMaxThreadsPerBlock;
                return CUDA_SUCCESS;
            case 1:
            case 2:
            case 3:
                *value = 0;
                return CUDA_SUCCESS;  // not known of a kernel compiled for the host
            case 4:
                *value = 32;
                return CUDA_SUCCESS;
            case 5:
            case 6:
                *value = settings().compute_capability;
                return CUDA_SUCCESS;
            case 8:
                *value = function->max_dynamic_shared;
                return CUDA_SUCCESS;
            default:
                return CUDA_ERROR_INVALID_VALUE;
        }
    });
}

EMU_API CUresult cuFuncSetAttribute(CUfunction handle, int attribute, int value) {
    return call("cuFuncSetAttribute", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Function* function = function_of(context, handle);
        if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        if (attribute == 9) return CUDA_SUCCESS;  // PREFERRED_SHARED_MEMORY_CARVEOUT: a hint
        if (attribute != 8 || value < 0 || value > kMaxDynamicShared) return CUDA_ERROR_INVALID_VALUE;
        function->max_dynamic_shared = value;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction handle, int block_size,
                                                             size_t shared) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        if (function_of(context, handle) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        *blocks = resident_blocks(block_size, shared);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction handle, int block_size,
                                                                      size_t shared, unsigned) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        if (function_of(context, handle) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        *blocks = resident_blocks(block_size, shared);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, CUstream stream,
                                void** arguments, void** extra) {
    return call("cuLaunchKernel", [&](Context& context) -> CUresult {
        if (extra != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
        return launch(context, function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream,
                      arguments, false);
    });
}

EMU_API CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                           unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                                           CUstream stream, void** arguments) {
    return call("cuLaunchCooperativeKernel", [&](Context& context) -> CUresult {
        return launch(context, function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream,
                      arguments, true);
    });
}
