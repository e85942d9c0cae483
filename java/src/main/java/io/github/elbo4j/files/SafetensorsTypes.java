package io.github.elbo4j.files;

import io.github.elbo4j.backend.DType;
import java.nio.ByteOrder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What reader and writer of safetensors share: limits, element types, and the byte order they need. */
final class SafetensorsTypes {
    /** The key of the header that is not a tensor. */
    static final String METADATA = "__metadata__";

    /** The longest header in bytes, as in the original implementation. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    static final int MAX_TENSORS = 1_000_000;
    static final int MAX_METADATA = 100_000;
    static final int MAX_DIMENSIONS = 32;
    static final int MAX_NAME_LENGTH = 1 << 14;
    static final int MAX_METADATA_LENGTH = 1 << 24;

    /** Every element type of the format with its bits; some share bytes with their neighbours. */
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("BOOL", 8),
            Map.entry("F4", 4),
            Map.entry("F6_E2M3", 6),
            Map.entry("F6_E3M2", 6),
            Map.entry("U8", 8),
            Map.entry("I8", 8),
            Map.entry("F8_E5M2", 8),
            Map.entry("F8_E4M3", 8),
            Map.entry("F8_E8M0", 8),
            Map.entry("F8_E4M3FNUZ", 8),
            Map.entry("F8_E5M2FNUZ", 8),
            Map.entry("I16", 16),
            Map.entry("U16", 16),
            Map.entry("F16", 16),
            Map.entry("BF16", 16),
            Map.entry("I32", 32),
            Map.entry("U32", 32),
            Map.entry("F32", 32),
            Map.entry("C64", 64),
            Map.entry("F64", 64),
            Map.entry("I64", 64),
            Map.entry("U64", 64));

    private SafetensorsTypes() {}

    /** {@return the bits of one element, or null if the format has no such type} */
    static @Nullable Integer bits(String typeText) {
        return BITS.get(typeText);
    }

    /** {@return the type of this library, or null if it has none for it} */
    static @Nullable DType dtype(String typeText) {
        for (DType type : DType.values()) {
            if (type.name().equals(typeText)) {
                return type;
            }
        }
        return null;
    }

    /**
     * {@return the number of elements; 1 for a scalar}
     *
     * @throws ArithmeticException if it is above {@link Long#MAX_VALUE} although no dimension is 0
     */
    static long elements(long[] shape) {
        for (long dimension : shape) {
            if (dimension == 0) {
                return 0;
            }
        }
        long count = 1;
        for (long dimension : shape) {
            count = Math.multiplyExact(count, dimension);
        }
        return count;
    }

    /** Refuses hosts whose memory order is not that of the files; segments are moved without conversion. */
    static void requireLittleEndian(ByteOrder order) {
        if (order != ByteOrder.LITTLE_ENDIAN) {
            throw new UnsupportedOperationException(
                    "safetensors files are little-endian and this host is not; use a little-endian host");
        }
    }
}
