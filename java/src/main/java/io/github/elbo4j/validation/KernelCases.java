package io.github.elbo4j.validation;

import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Terms;
import java.util.ArrayList;
import java.util.List;

/** Every kernel in awkward sizes and in every setting, and some random ones. */
public final class KernelCases {
    /**
     * Columns, and why: 1, 2, 3 are less than a vector; 15, 16, 17 the 16 lanes of a row sum; 31, 32, 33 a warp and four
     * AVX registers; 127, 128, 129 a thread block; 255, 257 the next one and its tail; 784 an image of MNIST; 1000 no
     * multiple of 16; 1023, 1025 the largest block.
     */
    static final int[] COLUMNS = {1, 2, 3, 15, 16, 17, 31, 32, 33, 127, 128, 129, 255, 257, 784, 1000, 1023, 1025};

    /** Rows, and why: 1 a single score; 2 and 7 less than any block; 64 one block of a column sum; 65 a tail of one. */
    static final int[] ROWS = {1, 2, 7, 64, 65};

    /** Random shapes of each family. */
    static final int RANDOM = 6;

    private static final int LANES = 16;

    private KernelCases() {}

    /** {@return the cases of all families, their contents drawn from a seed} */
    public static List<KernelCase> all(long seed) {
        List<KernelCase> cases = new ArrayList<>();
        for (String family : List.of("data", "linear", "latent", "loss", "optimizer")) {
            cases.addAll(of(family, seed));
        }
        return cases;
    }

    /**
     * {@return the cases of one family}
     *
     * @param family name of the method of {@link io.github.elbo4j.backend.Kernels}
     * @param seed contents and random shapes
     */
    public static List<KernelCase> of(String family, long seed) {
        List<KernelCase> cases = new ArrayList<>();
        CaseInputs inputs = new CaseInputs(seed);
        switch (family) {
            case "data" -> DataCases.add(cases, inputs);
            case "linear" -> LinearCases.add(cases, inputs);
            case "latent" -> LatentCases.add(cases, inputs);
            case "loss" -> LossCases.add(cases, inputs);
            case "optimizer" -> OptimizerCases.add(cases, inputs);
            default -> throw new IllegalArgumentException("no family '" + family + "'");
        }
        return cases;
    }

    /** The rounding of a row sum: each lane a chain, then the tree of four levels, and four operations for each term. */
    static Rounding rowSum(int columns, double[] sums) {
        return new Rounding(Math.ceilDiv(columns, LANES) + 8, active -> Terms.of(sums));
    }
}
