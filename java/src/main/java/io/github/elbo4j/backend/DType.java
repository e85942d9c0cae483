package io.github.elbo4j.backend;

/** Element types of tensors; all are little-endian in files and in native order in memory. */
public enum DType {
    /** IEEE 754 binary32: activations, parameters and losses of every production backend. */
    F32(4, true),
    /** IEEE 754 binary64: the Java reference when it serves as an oracle. */
    F64(8, true),
    /** The upper half of a binary32; storage of shadow weights, never of master weights. */
    BF16(2, true),
    /** Unsigned bytes: pixels and labels. */
    U8(1, false),
    /** Two's-complement 32-bit integers. */
    I32(4, false),
    /** Two's-complement 64-bit integers: row numbers. */
    I64(8, false);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /** {@return whether the elements are floating-point numbers} */
    public boolean floating() {
        return floating;
    }
}
