package io.github.elbo4j.validation;

/** Sums of the absolute terms of matrix products, in plain loops. */
final class Products {
    private Products() {}

    /** Overwrites {@code a = x W^T + b} and the sums of its absolute terms. */
    static void forward(double[] x, double[] w, double[] b, int rows, int in, int out, double[] a, double[] absolute) {
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                double sum = b[o];
                double terms = Math.abs(b[o]);
                for (int i = 0; i < in; i++) {
                    double term = x[r * in + i] * w[o * in + i];
                    sum += term;
                    terms += Math.abs(term);
                }
                a[r * out + o] = sum;
                absolute[r * out + o] = terms;
            }
        }
    }

    /** Overwrites {@code |g| |W|}. */
    static void backwardInput(double[] g, double[] w, int rows, int in, int out, double[] absolute) {
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                double factor = Math.abs(g[r * out + o]);
                for (int i = 0; i < in; i++) {
                    absolute[r * in + i] += factor * Math.abs(w[o * in + i]);
                }
            }
        }
    }

    /** {@return |old| + |g|^T |x| over the first rows} */
    static double[] backwardWeights(double[] x, double[] g, int rows, int in, int out, double[] old) {
        double[] absolute = new double[out * in];
        for (int i = 0; i < absolute.length; i++) {
            absolute[i] = Math.abs(old[i]);
        }
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                double factor = Math.abs(g[r * out + o]);
                for (int i = 0; i < in; i++) {
                    absolute[o * in + i] += factor * Math.abs(x[r * in + i]);
                }
            }
        }
        return absolute;
    }

    /** {@return |old| + the column sums of |g| over the first rows} */
    static double[] columnSums(double[] g, int rows, int out, double[] old) {
        double[] absolute = new double[out];
        for (int o = 0; o < out; o++) {
            absolute[o] = Math.abs(old[o]);
        }
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                absolute[o] += Math.abs(g[r * out + o]);
            }
        }
        return absolute;
    }
}
