package io.github.elbo4j.model;

import io.github.elbo4j.backend.Labels;
import java.util.Locale;

/** Which z an evaluation decodes; a loss is a number only together with it. */
public enum LatentMode {
    /** One sample of the posterior for each row: a one-sample estimate of the negative ELBO. */
    SAMPLED,
    /** The posterior's mean: lower, and no bound on anything. */
    MEAN;

    /** {@return the name in files and on the command line} */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * {@return the mode of a name}
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static LatentMode of(String name) {
        return Labels.parse(LatentMode.class, "latent mode", name, LatentMode::label);
    }
}
