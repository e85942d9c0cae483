package io.github.elbo4j.backend;

import java.io.Serial;

/** Memory that a backend or a workspace's budget does not have. The backend stays usable. */
public final class BackendMemoryException extends BackendException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** A refusal with its message. */
    public BackendMemoryException(String message) {
        super(message);
    }

    /** A refusal with its message and cause. */
    public BackendMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
