package io.github.elbo4j.testkit;

/** The contract of {@link io.github.elbo4j.backend.LinearKernels}: one subclass for each backend. */
public abstract class LinearKernelsContract extends KernelsContract {
    /** The cases of this family. */
    protected LinearKernelsContract() {
        super("linear");
    }
}
