package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.KernelCall;

/** Takes checked kernel calls: runs them at once, or notes them for replay. */
@FunctionalInterface
interface JavaIssuer {
    /** Takes one call. */
    void issue(KernelCall call, JavaStep step);
}
