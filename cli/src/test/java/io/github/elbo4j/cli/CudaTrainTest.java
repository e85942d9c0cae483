package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on backend cuda: their bits, how they go with runs of backend java, and what a fault of the GPU leaves. */
class CudaTrainTest {
    private static final List<String> PRECISIONS = List.of("fp32", "tf32", "bf16");

    /** Of an epoch's mean losses on two backends, in nats of about 500. */
    private static final double FP32_NATS = 0.01;

    private static final double SHORT_NATS = 1;

    @TempDir
    Path folder;

    private EmulatedGpu gpu;

    @BeforeEach
    void machine() {
        EmulatedGpu.assumeBuilt();
        gpu = new EmulatedGpu(folder);
    }

    private static Object[] command(Object... args) {
        return args;
    }

    private static Object[] train(String out, Object... more) {
        return Cli.with(
                command("train", "--data", "digits:300", "--hidden", 32, "--latent", 4, "--batch", 32, "--json"),
                Cli.with(command("--out", out), more));
    }

    private byte[] model(String out) throws IOException {
        return Files.readAllBytes(folder.resolve(out).resolve("model.safetensors"));
    }

    private static double testLoss(Cli.Result training, int epoch) throws IOException {
        return training.events().get(epoch - 1).object("test").number("loss");
    }

    @Test
    void everyPrecisionTrainsEvaluatesAndGoesOnWithTheSameBits() throws Exception {
        List<Object[]> commands = new ArrayList<>();
        commands.add(train("java", "--epochs", 2, "--backend", "java"));
        for (String precision : PRECISIONS) {
            Object[] cuda = command("--backend", "cuda", "--precision", precision);
            commands.add(train(precision, Cli.with(cuda, "--epochs", 2)));
            commands.add(train(precision + "-again", Cli.with(cuda, "--epochs", 1)));
            commands.add(resume(precision + "-again", 2, cuda));
            commands.add(evaluate(precision, cuda));
            commands.add(evaluate(precision, command("--backend", "java")));
        }
        List<Cli.Result> results = gpu.run(commands.toArray(Object[][]::new));
        results.forEach(result -> assertThat(result.ok().err()).isEmpty());
        double reference = testLoss(results.getFirst(), 2);
        for (int i = 0; i < PRECISIONS.size(); i++) {
            String precision = PRECISIONS.get(i);
            List<Cli.Result> of = results.subList(1 + 5 * i, 6 + 5 * i);
            double allowed = precision.equals("fp32") ? FP32_NATS : SHORT_NATS;
            double loss = testLoss(of.getFirst(), 2);
            assertThat(loss).as(precision).isCloseTo(reference, within(allowed));
            assertThat(of.getFirst().lastEvent().string("backend")).isEqualTo("cuda");
            assertThat(model(precision + "-again")).as(precision).isEqualTo(model(precision));
            // An evaluation on the same backend repeats the run's own.
            assertThat(of.get(3).lastEvent().number("loss")).as(precision).isEqualTo(loss);
            assertThat(of.get(4).lastEvent().number("loss")).as(precision).isCloseTo(loss, within(allowed));
        }
        // Each rounds in a way of its own, so an option that did nothing would show.
        assertThat(model("tf32")).isNotEqualTo(model("fp32"));
        assertThat(model("bf16")).isNotEqualTo(model("fp32")).isNotEqualTo(model("tf32"));
    }

    private static Object[] resume(String run, int epochs, Object... more) {
        return Cli.with(command("train", "--resume", run, "--epochs", epochs, "--json"), more);
    }

    private static Object[] evaluate(String run, Object... more) {
        return Cli.with(command("evaluate", run, "--json"), more);
    }

    @Test
    void runsGoFromOneBackendToAnother() throws Exception {
        List<Cli.Result> results = gpu.run(
                train("run", "--epochs", 1, "--backend", "java"),
                evaluate("run", "--backend", "cuda"),
                resume("run", 2, "--backend", "cuda"),
                resume("run", 3, "--backend", "cuda", "--precision", "bf16"),
                resume("run", 4, "--backend", "java"),
                train("whole", "--epochs", 4, "--backend", "java"),
                train("best", "--epochs", 1, "--verbose"),
                train("wrong", "--backend", "cuda", "--precision", "nonsense"),
                train("wrong", "--backend", "cuda", "--precision", "fp64"));
        assertThat(results.get(1).ok().lastEvent().number("loss"))
                .isCloseTo(testLoss(results.getFirst().ok(), 1), within(FP32_NATS));
        List<String> profiles = List.of("java-fp32", "cuda-fp32-sm90", "cuda-bf16-sm90", "java-fp32");
        for (int i = 2; i <= 4; i++) {
            assertThat(results.get(i).ok().err())
                    .containsExactly("warning: the run was trained as " + profiles.get(i - 2) + " and goes on as "
                            + profiles.get(i - 1) + ": it will not end with the same bits");
        }
        assertThat(testLoss(results.get(4), 1))
                .isCloseTo(testLoss(results.get(5).ok(), 4), within(SHORT_NATS));
        assertThat(results.get(6).ok().err()).containsExactly("backend cuda-fp32-sm90");
        for (Cli.Result wrong : results.subList(7, 9)) {
            assertThat(wrong.status()).isEqualTo(2);
            assertThat(wrong.out()).isEmpty();
        }
        assertThat(results.get(7).err())
                .containsExactly("elbo4j: backend 'cuda': precision 'nonsense' is none of fp32, tf32, bf16; see"
                        + " `elbo4j train --help`");
        assertThat(results.get(8).err())
                .containsExactly(
                        "elbo4j: backend 'cuda': precision 'fp64' is none of fp32, tf32, bf16; see `elbo4j train --help`");
        assertThat(folder.resolve("wrong")).doesNotExist();
    }

