package io.github.elbo4j.testkit;

/** The contract of {@link io.github.elbo4j.backend.LatentKernels}: one subclass for each backend. */
public abstract class LatentKernelsContract extends KernelsContract {
    /** The cases of this family. */
    protected LatentKernelsContract() {
        super("latent");
    }
}
