package io.github.elbo4j.training;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.Vae;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A data set brought to a backend as it is: u8 stays u8. */
final class ResidentData {
    /** Elements converted at a time, where the backend's floating type is not the data's. */
    private static final int CHUNK = 1 << 16;

    private ResidentData() {}

    static void requireFits(Vae vae, Dataset data, String part) {
        if (data.columns() != vae.config().input().size()) {
            throw new IllegalArgumentException("the data has " + data.columns() + " values a row, the model takes "
                    + vae.config().input().size());
        }
        data.requireUnitRange("a Bernoulli likelihood, counting the rows of the " + part + ",");
    }

    static Tensor upload(Workspace workspace, Dataset data) {
        DType real = workspace.backend().real();
        boolean bytes = data.type() == DType.U8;
        Tensor tensor = workspace.tensor("data", bytes ? DType.U8 : real, data.rows(), data.columns());
        if (bytes || real == DType.F32) {
            tensor.upload(data.values(), 0);
            return tensor;
        }
        long size = data.rows() * data.columns();
        for (long start = 0; start < size; start += CHUNK) {
            double[] chunk = new double[(int) Math.min(CHUNK, size - start)];
            for (int i = 0; i < chunk.length; i++) {
                chunk[i] = data.values().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, start + i);
            }
            tensor.upload(MemorySegment.ofArray(chunk), start);
        }
        return tensor;
    }
}
