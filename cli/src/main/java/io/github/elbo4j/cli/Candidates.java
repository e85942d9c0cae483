package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.model.Initialization;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.VaeConfig;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Stream;

/** Words that a shell offers for options whose values are names. */
final class Candidates {
    private Candidates() {}

    /** Words in their order. */
    abstract static class Words implements Iterable<String> {
        private final Iterable<String> words;

        Words(Stream<String> words) {
            this.words = words.toList();
        }

        @Override
        public Iterator<String> iterator() {
            return words.iterator();
        }
    }

    /** Of {@code --z}. */
    static final class LatentModes extends Words {
        LatentModes() {
            super(Arrays.stream(LatentMode.values()).map(LatentMode::label));
        }
    }

    /** Of {@code --activation}. */
    static final class Activations extends Words {
        Activations() {
            super(Arrays.stream(Activation.values()).map(Activation::label));
        }
    }

    /** Of {@code --init}. */
    static final class Initializations extends Words {
        Initializations() {
            super(Arrays.stream(Initialization.values()).map(Initialization::label));
        }
    }

    /** Of {@code --preset}. */
    static final class Presets extends Words {
        Presets() {
            super(VaeConfig.presets().stream());
        }
    }

    /** Of {@code --optimizer}. */
    static final class Optimizers extends Words {
        Optimizers() {
            super(Stream.of("adam", "sgd"));
        }
    }

    /** Of {@code --backend}. */
    static final class BackendNames extends Words {
        BackendNames() {
            super(Stream.of(BackendOptions.BEST, "java", "cuda"));
        }
    }

    /** Of {@code --precision}. */
    static final class Precisions extends Words {
        Precisions() {
            super(Stream.of("fp32", "tf32", "bf16", "fp64"));
        }
    }
}
