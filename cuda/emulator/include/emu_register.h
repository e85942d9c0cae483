// Registration of kernels: deduces from the function type how to unpack the driver's void** and what to copy at launch.
#pragma once

#include <type_traits>
#include <utility>

#include "emu_module.h"

template <class T>
constexpr char emu_code() {
    if (std::is_pointer_v<T>) return 'p';
    if (std::is_same_v<T, float>) return 'f';
    if (std::is_same_v<T, double>) return 'd';
    if (!std::is_integral_v<T>) return '?';
    if (sizeof(T) == 8) return 'l';
    return sizeof(T) != 4 ? '?' : std::is_signed_v<T> ? 'i' : 'u';
}

template <class... A>
struct EmuSignature {
    // One entry more than parameters, as an array cannot be empty.
    static constexpr EmuParameter parameters[] = {
        {sizeof(A), std::is_pointer_v<A>, emu_code<std::remove_cv_t<A>>()}..., {0, 0, 0}};

    template <size_t... I>
    static void unpack(void (*function)(A...), [[maybe_unused]] void** arguments, std::index_sequence<I...>) {
        function(*static_cast<std::remove_cv_t<A>*>(arguments[I])...);
    }
    static void call(void (*function)(), void** arguments) {
        unpack(reinterpret_cast<void (*)(A...)>(function), arguments, std::index_sequence_for<A...>{});
    }
};

// The kernels of this module. Inline, so that its translation units share one list; hidden, so that modules do not.
__attribute__((visibility("hidden"))) inline const EmuKernel* emu_kernel_list = nullptr;

class EmuRegistration {
   public:
    template <class... A>
    EmuRegistration(const char* name, void (*function)(A...))
        : kernel_{name,
                  reinterpret_cast<void (*)()>(function),
                  &EmuSignature<A...>::call,
                  EmuSignature<A...>::parameters,
                  static_cast<int>(sizeof...(A)),
                  emu_kernel_list} {
        emu_kernel_list = &kernel_;
    }

   private:
    EmuKernel kernel_;
};

#define EMU_REGISTER(name) static EmuRegistration emu_registration_of_##name(#name, &name);

// Makes the module have thread-local storage of its own even if no kernel declares __shared__ memory.
static thread_local char emu_shared_anchor __attribute__((used));

extern "C" {
__attribute__((visibility("default"), weak)) const EmuKernel* emu_module_kernels() { return emu_kernel_list; }
__attribute__((visibility("default"), weak)) void emu_module_touch_shared() {
    *static_cast<volatile char*>(&emu_shared_anchor) = 0;
}
}
