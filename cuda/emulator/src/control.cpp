#include "control.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>

#include "context.h"
#include "fault.h"
#include "settings.h"

namespace emu {
namespace {

struct Call {
    long count = 0;
    long countdown = -1;  // calls left before the injected failure; 0: every call fails, -1: none
    int status = 0;
};

struct State {
    std::mutex mutex;
    std::map<std::string, Call> calls;
    EmuFault fault = {};
};

// EMU_FAIL=cuMemAlloc_v2:3:2,kernel:1:700 - function, n, status.
void inject_from_environment(State& state) {
    const char* text = std::getenv("EMU_FAIL");
    if (text == nullptr) return;
    std::istringstream list(text);
    std::string item;
    while (std::getline(list, item, ',')) {
        const size_t first = item.find(':');
        const size_t second = first == std::string::npos ? first : item.find(':', first + 1);
        if (second == std::string::npos) {
            std::fprintf(stderr, "emulated CUDA: EMU_FAIL=%s is not function:n:status\n", text);
            std::abort();
        }
        Call& call = state.calls[item.substr(0, first)];
        call.countdown = std::atol(item.c_str() + first + 1);
        call.status = std::atoi(item.c_str() + second + 1);
    }
}

State& state() {
    static State& instance = *[] {
        auto* s = new State;
        inject_from_environment(*s);
        return s;
    }();
    return instance;
}

}  // namespace

Counters& counters() {
    static Counters& instance = *new Counters;
    return instance;
}

int count_call(const char* function) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    Call& call = s.calls[function];
    call.count++;
    if (call.countdown == 0) return call.status;
    if (call.countdown > 0 && --call.countdown == 0) {
        call.countdown = -1;
        return call.status;
    }
    return 0;
}

bool is_sticky(int status) {
    if (status == 712 || status == 713) return false;  // host memory already or not registered
    return status == 700 || status == 702 || (status >= 710 && status <= 719);
}

void record_fault(const EmuFault& fault) {
    counters().faults++;
    {
        State& s = state();
        std::lock_guard<std::mutex> lock(s.mutex);
        s.fault = fault;
    }
    char line[640];
    std::snprintf(line, sizeof line, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u), address 0x%llx: %s -> status %d",
                  fault.kernel, fault.block[0], fault.block[1], fault.block[2], fault.thread[0], fault.thread[1],
                  fault.thread[2], static_cast<unsigned long long>(fault.address), fault.message, fault.status);
    log_line(line);
}

void clear_fault() {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    s.fault = EmuFault{};
}

void report_violation(const std::string& text) {
    counters().violations++;
    log_line("violation: " + text);
}

void log_line(const std::string& text) {
    if (settings().verbose) std::fprintf(stderr, "emulated CUDA: %s\n", text.c_str());
}

}  // namespace emu

extern "C" {

int emu_set_option(const char* name, const char* value) { return emu::set_option(name, value) ? 0 : 1; }

void emu_fail_nth(const char* function, long n, int status) {
    emu::State& s = emu::state();
    std::lock_guard<std::mutex> lock(s.mutex);
    s.calls[function].countdown = n;
    s.calls[function].status = status;
}

void emu_clear_failures(void) {
    emu::State& s = emu::state();
    std::lock_guard<std::mutex> lock(s.mutex);
    for (auto& call : s.calls) call.second.countdown = -1;
}

long emu_call_count(const char* function) {
    emu::State& s = emu::state();
    std::lock_guard<std::mutex> lock(s.mutex);
    auto found = s.calls.find(function);
    return found == s.calls.end() ? 0 : found->second.count;
}

long emu_counter(const char* name) {
    const std::string wanted = name;
    const emu::Counters& c = emu::counters();
    if (wanted == "kernels") return c.kernels;
    if (wanted == "blocks") return c.blocks;
    if (wanted == "faults") return c.faults;
    if (wanted == "violations") return c.violations;
    if (wanted == "unpinned_async_copies") return c.unpinned_async_copies;
    if (wanted == "chained_signals") return emu::chained_signal_count();
    if (wanted == "live_allocations") return emu::live_allocations();
    if (wanted == "live_bytes") return emu::live_bytes();
    return -1;
}

int emu_last_fault(EmuFault* fault) {
    emu::State& s = emu::state();
    std::lock_guard<std::mutex> lock(s.mutex);
    *fault = s.fault;
    return s.fault.status;
}

long emu_kernels(char* text, long size) {
    const std::string lines = emu::kernel_lines();
    if (size > 0) {
        const size_t fits = std::min(lines.size(), static_cast<size_t>(size - 1));
        std::memcpy(text, lines.data(), fits);
        text[fits] = '\0';
    }
    return static_cast<long>(lines.size());
}

void emu_reset(void) {
    emu::reset_all_contexts();
    emu::clear_fault();
}
}
