package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.Noise.RowKey;

/** The numbers by which kernels know the constants of the seam: those of the enumerations in the {@code .cuh} files. */
final class CudaCodes {
    private CudaCodes() {}

    static int of(Activation activation) {
        return switch (activation) {
            case IDENTITY -> 0;
            case RELU -> 1;
            case LEAKY_RELU -> 2;
            case ELU -> 3;
            case GELU -> 4;
            case SILU -> 5;
            case TANH -> 6;
            case SIGMOID -> 7;
            case SOFTPLUS -> 8;
        };
    }

    static int of(Pixels pixels) {
        return switch (pixels) {
            case AS_IS -> 0;
            case UNIT -> 1;
            case BERNOULLI -> 2;
        };
    }

    static int of(RowKey key) {
        return switch (key) {
            case BATCH_POSITION -> 0;
            case DATA_ROW -> 1;
            case COMMON -> 2;
            case OFF -> 3;
        };
    }
}
