#include "fault.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <cstring>

#include "../include/emu_driver.h"

namespace emu {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr long kDirectionFlag = 0x400;
constexpr size_t kSignalStackBytes = 64 * 1024;

// The handler reads it, so it must not be reached through __tls_get_addr, which may allocate.
__thread Trap* armed_trap __attribute__((tls_model("initial-exec"))) = nullptr;

struct sigaction previous[NSIG];
std::atomic<long> chained{0};

void chain(int signal, siginfo_t* info, void* context) {
    chained.fetch_add(1, std::memory_order_relaxed);
    const struct sigaction& old = previous[signal];
    if (old.sa_flags & SA_SIGINFO) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) {
        // Returning repeats the faulting instruction under the old disposition: the usual core dump.
        sigaction(signal, &old, nullptr);
    } else {
        old.sa_handler(signal);
    }
}

// Whether device code runs decides, not the address: null, wild and misaligned pointers hit no guard page, and a
// general protection fault comes with address 0.
void handle(int signal, siginfo_t* info, void* context) {
    Trap* trap = armed_trap;
    if (trap == nullptr) {
        chain(signal, info, context);
        return;
    }
    armed_trap = nullptr;
    ucontext_t* machine = static_cast<ucontext_t*>(context);
    trap->signal = signal;
    trap->code = info->si_code;
    trap->address = reinterpret_cast<uintptr_t>(info->si_addr);
    if (signal == SIGILL) {
        const auto* code = reinterpret_cast<const unsigned char*>(machine->uc_mcontext.gregs[REG_RIP]);
        trap->undefined_instruction = code[0] == 0x0f && code[1] == 0x0b;
    }
    trap->hit = true;
    // No siglongjmp: returning from the handler restores the signal mask and leaves the alternate stack by itself.
    machine->uc_mcontext.gregs[REG_RSP] = reinterpret_cast<greg_t>(*trap->resume_stack);
    machine->uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(emu_switch_tail);
    machine->uc_mcontext.gregs[REG_EFL] &= ~kDirectionFlag;
}

}  // namespace

void arm_trap(Trap* trap) { armed_trap = trap; }

void disarm_trap() { armed_trap = nullptr; }

void install_fault_handlers() {
    for (int signal : kSignals) {
        sigaction(signal, nullptr, &previous[signal]);
        struct sigaction action = previous[signal];  // keeps the JVM's mask
        action.sa_sigaction = handle;
        action.sa_flags = (action.sa_flags & ~SA_RESETHAND) | SA_SIGINFO | SA_ONSTACK;
        sigaction(signal, &action, nullptr);
    }
}

void prepare_device_thread() {
    stack_t stack = {};
    stack.ss_size = kSignalStackBytes;
    stack.ss_sp = mmap(nullptr, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&stack, nullptr);
    sigset_t mask;
    sigfillset(&mask);
    for (int signal : kSignals) sigdelset(&mask, signal);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

int status_of(const Trap& trap) {
    // Modules are compiled with -fsanitize=alignment in trapping mode, whose trap is ud2; an aligned vector instruction
    // on a misaligned address is a general protection fault (SI_KERNEL).
    if (trap.signal == SIGILL && trap.undefined_instruction) return CUDA_ERROR_MISALIGNED_ADDRESS;
    if (trap.signal == SIGBUS && trap.code == BUS_ADRALN) return CUDA_ERROR_MISALIGNED_ADDRESS;
    if (trap.signal == SIGSEGV || trap.signal == SIGBUS) {
        // A non-canonical address is a general protection fault too; reported as misaligned, as the processor gives no
        // means to tell them apart without decoding the instruction.
        return trap.code == SI_KERNEL ? CUDA_ERROR_MISALIGNED_ADDRESS : CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    return CUDA_ERROR_LAUNCH_FAILED;
}

long chained_signal_count() { return chained.load(std::memory_order_relaxed); }

}  // namespace emu
