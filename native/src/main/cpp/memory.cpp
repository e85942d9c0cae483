#include <stdlib.h>
#include <string.h>

#include "elbo4j.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace {

constexpr int64_t ALIGNMENT = 64;
/* Kernels load whole registers, of which the last may reach beyond the elements. */
constexpr int64_t READABLE = 64;
constexpr int64_t HUGE_PAGE = INT64_C(1) << 21;

}  // namespace

void* elbo4j_allocate(int64_t bytes) {
    if (bytes < 0 || bytes > INT64_MAX - READABLE - HUGE_PAGE) {
        return nullptr;
    }
    int64_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    size_t size = (size_t)((bytes + READABLE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
#if defined(_WIN32)
    void* memory = _aligned_malloc(size, (size_t)alignment);
#else
    void* memory = nullptr;
    if (posix_memalign(&memory, (size_t)alignment, size) != 0) {
        return nullptr;
    }
#endif
    if (memory == nullptr) {
        return nullptr;
    }
#if defined(__linux__)
    if (alignment == HUGE_PAGE) {
        /* Products walk through rows that lie pages apart; a refusal costs speed only. */
        (void)madvise(memory, size, MADV_HUGEPAGE);
    }
#endif
    memset(memory, 0, size);
    return memory;
}

void elbo4j_free(void* memory) {
#if defined(_WIN32)
    _aligned_free(memory);
#else
    free(memory);
#endif
}
