package io.github.elbo4j.cli;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Makes folders of runs, and removes those again in which nothing was written. */
final class OutFolder {
    /** Where runs go that were given no folder. */
    static final String RUNS = "runs";

    private static final int MAX_RUNS = 10_000;

    private OutFolder() {}

    /** {@return a new folder {@code runs/NNNN-kind} of the first free number, below the current folder} */
    static Path numbered(String dataSpec) {
        int colon = dataSpec.indexOf(':');
        String kind = colon < 0 ? dataSpec : dataSpec.substring(0, colon);
        Path runs = Path.of(RUNS);
        try {
            Files.createDirectories(runs);
            Set<String> taken = new HashSet<>();
            try (Stream<Path> entries = Files.list(runs)) {
                entries.forEach(
                        entry -> taken.add(String.valueOf(entry.getFileName()).split("-", 2)[0]));
            }
            for (int number = 1; number < MAX_RUNS; number++) {
                String digits = String.format(Locale.ROOT, "%04d", number);
                if (taken.contains(digits)) {
                    continue;
                }
                try {
                    return Files.createDirectory(runs.resolve(digits + "-" + kind));
                } catch (FileAlreadyExistsException e) {
                    // Another process was faster; it gets the next number.
                }
            }
        } catch (IOException e) {
            throw new InputException(
                    runs.toAbsolutePath() + ": the folder cannot be made or written (" + Failures.reason(e)
                            + "); choose another one with --out",
                    e);
        }
        throw new InputException(runs.toAbsolutePath() + ": all numbers are taken; choose a folder with --out");
    }

    /** Removes a folder if it is empty. */
    static void removeIfEmpty(Path folder) {
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            // The run left something, so it stays.
        } catch (IOException e) {
            // An empty folder harms nobody.
        }
    }
}
