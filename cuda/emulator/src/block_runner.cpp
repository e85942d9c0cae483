#include "block_runner.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "../include/emu_driver.h"
#include "module.h"
#include "settings.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

__thread EmuDim3 emu_thread_idx EMU_INITIAL_EXEC;
__thread EmuDim3 emu_block_idx EMU_INITIAL_EXEC;
__thread EmuDim3 emu_block_dim EMU_INITIAL_EXEC;
__thread EmuDim3 emu_grid_dim EMU_INITIAL_EXEC;

namespace emu {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kSlabStacks = 64;
constexpr size_t kStackColour = 320;
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStackBytes = 256 * 1024;  // red zones make frames several times larger
#else
constexpr size_t kStackBytes = 64 * 1024;
#endif
constexpr uint32_t kWarpSize = 32;

__thread BlockRunner* current_runner EMU_INITIAL_EXEC = nullptr;

int64_t now_milliseconds() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

EmuDim3 unflatten(uint32_t index, const EmuDim3& extent) {
    if (extent.y == 1 && extent.z == 1) return {index, 0, 0};
    const uint32_t row = index / extent.x;
    return {index % extent.x, row % extent.y, row / extent.y};
}

}  // namespace

void Launch::fail(const EmuFault& first) {
    if (!aborted.exchange(true)) fault = first;
}

BlockRunner::BlockRunner() {
    Random random(0x5eed);
    for (auto& order : lane_orders_) {
        std::iota(order, order + kWarpSize, uint8_t{0});
        for (uint32_t i = kWarpSize - 1; i > 0; i--) std::swap(order[i], order[random.below(i + 1)]);
    }
}

void BlockRunner::reset_trap() {
    trap_ = Trap{};
    trap_.resume_stack = &host_sp_;
}

BlockRunner& BlockRunner::of_this_thread() {
    if (current_runner == nullptr) current_runner = new BlockRunner;
    return *current_runner;
}

