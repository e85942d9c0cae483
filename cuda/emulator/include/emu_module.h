// What a compiled kernel module and the emulated driver know of each other. The module is a shared object that needs
// libcuda.so.1 and exports emu_module_kernels() and emu_module_touch_shared(); everything else is called by the module.
#pragma once

#include <cstdint>

struct EmuDim3 {
    unsigned x, y, z;
};

struct EmuParameter {
    uint32_t size;
    uint32_t is_pointer;
    char code;  // p pointer, l 64-bit integer, i int, u unsigned, f float, d double, ? anything else
};

// One kernel; `call` unpacks the driver's void** into typed arguments of `function`.
struct EmuKernel {
    const char* name;
    void (*function)();
    void (*call)(void (*function)(), void** arguments);
    const EmuParameter* parameters;
    int parameter_count;
    const EmuKernel* next;
};

// Which collective a warp is in: lanes that meet in different ones have diverged.
enum EmuWarpOp { EMU_WARP_SHUFFLE = 1, EMU_WARP_VOTE, EMU_WARP_REDUCE, EMU_WARP_SYNC };

// The values all lanes brought to a collective; valid until the calling lane enters its next one.
struct EmuWarpView {
    const uint64_t* values;
    uint32_t lanes;  // bit set: the lane exists (the last warp of a block may be partial)
    uint32_t lane;   // the caller
};

#define EMU_INITIAL_EXEC __attribute__((tls_model("initial-exec")))

extern "C" {
// initial-exec: the runtime sets them before each switch, and a lookup per access would dominate small kernels.
extern __thread EmuDim3 emu_thread_idx EMU_INITIAL_EXEC;
extern __thread EmuDim3 emu_block_idx EMU_INITIAL_EXEC;
extern __thread EmuDim3 emu_block_dim EMU_INITIAL_EXEC;
extern __thread EmuDim3 emu_grid_dim EMU_INITIAL_EXEC;

// Each of these may run other threads of the block before it returns.
void emu_syncthreads();
void emu_grid_sync();  // cooperative launches only
void emu_yield();      // inside every spin
EmuWarpView emu_warp_gather(EmuWarpOp kind, unsigned mask, uint64_t value);
void* emu_dynamic_shared();
[[noreturn]] void emu_kernel_failure(const char* reason);  // ends the launch with CUDA_ERROR_LAUNCH_FAILED
}
