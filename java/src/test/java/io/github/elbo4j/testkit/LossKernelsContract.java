package io.github.elbo4j.testkit;

/** The contract of {@link io.github.elbo4j.backend.LossKernels}: one subclass for each backend. */
public abstract class LossKernelsContract extends KernelsContract {
    /** The cases of this family. */
    protected LossKernelsContract() {
        super("loss");
    }
}
