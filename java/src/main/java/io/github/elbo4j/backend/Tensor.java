package io.github.elbo4j.backend;

import java.lang.foreign.MemorySegment;

/**
 * Memory of one backend, made by a {@link Workspace} and freed with it or by {@link #close}.
 *
 * <p>Elements lie row-major. Nothing moves between host and backend but by {@code upload} and {@code download}, which
 * wait for the work enqueued before them and may not be called while a recording is made. Used by one thread at a time,
 * as its workspace is.
 */
public non-sealed interface Tensor extends Operand, AutoCloseable {
    /** A {@link #view} begins at a multiple of this many bytes, so that vector loads need no scalar twin. */
    long VIEW_ALIGNMENT = 64;

    /**
     * Overwrites elements from host memory; native segments are used uncopied on the CPU.
     *
     * @param source elements of this tensor's type in native byte order; its size says how many
     * @param elementOffset first element to overwrite
     * @throws IllegalArgumentException if the size is no whole number of elements, or the range is not in the tensor
     */
    void upload(MemorySegment source, long elementOffset);

    /**
     * Copies elements to host memory.
     *
     * @param target receives elements of this tensor's type in native byte order; its size says how many
     * @param elementOffset first element to read
     * @throws IllegalArgumentException if the size is no whole number of elements, the range is not in the tensor, or
     *     the target is read-only
     */
    void download(MemorySegment target, long elementOffset);

    /**
     * {@return a named window on this tensor, usable wherever a tensor is}
     *
     * @param name name in errors
     * @param elementOffset first element; {@code elementOffset * type().bytes()} is a multiple of
     *     {@link #VIEW_ALIGNMENT}
     * @param shape extents of the window
     */
    View view(String name, long elementOffset, long... shape);

    /**
     * Overwrites the whole tensor with numbers converted to its type.
     *
     * @param values one number an element
     * @throws IllegalArgumentException if the count differs from {@link #size()} or the type is not floating
     */
    default void uploadFloats(float... values) {
        HostCopies.uploadFloats(this, values);
    }

    /** {@return all elements as binary32, rounded when the type is wider} */
    default float[] downloadFloats() {
        return HostCopies.downloadFloats(this);
    }

    /**
     * Overwrites the whole tensor with numbers converted to its type.
     *
     * @param values one number an element
     * @throws IllegalArgumentException if the count differs from {@link #size()} or the type is not floating
     */
    default void uploadDoubles(double... values) {
        HostCopies.uploadDoubles(this, values);
    }

    /** {@return all elements as binary64} */
    default double[] downloadDoubles() {
        return HostCopies.downloadDoubles(this);
    }

    /**
     * Frees the memory; closing twice does nothing.
     *
     * @throws IllegalStateException if an open {@link Replay} uses the tensor
     */
    @Override
    void close();
}
