// Options of the emulator: read once from EMU_* variables, changed later through emu_control.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace emu {

enum class Guard { kEnd, kTight, kStart };

struct Settings {
    std::atomic<uint64_t> seed{1};
    std::atomic<int> workers{0};  // 0: as many as processors, at most 4
    std::atomic<int> guard{static_cast<int>(Guard::kEnd)};
    std::atomic<uint64_t> memory_bytes{2048ULL << 20};
    std::atomic<int> quarantine{1024};  // freed allocations kept inaccessible
    std::atomic<bool> lazy{true};
    std::atomic<int> timeout_seconds{30};
    std::atomic<int> init_result{0};
    std::atomic<int> driver_version{13000};
    std::atomic<int> device_count{1};
    std::atomic<int> multiprocessors{4};
    std::atomic<int> compute_capability{90};
    std::atomic<bool> verbose{true};
};

Settings& settings();

// False if the name or value is unknown.
bool set_option(const std::string& name, const std::string& value);

}  // namespace emu
