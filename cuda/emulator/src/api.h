// What every entry point shares: state checks, error injection, the current context.
#pragma once

#include <new>
#include <string>
#include <utility>

#include "context.h"
#include "control.h"

// Exported although the library is compiled with hidden visibility.
#define EMU_API extern "C" __attribute__((visibility("default")))

namespace emu {

bool initialized();

// Of a physical device.
std::string device_uuid_text(int device);

// The injected status, which stays with the current context if it is of a sticky kind.
CUresult inject(const char* name, int status);

// An entry point that needs no context. A C++ exception must not leave the library.
template <class Body>
CUresult call_without_context(const char* name, Body&& body) {
    try {
        if (!initialized()) return CUDA_ERROR_NOT_INITIALIZED;
        const int injected = count_call(name);
        if (injected != 0) return inject(name, injected);
        return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    } catch (...) {
        return CUDA_ERROR_UNKNOWN;
    }
}

// An entry point that works in the current context and fails for good after a sticky error.
template <class Body>
CUresult call(const char* name, Body&& body) {
    return call_without_context(name, [&]() -> CUresult {
        Context* context = current_context();
        if (context == nullptr || !context->alive()) return CUDA_ERROR_INVALID_CONTEXT;
        const int status = context->engine.status();
        return status != 0 ? status : body(*context);
    });
}

}  // namespace emu
