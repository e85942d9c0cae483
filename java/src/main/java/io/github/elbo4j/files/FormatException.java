package io.github.elbo4j.files;

import java.io.IOException;
import java.io.Serial;

/** A file or other outside input that is not what it should be: says where, what, and what to do. */
public final class FormatException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * An input that cannot be read.
     *
     * @param source the file or the text that was read
     * @param problem what is wrong with it
     * @param remedy what the reader of the message can do
     */
    public FormatException(String source, String problem, String remedy) {
        super(source + ": " + problem + "; " + remedy);
    }

    /**
     * An input that cannot be read, for a reason found by another library.
     *
     * @param source the file or the text that was read
     * @param problem what is wrong with it
     * @param remedy what the reader of the message can do
     * @param cause the other library's exception
     */
    public FormatException(String source, String problem, String remedy, Throwable cause) {
        super(source + ": " + problem + "; " + remedy, cause);
    }
}
