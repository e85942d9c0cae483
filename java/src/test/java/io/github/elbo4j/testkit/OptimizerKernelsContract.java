package io.github.elbo4j.testkit;

/** The contract of {@link io.github.elbo4j.backend.OptimizerKernels}: one subclass for each backend. */
public abstract class OptimizerKernelsContract extends KernelsContract {
    /** The cases of this family. */
    protected OptimizerKernelsContract() {
        super("optimizer");
    }
}
