/* What elbo4j_allocate promises: alignment, zeroes, readable bytes behind, and NULL for what cannot be had. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <initializer_list>

#include "elbo4j.h"

namespace {

int failures = 0;

void fail(int64_t bytes, const char* message) {
    printf("allocate %lld bytes: %s\n", (long long)bytes, message);
    failures++;
}

void expect_memory(int64_t bytes) {
    unsigned char* memory = (unsigned char*)elbo4j_allocate(bytes);
    if (memory == nullptr) {
        fail(bytes, "expected memory, got NULL");
        return;
    }
    if ((uintptr_t)memory % 64 != 0) {
        fail(bytes, "not aligned to 64 bytes");
    }
    if (bytes >= 2 << 20 && (uintptr_t)memory % (2 << 20) != 0) {
        fail(bytes, "not aligned to a huge page");
    }
    unsigned char all = 0;
    for (int64_t i = 0; i < bytes; i++) {
        all |= memory[i];
    }
    if (all != 0) {
        fail(bytes, "not zeroed");
    }
    volatile unsigned char behind = 0;
    for (int64_t i = 0; i < 64; i++) {
        behind = memory[bytes + i];
    }
    (void)behind;
    /* What the next allocation of this size finds, if it gets the same memory. */
    memset(memory, 0xA5, (size_t)bytes);
    elbo4j_free(memory);
}

void expect_none(int64_t bytes) {
    void* memory = elbo4j_allocate(bytes);
    if (memory != nullptr) {
        fail(bytes, "expected NULL, got memory");
        elbo4j_free(memory);
    }
}

}  // namespace

int main() {
    constexpr int64_t MIB = 1 << 20;
    for (int round = 0; round < 3; round++) {
        for (int64_t bytes : {INT64_C(0), INT64_C(1), INT64_C(63), INT64_C(64), INT64_C(65), INT64_C(4096), 2 * MIB - 1,
                              2 * MIB, 2 * MIB + 1, 3 * MIB + 1, 4 * MIB}) {
            expect_memory(bytes);
        }
    }
    /* Negative, beyond any address space, and so near the largest number that adding the margins would overflow. */
    for (int64_t bytes : {INT64_C(-1), INT64_MIN, INT64_C(1) << 57, INT64_C(1) << 62, INT64_MAX - 2 * MIB - 64,
                          INT64_MAX - 2 * MIB - 63, INT64_MAX - 64, INT64_MAX}) {
        expect_none(bytes);
    }
    elbo4j_free(nullptr);
    printf(failures == 0 ? "passed\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
