package io.github.elbo4j.backend;

/**
 * What an opened backend is.
 *
 * @param name name to open it by
 * @param device the hardware in words
 * @param numericProfile equal profiles give equal bits; stored in checkpoints
 * @param productError how far a product may be off beyond rounding, as a share of the sum of its absolute terms: 0 unless
 *     factors are rounded to a shorter type (2^-9 for TF32, 2^-7 for bf16)
 * @param rowBlock rows that a step must be recorded for if no row's result may depend on how many stand beside it, where
 *     products choose their way by the shape; 0 where no result ever does
 * @param threads threads it computes on; 0 where that means nothing
 * @param bytesInUse bytes of all workspaces at present
 * @param bytesPeak highest {@code bytesInUse} so far
 * @param bytesReserved bytes held from the device or the system for all of it, free parts of a pool and workspaces of
 *     libraries included
 */
public record BackendInfo(
        String name,
        String device,
        String numericProfile,
        double productError,
        int rowBlock,
        int threads,
        long bytesInUse,
        long bytesPeak,
        long bytesReserved) {}
