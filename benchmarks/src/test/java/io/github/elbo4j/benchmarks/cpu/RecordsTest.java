package io.github.elbo4j.benchmarks.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordsTest {
    private static final String COMMIT = "0123456789abcdef";

    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadAgain() throws IOException {
        Records records = records("2030-01-02T03:04:05Z");
        records.put("steps", List.of(step("native", 1000).with("setting", "default")));
        records.put("machine", List.of(Result.without(Result.SKIPPED, "machine", "fma", "machine", "", "no\ng++")));
        Records read = Records.read(records.file());
        assertThat(read.results()).isEqualTo(records.results()).hasSize(2);
        assertThat(read.facts()).isEqualTo(records.facts());
        assertThat(read.find("training-step", "", "native", "M1-t1", StepsPart.TIME))
                .hasValueSatisfying(values -> assertThat(values.p50()).isEqualTo(1000));
        assertThat(read.results().getLast().more()).containsEntry(Result.SKIPPED, "no g++");
        assertThat(records.file()).hasFileName("2030-01-02-0123456.json").hasParent(folder.resolve("a-b-2-cores"));
    }

    @Test
    void aPartReplacesItsOwnResultsOnly() throws IOException {
        records("2030-01-02T03:04:05Z").put("steps", List.of(step("native", 1000), step("java", 5000)));
        Records later = records("2030-01-02T09:00:00Z");
        later.put("kernels", List.of());
        later.put("steps", List.of(step("native", 900)));
        assertThat(Records.read(later.file()).results())
                .singleElement()
                .satisfies(result -> assertThat(result.more()).containsEntry("date", "2030-01-02T09:00:00Z"));
    }

    @Test
    void theNewestRecordIsFoundAmongOtherFiles() throws IOException {
        assertThat(Records.newest(folder, "steps")).isEmpty();
        records("2030-01-02T03:04:05Z").put("steps", List.of(step("native", 1)));
        Records newest = records("2030-01-03T00:00:00Z");
        newest.put("steps", List.of(step("native", 1)));
        Files.writeString(newest.file().resolveSibling("2031-01-01-0123456-fidelity.jsonl"), "{}\n");
        assertThat(Records.newest(folder, "steps").map(Records::file)).contains(newest.file());
    }

    @Test
    void anotherFileIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("other.json"), "{\"schema\":7}");
        assertThatThrownBy(() -> Records.read(file))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("schema 1");
    }

    @Test
    void everyNumberIsALineOfTheTableAndARunReplacesItself() throws IOException {
        Records records = records("2030-01-02T03:04:05Z");
        records.put(
                "steps",
                List.of(step("native", 1000), Result.without(Result.ERROR, "steps", "training-step", "x", "", "no")));
        CsvFile.write(records);
        CsvFile.write(records);
        Records next = records("2030-01-03T03:04:05Z");
        next.put("steps", List.of(step("native", 900)));
        CsvFile.write(next);
        assertThat(records.file().resolveSibling(CsvFile.NAME))
                .hasContent(String.join(
                        "\n",
                        "op,backend,direction,shape,metric,unit,p20,p50,p80,device,driver,cuda,jdk,commit,dirty,date",
                        "training-step,native,,M1-t1,time-in-rounds,us,1000.00,1000.00,1000.00,\"A (B), 2 cores\",,,25.0.1,"
                                + COMMIT + ",false,2030-01-02T03:04:05Z",
                        "training-step,native,,M1-t1,time-in-rounds,us,900.000,900.000,900.000,\"A (B), 2 cores\",,,25.0.1,"
                                + COMMIT + ",false,2030-01-03T03:04:05Z"));
    }

    @Test
    void aCellIsQuotedWhereItMustBe() {
        assertThat(CsvFile.cell("a")).isEqualTo("a");
        assertThat(CsvFile.cell("a,\"b\"")).isEqualTo("\"a,\"\"b\"\"\"");
    }

    @Test
    void quantilesLieBetweenSamples() {
        Quantiles values = Quantiles.of(6, 1, 2, 3, 4, 5);
        assertThat(values).isEqualTo(new Quantiles(2, 3.5, 5, 6));
        assertThat(values.map(x -> 1 / x)).isEqualTo(new Quantiles(0.2, 1 / 3.5, 0.5, 6));
        assertThatThrownBy(() -> Quantiles.of(1, Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(Quantiles::of).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theWorkOfAStepIsThatOfItsProducts() {
        // 2 * 128 * (5 * 784 * 400 + 9 * 20 * 400), as the scripts of the GPU peers have it.
        assertThat(Workload.M1.flops()).isEqualTo(419_840_000);
        assertThat(Workload.M2.flops()).isEqualTo(2.0 * 512 * 2_867_200);
        assertThat(Workload.M1.encoderBytes()).isEqualTo(4L * (784 * 400 + 400 + 40 * 400 + 40));
        assertThat(Workload.M2.layers())
                .containsExactly("encoder.0", "encoder.1", "heads", "decoder.0", "decoder.1", "logits");
    }

    @Test
    void wrongOptionsAreNamed() {
        wrong("gpu", "--only", "gpu");
        wrong("--speed", "--speed", "1");
        wrong("--rounds", "--rounds", "0");
        wrong("--rounds", "--rounds", "x");
        wrong("--only", "--only");
        assertThat(CpuOptions.parse(List.of("--backends", "java,native")).first())
                .isEqualTo("native");
        assertThat(CpuOptions.parse(List.of()).rounds()).isGreaterThanOrEqualTo(5);
    }

    @Test
    void promisesAreJudgedByTheLimitsOfTheSameRun() throws IOException {
        Records records = records("2030-01-02T03:04:05Z");
        records.put(
                "machine",
                List.of(
                        result("machine", "fma", "machine", "", "peak-t1", "rate", 200),
                        result("machine", "read", "machine", "", "weights-t1", "rate", 100),
                        result("machine", "copy", "machine", "", "out-of-cache-t1", "rate", 20)));
        records.put(
                "steps",
                List.of(
                        result("steps", "training-step", "native", "", "M1-t1-full-rows", StepsPart.RATE, 170),
                        result("steps", "training-step", "native", "", "M1-t2", StepsPart.RATE, 170),
                        step("native", 1500),
                        result(
                                "steps",
                                "training-step",
                                "deeplearning4j",
                                "",
                                "M1-t1",
                                StepsPart.TIME_OF_SETTING + "default-passive",
                                9000),
                        result("steps", "training-step", "native", "", "M2-t1-full-rows", StepsPart.RATE, 170),
                        result(
                                "steps",
                                "training-step",
                                "native",
                                "",
                                "M1-t1",
                                "speedup-over-libtorch-bytedeco",
                                1.7)));
        records.put(
                "kernels",
                List.of(
                        result(
                                "kernels",
                                "bernoulli",
                                "native",
                                "forward-backward",
                                JmhPart.IN_CACHE + "-t1",
                                "time",
                                40),
                        result("kernels", "adam", "native", "", JmhPart.OUT_OF_CACHE + "-t1", "rate", 19),
                        result("kernels", "encode", "native", "", "M1-b1-t1", "time", 16),
                        result("kernels", "encode", "native", "", "M1-b1-t1", "time-p99", 50),
                        result("kernels", "encode", "native", "", "M1-b1-t1", "allocated", 0.1)));
        List<Result> targets = Targets.of(records, "native");
        assertThat(targets)
                .extracting(target -> target.shape() + " " + target.metric() + " "
                        + target.more().getOrDefault("met", "open"))
                .containsExactly(
                        "M1-t1 speedup-over-libtorch-bytedeco false",
                        "M1-t2 speedup-over-libtorch-bytedeco open",
                        "M2-t1 speedup-over-libtorch-bytedeco open",
                        "M2-t2 speedup-over-libtorch-bytedeco open",
                        "M1-t1 speedup-over-deeplearning4j open",
                        "M1-t1 speedup-over-deeplearning4j-as-it-comes true",
                        "M1-t2 speedup-over-deeplearning4j open",
                        "M1-t2 speedup-over-deeplearning4j-as-it-comes open",
                        "M2-t1 speedup-over-deeplearning4j open",
                        "M2-t1 speedup-over-deeplearning4j-as-it-comes open",
                        "M2-t2 speedup-over-deeplearning4j open",
                        "M2-t2 speedup-over-deeplearning4j-as-it-comes open",
                        "M1-t1-full-rows share-of-fma-peak true",
                        "M1-t2-full-rows share-of-fma-peak open",
                        "M2-t1-full-rows share-of-fma-peak false",
                        "M2-t2-full-rows share-of-fma-peak open",
                        JmhPart.IN_CACHE + "-t1 time-per-element true",
                        JmhPart.IN_CACHE / 20 * 20 + "-t1 time-per-element open",
                        JmhPart.OUT_OF_CACHE + "-t1 share-of-copy true",
                        JmhPart.OUT_OF_CACHE + "-t2 share-of-copy open",
                        "M1-b1-t1 time-by-reading-weights true",
                        "M1-b1-t1 time-p99-by-reading-weights false",
                        "M1-b1-t1 allocated-by-call true");
        assertThat(targets)
                .allSatisfy(target ->
                        assertThat(target.more().containsKey(Result.SKIPPED)).isEqualTo(target.values() == null));
    }

    @Test
    void theReadmeHasTheNewestTableOrTheCheckFails() throws IOException {
        Path readme = folder.resolve("README.md");
        Files.writeString(readme, "before\n" + ReadmeTable.BEGIN + "\n" + ReadmeTable.END + "\nafter\n");
        assertThatThrownBy(() -> ReadmeTable.run(readme, folder.resolve("none"), true))
                .hasMessageContaining("benchmarks/run");
        Records kernels = records("2030-01-02T03:04:04Z");
        kernels.put("kernels", List.of(result("kernels", "adam", "native", "", "1-t1", "time", 1)));
        assertThatThrownBy(() -> ReadmeTable.run(readme, folder, true)).hasMessageContaining("benchmarks/run");
        Records records = records("2030-01-02T03:04:05Z");
        records.put(
                "steps",
                List.of(
                        step("native", 1500),
                        step("libtorch-bytedeco", 3400),
                        result("steps", "training-step", "native", "", "M1-t1", "speedup-over-libtorch-bytedeco", 2.27),
                        result("steps", "training-step", "native", "", "M1-t1-full-rows", StepsPart.TIME, 1900),
                        result(
                                "steps",
                                "training-step",
                                "native",
                                "",
                                "M1-t1-full-rows",
                                "speedup-over-libtorch-bytedeco",
                                1.79)));
        assertThat(ReadmeTable.run(readme, folder, true)).isEqualTo(1);
        assertThat(ReadmeTable.run(readme, folder, false)).isZero();
        assertThat(ReadmeTable.run(readme, folder, true)).isZero();
        assertThat(readme)
                .content()
                .startsWith("before\n")
                .endsWith("\nafter\n")
                .contains(
                        "| training step, ms | `native` | libtorch (bytedeco) |",
                        "| M1, 1 thread | 1.50 | 3.40 (2.3x) |",
                        "| M1, 1 thread, full rows | 1.90 | (1.8x) |",
                        "](benchmarks/results/a-b-2-cores/2030-01-02-0123456.json)");
    }

    @Test
    void aReadmeWithoutAPlaceForTheTableIsRefused() throws IOException {
        Path readme = Files.writeString(folder.resolve("README.md"), "nothing\n");
        assertThatThrownBy(() -> ReadmeTable.run(readme, folder, true)).hasMessageContaining(ReadmeTable.BEGIN);
    }

    @Test
    void everyStepIsABar() throws IOException {
        Records records = records("2030-01-02T03:04:05Z");
        assertThat(StepChart.svg(records)).isEmpty();
        records.put("steps", List.of(step("native", 1500), step("a<b", 3000)));
        String svg = StepChart.svg(records).orElseThrow();
        // One more is the background.
        assertThat(svg.split("<rect ", -1)).hasSize(4);
        assertThat(svg)
                .contains(">M1, 1 thread<", ">1.50<", ">3.00<", ">a&lt;b<", "width=\"180.0\"", "width=\"360.0\"");
    }

    private static void wrong(String named, String... words) {
        assertThatThrownBy(() -> CpuOptions.parse(List.of(words)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }

    private Records records(String date) throws IOException {
        return Records.open(folder, new Facts("A (B), 2 cores", "25.0.1", COMMIT, false, date, Map.of("elbo4j", "1")));
    }

    private static Result step(String backend, double micros) {
        return result("steps", "training-step", backend, "", "M1-t1", StepsPart.TIME, micros);
    }

    private static Result result(
            String part, String op, String backend, String direction, String shape, String metric, double value) {
        return Result.of(part, op, backend, direction, shape, metric, "us", Quantiles.of(value));
    }
}
