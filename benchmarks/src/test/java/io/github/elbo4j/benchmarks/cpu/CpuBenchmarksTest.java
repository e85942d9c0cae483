package io.github.elbo4j.benchmarks.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.jmh.KernelBenchmark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.annotations.Param;

/** Every part in its quick form on the reference; the peers are not here. */
class CpuBenchmarksTest {
    /** Of tests, the working folder is the module. */
    private static final String REPOSITORY = "..";

    @TempDir
    Path folder;

    @Test
    void everyJmhBenchmarkRunsOnceAndAgreesWithTheReference() throws IOException {
        Records records = run(true, "jmh", "java");
        assertThat(records.results()).noneMatch(Result::failed);
        List<Result> results = records.results().stream()
                .filter(result -> JmhPart.SUITES.contains(result.part()))
                .toList();
        Stream<String> products =
                Stream.of("forward", "backward-input", "backward-weights").map(direction -> "linear-" + direction);
        Stream<String> others = Stream.of("training-step", "encode", "score", "model-load");
        Stream<String> kernels = KernelBenchmark.cases().stream().map(KernelCase::name);
        assertThat(results.stream()
                        .filter(result -> result.metric().equals("time"))
                        .map(result -> result.op() + (result.direction().isEmpty() ? "" : "-" + result.direction()))
                        .distinct())
                .containsExactlyInAnyOrderElementsOf(Stream.of(kernels, products, others)
                        .flatMap(names -> names)
                        .toList());
        assertThat(results)
                .filteredOn(result -> result.metric().equals("time"))
                .allSatisfy(result -> assertThat(result.values())
                        .isNotNull()
                        .satisfies(values -> assertThat(values.p50()).isPositive()));
        assertThat(results.stream().map(Result::metric).distinct())
                .containsExactlyInAnyOrder("time", "time-p99", "rate", "allocated");
    }

    @Test
    void theKernelsOfTheSuiteAreAllKernels() throws NoSuchFieldException {
        Param names = KernelBenchmark.class.getField("kernel").getAnnotation(Param.class);
        assertThat(names.value())
                .containsExactlyElementsOf(
                        KernelBenchmark.cases().stream().map(KernelCase::name).toList());
    }

    @Test
    void stepsAndTrainingRunInProcessesOfTheirOwn() throws IOException {
        Records records = run(true, "steps,fidelity", "java");
        for (String shape : List.of("TINY-t1", "TINY-t2", "TINY-t1-full-rows", "TINY-t2-full-rows")) {
            assertThat(records.find("training-step", "", "java", shape, StepsPart.TIME))
                    .hasValueSatisfying(time -> {
                        assertThat(time.p50()).isPositive();
                        assertThat(time.samples()).isEqualTo(2);
                    });
            assertThat(records.find("training-step", "", "java", shape, "loss-91-to-100"))
                    .hasValueSatisfying(loss -> assertThat(loss.p50()).isBetween(50.0, 600.0));
        }
        assertThat(records.find("training", "", "java", "TINY-t2", "test-loss")).isPresent();
        assertThat(records.find("training", "", "java", "TINY-t2", "wall-time")).isPresent();
    }

    @Test
    void aMachineHasItsLimitsOrTheReasonWhyNot() throws IOException {
        List<Result> results = run(true, "machine", "java").results().stream()
                .filter(result -> result.part().equals(MachinePart.PART))
                .toList();
        if (results.stream().anyMatch(result -> result.more().containsKey(Result.SKIPPED))) {
            assertThat(results)
                    .hasSize(3)
                    .allSatisfy(
                            result -> assertThat(String.valueOf(result.more().get(Result.SKIPPED)))
                                    .contains("g++"));
        } else {
            assertThat(results)
                    .extracting(result -> result.op() + " " + result.shape())
                    .containsExactlyInAnyOrder(
                            "fma peak-t1",
                            "fma peak-t2",
                            "copy in-cache-t1",
                            "copy in-cache-t2",
                            "copy out-of-cache-t1",
                            "copy out-of-cache-t2",
                            "read weights-t1",
                            "read weights-t2");
            assertThat(results)
                    .allSatisfy(result -> assertThat(result.values())
                            .isNotNull()
                            .satisfies(rate -> assertThat(rate.p50()).isPositive()));
        }
    }

    @Test
    void aBackendThatDoesNotOpenIsAFailure() throws IOException {
        Records records = run(false, "jmh", "nosuch");
        assertThat(records.results())
                .filteredOn(Result::failed)
                .singleElement()
                .satisfies(result -> assertThat(String.valueOf(result.more().get(Result.ERROR)))
                        .contains("nosuch"));
    }

    /** {@return the record of a run, which passes as expected} */
    private Records run(boolean passes, String parts, String backends) throws IOException {
        CpuOptions options = CpuOptions.parse(List.of(
                "--quick",
                "--only",
                parts,
                "--backends",
                backends,
                "--repository",
                REPOSITORY,
                "--results",
                folder.toString(),
                "--commit",
                "0123456789"));
        assertThat(CpuBenchmarks.run(options)).isEqualTo(passes);
        try (Stream<Path> files = Files.walk(folder)) {
            return Records.read(files.filter(file -> file.toString().endsWith(".json"))
                    .findFirst()
                    .orElseThrow());
        }
    }
}
