package io.github.elbo4j.backend.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A native library taken out of a jar, alone in a fresh folder that only this user can enter; closing deletes both, which
 * a library that is loaded survives.
 *
 * @param file the library
 */
public record UnpackedLibrary(Path file) implements AutoCloseable {
    private static final String PRIVATE_FOLDER = "rwx------";
    private static final String PRIVATE_FILE = "rw-------";

    /** {@return the folder for temporary files, as the process names it now} */
    public static Path temporary() {
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
    public static UnpackedLibrary unpack(Path temporary, String name, InputStream content) throws IOException {
        MessageDigest given = sha256();
        UnpackedLibrary library = write(temporary, name, new DigestInputStream(content, given));
        return library.checked(HexFormat.of().formatHex(given.digest()));
    }

    /**
     * Writes a library whose hash is known, and reads it back.
     *
     * @param temporary folder below which the private one is made
     * @param name name of the file
     * @param content the library; the caller closes it
     * @param sha256 its SHA-256 in lower-case hexadecimal digits
     * @throws IOException if it cannot be written, or has another hash
     */
    public static UnpackedLibrary unpack(Path temporary, String name, InputStream content, String sha256)
            throws IOException {
        return write(temporary, name, content).checked(sha256);
    }

    private static UnpackedLibrary write(Path temporary, String name, InputStream content) throws IOException {
        // Fails if the name is taken, so nobody else can have made it.
        Path folder = Files.createTempDirectory(temporary, "elbo4j-", permissions(temporary, PRIVATE_FOLDER));
        UnpackedLibrary library = new UnpackedLibrary(folder.resolve(name));
        try {
            Files.createFile(library.file, permissions(temporary, PRIVATE_FILE));
            try (OutputStream out = Files.newOutputStream(library.file, StandardOpenOption.WRITE)) {
                content.transferTo(out);
            }
        } catch (IOException | UncheckedIOException e) {
            library.close();
            throw e;
        }
        return library;
    }

    /** {@return attributes that keep others out; none on Windows, where a user's temporary folder is his own} */
    private static FileAttribute<?>[] permissions(Path folder, String permissions) {
        return folder.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private UnpackedLibrary checked(String sha256) throws IOException {
        try {
            String written = sha256(Files.newInputStream(file));
            if (!written.equals(sha256)) {
                throw new IOException(
                        file + " does not hold what was written to it: its SHA-256 is " + written + ", not " + sha256);
            }
            return this;
        } catch (IOException | UncheckedIOException e) {
            close();
            throw e;
        }
    }

    /**
     * {@return the SHA-256 of what a stream holds, in lower-case hexadecimal digits}
     *
     * @param content read to its end and closed
     * @throws IOException if it cannot be read
     */
    public static String sha256(InputStream content) throws IOException {
        MessageDigest digest = sha256();
        try (InputStream in = new DigestInputStream(content, digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** {@return the private folder} */
    public Path folder() {
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
}
