#include "isa.h"

namespace elbo4j {

#if (defined(__x86_64__) || defined(_M_X64)) && !defined(ELBO4J_PORTABLE)
namespace x86_64 {
extern const Kernels KERNELS;
}
namespace x86_64_v3 {
extern const Kernels KERNELS;
}
namespace x86_64_v4 {
extern const Kernels KERNELS;
}
#elif defined(__aarch64__) && !defined(ELBO4J_PORTABLE)
namespace aarch64 {
extern const Kernels KERNELS;
}
#else
namespace portable {
extern const Kernels KERNELS;
}
#endif

namespace {

struct Isa {
    const char* name;
    const Kernels* kernels;
    bool (*supported)();
};

bool always() { return true; }

#if (defined(__x86_64__) || defined(_M_X64)) && !defined(ELBO4J_PORTABLE)
/* The built-in looks at what the system saves of the registers as well. */
bool has_v3() {
#if !defined(__clang__)
    /* Clang does not know all of their names; a CPU with the others has them. */
    if (!__builtin_cpu_supports("lzcnt") || !__builtin_cpu_supports("f16c") || !__builtin_cpu_supports("movbe")) {
        return false;
    }
#endif
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

bool has_v4() {
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

const Isa ISAS[] = {{"x86-64", &x86_64::KERNELS, always},
                    {"x86-64-v3", &x86_64_v3::KERNELS, has_v3},
                    {"x86-64-v4", &x86_64_v4::KERNELS, has_v4}};
#elif defined(__aarch64__) && !defined(ELBO4J_PORTABLE)
const Isa ISAS[] = {{"aarch64", &aarch64::KERNELS, always}};
#else
const Isa ISAS[] = {{"portable", &portable::KERNELS, always}};
#endif

}  // namespace

int32_t isa_count() { return sizeof ISAS / sizeof ISAS[0]; }

bool isa_supported(int32_t isa) { return ISAS[isa].supported(); }

const Kernels& kernels_of(int32_t isa) { return *ISAS[isa].kernels; }

}  // namespace elbo4j

int32_t elbo4j_abi_version(void) { return ELBO4J_ABI_VERSION; }

int32_t elbo4j_isa_count(void) { return elbo4j::isa_count(); }

const char* elbo4j_isa_name(int32_t isa) { return elbo4j::ISAS[isa].name; }

int32_t elbo4j_isa_supported(int32_t isa) { return elbo4j::isa_supported(isa) ? 1 : 0; }
