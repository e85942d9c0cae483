package io.github.elbo4j.cli;

import java.io.Serial;

/** Something that the user gave cannot be used; the message is one line that names it and says what to do. */
final class InputException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    InputException(String message) {
        super(message);
    }

    InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
