package io.github.elbo4j.testkit;

/** The contract of {@link io.github.elbo4j.backend.DataKernels}: one subclass for each backend. */
public abstract class DataKernelsContract extends KernelsContract {
    /** The cases of this family. */
    protected DataKernelsContract() {
        super("data");
    }
}
