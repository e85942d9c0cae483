package io.github.elbo4j.backend.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedLibraryTest {
    @TempDir
    Path temporary;

    private final byte[] content = new byte[100_001];

    @BeforeEach
    void fill() {
        new Random(5).nextBytes(content);
    }

    @Test
    void liesAloneInAFolderOfItsUser() throws Exception {
        Path first;
        try (UnpackedLibrary one = unpack();
                UnpackedLibrary other = unpack()) {
            first = one.folder();
            assertThat(one.folder()).isNotEqualTo(other.folder()).hasParent(temporary);
            assertThat(Files.readAllBytes(one.file())).isEqualTo(content);
            assertThat(one.file()).hasFileName("library.so");
            if (Files.getFileStore(temporary).supportsFileAttributeView("posix")) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one.folder())))
                        .isEqualTo("rwx------");
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one.file())))
                        .isEqualTo("rw-------");
            }
        }
        assertThat(first).doesNotExist();
        assertThat(entries()).isZero();
    }

    @Test
    void leavesNothingWhenTheContentCannotBeRead() {
        InputStream broken = new FilterInputStream(new ByteArrayInputStream(content)) {
            @Override
            public int read(byte[] bytes, int from, int count) throws IOException {
                if (in.available() < content.length / 2) {
                    throw new IOException("torn");
                }
                return super.read(bytes, from, Math.min(count, 1000));
            }
        };
        assertThatThrownBy(() -> UnpackedLibrary.unpack(temporary, "library.so", broken))
                .hasMessage("torn");
        assertThat(entries()).isZero();
    }

    @Test
    void needsItsFolder() {
        Path absent = temporary.resolve("absent");
        assertThatThrownBy(() -> UnpackedLibrary.unpack(absent, "library.so", new ByteArrayInputStream(content)))
                .isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void isTakenOnlyWithTheHashThatItShouldHave() throws Exception {
        String hash = UnpackedLibrary.sha256(new ByteArrayInputStream(content));
        assertThat(hash).hasSize(64).matches("[0-9a-f]+");
        try (UnpackedLibrary library =
                UnpackedLibrary.unpack(temporary, "library.so", new ByteArrayInputStream(content), hash)) {
            assertThat(Files.readAllBytes(library.file())).isEqualTo(content);
        }
        byte[] truncated = Arrays.copyOf(content, content.length - 1);
        assertThatThrownBy(() ->
                        UnpackedLibrary.unpack(temporary, "library.so", new ByteArrayInputStream(truncated), hash))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not " + hash);
        assertThat(entries()).isZero();
    }

    @Test
    void knowsTheHashOfTheStandardsExample() throws Exception {
        assertThat(UnpackedLibrary.sha256(new ByteArrayInputStream("abc".getBytes(StandardCharsets.US_ASCII))))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    private UnpackedLibrary unpack() throws IOException {
        return UnpackedLibrary.unpack(temporary, "library.so", new ByteArrayInputStream(content));
    }

    private long entries() {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.count();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
