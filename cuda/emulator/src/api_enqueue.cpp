// Work of other emulated libraries.
#include <vector>

#include "../include/emu_enqueue.h"
#include "api.h"
#include "block_runner.h"
#include "streams.h"

using namespace emu;

namespace {

EmuFault operation_fault(const std::string& name, int status, int signal, uintptr_t address, const char* message) {
    EmuFault fault = {};
    fault.status = status;
    fault.signal = signal;
    fault.address = address;
    std::snprintf(fault.kernel, sizeof fault.kernel, "%s", name.c_str());
    std::snprintf(fault.message, sizeof fault.message, "%s", message);
    return fault;
}

struct Shared {
    explicit Shared(const EmuOperation& operation)
        : name(operation.name),
          run(operation.run),
          destroy(operation.destroy),
          state(operation.state),
          ranges(operation.ranges, operation.ranges + operation.range_count) {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { destroy(state); }

    std::string name;
    void (*run)(void*);
    void (*destroy)(void*);
    void* state;
    std::vector<EmuRange> ranges;
};

EmuFault run_operation(Context& context, const Shared& operation) {
    const int injected = count_call("gemm");
    if (injected != 0) return operation_fault(operation.name, injected, 0, 0, "injected");
    for (const EmuRange& range : operation.ranges) {
        if (context.memory->contains(range.address, range.bytes)) continue;
        return operation_fault(operation.name, CUDA_ERROR_ILLEGAL_ADDRESS, 0, range.address,
                               "an operand reaches beyond its allocation");
    }
    Trap trap;
    if (!BlockRunner::of_this_thread().run_guarded(operation.run, operation.state, &trap)) return {};
    return operation_fault(operation.name, status_of(trap), trap.signal, trap.address, "fault");
}

}  // namespace

EMU_API CUresult emu_enqueue(CUstream handle, const EmuOperation* operation) {
    auto shared = std::make_shared<const Shared>(*operation);
    const uintptr_t exclusive = operation->exclusive;
    return call("emu_enqueue", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        auto work = std::make_shared<Work>();
        work->type = CU_GRAPH_NODE_TYPE_KERNEL;
        work->name = shared->name;
        work->exclusive = exclusive;
        Context* owner = &context;
        work->run = [owner, shared] { return run_operation(*owner, *shared); };
        return enqueue(context, *stream, work);
    });
}

EMU_API int emu_count_call(const char* function) { return count_call(function); }
