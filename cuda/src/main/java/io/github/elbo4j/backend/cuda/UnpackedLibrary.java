package io.github.elbo4j.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Set;

/**
 * A native library taken out of a jar, alone in a fresh folder that only this user can enter; closing deletes both, which
 * a library that is loaded survives.
 *
 * @param file the library
 */
record UnpackedLibrary(Path file) implements AutoCloseable {
    private static final Set<PosixFilePermission> PRIVATE_FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> PRIVATE_FILE = PosixFilePermissions.fromString("rw-------");

    /** {@return the folder for temporary files, as the process names it now} */
    static Path temporary() {
        return Path.of(System.getProperty("java.io.tmpdir", "/tmp")).toAbsolutePath();
    }

    /**
     * Writes a library and reads it back.
     *
     * @param temporary folder below which the private one is made
     * @param name name of the file
     * @param content the library; the caller closes it
     * @throws IOException if it cannot be written, or is not what was written
     */
    static UnpackedLibrary unpack(Path temporary, String name, InputStream content) throws IOException {
        // Fails if the name is taken, so nobody else can have made it.
        Path folder =
                Files.createTempDirectory(temporary, "elbo4j-", PosixFilePermissions.asFileAttribute(PRIVATE_FOLDER));
        UnpackedLibrary library = new UnpackedLibrary(folder.resolve(name));
        try {
            library.write(content);
        } catch (IOException | UncheckedIOException e) {
            library.close();
            throw e;
        }
        return library;
    }

    private void write(InputStream content) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PRIVATE_FILE));
        MessageDigest given = sha256();
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
            new DigestInputStream(content, given).transferTo(out);
        }
        MessageDigest written = sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), written)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        if (!MessageDigest.isEqual(given.digest(), written.digest())) {
            throw new IOException(file + " does not hold what was written to it");
        }
    }

    /** {@return the private folder} */
    Path folder() {
        return java.util.Objects.requireNonNull(file.getParent());
    }

    /** Deletes what can be deleted. */
    @Override
    public void close() {
        for (Path each : new Path[] {file, folder()}) {
            try {
                Files.deleteIfExists(each);
            } catch (IOException e) {
                // It stays in the folder for temporary files, readable by this user only.
            }
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