    @Test
    void aKilledProcessLosesNothingThatMatters() throws Exception {
        int epochs = 8;
        Object[] options = command("--epochs", epochs, "--backend", "cuda");
        gpu.run(train("whole", options)).ok();
        Process process = gpu.start(train("killed", options));
        try {
            while (!Files.exists(folder.resolve("killed/checkpoint.safetensors"))) {
                assertThat(process.isAlive()).isTrue();
                Thread.sleep(5);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        Cli.Result rest = gpu.run(resume("killed", epochs, "--backend", "cuda")).ok();
        assertThat(rest.out()).as("killed before its end").hasSizeGreaterThan(1);
        assertThat(model("killed")).isEqualTo(model("whole"));
        try (Stream<Path> files = Files.list(folder.resolve("killed"))) {
            assertThat(files.filter(file -> String.valueOf(file.getFileName()).startsWith(".")))
                    .isEmpty();
        }
    }

    @Test
    void aFaultOfTheGpuIsOneLineAndTheRunGoesOn() throws Exception {
        String fault =
                "failed with CUDA_ERROR_ILLEGAL_ADDRESS (700): a kernel read or wrote memory that is not its own;"
                        + " restart the process";
        Object[] options = command("--epochs", 6, "--backend", "cuda");
        Cli.Result failed = new EmulatedGpu(folder)
                .environment("EMU_FAIL", "kernel:500:700")
                .run(train("run", options));
        assertThat(failed.status()).isEqualTo(1);
        assertThat(failed.out()).as("epochs before the fault").isNotEmpty();
        assertThat(failed.err()).hasSize(1);
        assertThat(failed.err().getFirst())
                .startsWith("elbo4j: cu")
                .contains(fault)
                .endsWith("; `elbo4j train --resume run` goes on from the last checkpoint")
                .doesNotContain("Exception");

        Map<String, String> before = Cli.tree(folder.resolve("run"));
        assertThat(before).containsKeys("checkpoint.safetensors", "model.safetensors", "history.csv");
        // In the first epoch of a run that would have replaced it.
        Cli.Result early = new EmulatedGpu(folder)
                .environment("EMU_FAIL", "kernel:150:700")
                .run(Cli.with(train("run", options), "--overwrite", "--seed", 2));
        assertThat(early.status()).isEqualTo(1);
        assertThat(early.out()).isEmpty();
        assertThat(early.err()).hasSize(1);
        assertThat(early.err().getFirst()).contains(fault).doesNotContain("--resume");
        assertThat(Cli.tree(folder.resolve("run"))).isEqualTo(before);

        List<Cli.Result> rest = gpu.run(resume("run", 6, "--backend", "cuda"), train("whole", options));
        rest.forEach(Cli.Result::ok);
        assertThat(rest.getFirst().out()).hasSize(1 + 6 - failed.out().size());
        assertThat(model("run")).isEqualTo(model("whole"));
    }

    @Test
    void tooLittleMemoryIsOneLineAndLeavesNothing() throws Exception {
        List<Cli.Result> results = gpu.environment("EMU_MEMORY_MB", 200)
                .run(
                        train("large", "--backend", "cuda", "--decoder", "4000,4000"),
                        train("small", "--backend", "cuda", "--epochs", 1));
        assertThat(results.getFirst().status()).isEqualTo(2);
        assertThat(results.getFirst().out()).isEmpty();
        assertThat(results.getFirst().err()).hasSize(1);
        assertThat(results.getFirst().err().getFirst())
                .matches("elbo4j: .*needs \\d+ bytes; Emulated CUDA device 0 .* has \\d+ free of 209715200, .*")
                .endsWith("; take a smaller model, batch or data set, or end other programs on the device (nvidia-smi"
                        + " lists them)");
        assertThat(folder.resolve("large")).doesNotExist();
        // What was taken has gone back.
        results.get(1).ok();
    }

    @Test
    void aDeviceWithoutRoomToOpenSaysSo() throws Exception {
        List<Cli.Result> results = gpu.environment("EMU_MEMORY_MB", 64)
                .run(train("forced", "--backend", "cuda"), train("best", "--epochs", 1, "--verbose"));
        String reason = "opening it failed: the workspace of cuBLAS needs ";
        assertThat(results.getFirst().status()).isEqualTo(2);
        assertThat(results.getFirst().err()).hasSize(1);
        assertThat(results.getFirst().err().getFirst())
                .startsWith("elbo4j: backend 'cuda' is not available: " + reason)
                .contains("end other programs on the device")
                .doesNotContain("Exception", "report");
        assertThat(folder.resolve("forced")).doesNotExist();
        assertThat(results.get(1).ok().err()).hasSize(1);
        assertThat(results.get(1).err().getFirst()).startsWith("backend " + Cli.cpuProfile() + "; not cuda: " + reason);
    }

    /** The quickest precision to check whose products are rounded; the library's own tests take all three. */
    @Test
    void validationPasses() throws Exception {
        Cli.Result result = gpu.run("validate", "--backend", "cuda", "--precision", "tf32", "--json")
                .ok();
        assertThat(result.err()).isEmpty();
        assertThat(result.lastEvent().string("backend")).isEqualTo("cuda-tf32-sm90");
        assertThat(result.lastEvent().flag("passed")).isTrue();
        assertThat(result.lastEvent().list("kernels")).hasSizeGreaterThan(10);
    }
}
