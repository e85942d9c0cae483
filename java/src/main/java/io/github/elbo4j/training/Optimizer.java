package io.github.elbo4j.training;

/** How a gradient becomes an update. */
public sealed interface Optimizer {
    /** {@return the factor of every update} */
    double learningRate();

    /**
     * Adam (Kingma and Ba 2015).
     *
     * @param learningRate positive
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon added to the denominator, positive
     */
    record Adam(double learningRate, double beta1, double beta2, double epsilon) implements Optimizer {
        /** Checks the ranges. */
        public Adam {
            requireLearningRate(learningRate);
            if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
                throw new IllegalArgumentException(
                        "Adam: beta1 " + beta1 + " and beta2 " + beta2 + " must be in [0, 1)");
            }
            if (!(epsilon > 0 && epsilon < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("Adam: epsilon " + epsilon + " must be a positive number");
            }
        }

        /** Adam with the published defaults: 0.9, 0.999 and 1e-8. */
        public Adam(double learningRate) {
            this(learningRate, 0.9, 0.999, 1e-8);
        }
    }

    /**
     * Plain gradient descent.
     *
     * @param learningRate positive
     */
    record Sgd(double learningRate) implements Optimizer {
        /** Checks the range. */
        public Sgd {
            requireLearningRate(learningRate);
        }
    }

    private static void requireLearningRate(double learningRate) {
        if (!(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learning rate " + learningRate + " must be a positive number");
        }
    }
}
