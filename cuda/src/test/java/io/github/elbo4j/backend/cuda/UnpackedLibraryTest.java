package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
        Tools.needPlatform();
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
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one.folder())))
                    .isEqualTo("rwx------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one.file())))
                    .isEqualTo("rw-------");
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
