package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Philox;

/** A {@link Noise} bound to the row ids it is keyed by and to the state with its seed and steps. */
final class JavaNoise {
    private final Noise noise;
    private final long[] rowIds;
    private final int rowIdsOffset;
    private final JavaStepMemory state;
    private final JavaParts<int[]> blocks;

    JavaNoise(Noise noise, JavaStepMemory state, int parts) {
        this.noise = noise;
        this.state = state;
        this.blocks = new JavaParts<>(parts, () -> new int[4]);
        Operand ids = noise.rowIds();
        this.rowIds = ids == null ? new long[0] : JavaOperands.i64(ids);
        this.rowIdsOffset = ids == null ? 0 : JavaOperands.offset(ids);
    }

    boolean off() {
        return noise.rowKey() == Noise.RowKey.OFF;
    }

    /** Overwrites {@code block} with the words of columns {@code 4 * (column / 4) + 0..3} of a batch row's sample. */
    void block(int row, int sample, int column, int[] block) {
        int rowWord = switch (noise.rowKey()) {
            case BATCH_POSITION -> row;
            case DATA_ROW -> (int) rowIds[rowIdsOffset + row];
            case COMMON, OFF -> 0;
        };
        int stepWord = noise.rowKey() == Noise.RowKey.BATCH_POSITION ? (int) state.step() : 0;
        Philox.block(state.seed(), column >>> 2, rowWord, stepWord, Philox.stream(noise.purpose(), sample), block);
    }

    /**
     * Overwrites {@code epsilon} with the normal numbers of a batch row's sample, or zeros when the noise is off.
     *
     * @param part part of the split that asks
     */
    void normals(int part, int row, int sample, double[] epsilon) {
        if (off()) {
            java.util.Arrays.fill(epsilon, 0);
            return;
        }
        int[] block = blocks.of(part);
        for (int column = 0; column < epsilon.length; column++) {
            if ((column & 3) == 0) {
                block(row, sample, column, block);
            }
            epsilon[column] = Normals.ofBlock(block, column & 3);
        }
    }
}