// Stacks grow down to a guard page, so that an overflow is a fault of the kernel and not of its neighbour.
char* BlockRunner::take_stack() {
    if (free_stacks_.empty()) {
        char* slab = static_cast<char*>(mmap(nullptr, kSlabStacks * (kStackBytes + kPage), PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (slab == MAP_FAILED) {
            std::fprintf(stderr, "emulated CUDA: no memory for the stacks of a block\n");
            std::abort();
        }
        for (size_t i = kSlabStacks; i-- > 0;) {
            char* guard = slab + i * (kStackBytes + kPage);
            mprotect(guard, kPage, PROT_NONE);
            // Tops at a constant stride would all fall into the same few cache sets.
            char* top = guard + kPage + kStackBytes - i * kStackColour % kPage;
            free_stacks_.push_back(top);
            stack_guards_.push_back(guard);
        }
    }
    char* top = free_stacks_.back();
    free_stacks_.pop_back();
    return top;
}

// Lays out what emu_switch pops: six registers and the entry address, with RSP as after a call.
void* BlockRunner::prepare(char* stack, void (*entry)()) {
    void** sp = reinterpret_cast<void**>(stack);
    *--sp = nullptr;  // return address of entry: the end of the call chain
    *--sp = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; i++) *--sp = nullptr;
    return sp;
}

void BlockRunner::fiber_main() {
    BlockRunner* self = current_runner;
    self->launch_->kernel->call(self->launch_->kernel->function, self->launch_->arguments.data());
    self->leave(State::kDone);
    __builtin_unreachable();
}

void BlockRunner::leave(State state) {
    Fiber& fiber = fibers_[current_];
    fiber.state = state;
    disarm_trap();
    emu_switch(&fiber.sp, host_sp_);
}

// Runs one fiber until it blocks; false if the block has failed.
bool BlockRunner::resume(uint32_t index) {
    Fiber& fiber = fibers_[index];
    if (fiber.state == State::kUnstarted) {
        // Taken late and given back early: a kernel that never waits runs all its threads on one warm stack.
        fiber.stack = take_stack();
        fiber.sp = prepare(fiber.stack, fiber_main);
    }
    current_ = index;
    emu_thread_idx = unflatten(index, launch_->block);
    arm_trap(&trap_);
    emu_switch(&host_sp_, fiber.sp);
    // The handler may have brought us here: host_sp_ is then what the switch above saved.
    if (trap_.hit) {
        report_trap();
        return false;
    }
    if (failure_ != nullptr) {
        if (*failure_ != '\0') report(CUDA_ERROR_LAUNCH_FAILED, failure_);
        return false;
    }
    if (fiber.state == State::kDone) {
        free_stacks_.push_back(fiber.stack);
        fiber.stack = nullptr;
    }
    return true;
}

// Runs the lanes of a warp until each waits for more than its warp; false if the block has failed.
bool BlockRunner::run_warp(const Warp& warp) {
    for (bool again = true; again;) {
        again = false;
        const uint8_t* order = lane_orders_[random_.next() >> 60];
        for (uint32_t i = 0; i < kWarpSize; i++) {
            if (order[i] >= warp.count) continue;
            const uint32_t index = warp.first + order[i];
            const State state = fibers_[index].state;
            if (state != State::kReady && state != State::kUnstarted) continue;
            if (!resume(index)) return false;
            again = true;
        }
    }
    return true;
}

// Decides what blocked fibers may go on; false if the block is finished or has failed.
bool BlockRunner::settle() {
    uint32_t done = 0, at_barrier = 0, yielded = 0, in_warp = 0;
    for (Fiber& fiber : fibers_) {
        done += fiber.state == State::kDone;
        at_barrier += fiber.state == State::kAtBarrier;
        in_warp += fiber.state == State::kInWarp;
        if (fiber.state == State::kYielded) {
            yielded++;
            fiber.state = State::kReady;
        }
    }
    if (done == thread_count_) return false;
    if (at_barrier == thread_count_) {
        for (Fiber& fiber : fibers_) fiber.state = State::kReady;
        idle_passes_ = 0;
        return true;
    }
    if (yielded == 0) {
        // Nothing can ever run again. Hardware would hang or, worse, let part of the block through.
        if (in_warp != 0) {
            report(CUDA_ERROR_LAUNCH_FAILED, "divergent warp operation: some lanes of the warp never reach it");
        } else {
            report(CUDA_ERROR_LAUNCH_FAILED, "divergent __syncthreads: some threads of the block never reach it");
        }
        return false;
    }
    if (launch_->aborted.load(std::memory_order_relaxed)) return false;
    // Only spinning is left: what it waits for must come from another block.
    sched_yield();
    const int64_t now = now_milliseconds();
    if (idle_passes_++ == 0) idle_since_ = now;
    if (now - idle_since_ > int64_t{1000} * settings().timeout_seconds) {
        report(CUDA_ERROR_LAUNCH_TIMEOUT, "the block spins for a value that never comes");
        return false;
    }
    return true;
}

void BlockRunner::start(const Launch& launch, uint32_t block_index) {
    block_index_ = block_index;
    thread_count_ = launch.block.x * launch.block.y * launch.block.z;
    random_ = Random(Random::mix(launch.seed, block_index));
    grid_generation_ = 0;
    idle_passes_ = 0;
    failure_ = nullptr;
    reset_trap();
    fibers_.assign(thread_count_, Fiber{nullptr, nullptr, State::kUnstarted});
    warps_.resize((thread_count_ + kWarpSize - 1) / kWarpSize);
    for (uint32_t w = 0; w < warps_.size(); w++) {
        Warp& warp = warps_[w];
        warp.first = w * kWarpSize;
        warp.count = std::min(kWarpSize, thread_count_ - warp.first);
        warp.arrived = warp.generation = 0;
        warp.mixed = false;
    }
    emu_grid_dim = launch.grid;
    emu_block_dim = launch.block;
    emu_block_idx = unflatten(block_index, launch.grid);
    poison_shared();
}

void BlockRunner::run(Launch& launch, uint32_t block_index) {
    launch_ = &launch;
    start(launch, block_index);
    for (bool alive = true; alive;) {
        // A random start and direction suffices between warps: any two of them meet in both orders.
        const uint32_t count = static_cast<uint32_t>(warps_.size());
        const uint32_t first = random_.below(count);
        const uint32_t step = random_.below(2) == 0 ? 1 : count - 1;
        uint32_t w = first;
        for (uint32_t i = 0; i < count && alive; i++) {
            alive = run_warp(warps_[w]);
            w += step;
            if (w >= count) w -= count;
        }
        alive = alive && settle();
    }
    abandon_stacks();
    launch_ = nullptr;
}

// After a failure fibers are dropped where they stand; their stacks are used again.
void BlockRunner::abandon_stacks() {
    for (Fiber& fiber : fibers_) {
        if (fiber.stack == nullptr) continue;
#if defined(__SANITIZE_ADDRESS__)
        __asan_unpoison_memory_region(fiber.stack - kStackBytes + kPage, kStackBytes - kPage);
#endif
        free_stacks_.push_back(fiber.stack);
        fiber.stack = nullptr;
    }
}

// Shared memory has no initial value on a device, so that a read before the first write must not look harmless.
void BlockRunner::poison_shared() {
    launch_->module->poison_static_shared();
    const size_t bytes = (launch_->shared_bytes + 15) / 16 * 16;
    if (bytes > dynamic_capacity_) {
        if (dynamic_map_ != nullptr) munmap(dynamic_map_, dynamic_capacity_ + kPage);
        dynamic_capacity_ = (bytes + kPage - 1) / kPage * kPage;
        dynamic_map_ = static_cast<char*>(
            mmap(nullptr, dynamic_capacity_ + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(dynamic_map_ + dynamic_capacity_, kPage, PROT_NONE);
    }
    // Ends at the guard page. Without any, the pointer itself lies in the guard page.
    dynamic_shared_ = dynamic_map_ + dynamic_capacity_ - bytes;
    if (bytes != 0) std::memset(dynamic_shared_, 0xff, bytes);
}

void BlockRunner::report_trap() {
    EmuFault fault = {};
    fault.status = status_of(trap_);
    fault.signal = trap_.signal;
    if (fault.status != CUDA_ERROR_MISALIGNED_ADDRESS) fault.address = trap_.address;
    const char* what = "fault";
    if (fault.status == CUDA_ERROR_MISALIGNED_ADDRESS) what = "misaligned address";
    if (fault.status == CUDA_ERROR_ILLEGAL_ADDRESS) {
        what = "illegal address";
        for (char* guard : stack_guards_) {
            const uintptr_t low = reinterpret_cast<uintptr_t>(guard);
            if (trap_.address >= low && trap_.address < low + kPage) what = "stack overflow";
        }
    }
    std::snprintf(fault.message, sizeof fault.message, "%s (signal %d, code %d)", what, trap_.signal, trap_.code);
    const EmuDim3 thread = unflatten(current_, launch_->block);
    std::snprintf(fault.kernel, sizeof fault.kernel, "%s", launch_->kernel->name);
    std::memcpy(fault.block, &emu_block_idx, sizeof fault.block);
    std::memcpy(fault.thread, &thread, sizeof fault.thread);
    launch_->fail(fault);
}

void BlockRunner::report(int status, const std::string& reason) {
    EmuFault fault = {};
    fault.status = status;
    std::snprintf(fault.message, sizeof fault.message, "%s", reason.c_str());
    std::snprintf(fault.kernel, sizeof fault.kernel, "%s", launch_->kernel->name);
    const EmuDim3 thread = unflatten(current_, launch_->block);
    std::memcpy(fault.block, &emu_block_idx, sizeof fault.block);
    std::memcpy(fault.thread, &thread, sizeof fault.thread);
    launch_->fail(fault);
}

void BlockRunner::fail_from_fiber(const char* reason) {
    failure_ = reason;
    leave(State::kDone);
    __builtin_unreachable();
}

void BlockRunner::barrier() { leave(State::kAtBarrier); }

void BlockRunner::yield() {
    // The block that would have ended this spin may have failed.
    if (launch_->aborted.load(std::memory_order_relaxed)) fail_from_fiber("");
    leave(State::kYielded);
}

void BlockRunner::grid_barrier() {
    if (!launch_->cooperative) fail_from_fiber("grid barrier in a launch that is not cooperative");
    barrier();
    const uint64_t target = launch_->block_count() * (grid_generation_ + 1);
    // Thread 0 of the block arrives for all; the others wait at the closing barrier.
    if (current_ == 0) {
        launch_->grid_arrivals.fetch_add(1, std::memory_order_acq_rel);
        while (launch_->grid_arrivals.load(std::memory_order_acquire) < target) yield();
        grid_generation_++;
    }
    barrier();
}

EmuWarpView BlockRunner::gather(EmuWarpOp kind, unsigned mask, uint64_t value) {
    if (mask != 0xffffffffu) fail_from_fiber("warp operation with a partial mask is not emulated");
    const uint32_t me = current_;
    Warp& warp = warps_[me / kWarpSize];
    const uint32_t lane = me - warp.first;
    // Two buffers: the next collective cannot complete before every lane has read this one.
    uint64_t* values = warp.values[warp.generation & 1];
    values[lane] = value;
    if (warp.arrived == 0) warp.kind = kind;
    if (warp.kind != kind) fail_from_fiber("divergent warp operation: lanes of one warp are in different ones");
    if (++warp.arrived == warp.count) {
        warp.arrived = 0;
        warp.generation++;
        for (uint32_t i = 0; i < warp.count; i++) fibers_[warp.first + i].state = State::kReady;
    } else {
        leave(State::kInWarp);
    }
    const uint32_t lanes = warp.count == kWarpSize ? 0xffffffffu : (1u << warp.count) - 1;
    return {values, lanes, lane};
}

void BlockRunner::guarded_main() {
    BlockRunner* self = current_runner;
    self->guarded_function_(self->guarded_state_);
    disarm_trap();
    emu_switch(&self->guarded_sp_, self->host_sp_);
    __builtin_unreachable();
}

bool BlockRunner::run_guarded(void (*function)(void*), void* state, Trap* trap) {
    char* stack = take_stack();
    guarded_function_ = function;
    guarded_state_ = state;
    reset_trap();
    arm_trap(&trap_);
    emu_switch(&host_sp_, prepare(stack, guarded_main));
    free_stacks_.push_back(stack);
    *trap = trap_;
    return trap_.hit;
}

}  // namespace emu

extern "C" {

void emu_syncthreads() { emu::BlockRunner::of_this_thread().barrier(); }

void emu_grid_sync() { emu::BlockRunner::of_this_thread().grid_barrier(); }

void emu_yield() { emu::BlockRunner::of_this_thread().yield(); }

EmuWarpView emu_warp_gather(EmuWarpOp kind, unsigned mask, uint64_t value) {
    return emu::BlockRunner::of_this_thread().gather(kind, mask, value);
}

void* emu_dynamic_shared() { return emu::BlockRunner::of_this_thread().dynamic_shared(); }

void emu_kernel_failure(const char* reason) { emu::BlockRunner::of_this_thread().fail_from_fiber(reason); }
}
