package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.KernelCall;

/**
 * Takes checked kernel calls: runs them at once, or notes them for replay.
 *
 * @param <C> a call bound to its memory
 */
@FunctionalInterface
public interface Issuer<C> {
    /** Takes one call. */
    void issue(KernelCall call, C command);
}
