package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;

/** The enumerations of {@code elbo4j.h}. */
final class NativeCodes {
    private NativeCodes() {}

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

    /** Of data, which a checked call gives in one of two types. */
    static int of(DType type) {
        return type == DType.U8 ? 0 : 1;
    }

    static int of(Pixels pixels) {
        return switch (pixels) {
            case AS_IS -> 0;
            case UNIT -> 1;
            case BERNOULLI -> 2;
        };
    }

    static int of(Noise.RowKey key) {
        return switch (key) {
            case BATCH_POSITION -> 0;
            case DATA_ROW -> 1;
            case COMMON -> 2;
            case OFF -> 3;
        };
    }

    static int of(Reduction reduction) {
        return switch (reduction) {
            case SUM -> 0;
            case MEAN -> 1;
        };
    }

    static int of(Write write) {
        return switch (write) {
            case OVERWRITE -> 0;
            case ADD -> 1;
        };
    }
}
