package io.github.elbo4j.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a part is run.
 *
 * @param backend name of the backend
 * @param precisions precisions to measure, those the backend does not have left out
 * @param quick small sizes and few repetitions, for a test of the kit itself
 * @param results folder of the results
 * @param home folder of the unpacked kit: programs, peers, MNIST
 * @param limit time after which no further row is begun
 * @param tests regular expression of the test classes of the contract
 */
record KitOptions(
        String backend, List<String> precisions, boolean quick, Path results, Path home, Duration limit, String tests) {
    static final String USAGE = "[--backend NAME] [--precisions fp32,tf32,bf16] [--quick] [--results FOLDER]"
            + " [--home FOLDER] [--limit SECONDS] [--tests REGEX]";

    private static final Set<String> PRECISIONS = Set.of("fp32", "tf32", "bf16");

    static KitOptions parse(List<String> words) {
        String backend = "cuda";
        List<String> precisions = List.of("fp32", "tf32", "bf16");
        boolean quick = false;
        Path results = Path.of("results");
        Path home = Path.of(".");
        Duration limit = Duration.ofSeconds(450);
        String tests = "io\\.github\\.elbo4j\\.backend\\.cuda\\.Cuda.*Test";
        for (int i = 0; i < words.size(); i++) {
            String option = words.get(i);
            if (option.equals("--quick")) {
                quick = true;
                continue;
            }
            String value = value(option, i + 1 < words.size() ? words.get(++i) : null);
            switch (option) {
                case "--backend" -> backend = value;
                case "--precisions" -> precisions = List.of(value.split(",", -1));
                case "--results" -> results = Path.of(value);
                case "--home" -> home = Path.of(value);
                case "--limit" -> limit = Duration.ofSeconds(Long.parseLong(value));
                case "--tests" -> tests = value;
                default -> throw new IllegalArgumentException("unknown option '" + option + "'");
            }
        }
        for (String precision : precisions) {
            if (!PRECISIONS.contains(precision)) {
                throw new IllegalArgumentException("precision '" + precision + "' is none of " + PRECISIONS);
            }
        }
        return new KitOptions(backend, precisions, quick, results, home, limit, tests);
    }

    private static String value(String option, @Nullable String next) {
        if (next == null) {
            throw new IllegalArgumentException("option '" + option + "' needs a value");
        }
        return next;
    }
}
