package io.github.elbo4j.backend.nativecpu;

/** A kernel call bound to its addresses. */
@FunctionalInterface
interface NativeCall {
    /**
     * Appends the call to a program.
     *
     * @param program address of the program
     * @return a status of the library: 0, or that there is no memory
     */
    int append(long program);
}
