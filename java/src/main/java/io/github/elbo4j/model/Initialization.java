package io.github.elbo4j.model;

import io.github.elbo4j.backend.Labels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Philox;
import java.util.Locale;

/**
 * How weights and biases start; all uniform on (-bound, bound), drawn with {@link Noise.Purpose#INIT}, so equal seeds
 * give equal weights on every backend.
 */
public enum Initialization {
    /** PyTorch's default for linear layers: weights and biases with bound 1 / sqrt(fan in). */
    PYTORCH,
    /** Glorot and Bengio (2010): weights with bound sqrt(6 / (fan in + fan out)), biases zero. */
    GLOROT,
    /** He et al. (2015): weights with bound sqrt(6 / fan in), biases zero. */
    HE;

    /** {@return the name in files and on the command line} */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * {@return the initialization of a name}
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Initialization of(String name) {
        return Labels.parse(Initialization.class, "initialization", name, Initialization::label);
    }

    double weightBound(int fanIn, int fanOut) {
        return switch (this) {
            case PYTORCH -> 1 / StrictMath.sqrt(fanIn);
            case GLOROT -> StrictMath.sqrt(6.0 / (fanIn + fanOut));
            case HE -> StrictMath.sqrt(6.0 / fanIn);
        };
    }

    double biasBound(int fanIn) {
        return this == PYTORCH ? 1 / StrictMath.sqrt(fanIn) : 0;
    }

    /** Fills {@code values} from {@code from} to {@code to - 1}; {@code tensor} is the counter's row. */
    static void uniform(long seed, int tensor, double bound, double[] values, int from, int to) {
        int[] block = new int[4];
        for (int i = 0; i < to - from; i++) {
            if ((i & 3) == 0) {
                Philox.block(seed, i >>> 2, tensor, 0, Philox.stream(Noise.Purpose.INIT, 0), block);
            }
            values[from + i] = bound * (2 * Philox.uniform(block[i & 3]) - 1);
        }
    }
}
