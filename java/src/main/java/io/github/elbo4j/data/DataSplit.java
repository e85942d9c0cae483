package io.github.elbo4j.data;

/**
 * A data set's rows to train on and its rows to test on.
 *
 * <p>Immutable and safe for any number of threads, under the terms of {@link Dataset}.
 *
 * @param train rows to train on
 * @param test rows to test on, of the same shape and type
 * @param spec the text that names the data, as {@link DataSpec#parse} takes it
 */
public record DataSplit(Dataset train, Dataset test, String spec) {
    /** Checks that both parts have one shape and one type. */
    public DataSplit {
        if (!train.shape().equals(test.shape()) || train.type() != test.type()) {
            throw new IllegalArgumentException(spec + ": training data is " + train + ", but test data is " + test
                    + "; both need one shape and type");
        }
    }
}
