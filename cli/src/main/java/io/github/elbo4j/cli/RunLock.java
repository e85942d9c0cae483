package io.github.elbo4j.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a run folder for one process: a lock of the operating system on {@value #NAME} in it, so that a killed process
 * leaves a file behind but no lock.
 */
final class RunLock implements AutoCloseable {
    /** Name of the locked file; deleted at the end. */
    static final String NAME = ".elbo4j-run.lock";

    private static final int ATTEMPTS = 10;

    private final Path file;
    private final FileChannel channel;

    private RunLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * {@return the lock of an existing folder}
     *
     * @throws InputException if another process has it, or it cannot be written
     */
    static RunLock take(Path folder) {
        Path file = folder.resolve(NAME);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                // What a link leads to is not ours to write.
                FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
                if (!locked(channel)) {
                    channel.close();
                    throw new InputException(
                            folder + ": another process trains in this folder; wait for it, or choose another --out");
                }
                if (named(channel, file)) {
                    return new RunLock(file, channel);
                }
                channel.close();
            } catch (IOException e) {
                throw new InputException(
                        folder + ": cannot be locked (" + Failures.reason(e)
                                + "); choose a folder where you may write, or remove '" + NAME + "' from it",
                        e);
            }
        }
        throw new InputException(folder + ": other processes take and leave its lock all the time; try again later");
    }

    /**
     * {@return whether the open file is the one that has the name now}
     *
     * <p>The last holder deletes the file: what was opened before that is a file without a name, which keeps nobody out. The
     * size tells them apart, because on POSIX a second channel on the file would give the lock away when it is closed.
     */
    private static boolean named(FileChannel channel, Path file) throws IOException {
        long size = ProcessHandle.current().pid();
        channel.truncate(0);
        channel.write(ByteBuffer.allocate(1), size - 1);
        try {
            return Files.size(file) == size;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Gives the folder free. */
    @Override
    public void close() {
        try (channel) {
            // Deleted while still locked: nobody else can hold this name now.
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // A leftover file locks nothing.
        }
    }
}
