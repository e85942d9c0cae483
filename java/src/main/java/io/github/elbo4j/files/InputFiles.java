package io.github.elbo4j.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/** Opening and reading of files that may be missing, may not be files, or may shrink meanwhile. */
final class InputFiles {
    private InputFiles() {}

    /** Opens a regular file for reading; every reason against it is a {@link FormatException}. */
    static FileChannel open(Path path) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            if (attributes.isDirectory()) {
                throw new FormatException(path.toString(), "is a folder", "give the path of a file in it");
            }
            if (!attributes.isRegularFile()) {
                // Opening a pipe would wait for its writer.
                throw new FormatException(path.toString(), "is not a regular file", "copy its content to a file first");
            }
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw failure(path.toString(), e);
        }
    }

    /** Reads a whole small file, refusing a larger one before its bytes are read. */
    static byte[] read(Path path, int maxBytes) throws IOException {
        String source = path.toString();
        try (FileChannel channel = open(path)) {
            long size = channel.size();
            if (size > maxBytes) {
                throw new FormatException(
                        source,
                        "has " + size + " bytes, more than the " + maxBytes + " that such a file may have",
                        "check that it is the right file");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) size);
            fill(channel, bytes, 0, source);
            return bytes.array();
        } catch (IOException e) {
            throw failure(source, e);
        }
    }

    /** Fills the buffer from the given position of the file. */
    static void fill(FileChannel channel, ByteBuffer target, long position, String source) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new FormatException(
                        source,
                        "ends at byte " + at + " although it was longer when it was opened",
                        "wait until its writer has finished and read it again");
            }
            at += count;
        }
    }

    /** {@return the bytes as text, which must be valid UTF-8} */
    static String utf8(String source, String part, ByteBuffer bytes) throws FormatException {
        try {
            // A new decoder reports bad bytes, where new String would replace them.
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new FormatException(
                    source, part + " is not valid UTF-8", "the file is damaged or of another kind; get it again", e);
        }
    }

    /** {@return the exception to throw for one that a file operation threw} */
    static IOException failure(String source, IOException e) {
        return switch (e) {
            // An interrupted thread is told so by the type of this one.
            case FormatException _, ClosedByInterruptException _ -> e;
            case NoSuchFileException _ ->
                new FormatException(source, "does not exist", "check the path and the current folder", e);
            case AccessDeniedException _ ->
                new FormatException(source, "may not be read", "check the permissions of the file and its folder", e);
            default ->
                new FormatException(
                        source,
                        "cannot be read (" + Texts.printable(String.valueOf(e.getMessage())) + ")",
                        "check the disk and the path, then read it again",
                        e);
        };
    }
}
