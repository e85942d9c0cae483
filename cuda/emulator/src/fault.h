// Turns a hardware fault of device code into a value. Every other fault of the process goes to whoever handled the
// signal before, which in a JVM is the JVM.
#pragma once

#include <cstdint>

namespace emu {

struct Trap {
    void** resume_stack = nullptr;  // where emu_switch stores the host stack pointer
    int signal = 0;
    int code = 0;
    uintptr_t address = 0;
    bool undefined_instruction = false;
    bool hit = false;
};

// Routes faults of this thread to `trap` while armed. Disarm before running host code.
void arm_trap(Trap* trap);
void disarm_trap();

// Once, from cuInit: late, so that a JVM's own handlers are the previous ones.
void install_fault_handlers();

// Gives an emulator thread its alternate signal stack and leaves asynchronous signals to the other threads.
void prepare_device_thread();

// 700, 716 or 719.
int status_of(const Trap& trap);

long chained_signal_count();

}  // namespace emu

extern "C" {
void emu_switch(void** save, void* load);
extern char emu_switch_tail[];
}
