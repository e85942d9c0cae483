#include "settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emu {
namespace {

constexpr const char* kNames[] = {
    "seed",        "workers",        "guard",   "memory_mb",       "quarantine",         "lazy",   "timeout",
    "init_result", "driver_version", "devices", "multiprocessors", "compute_capability", "verbose"};

bool apply(Settings& s, const std::string& name, const std::string& value) {
    if (name == "guard") {
        Guard guard;
        if (value == "end") {
            guard = Guard::kEnd;
        } else if (value == "tight") {
            guard = Guard::kTight;
        } else if (value == "start") {
            guard = Guard::kStart;
        } else {
            return false;
        }
        s.guard = static_cast<int>(guard);
        return true;
    }
    char* end = nullptr;
    const uint64_t number = std::strtoull(value.c_str(), &end, 0);
    if (value.empty() || *end != '\0') return false;
    const int small = static_cast<int>(number);
    if (name == "seed") {
        s.seed = number;
    } else if (name == "workers") {
        s.workers = small;
    } else if (name == "memory_mb") {
        s.memory_bytes = number << 20;
    } else if (name == "quarantine") {
        s.quarantine = small;
    } else if (name == "lazy") {
        s.lazy = number != 0;
    } else if (name == "timeout") {
        s.timeout_seconds = small;
    } else if (name == "init_result") {
        s.init_result = small;
    } else if (name == "driver_version") {
        s.driver_version = small;
    } else if (name == "devices") {
        s.device_count = small;
    } else if (name == "multiprocessors") {
        s.multiprocessors = small;
    } else if (name == "compute_capability") {
        s.compute_capability = small;
    } else if (name == "verbose") {
        s.verbose = number != 0;
    } else {
        return false;
    }
    return true;
}

Settings* from_environment() {
    auto* s = new Settings;  // never destroyed: threads outlive main
    for (const char* name : kNames) {
        std::string variable = "EMU_";
        for (const char* c = name; *c != '\0'; c++) variable += static_cast<char>(*c == '_' ? '_' : *c & ~0x20);
        const char* value = std::getenv(variable.c_str());
        if (value != nullptr && !apply(*s, name, value)) {
            // A test that asked for a mode and silently ran without it would prove nothing.
            std::fprintf(stderr, "emulated CUDA: %s=%s is not understood\n", variable.c_str(), value);
            std::abort();
        }
    }
    return s;
}

}  // namespace

Settings& settings() {
    static Settings& instance = *from_environment();
    return instance;
}

bool set_option(const std::string& name, const std::string& value) { return apply(settings(), name, value); }

}  // namespace emu
