package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of data: opening, unpacking, the memory for what they hold, and the messages when something is wrong. */
final class DataFiles {
    /** Remedy for a file that is damaged. */
    static final String FETCH_AGAIN = "fetch or write the file again";

    private static final int ALIGNMENT = 64;

    private DataFiles() {}

    /** Checks that a path names a regular file; opening a pipe would wait for its writer. */
    static void require(Path path, String kind) throws FormatException {
        if (!Files.exists(path)) {
            throw new FormatException(path.toString(), "there is no such file", "check the path");
        }
        if (Files.isDirectory(path)) {
            throw new FormatException(path.toString(), "is a folder, not a file", "name " + kind + " in it");
        }
        if (!Files.isRegularFile(path)) {
            throw new FormatException(
                    path.toString(), "is a device or pipe, not a file", "copy its contents to a file and name that");
        }
    }

    /** {@return a stream's contents: unpacked by a {@link GzipInput} if the first two bytes are those of gzip} */
    static InputStream unpacked(InputStream raw) throws IOException {
        byte[] start = raw.readNBytes(2);
        InputStream whole = new SequenceInputStream(new ByteArrayInputStream(start), raw);
        boolean gzip = start.length == 2 && GzipInput.startsWithMagic(start[0] & 0xff, start[1] & 0xff);
        return gzip ? new GzipInput(whole) : whole;
    }

    /** {@return the exception to throw for one that reading a file or folder threw} */
    static FormatException failure(Path path, IOException e) {
        return switch (e) {
            case FormatException refused -> refused;
            case AccessDeniedException _ ->
                new FormatException(path.toString(), "may not be read", "change its permissions", e);
            case FileSystemLoopException _ ->
                new FormatException(path.toString(), "is a link that leads to itself", "remove the link", e);
            default -> {
                String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
                yield new FormatException(path.toString(), "cannot be read: " + reason, FETCH_AGAIN, e);
            }
        };
    }

    /** {@return native memory that is freed when it is no longer reachable} */
    static MemorySegment allocate(Path path, long bytes) throws FormatException {
        try {
            return Arena.ofAuto().allocate(bytes, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            throw new FormatException(
                    path.toString(),
                    "needs " + bytes + " bytes of memory, more than the JVM may still use",
                    "raise -XX:MaxDirectMemorySize, or read fewer rows",
                    e);
        }
    }
}
