/* Steers and observes the emulated driver; exported by libcuda.so.1, plain C so that a JVM can call it too. */
#ifndef EMU_CONTROL_H
#define EMU_CONTROL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct EmuFault {
    int32_t status;   /* CUresult */
    int32_t signal;   /* 0 if the emulator itself found the fault */
    uint64_t address; /* 0 if unknown, as for misaligned accesses */
    uint32_t block[3];
    uint32_t thread[3];
    char kernel[128];
    char message[256];
} EmuFault;

/* Options have the name of their environment variable without EMU_ in lower case: "seed", "guard", ... (README.md).
   Returns 0, or 1 if the name or the value is unknown. Those that shape the device count only before cuInit. */
int emu_set_option(const char* name, const char* value);

/* The n-th call from now (1 is the next one; 0 means every call) of an API function returns `status` without doing
   anything. The pseudo functions "kernel" and "gemm" fail at execution instead, as an asynchronous error. A status that
   is sticky on a real device (700 and its kin) is sticky here too. */
void emu_fail_nth(const char* function, long n, int status);
void emu_clear_failures(void);

/* Calls of a function so far, injected failures included. */
long emu_call_count(const char* function);

/* "kernels", "blocks", "faults", "chained_signals", "violations", "unpinned_async_copies", "live_allocations",
   "live_bytes"; -1 for another name. */
long emu_counter(const char* name);

/* Copies the last fault and returns its status; 0 if there was none since the last reset. */
int emu_last_fault(EmuFault* fault);

/* Writes "name codes" lines, sorted, for the kernels of all loaded modules: a letter for each parameter, as EmuParameter
   has it. Returns the length; writes only what fits, and always a terminating zero if `size` is not 0. */
long emu_kernels(char* text, long size);

/* Destroys every context with all it holds and clears sticky errors, which on a real device takes a new process. */
void emu_reset(void);

#ifdef __cplusplus
}
#endif
#endif
