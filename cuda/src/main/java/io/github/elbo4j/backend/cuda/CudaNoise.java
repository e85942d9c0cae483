package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.StepState;

/**
 * A {@link Noise} as kernels take it.
 *
 * @param state device address of the step state
 * @param rowIds device address of the data rows, 0 if the key needs none
 * @param rowKey code of the key
 * @param purpose code of the purpose
 */
record CudaNoise(long state, long rowIds, int rowKey, int purpose) {
    static CudaNoise of(Noise noise, StepState state) {
        Operand ids = noise.rowIds();
        return new CudaNoise(
                CudaStepMemory.of(state).address(),
                ids == null ? 0 : CudaOperand.of(ids).address(),
                CudaCodes.of(noise.rowKey()),
                noise.purpose().code());
    }
}
