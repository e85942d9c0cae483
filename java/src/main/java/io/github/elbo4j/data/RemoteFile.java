package io.github.elbo4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;

/**
 * A published file whose size and checksum are known beforehand.
 *
 * @param name its name, in every folder and below every address
 * @param bytes its size
 * @param sha256 its checksum in hexadecimal
 */
record RemoteFile(String name, long bytes, String sha256) {

    /**
     * How long a download may take.
     *
     * @param connect for the connection to be made
     * @param read for more bytes to come
     * @param total for the whole file
     */
    record Patience(Duration connect, Duration read, Duration total) {}

    /** {@return whether a folder holds this file, readable, whole and unchanged} */
    boolean isIn(Path folder) {
        Path path = folder.resolve(name);
        try {
            return matches(path);
        } catch (IOException e) {
            // Then it is fetched again, like one that is not there.
            return false;
        }
    }

    private boolean matches(Path path) throws IOException {
        if (!Files.isRegularFile(path) || Files.size(path) != bytes) {
            return false;
        }
        MessageDigest digest = sha256Digest();
        try (InputStream in = Files.newInputStream(path)) {
            byte[] chunk = new byte[1 << 16];
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                digest.update(chunk, 0, count);
            }
        }
        return HexFormat.of().formatHex(digest.digest()).equals(sha256);
    }

    /**
     * Brings this file into a folder. It appears there under its name only once it is whole and its checksum is right.
     *
     * @param base address of the folder that has it, with a slash at its end
     * @param folder an existing folder
     * @param patience how long to wait
     * @throws IOException if it cannot be had, or is not the file that was published
     */
    void download(URI base, Path folder, Patience patience) throws IOException {
        Path partial = Files.createTempFile(folder, name, ".part");
        try {
            transfer(base.resolve(name), partial, patience);
            Files.move(partial, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private void transfer(URI address, Path target, Patience patience) throws IOException {
        long deadline = System.nanoTime() + patience.total.toNanos();
        URLConnection connection = address.toURL().openConnection();
        connection.setConnectTimeout((int) patience.connect.toMillis());
        connection.setReadTimeout((int) patience.read.toMillis());
        connection.setUseCaches(false);
        MessageDigest digest = sha256Digest();
        long received = 0;
        try (InputStream in = connection.getInputStream();
                OutputStream out = Files.newOutputStream(target)) {
            byte[] chunk = new byte[1 << 16];
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                received += count;
                if (received > bytes) {
                    throw new IOException("it has more than the published " + bytes + " bytes");
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IOException("it took longer than " + patience.total.toSeconds() + " s");
                }
                digest.update(chunk, 0, count);
                out.write(chunk, 0, count);
            }
        }
        if (received < bytes) {
            throw new IOException("it ended after " + received + " of " + bytes + " bytes");
        }
        if (!HexFormat.of().formatHex(digest.digest()).equals(sha256)) {
            throw new IOException("its SHA-256 is not the published one");
        }
    }

    private static MessageDigest sha256Digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
