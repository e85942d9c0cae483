package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.elbo4j.backend.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of damaged files: each is refused with a {@link FormatException} or read within its bounds. */
class SafetensorsHostileTest {
    private static final int MUTATIONS = 4_000;
    private static final long SEED = Long.getLong("elbo4j.test.seed", 20_260_101L);
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern MEMBER = Pattern.compile("\"[^\"]+\":\\{[^}]*\\}");

    private static final String[] NUMBERS = {
        "0",
        "1",
        "-1",
        "00",
        "1e3",
        "1.5",
        "1E-1",
        "2147483648",
        "4294967296",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999999",
        "1".repeat(70),
        "null",
        "\"1\"",
        "[1]",
        "{}",
        "true",
        "NaN",
        ""
    };
    private static final String[] PIECES = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "\u0000",
        "\uFEFF",
        " ",
        "\n",
        "null",
        "-",
        "\"__metadata__\":{},",
        "\"__metadata__\":null,",
        "\"F16\"",
        "\"I64\"",
        "\"\":{}",
        "[[[[[[",
        "{\"\":{\"\":{\"\":"
    };
    private static final long[] LENGTHS = {
        0,
        1,
        7,
        8,
        99_999_999,
        100_000_000,
        100_000_001,
        1L << 31,
        1L << 32,
        1L << 60,
        Long.MAX_VALUE,
        -1,
        Long.MIN_VALUE
    };

    @TempDir
    Path folder;

    private final List<byte[]> valid = new ArrayList<>();

    @BeforeEach
    void writeValidFiles() throws IOException {
        Path path = folder.resolve("valid");
        SafetensorsWriter small = new SafetensorsWriter().add("a", new float[] {1, 2}, 2);
        small.write(path);
        valid.add(Files.readAllBytes(path));
        small.add("b.bias", DType.I64, new long[] {3}, MemorySegment.ofArray(new long[3]))
                .add("none", DType.BF16, new long[] {0, 4}, MemorySegment.NULL)
                .add("pixels", DType.U8, new long[] {2, 3}, MemorySegment.ofArray(new byte[6]))
                .add("scalar", new float[1])
                .metadata("format", "elbo4j")
                .metadata("config", "{\"hidden\":[400]}");
        small.write(path);
        valid.add(Files.readAllBytes(path));
        valid.add(RawSafetensors.file(
                "{" + RawSafetensors.tensor("x", "U8", "[3]", "[0,3]") + ", "
                        + RawSafetensors.tensor("y", "F32", "[1,1]", "[3,7]") + ","
                        + RawSafetensors.tensor("z", "F16", "[2]", "[7,11]") + "}\n ",
                new byte[11]));
    }

    @Test
    void damagedFilesAreRefusedOrReadWithinBounds() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = valid.get(random.nextInt(valid.size()));
            for (int rounds = 1 + random.nextInt(3); rounds > 0; rounds--) {
                bytes = mutate(random, bytes);
            }
            refused += readsOrRefuses(i, bytes) ? 0 : 1;
        }
        // Both outcomes must occur, or the mutations test nothing.
        assertThat(refused).as("seed %d", SEED).isBetween(MUTATIONS / 2, MUTATIONS - 20);
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        for (byte[] bytes : valid) {
            for (int length = 0; length < bytes.length; length++) {
                assertThat(readsOrRefuses(length, Arrays.copyOf(bytes, length)))
                        .as("%d of %d bytes", length, bytes.length)
                        .isFalse();
            }
            assertThat(readsOrRefuses(-1, bytes)).isTrue();
            assertThat(readsOrRefuses(-2, Arrays.copyOf(bytes, bytes.length + 1)))
                    .isFalse();
        }
    }

    private boolean readsOrRefuses(int number, byte[] bytes) throws IOException {
        Path path = Files.write(folder.resolve("damaged"), bytes);
        try {
            return assertTimeoutPreemptively(LIMIT, () -> {
                try {
                    checkBounds(SafetensorsFile.read(path), bytes.length);
                    return true;
                } catch (FormatException e) {
                    assertThat(e).hasMessageStartingWith(path + ": ");
                    return false;
                }
            });
        } catch (Throwable t) {
            throw new AssertionError(
                    "-Delbo4j.test.seed=" + SEED + ", input " + number + ": "
                            + HexFormat.of().formatHex(bytes),
                    t);
        }
    }

    private static void checkBounds(SafetensorsFile file, long fileBytes) throws IOException {
        long total = 0;
        for (String name : file.names()) {
            assertThat(file.has(name)).isTrue();
            long elements = 1;
            for (long dimension : file.shape(name)) {
                elements *= dimension;
            }
            if (SafetensorsTypes.dtype(file.typeText(name)) == null) {
                continue;
            }
            MemorySegment data = file.data(name, file.type(name), file.shape(name));
            assertThat(data.byteSize()).isEqualTo(elements * file.type(name).bytes());
            assertThat(data.address() % file.type(name).bytes()).isZero();
            total += data.byteSize();
            byte[] copy = data.toArray(ValueLayout.JAVA_BYTE);
            assertThat(copy.length).isEqualTo(data.byteSize());
        }
        assertThat(total).isLessThan(fileBytes);
    }

    private byte[] mutate(SplittableRandom random, byte[] bytes) {
        if (bytes.length < 20) {
            return bytes;
        }
        return switch (random.nextInt(10)) {
            case 0 -> flipBits(random, bytes, bytes.length);
            case 1 -> flipBits(random, bytes, 8);
            case 2 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 20));
            case 3 -> withLength(bytes, LENGTHS[random.nextInt(LENGTHS.length)]);
            case 4 -> withLength(bytes, headerEnd(bytes) - 8 + random.nextInt(-9, 10));
            case 5 -> withHeader(bytes, replaceNumber(random, header(bytes)));
            case 6 -> withHeader(bytes, swapNumbers(random, header(bytes)));
            case 7 -> withHeader(bytes, repeatMember(random, header(bytes)));
            case 8 -> withHeader(bytes, insertPiece(random, header(bytes)));
            default -> splice(random, bytes, valid.get(random.nextInt(valid.size())));
        };
    }

    private static byte[] flipBits(SplittableRandom random, byte[] bytes, int within) {
        byte[] out = bytes.clone();
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
            out[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
        }
        return out;
    }

    private static byte[] withLength(byte[] bytes, long length) {
        byte[] out = bytes.clone();
        ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return out;
    }

    /** Where the header ends, or a guess where an earlier mutation broke its length. */
    private static int headerEnd(byte[] bytes) {
        long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        return length < 0 || length > bytes.length - 8 ? bytes.length / 2 + 8 : (int) length + 8;
    }

    private static String header(byte[] bytes) {
        // Latin-1 keeps every byte, valid UTF-8 or not.
        return new String(bytes, 8, Math.min(headerEnd(bytes), bytes.length) - 8, StandardCharsets.ISO_8859_1);
    }

    private static byte[] withHeader(byte[] bytes, String header) {
        byte[] data = Arrays.copyOfRange(bytes, Math.min(headerEnd(bytes), bytes.length), bytes.length);
        return RawSafetensors.file(header.getBytes(StandardCharsets.ISO_8859_1), data);
    }

    private static String replaceNumber(SplittableRandom random, String header) {
        List<MatchResult> numbers = NUMBER.matcher(header).results().toList();
        if (numbers.isEmpty()) {
            return header;
        }
        MatchResult at = numbers.get(random.nextInt(numbers.size()));
        String number =
                random.nextInt(3) == 0 ? Integer.toString(random.nextInt(40)) : NUMBERS[random.nextInt(NUMBERS.length)];
        return header.substring(0, at.start()) + number + header.substring(at.end());
    }

    private static String swapNumbers(SplittableRandom random, String header) {
        List<MatchResult> numbers = NUMBER.matcher(header).results().toList();
        if (numbers.size() < 2) {
            return header;
        }
        int first = random.nextInt(numbers.size() - 1);
        MatchResult a = numbers.get(first);
        MatchResult b = numbers.get(first + 1 + random.nextInt(numbers.size() - first - 1));
        return header.substring(0, a.start())
                + b.group()
                + header.substring(a.end(), b.start())
                + a.group()
                + header.substring(b.end());
    }

    private static String repeatMember(SplittableRandom random, String header) {
        List<MatchResult> members = MEMBER.matcher(header).results().toList();
        if (members.isEmpty()) {
            return header;
        }
        String member = members.get(random.nextInt(members.size())).group();
        String copy = switch (random.nextInt(3)) {
            case 0 -> member;
            case 1 -> member.replaceFirst("\"", "\"other");
            default -> member.toUpperCase(Locale.ROOT);
        };
        return "{" + copy + "," + header.substring(Math.min(1, header.length()));
    }

    private static String insertPiece(SplittableRandom random, String header) {
        int at = random.nextInt(header.length() + 1);
        int skipped = Math.min(header.length(), at + random.nextInt(3));
        String piece = PIECES[random.nextInt(PIECES.length)].repeat(random.nextInt(20) == 0 ? 1_000 : 1);
        return header.substring(0, at)
                + new String(piece.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)
                + header.substring(skipped);
    }

    private static byte[] splice(SplittableRandom random, byte[] head, byte[] tail) {
        byte[] out = Arrays.copyOf(head, random.nextInt(head.length) + 1);
        byte[] rest = Arrays.copyOfRange(tail, random.nextInt(tail.length), tail.length);
        int length = out.length;
        out = Arrays.copyOf(out, length + rest.length);
        System.arraycopy(rest, 0, out, length, rest.length);
        return out;
    }
}
