// A loaded kernel module: an x86-64 shared object taken from memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "../include/emu_module.h"

namespace emu {

struct Module;

struct Function {
    const EmuKernel* kernel = nullptr;
    Module* module = nullptr;
    int max_dynamic_shared = 48 * 1024;
};

struct Module {
    ~Module();

    // Null with a status if the image cannot be loaded.
    static std::unique_ptr<Module> load(const void* image, int* status);

    // Null if there is none of that name.
    Function* function(const std::string& name);
    // False if there is no such variable.
    bool global(const std::string& name, uintptr_t* address, size_t* bytes) const;

    // Fills the calling thread's __shared__ variables of this module with NaN.
    void poison_static_shared() const;

    int file = -1;
    void* handle = nullptr;
    uintptr_t base = 0;
    uint64_t id = 0;
    void (*touch_shared)() = nullptr;
    std::map<std::string, std::unique_ptr<Function>> functions;
};

}  // namespace emu
