package io.github.elbo4j.files;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Element types of NumPy arrays that are read; named as NumPy names them. */
public enum NpyType {
    /** A byte that is 0 or 1. */
    BOOL("b1", 1),
    /** Unsigned bytes. */
    UINT8("u1", 1),
    /** Unsigned 16-bit integers. */
    UINT16("u2", 2),
    /** Unsigned 32-bit integers. */
    UINT32("u4", 4),
    /** Two's-complement bytes. */
    INT8("i1", 1),
    /** Two's-complement 16-bit integers. */
    INT16("i2", 2),
    /** Two's-complement 32-bit integers. */
    INT32("i4", 4),
    /** Two's-complement 64-bit integers. */
    INT64("i8", 8),
    /** IEEE 754 binary32. */
    FLOAT32("f4", 4),
    /** IEEE 754 binary64. */
    FLOAT64("f8", 8);

    private final String code;
    private final int bytes;

    NpyType(String code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /** {@return the type as a header writes it after the byte order: {@code f4}} */
    String code() {
        return code;
    }

    /** {@return the type of a code, or null if it is none of these} */
    static @Nullable NpyType of(String code) {
        for (NpyType type : values()) {
            if (type.code.equals(code)) {
                return type;
            }
        }
        return null;
    }

    /** {@return all codes, for messages} */
    static String codes() {
        return Arrays.stream(values()).map(NpyType::code).collect(Collectors.joining(", "));
    }
}
