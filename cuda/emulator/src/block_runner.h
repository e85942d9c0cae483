// Runs one thread block as fibers on the calling OS thread, with barriers and warp collectives.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../include/emu_control.h"
#include "../include/emu_module.h"
#include "fault.h"
#include "random.h"

namespace emu {

struct Module;

// One kernel launch; shared by the workers that run its blocks.
struct Launch {
    const EmuKernel* kernel = nullptr;
    Module* module = nullptr;
    std::vector<void*> arguments;
    EmuDim3 grid = {1, 1, 1};
    EmuDim3 block = {1, 1, 1};
    size_t shared_bytes = 0;
    bool cooperative = false;
    uint64_t seed = 0;
    std::vector<uint32_t> order;  // blocks, shuffled
    std::atomic<uint32_t> next{0};
    std::atomic<bool> aborted{false};
    std::atomic<uint64_t> grid_arrivals{0};
    EmuFault fault = {};  // of the first block that failed; written once, by whoever set `aborted`

    uint64_t block_count() const { return uint64_t{grid.x} * grid.y * grid.z; }
    void fail(const EmuFault& first);
};

class BlockRunner {
   public:
    BlockRunner();
    BlockRunner(const BlockRunner&) = delete;
    BlockRunner& operator=(const BlockRunner&) = delete;

    // The runner of this OS thread, made on first use and never destroyed.
    static BlockRunner& of_this_thread();

    // Returns early if the launch is or becomes aborted.
    void run(Launch& launch, uint32_t block_index);

    // Runs host code of a device operation (a copy) such that its faults become a value; true if it faulted.
    bool run_guarded(void (*function)(void*), void* state, Trap* trap);

    // Called on fibers.
    void barrier();
    void yield();
    void grid_barrier();
    EmuWarpView gather(EmuWarpOp kind, unsigned mask, uint64_t value);
    void* dynamic_shared() const { return dynamic_shared_; }
    [[noreturn]] void fail_from_fiber(const char* reason);

   private:
    enum class State : uint8_t { kUnstarted, kReady, kYielded, kAtBarrier, kInWarp, kDone };

    struct Fiber {
        void* sp;
        char* stack;
        State state;
    };

    struct Warp {
        uint32_t first, count;
        uint32_t arrived;
        uint32_t generation;
        EmuWarpOp kind;
        bool mixed;
        uint64_t values[2][32];
    };

    static void fiber_main();
    static void guarded_main();
    void start(const Launch& launch, uint32_t block_index);
    bool resume(uint32_t index);
    void leave(State state);
    bool run_warp(const Warp& warp);
    bool settle();
    void reset_trap();
    void report_trap();
    void report(int status, const std::string& reason);
    char* take_stack();
    void poison_shared();
    void* prepare(char* stack, void (*entry)());
    void abandon_stacks();

    Launch* launch_ = nullptr;
    uint32_t block_index_ = 0;
    uint32_t thread_count_ = 0;
    uint32_t current_ = 0;
    uint64_t grid_generation_ = 0;
    uint64_t idle_passes_ = 0;
    int64_t idle_since_ = 0;
    const char* failure_ = nullptr;
    void* host_sp_ = nullptr;
    Trap trap_;
    Random random_{0};
    std::vector<Fiber> fibers_;
    std::vector<Warp> warps_;
    std::vector<char*> free_stacks_;
    std::vector<char*> stack_guards_;
    uint8_t lane_orders_[16][32];
    char* dynamic_map_ = nullptr;
    size_t dynamic_capacity_ = 0;
    void* dynamic_shared_ = nullptr;
    void (*guarded_function_)(void*) = nullptr;
    void* guarded_state_ = nullptr;
    void* guarded_sp_ = nullptr;
};

}  // namespace emu
