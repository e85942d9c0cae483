package io.github.elbo4j.backend;

/** A named window on a {@link Tensor} or on {@link Parameters}, usable wherever a tensor is; it has no life of its own. */
public non-sealed interface View extends Operand {
    /** {@return the tensor looked into} */
    Tensor tensor();

    /** {@return the first element within {@link #tensor()}} */
    long offset();
}
