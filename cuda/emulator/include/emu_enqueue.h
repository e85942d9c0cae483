/* How another emulated library (cuBLAS) puts work into a stream of the driver. Exported by libcuda.so.1. */
#ifndef EMU_ENQUEUE_H
#define EMU_ENQUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "emu_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct EmuRange {
    uint64_t address;
    size_t bytes;
} EmuRange;

typedef struct EmuOperation {
    const char* name;
    void (*run)(void* state); /* on a device thread, once for each replay; its faults become an error of the context */
    void (*destroy)(void* state);
    void* state;
    const EmuRange* ranges; /* what it reads and writes: checked against the live allocations before each run */
    int range_count;
    uint64_t exclusive; /* operations of equal value (a workspace) must be ordered; 0: none */
} EmuOperation;

/* Takes the state over, also when it fails. */
CUresult emu_enqueue(CUstream stream, const EmuOperation* operation);

/* Counts a call for emu_call_count and emu_fail_nth; the status to fail with, or 0. */
int emu_count_call(const char* function);

#ifdef __cplusplus
}
#endif
#endif
