package io.github.elbo4j.backend;

/**
 * The diagonal Gaussian posterior q(z|x) = N(mu, exp(logVar)) and the prior N(0, I), after Kingma and Welling (2014).
 *
 * <p>{@code muLogVar} is {@code [rows, 2 d]}: d means, then d log-variances, as one product of both heads gives them.
 * Every operand has the backend's floating type. The log-variance is used only through a {@link Clamp}.
 */
public interface LatentKernels {
    /**
     * The range of the log-variance: {@code lv = min(max(logVar, low), high)}.
     *
     * <p>Inside, the gradient passes unchanged. Outside, it passes if a descent step along it moves the log-variance
     * back towards the range, and is zero otherwise; so nothing explodes and nothing stays stuck.
     *
     * @param low lower end, in natural-log units
     * @param high upper end
     */
    record Clamp(double low, double high) {
        /** From exp(-30), about 1e-13, to exp(20), about 5e8: far outside what training visits. */
        public static final Clamp DEFAULT = new Clamp(-30, 20);

        /** Checks the range. */
        public Clamp {
            if (!(low < high) || !(low >= -80) || !(high <= 80)) {
                throw new IllegalArgumentException(
                        "log-variance range " + low + ".." + high + " must be ascending and within -80..80");
            }
        }
    }

    /** How gradients of rows are put together. */
    enum Reduction {
        /** The sum over the rows. */
        SUM,
        /** The sum divided by the number of active batch rows (before folding). */
        MEAN
    }

    /**
     * The reparameterization trick: overwrites {@code z = mu + exp(lv / 2) * epsilon}, epsilon drawn in place.
     *
     * <p>Epsilon at (row, column) is the normal number of {@link Normals} for the noise; with {@link Noise#off()} it is
     * zero and {@code z = mu}.
     *
     * @param rows rows of z; row {@code b * fold + s} is sample s of row b of muLogVar
     * @param muLogVar {@code [rows.capacity, 2 d]}
     * @param clamp range of the log-variance
     * @param noise where epsilon comes from
     * @param state supplies seed and step of the noise
     * @param z {@code [rows, d]}
     */
    void reparameterizeForward(Rows rows, Operand muLogVar, Clamp clamp, Noise noise, StepState state, Operand z);

    /**
     * The gradient of {@link #reparameterizeForward} and of the KL divergence in one pass; overwrites
     * {@code dMuLogVar}:
     *
     * <pre>
     * dmu     = sum_s dz                             + w * mu
     * dlogVar = sum_s dz * epsilon * exp(lv / 2) / 2 + w * expm1(lv) / 2
     * </pre>
     *
     * <p>with w the KL weight, divided by the active batch rows for {@link Reduction#MEAN}, and {@code dlogVar} passed
     * through the clamp's gradient rule.
     *
     * @param rows rows of dz
     * @param muLogVar {@code [rows.capacity, 2 d]}
     * @param clamp range of the log-variance
     * @param noise what the forward pass drew
     * @param state supplies seed and step of the noise
     * @param dz {@code [rows, d]}
     * @param klWeight factor of the KL divergence
     * @param reduction sum or mean over the batch rows
     * @param dMuLogVar {@code [rows.capacity, 2 d]}
     */
    void reparameterizeBackward(
            Rows rows,
            Operand muLogVar,
            Clamp clamp,
            Noise noise,
            StepState state,
            Operand dz,
            Scalar klWeight,
            Reduction reduction,
            Operand dMuLogVar);

    /**
     * The KL divergence from the posterior to the prior of each row, in nats: overwrites
     * {@code kl = sum_j (mu^2 + expm1(lv) - lv) / 2}, at least 0 up to rounding.
     *
     * @param rows rows of muLogVar, not folded
     * @param muLogVar {@code [rows, 2 d]}
     * @param clamp range of the log-variance
     * @param kl {@code [rows]}
     */
    void gaussianKlForward(Rows rows, Operand muLogVar, Clamp clamp, Operand kl);
}
