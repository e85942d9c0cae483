package io.github.elbo4j.backend.nativecpu;

/** What method handles of C functions are declared to throw, and cannot. */
final class Rethrown {
    private Rethrown() {}

    /** {@return an unchecked exception to be thrown; errors are thrown here} */
    static RuntimeException of(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
}
