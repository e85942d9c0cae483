package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteFileTest {
    private static final byte[] PAGE = IdxFiles.counting(100_000);
    private static final RemoteFile.Patience PATIENCE =
            new RemoteFile.Patience(Duration.ofSeconds(5), Duration.ofMillis(300), Duration.ofSeconds(20));

    @TempDir
    Path folder;

    /** {@return a file with its size and checksum} */
    static RemoteFile describe(String name, byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return new RemoteFile(name, bytes.length, HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aGoodFileArrives() throws IOException {
        RemoteFile file = describe("good", PAGE);
        try (TestServer server = new TestServer(Map.of("good", PAGE))) {
            file.download(server.base(), folder, PATIENCE);
        }
        assertThat(folder.resolve("good")).hasBinaryContent(PAGE);
        assertThat(file.isIn(folder)).isTrue();
        assertThat(folder.toFile().list()).containsExactly("good");
    }

    @Test
    void aFileAddressServesToo() throws IOException {
        Path source = Files.createDirectory(folder.resolve("source"));
        Path target = Files.createDirectory(folder.resolve("target"));
        Files.write(source.resolve("good"), PAGE);
        describe("good", PAGE).download(source.toUri(), target, PATIENCE);
        assertThat(target.resolve("good")).hasBinaryContent(PAGE);
    }

    @Test
    void anotherFileOfTheSameSizeIsRefused() throws IOException {
        byte[] other = PAGE.clone();
        other[5] ^= 1;
        refused(describe("x", PAGE), Map.of("x", other), "SHA-256");
    }

    @Test
    void aLongerFileIsRefused() throws IOException {
        refused(describe("x", PAGE), Map.of("x", IdxFiles.counting(100_001)), "more than the published 100000 bytes");
    }

    @Test
    void aShorterFileIsRefused() throws IOException {
        refused(describe("x", PAGE), Map.of("x", IdxFiles.counting(99_999)), "ended after 99999 of 100000 bytes");
    }

    @Test
    void aBrokenTransferIsRefused() throws IOException {
        String name = TestServer.TRUNCATED;
        refused(describe(name, PAGE), Map.of(name, PAGE), "");
    }

    @Test
    void aSilentServerIsLeft() throws IOException {
        long start = System.nanoTime();
        refused(describe(TestServer.SILENT, PAGE), Map.of(), "timed out");
        assertThat(System.nanoTime() - start).isLessThan(4_000_000_000L);
    }

    @Test
    void aTransferThatTakesTooLongIsLeft() throws IOException {
        RemoteFile.Patience none =
                new RemoteFile.Patience(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(0));
        try (TestServer server = new TestServer(Map.of("x", PAGE))) {
            assertThatThrownBy(() -> describe("x", PAGE).download(server.base(), folder, none))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("took longer");
        }
    }

    @Test
    void anAbsentOrRefusedAddressIsAnIOException() throws IOException {
        refused(describe("x", PAGE), Map.of(), "");
        try (RefusingPort refusing = new RefusingPort()) {
            assertThatThrownBy(() -> describe("x", PAGE).download(refusing.base(), folder, PATIENCE))
                    .isInstanceOf(IOException.class);
        }
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void anotherFileIsNotThisOne() throws IOException {
        RemoteFile file = describe("x", PAGE);
        assertThat(file.isIn(folder)).isFalse();
        Files.createDirectory(folder.resolve("x"));
        assertThat(file.isIn(folder)).isFalse();
        Files.delete(folder.resolve("x"));
        byte[] other = PAGE.clone();
        other[99_999] ^= 1;
        Files.write(folder.resolve("x"), other);
        assertThat(file.isIn(folder)).isFalse();
        Files.write(folder.resolve("x"), PAGE);
        assertThat(file.isIn(folder)).isTrue();
    }

    private void refused(RemoteFile file, Map<String, byte[]> pages, String message) throws IOException {
        try (TestServer server = new TestServer(pages)) {
            assertThatThrownBy(() -> file.download(server.base(), folder, PATIENCE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(message);
        }
        assertThat(folder.toFile().list()).as("left behind").isEmpty();
    }
}
