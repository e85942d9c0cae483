package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An array of float32 as NumPy's format has it, read by its specification. */
@SuppressWarnings("ArrayRecordComponent") // numbers to be read, never compared
record Npy(long[] shape, float[] values) {
    private static final Pattern HEADER =
            Pattern.compile("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\(([0-9, ]+)\\), \\} *\n");

    static Npy read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[8];
        bytes.get(magic);
        assertThat(magic).containsExactly(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0);
        byte[] header = new byte[bytes.getShort()];
        bytes.get(header);
        assertThat(bytes.position() % 64).isZero();
        Matcher matcher = HEADER.matcher(new String(header, StandardCharsets.US_ASCII));
        assertThat(matcher.matches())
                .as(new String(header, StandardCharsets.US_ASCII))
                .isTrue();
        long[] shape = Arrays.stream(matcher.group(1).split(", *"))
                .mapToLong(Long::parseLong)
                .toArray();
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        assertThat(Arrays.stream(shape).reduce(1, Math::multiplyExact)).isEqualTo(values.length);
        return new Npy(shape, values);
    }

    /** {@return a row, all other extents taken together} */
    float[] row(int row) {
        int columns = (int) (values.length / shape[0]);
        return Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
    }
}
