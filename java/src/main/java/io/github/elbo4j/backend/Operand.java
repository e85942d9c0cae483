package io.github.elbo4j.backend;

/** Whatever a kernel can read or write; see the three kinds. */
public sealed interface Operand permits Tensor, Scratch, View {
    /** {@return the name given at creation, used in errors and in {@link Replay#explain()}} */
    String name();

    /** {@return the element type} */
    DType type();

    /** {@return a copy of the extents, outermost first} */
    long[] shape();

    /** {@return the backend that owns the memory} */
    Backend backend();

    /** {@return whether the memory may still be used} */
    boolean isOpen();

    /** {@return the first extent, 1 for a scalar} */
    default long rows() {
        long[] shape = shape();
        return shape.length == 0 ? 1 : shape[0];
    }

    /** {@return the product of all extents but the first: the layout is row-major [rows, columns]} */
    default long columns() {
        long[] shape = shape();
        long columns = 1;
        for (int i = 1; i < shape.length; i++) {
            columns *= shape[i];
        }
        return columns;
    }

    /** {@return the number of elements} */
    default long size() {
        return rows() * columns();
    }
}
