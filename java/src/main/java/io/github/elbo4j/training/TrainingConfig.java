package io.github.elbo4j.training;

import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How a model is trained; with the data and the seed it determines every weight.
 *
 * @param epochs passes over the training data, at least 1
 * @param batch rows of a step; the last step of an epoch takes what is left
 * @param optimizer the update rule
 * @param seed key of the order of the rows, of epsilon and of binarisation
 * @param shuffle whether the rows come in a new order each epoch
 * @param pixels how the data becomes a Bernoulli target: as intensities, or binarised anew at every access
 * @param reduction of the gradients over a batch: {@link Reduction#MEAN}, or SUM as some papers have it
 */
public record TrainingConfig(
        int epochs, int batch, Optimizer optimizer, long seed, boolean shuffle, Pixels pixels, Reduction reduction) {
    /** Most rows of a step. */
    public static final int MAX_BATCH = 1 << 20;

    /** Most epochs. */
    public static final int MAX_EPOCHS = 1_000_000;

    /** Checks the ranges. */
    public TrainingConfig {
        if (epochs < 1 || epochs > MAX_EPOCHS) {
            throw new IllegalArgumentException("epochs " + epochs + " is not a number from 1 to " + MAX_EPOCHS);
        }
        if (batch < 1 || batch > MAX_BATCH) {
            throw new IllegalArgumentException("batch " + batch + " is not a number from 1 to " + MAX_BATCH);
        }
        if (pixels == Pixels.AS_IS) {
            throw new IllegalArgumentException("pixels AS_IS are no target of a Bernoulli likelihood");
        }
    }

    /** {@return a builder with the defaults: 10 epochs of batch 128, Adam with 1e-3, seed 1} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return the same with another number of epochs} */
    public TrainingConfig withEpochs(int count) {
        return new TrainingConfig(count, batch, optimizer, seed, shuffle, pixels, reduction);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("epochs", (long) epochs);
        json.put("batch", (long) batch);
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("learning_rate", optimizer.learningRate());
        if (optimizer instanceof Optimizer.Adam adam) {
            rule.put("name", "adam");
            rule.put("beta1", adam.beta1());
            rule.put("beta2", adam.beta2());
            rule.put("epsilon", adam.epsilon());
        } else {
            rule.put("name", "sgd");
        }
        json.put("optimizer", rule);
        json.put("seed", seed);
        json.put("shuffle", shuffle);
        json.put("pixels", pixels.name().toLowerCase(Locale.ROOT));
        json.put("reduction", reduction.name().toLowerCase(Locale.ROOT));
        return json;
    }

    static TrainingConfig fromJson(JsonObject json) throws FormatException {
        json.rejectUnknown(Set.of("epochs", "batch", "optimizer", "seed", "shuffle", "pixels", "reduction"));
        JsonObject rule = json.object("optimizer");
        try {
            String name = rule.string("name");
            Optimizer optimizer = switch (name) {
                case "adam" ->
                    new Optimizer.Adam(
                            rule.number("learning_rate"),
                            rule.number("beta1"),
                            rule.number("beta2"),
                            rule.number("epsilon"));
                case "sgd" -> new Optimizer.Sgd(rule.number("learning_rate"));
                default -> throw new IllegalArgumentException("unknown optimizer '" + name + "'");
            };
            return new TrainingConfig(
                    (int) json.integer("epochs", 1, MAX_EPOCHS),
                    (int) json.integer("batch", 1, MAX_BATCH),
                    optimizer,
                    json.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE),
                    json.flag("shuffle"),
                    Pixels.valueOf(json.string("pixels").toUpperCase(Locale.ROOT)),
                    Reduction.valueOf(json.string("reduction").toUpperCase(Locale.ROOT)));
        } catch (IllegalArgumentException e) {
            throw new FormatException(json.source(), String.valueOf(e.getMessage()), "take an intact checkpoint", e);
        }
    }

    /** Collects a configuration; not safe for several threads. */
    public static final class Builder {
        private int epochs = 10;
        private int batch = 128;
        private Optimizer optimizer = new Optimizer.Adam(1e-3);
        private long seed = 1;
        private boolean shuffle = true;
        private Pixels pixels = Pixels.UNIT;
        private Reduction reduction = Reduction.MEAN;

        private Builder() {}

        /** Sets the number of passes over the training data. */
        public Builder epochs(int count) {
            epochs = count;
            return this;
        }

        /** Sets the rows of a step. */
        public Builder batch(int rows) {
            batch = rows;
            return this;
        }

        /** Sets the update rule. */
        public Builder optimizer(Optimizer rule) {
            optimizer = rule;
            return this;
        }

        /** Sets the key of all random numbers of the run. */
        public Builder seed(long key) {
            seed = key;
            return this;
        }

        /** Sets whether the rows come in a new order each epoch. */
        public Builder shuffle(boolean anew) {
            shuffle = anew;
            return this;
        }

        /** Sets how the data becomes a Bernoulli target. */
        public Builder pixels(Pixels conversion) {
            pixels = conversion;
            return this;
        }

        /** Sets how gradients are put together over a batch. */
        public Builder reduction(Reduction how) {
            reduction = how;
            return this;
        }

        /**
         * {@return the configuration}
         *
         * @throws IllegalArgumentException if something is out of range; the message says what
         */
        public TrainingConfig build() {
            return new TrainingConfig(epochs, batch, optimizer, seed, shuffle, pixels, reduction);
        }
    }
}
