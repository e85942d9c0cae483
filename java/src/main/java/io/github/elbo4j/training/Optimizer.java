package io.github.elbo4j.training;

/** How a gradient becomes an update. */
public sealed interface Optimizer {
    /** {@return the factor of every update} */
    double learningRate();

    /**
     * Adam (Kingma and Ba 2015).
     *
     * @param learningRate from 1e-30 to 1e30
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon added to the denominator, from 1e-30 to 1e30
     */
    record Adam(double learningRate, double beta1, double beta2, double epsilon) implements Optimizer {
        /** Checks the ranges. */
        public Adam {
            requireNormal("learning rate", learningRate);
            if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
                throw new IllegalArgumentException(
                        "Adam: beta1 " + beta1 + " and beta2 " + beta2 + " must be in [0, 1)");
            }
            requireNormal("Adam: epsilon", epsilon);
        }

        /** Adam with the published defaults: 0.9, 0.999 and 1e-8. */
        public Adam(double learningRate) {
            this(learningRate, 0.9, 0.999, 1e-8);
        }
    }

    /**
     * Plain gradient descent.
     *
     * @param learningRate from 1e-30 to 1e30
     */
    record Sgd(double learningRate) implements Optimizer {
        /** Checks the range. */
        public Sgd {
            requireNormal("learning rate", learningRate);
        }
    }

    /** Refuses what binary32 would make zero or infinite: a step that does nothing, or one that ruins the weights. */
    private static void requireNormal(String what, double value) {
        if (!(value >= 1e-30 && value <= 1e30)) {
            throw new IllegalArgumentException(what + " " + value + " must be a positive number, from 1e-30 to 1e30");
        }
    }
}
