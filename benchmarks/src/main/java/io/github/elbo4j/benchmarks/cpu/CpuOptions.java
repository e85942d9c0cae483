package io.github.elbo4j.benchmarks.cpu;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How the benchmarks are run.
 *
 * @param parts what is measured
 * @param backends of ours; each must open
 * @param quick tiny sizes and few repetitions, for a test of the benchmarks themselves
 * @param rounds of steps beside those of the peers
 * @param seeds runs of the fidelity part
 * @param repository folder of the checkout
 * @param results folder of the results of all devices
 * @param data folder of data sets, MNIST in its folder {@code mnist}
 * @param commit of the checkout
 * @param dirty whether its files differ from the commit
 */
record CpuOptions(
        List<String> parts,
        List<String> backends,
        boolean quick,
        int rounds,
        int seeds,
        Path repository,
        Path results,
        Path data,
        String commit,
        boolean dirty) {
    static final String USAGE =
            "[--quick] [--only machine,jmh,steps,peers,fidelity, or of jmh " + String.join(",", JmhPart.SUITES)
                    + "] [--backends native,java] [--rounds N] [--seeds N]"
                    + " [--results FOLDER] [--data FOLDER] [--repository FOLDER] [--commit HASH] [--dirty true|false]";

    /** All JMH suites. */
    private static final String JMH = "jmh";

    static final List<String> PARTS = Stream.of(
                    List.of("machine"), JmhPart.SUITES, List.of("steps", "peers", "fidelity"))
            .flatMap(List::stream)
            .toList();

    /** Fewer rounds show no spread. */
    private static final int ROUNDS = 5;

    static CpuOptions parse(List<String> words) {
        List<String> parts = PARTS;
        List<String> backends = List.of("native", "java");
        boolean quick = false;
        int rounds = 0;
        int seeds = 0;
        Path repository = Path.of("");
        Path results = Path.of("benchmarks/results");
        Path data = Path.of("../shared/data");
        String commit = "unknown";
        boolean dirty = false;
        for (int i = 0; i < words.size(); i++) {
            String option = words.get(i);
            if (option.equals("--quick")) {
                quick = true;
                continue;
            }
            String value = value(option, i + 1 < words.size() ? words.get(++i) : null);
            switch (option) {
                case "--only" -> parts = parts(value);
                case "--backends" -> backends = List.of(value.split(",", -1));
                case "--rounds" -> rounds = number(option, value);
                case "--seeds" -> seeds = number(option, value);
                case "--results" -> results = Path.of(value);
                case "--data" -> data = Path.of(value);
                case "--repository" -> repository = Path.of(value);
                case "--commit" -> commit = value;
                case "--dirty" -> dirty = Boolean.parseBoolean(value);
                default -> throw new IllegalArgumentException("unknown option '" + option + "'");
            }
        }
        return new CpuOptions(
                parts,
                backends,
                quick,
                rounds > 0 ? rounds : quick ? 2 : ROUNDS,
                seeds > 0 ? seeds : quick ? 1 : 5,
                repository,
                results,
                data,
                commit,
                dirty);
    }

    private static List<String> parts(String words) {
        List<String> parts = Stream.of(words.split(",", -1))
                .flatMap(word -> word.equals(JMH) ? JmhPart.SUITES.stream() : Stream.of(word))
                .toList();
        if (!Set.copyOf(PARTS).containsAll(parts)) {
            throw new IllegalArgumentException("parts " + parts + " are not all of " + PARTS);
        }
        return parts;
    }

    private static String value(String option, @Nullable String next) {
        if (next == null) {
            throw new IllegalArgumentException("option '" + option + "' needs a value");
        }
        return next;
    }

    private static int number(String option, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The message below says it all.
        }
        throw new IllegalArgumentException("option '" + option + "' needs a positive number, not '" + value + "'");
    }

    boolean has(String part) {
        return parts.contains(part);
    }

    /** {@return the steps to measure} */
    List<Workload> workloads() {
        return quick ? List.of(Workload.TINY) : List.of(Workload.M1, Workload.M2);
    }

    /** {@return the model that sessions serve} */
    Workload served() {
        return quick ? Workload.TINY : Workload.M1;
    }

    /** {@return numbers of threads to measure with} */
    List<Integer> threads() {
        return List.of(1, 2);
    }

    /** {@return the backend whose steps stand beside the peers': the first that is not the slow reference} */
    String first() {
        return backends.stream()
                .filter(name -> !name.equals("java"))
                .findFirst()
                .orElse("java");
    }
}
