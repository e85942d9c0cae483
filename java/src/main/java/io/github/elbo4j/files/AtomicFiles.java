package io.github.elbo4j.files;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Replacement of files as a whole: whoever opens the target finds the old content or the new one, never a part.
 *
 * <p>The content goes to {@code .NAME.partial} in the same folder, is forced to the disk and renamed over the target; then
 * the folder is forced too, as far as the operating system allows. When anything fails, the partial file is deleted and the
 * target is what it was. A partial file that a killed process left behind is overwritten by the next write.
 *
 * <p>What follows from renaming: the folder must be writable, while a read-only target in such a folder is replaced; the new
 * file has the ordinary permissions of new files (the process's umask on POSIX), not those of the old one; other hard links
 * keep the old content. A target that is a symbolic link stays one, and the file it points to is replaced. Folders, devices
 * and pipes are refused. Missing folders are not created.
 *
 * <p>Methods may be called from any thread. Of two overlapping writes of one target in one process the second is refused;
 * two processes must not write one target at the same time.
 */
public final class AtomicFiles {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MAX_LINKS = 40;

    private static final Set<Path> IN_PROGRESS = ConcurrentHashMap.newKeySet();

    private AtomicFiles() {}

    /**
     * Something that writes content.
     *
     * @param <T> what it writes to
     */
    @FunctionalInterface
    public interface Content<T> {
        /**
         * Writes all content.
         *
         * @param target what to write to; not to be used after the return
         * @throws IOException if writing fails; the file is then left as it was
         */
        void writeTo(T target) throws IOException;
    }

    /**
     * Replaces a file by what the content writes to a buffered stream. Closing the stream is allowed and not needed.
     *
     * @param target the file to create or replace
     * @param content called once, in this thread; what it throws is passed on after the partial file is deleted
     * @throws IOException if the file cannot be written: names the file, the cause and what to do. A {@link FormatException}
     *     and a {@link ClosedByInterruptException} of the content are passed on as they are
     */
    public static void write(Path target, Content<? super OutputStream> content) throws IOException {
        writeChannel(target, channel -> {
            try (KeptOpen stream = new KeptOpen(Channels.newOutputStream(channel))) {
                content.writeTo(stream);
            }
        });
    }

    /**
     * Replaces a file by what the content writes to a channel, which begins empty and at position 0.
     *
     * @param target the file to create or replace
     * @param content called once, in this thread; must leave the channel open; what it throws is passed on after the partial
     *     file is deleted
     * @throws IOException if the file cannot be written: names the file, the cause and what to do. A {@link FormatException}
     *     and a {@link ClosedByInterruptException} of the content are passed on as they are
     */
    public static void writeChannel(Path target, Content<? super FileChannel> content) throws IOException {
        try {
            replace(followLinks(target.toAbsolutePath()), content);
        } catch (FormatException | ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(target + ": cannot be written (" + reason(e) + "); " + remedy(target, e), e);
        }
    }

    /**
     * Replaces a file by a text in UTF-8, exactly as given: line ends are not changed and none is added.
     *
     * @param target the file to create or replace
     * @param text the content
     * @throws IOException if the file cannot be written, or if the text has a surrogate without its other half
     */
    public static void writeString(Path target, String text) throws IOException {
        writeChannel(target, channel -> {
            // A new encoder reports what UTF-8 cannot hold, where getBytes would write a question mark.
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    private static void replace(Path file, Content<? super FileChannel> content) throws IOException {
        Path folder = file.getParent();
        Path name = file.getFileName();
        if (folder == null || name == null || Files.isDirectory(file)) {
            throw new IOException("it is a folder");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // Renaming over a device or a pipe would replace it.
            throw new IOException("it is not a regular file");
        }
        // Two spellings of one folder are one entry of IN_PROGRESS.
        Path partial = folder.toRealPath().resolve("." + name + ".partial");
        if (!IN_PROGRESS.add(partial)) {
            throw new IOException("another write of it is in progress");
        }
        try {
            // A leftover is deleted, not opened: it might be a link to somewhere else.
            Files.deleteIfExists(partial);
            FileChannel channel = FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                try (channel) {
                    content.writeTo(channel);
                    channel.force(true);
                }
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (Throwable t) {
                discard(partial, t);
                throw t;
            }
        } finally {
            IN_PROGRESS.remove(partial);
        }
        forceFolder(folder);
    }

    private static void discard(Path partial, Throwable failure) {
        try {
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException _) {
            // Windows opens no folders and some network file systems force none; the file itself is complete by now.
        }
    }

    private static Path followLinks(Path target) throws IOException {
        Path file = target;
        for (int i = 0; i < MAX_LINKS; i++) {
            if (!Files.isSymbolicLink(file)) {
                return file;
            }
            file = file.resolveSibling(Files.readSymbolicLink(file));
        }
        throw new FileSystemLoopException(target.toString());
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such file or folder: " + missing.getFile();
            case AccessDeniedException denied -> "permission denied: " + denied.getFile();
            case DirectoryNotEmptyException full -> "a folder is in the way: " + full.getFile();
            case CharacterCodingException _ -> "the text has a surrogate without its other half";
            case FileSystemLoopException _ -> "its symbolic links lead in a circle";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }

    private static String remedy(Path target, IOException e) {
        Path folder = target.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            return "create the folder " + folder + " or choose another one";
        }
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(target)) {
            return "choose another name";
        }
        if (e instanceof AccessDeniedException) {
            return "make the folder " + folder + " writable or choose another one";
        }
        return "nothing was changed; check the free space and the permissions of " + folder + " and write again";
    }

    /** A buffered stream whose channel outlives it, so that the content can be forced to the disk. */
    private static final class KeptOpen extends BufferedOutputStream {
        KeptOpen(OutputStream out) {
            super(out, BUFFER_BYTES);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
