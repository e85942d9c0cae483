package io.github.elbo4j.backend;

import java.io.Serial;

/** A failure inside a backend: the message says which call failed, what that means and what to do. */
public class BackendException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** A failure with its message. */
    public BackendException(String message) {
        super(message);
    }

    /** A failure with its message and cause. */
    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
