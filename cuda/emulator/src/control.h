// Error injection, counters and the last fault: the inside of emu_control.h.
#pragma once

#include <atomic>
#include <string>

#include "../include/emu_control.h"

namespace emu {

struct Counters {
    std::atomic<long> kernels{0};
    std::atomic<long> blocks{0};
    std::atomic<long> faults{0};
    std::atomic<long> violations{0};
    std::atomic<long> unpinned_async_copies{0};
};

Counters& counters();

// Counts a call; the status to fail with, or 0 to go on.
int count_call(const char* function);

// Whether a real device would refuse everything in this context from here on.
bool is_sticky(int status);

void record_fault(const EmuFault& fault);
void clear_fault();

// A use that a device may let pass, but that is wrong: logged and counted.
void report_violation(const std::string& text);

void log_line(const std::string& text);

}  // namespace emu
