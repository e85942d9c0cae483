package io.github.elbo4j.training;

import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run is trained on: enough to find the data again and to know it again.
 *
 * @param spec how the data was named; empty when it was not opened by a name
 * @param trainRows rows of the training part
 * @param trainFingerprint {@link Dataset#fingerprint} of the training part
 * @param testFingerprint of the test part; empty when there is none
 */
record RunData(String spec, long trainRows, String trainFingerprint, String testFingerprint) {
    static RunData of(String spec, Dataset train, @Nullable Dataset test) {
        return new RunData(spec, train.rows(), train.fingerprint(), test == null ? "" : test.fingerprint());
    }

    /** {@return whether this is the same data, wherever it lies now} */
    boolean sameData(RunData other) {
        // The fingerprint covers the rows, but a file may claim any number beside it.
        return trainRows == other.trainRows
                && trainFingerprint.equals(other.trainFingerprint)
                && testFingerprint.equals(other.testFingerprint);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("spec", spec);
        json.put("train_rows", trainRows);
        json.put("train_sha256", trainFingerprint);
        json.put("test_sha256", testFingerprint);
        return json;
    }

    static RunData fromJson(JsonObject json) throws FormatException {
        return new RunData(
                json.string("spec"),
                json.integer("train_rows", 1, Long.MAX_VALUE),
                json.string("train_sha256"),
                json.string("test_sha256"));
    }
}
