package io.github.elbo4j.backend.nativecpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Memory that Linux would promise and not have: it refuses no allocation, and ends a process that uses what it was given.
 * Other systems refuse themselves.
 */
final class SystemMemory {
    /** Fewer bytes are not asked for, which takes longer than to zero them. */
    private static final long WORTH_ASKING = 64L << 20;

    private static final SystemMemory HERE = new SystemMemory(Path.of("/"));

    private final Path meminfo;
    private final Path membership;
    private final Path cgroups;

    /** What a machine tells whose file system begins at a folder. */
    SystemMemory(Path root) {
        this.meminfo = root.resolve("proc/meminfo");
        this.membership = root.resolve("proc/self/cgroup");
        this.cgroups = root.resolve("sys/fs/cgroup");
    }

    /** {@return whether so many bytes may be used; true where the system does not tell} */
    static boolean has(long bytes) {
        return bytes < WORTH_ASKING || bytes <= HERE.available();
    }

    /** {@return bytes that are free on the machine, and in the control groups that this process may be in} */
    long available() {
        return Math.min(
                kibibytesOfMachine() * 1024,
                Math.min(
                        least(cgroups, "", "memory.max", "anon"),
                        least(cgroups.resolve("memory"), "memory", "memory.limit_in_bytes", "total_rss")));
    }

    private long kibibytesOfMachine() {
        return number(meminfo, "MemAvailable:", Long.MAX_VALUE / 1024);
    }

    /** Of the group of this process and those around it, each of which may have a limit. */
    private long least(Path top, String controller, String limit, String used) {
        long least = free(top, limit, used);
        Path group = top.resolve(group(controller)).normalize();
        // A container may see its own group as the top, and not where it is said to be.
        while (group != null && group.startsWith(top) && !group.equals(top)) {
            least = Math.min(least, free(group, limit, used));
            group = group.getParent();
        }
        return least;
    }

    /** The group of this process, relative to the top; the top if it is not told. In version 2 no controller is named. */
    private String group(String controller) {
        try {
            for (String line : Files.readAllLines(membership)) {
                String[] fields = line.split(":", 3);
                if (fields.length == 3 && List.of(fields[1].split(",", -1)).contains(controller)) {
                    return fields[2].replaceFirst("^/+", "");
                }
            }
        } catch (IOException e) {
            // A system without groups.
        }
        return "";
    }

    /** What a group may have and does not use; cached files, which it would give up, count as unused. */
    private static long free(Path group, String limit, String used) {
        long most = number(group.resolve(limit), "", Long.MAX_VALUE);
        return Math.max(0, most - number(group.resolve("memory.stat"), used + " ", 0));
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
