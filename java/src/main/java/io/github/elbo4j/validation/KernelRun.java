package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;

/** Runs a {@link KernelCase} on a backend. */
public final class KernelRun {
    private KernelRun() {}

    /** {@return the outcome of a call at once, all rows active, operands framed} */
    public static KernelOutcome eager(Backend backend, KernelCase kernelCase) {
        return eager(backend, kernelCase, true);
    }

    static KernelOutcome eager(Backend backend, KernelCase kernelCase, boolean framed) {
        try (KernelOperands operands = new KernelOperands(backend, kernelCase, framed)) {
            operands.fill(kernelCase.active(kernelCase.capacity()));
            kernelCase.issue().on(backend, operands);
            return operands.collect();
        }
    }

    /**
     * {@return the outcome of a recorded call}
     *
     * @param backend where
     * @param kernelCase what
     * @param framed whether operands are views between guards
     * @param activeRows active batch rows
     * @param times how often everything is filled anew and run; the last outcome counts
     */
    public static KernelOutcome replay(
            Backend backend, KernelCase kernelCase, boolean framed, int activeRows, int times) {
        try (KernelOperands operands = new KernelOperands(backend, kernelCase, framed);
                Replay replay = operands.workspace()
                        .record(
                                operands.state(),
                                Rows.of(kernelCase.capacity()),
                                step -> kernelCase.issue().on(step, operands))) {
            int active = kernelCase.active(activeRows);
            for (int i = 0; i < times; i++) {
                operands.fill(active);
                if (activeRows == kernelCase.capacity()) {
                    replay.run(1);
                } else {
                    replay.runRows(activeRows);
                }
            }
            replay.await();
            return operands.collect();
        }
    }
}
