package io.github.elbo4j.backend.nativecpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Memory that Linux would promise and not have: it refuses no allocation, and ends a process that uses what it was given.
 * Other systems refuse themselves.
 */
final class SystemMemory {
    /** Fewer bytes are not asked for, which takes longer than to zero them. */
    private static final long WORTH_ASKING = 64L << 20;

    private static final SystemMemory HERE = new SystemMemory(Path.of("/proc/meminfo"), Path.of("/sys/fs/cgroup"));

    private final Path meminfo;
    private final Path cgroup;

    SystemMemory(Path meminfo, Path cgroup) {
        this.meminfo = meminfo;
        this.cgroup = cgroup;
    }

    /** {@return whether so many bytes may be used; true where the system does not tell} */
    static boolean has(long bytes) {
        return bytes < WORTH_ASKING || bytes <= HERE.available();
    }

    /** {@return bytes that are free on the machine, and in the container that this process may be in} */
    long available() {
        return Math.min(
                kibibytesOfMachine() * 1024,
                Math.min(
                        free("memory.max", "memory.stat", "anon"),
                        free("memory/memory.limit_in_bytes", "memory/memory.stat", "rss")));
    }

    private long kibibytesOfMachine() {
        return number(meminfo, "MemAvailable:", Long.MAX_VALUE / 1024);
    }

    /** What a container may have and does not use; cached files, which it would give up, count as unused. */
    private long free(String limit, String statistics, String used) {
        long most = number(cgroup.resolve(limit), "", Long.MAX_VALUE);
        return Math.max(0, most - number(cgroup.resolve(statistics), used + " ", 0));
    }

    /** The first number behind a word at the beginning of a line; another where there is none. */
    private static long number(Path file, String word, long otherwise) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(word)) {
                    return Long.parseLong(line.substring(word.length())
                            .replaceFirst(" kB$", "")
                            .strip());
                }
            }
        } catch (IOException | NumberFormatException e) {
            // Of another version, or without a limit.
        }
        return otherwise;
    }
}
