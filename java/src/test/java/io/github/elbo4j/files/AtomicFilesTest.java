package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    Path folder;

    private Path target() {
        return folder.resolve("config.json");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void createsAndReplaces() throws IOException {
        AtomicFiles.writeString(target(), "first, longer");
        assertThat(Files.readString(target())).isEqualTo("first, longer");
        AtomicFiles.write(target(), out -> out.write(new byte[] {65, 66}));
        assertThat(Files.readString(target())).isEqualTo("AB");
        AtomicFiles.writeChannel(target(), channel -> channel.write(ByteBuffer.wrap(new byte[] {67})));
        assertThat(Files.readString(target())).isEqualTo("C");
        assertThat(names()).containsExactly("config.json");
    }

    @Test
    void writesLargeContentThroughTheBuffer() throws IOException {
        byte[] content = new byte[300_001];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31);
        }
        AtomicFiles.write(target(), out -> {
            for (byte b : content) {
                out.write(b);
            }
        });
        assertThat(Files.readAllBytes(target())).isEqualTo(content);
    }

    @Test
    void targetIsUntouchedUntilTheContentIsComplete() throws IOException {
        AtomicFiles.writeString(target(), "old");
        AtomicFiles.write(target(), out -> {
            out.write(new byte[1 << 20]);
            assertThat(Files.readString(target())).isEqualTo("old");
            assertThat(names()).containsExactly(".config.json.partial", "config.json");
        });
        assertThat(Files.size(target())).isEqualTo(1 << 20);
    }

    @Test
    void contentMayCloseTheStream() throws IOException {
        AtomicFiles.write(target(), out -> {
            try (OutputStream closed = out) {
                closed.write('x');
            }
        });
        assertThat(Files.readString(target())).isEqualTo("x");
    }

    @Test
    void failingContentKeepsTheOldFile() throws IOException {
        AtomicFiles.writeString(target(), "old");
        assertThatThrownBy(() -> AtomicFiles.write(target(), out -> {
                    out.write(new byte[1 << 20]);
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(target().toString())
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("check the free space");
        RuntimeException bug = new IllegalStateException("bug");
        assertThatThrownBy(() -> AtomicFiles.writeChannel(target(), channel -> {
                    channel.write(ByteBuffer.allocate(10));
                    throw bug;
                }))
                .isSameAs(bug);
        assertThatThrownBy(() -> AtomicFiles.write(target(), _ -> {
                    throw new AssertionError("error");
                }))
                .isInstanceOf(AssertionError.class);
        assertThat(Files.readString(target())).isEqualTo("old");
        assertThat(names()).containsExactly("config.json");
    }

    @Test
    void failingContentLeavesNothingWhereNothingWas() throws IOException {
        assertThatThrownBy(() -> AtomicFiles.write(target(), _ -> {
                    throw new IOException("broken");
                }))
                .isInstanceOf(IOException.class);
        assertThat(names()).isEmpty();
    }

    @Test
    void formatExceptionsAndInterruptsOfTheContentPassUnchanged() throws IOException {
        FormatException format = new FormatException("input.bin", "is broken", "get it again");
        assertThatThrownBy(() -> AtomicFiles.write(target(), _ -> {
                    throw format;
                }))
                .isSameAs(format);
        assertThatThrownBy(() -> AtomicFiles.writeChannel(target(), channel -> {
                    Thread.currentThread().interrupt();
                    channel.write(ByteBuffer.allocate(1));
                }))
                .isInstanceOf(ClosedByInterruptException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(names()).isEmpty();
    }

    @Test
    void aClosedChannelIsAFailure() throws IOException {
        AtomicFiles.writeString(target(), "old");
        assertThatThrownBy(() -> AtomicFiles.writeChannel(target(), channel -> channel.close()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(target().toString());
        assertThat(Files.readString(target())).isEqualTo("old");
        assertThat(names()).containsExactly("config.json");
    }

    @Test
    void errorOfAFullDeviceIsReported() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full));
        AtomicFiles.writeString(target(), "old");
        assertThatThrownBy(() -> AtomicFiles.write(target(), _ -> Files.write(full, new byte[10])))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("check the free space");
        assertThat(Files.readString(target())).isEqualTo("old");
    }

    @Test
    void leftoverOfAKilledProcessIsOverwritten() throws IOException {
        Files.writeString(folder.resolve(".config.json.partial"), "a very long half of a file");
        AtomicFiles.writeString(target(), "new");
        assertThat(Files.readString(target())).isEqualTo("new");
        assertThat(names()).containsExactly("config.json");
    }

    @Test
    void leftoverThatIsALinkIsNotFollowed() throws IOException {
        Path other = Files.writeString(folder.resolve("other"), "precious");
        link(folder.resolve(".config.json.partial"), other);
        AtomicFiles.writeString(target(), "new");
        assertThat(Files.readString(other)).isEqualTo("precious");
        assertThat(names()).containsExactly("config.json", "other");
    }

    @Test
    void linksStayLinks() throws IOException {
        Path sub = Files.createDirectory(folder.resolve("sub"));
        Path real = sub.resolve("real.json");
        link(folder.resolve("second"), Path.of("sub", "real.json"));
        link(target(), Path.of("second"));
        AtomicFiles.writeString(target(), "through a dangling link");
        assertThat(Files.readString(real)).isEqualTo("through a dangling link");
        AtomicFiles.writeString(target(), "again");
        assertThat(Files.isSymbolicLink(target())).isTrue();
        assertThat(Files.readString(real)).isEqualTo("again");
    }

    @Test
    void circularLinksAreRefused() throws IOException {
        link(folder.resolve("a"), Path.of("b"));
        link(folder.resolve("b"), Path.of("a"));
        assertThatThrownBy(() -> AtomicFiles.writeString(folder.resolve("a"), ""))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("circle");
    }

    @Test
    void foldersDevicesAndMissingFoldersAreRefused() throws IOException {
        assertThatThrownBy(() -> AtomicFiles.writeString(folder, "x"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it is a folder")
                .hasMessageContaining("choose another name");
        assertThatThrownBy(() -> AtomicFiles.writeString(Path.of("/"), "x")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> AtomicFiles.writeString(folder.resolve("no/such/file"), "x"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("create the folder " + folder.resolve("no/such"));
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertThatThrownBy(() -> AtomicFiles.writeString(file.resolve("below"), "x"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.resolve("below").toString());
        Path device = Path.of("/dev/null");
        if (Files.exists(device)) {
            assertThatThrownBy(() -> AtomicFiles.writeString(device, "x"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("not a regular file");
        }
        assertThat(names()).containsExactly("file");
    }

    @Test
    void aFolderInPlaceOfThePartialFileIsReported() throws IOException {
        Files.createDirectories(folder.resolve(".config.json.partial/x"));
        assertThatThrownBy(() -> AtomicFiles.writeString(target(), "x"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("a folder is in the way");
    }

    @Test
    void overlappingWritesOfOneFileAreRefused() throws IOException {
        Path alias = folder.resolve("sub").resolve("..").resolve("config.json");
        Files.createDirectory(folder.resolve("sub"));
        AtomicFiles.write(target(), out -> {
            assertThatThrownBy(() -> AtomicFiles.writeString(alias, "inner"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("in progress");
            AtomicFiles.writeString(folder.resolve("another"), "fine");
            out.write('1');
        });
        assertThat(Files.readString(target())).isEqualTo("1");
        AtomicFiles.writeString(alias, "2");
        assertThat(Files.readString(target())).isEqualTo("2");
    }

    @Test
    void newFilesHaveOrdinaryPermissions() throws IOException {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
        Path plain = Files.writeString(folder.resolve("plain"), "x");
        AtomicFiles.writeString(target(), "x");
        assertThat(Files.getPosixFilePermissions(target())).isEqualTo(Files.getPosixFilePermissions(plain));
        Files.setPosixFilePermissions(target(), PosixFilePermissions.fromString("r--r--r--"));
        AtomicFiles.writeString(target(), "replaced");
        assertThat(Files.readString(target())).isEqualTo("replaced");
    }

    @Test
    void textsAreExactUtf8() throws IOException {
        AtomicFiles.writeString(target(), "β\r\n\uD83D\uDE00");
        assertThat(Files.readString(target())).isEqualTo("β\r\n\uD83D\uDE00");
        assertThatThrownBy(() -> AtomicFiles.writeString(target(), "bad \uD83D"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("surrogate");
        assertThat(Files.readString(target())).isEqualTo("β\r\n\uD83D\uDE00");
    }

    private static void link(Path link, Path to) {
        try {
            Files.createSymbolicLink(link, to);
        } catch (IOException | UnsupportedOperationException e) {
            assumeTrue(false, "no symbolic links here: " + e);
        }
    }
}
