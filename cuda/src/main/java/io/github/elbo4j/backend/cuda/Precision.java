package io.github.elbo4j.backend.cuda;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import jcuda.jcublas.cublasComputeType;

/** What factors of matrix products are rounded to; sums are always in binary32. */
enum Precision {
    /** Binary32. */
    FP32(cublasComputeType.CUBLAS_COMPUTE_32F, 0, 75),
    /** TF32: eleven significant bits, on tensor cores. */
    TF32(cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, 0x1p-9, 80),
    /** bfloat16: eight significant bits, on tensor cores; factors are stored so. */
    BF16(cublasComputeType.CUBLAS_COMPUTE_32F, 0x1p-7, 80);

    private final int computeType;
    private final double productError;
    private final int lowestCapability;

    Precision(int computeType, double productError, int lowestCapability) {
        this.computeType = computeType;
        this.productError = productError;
        this.lowestCapability = lowestCapability;
    }

    /**
     * {@return the precision of a label}
     *
     * @throws IllegalArgumentException if there is none of that label
     */
    static Precision of(String label) {
        for (Precision each : values()) {
            if (each.label().equals(label)) {
                return each;
            }
        }
        throw new IllegalArgumentException("backend 'cuda': precision '" + label + "' is none of "
                + Arrays.stream(values()).map(Precision::label).collect(Collectors.joining(", ")));
    }

    /** {@return cuBLAS's {@code cublasComputeType_t}} */
    int computeType() {
        return computeType;
    }

    /** {@return how far a product may be off beyond rounding, as a share of the sum of its absolute terms} */
    double productError() {
        return productError;
    }

    /** {@return the lowest compute capability that multiplies so, times ten} */
    int lowestCapability() {
        return lowestCapability;
    }

    /** {@return the value of the option: {@code fp32} for one} */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
