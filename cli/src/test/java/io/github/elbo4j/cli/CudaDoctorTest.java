package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a user is told of a machine whose GPU can be used, and of one on which something is missing. */
class CudaDoctorTest {
    private static final String FIRST = "GPU-656d756c-6174-6564-0000-000000000000";
    private static final String SECOND = "GPU-656d756c-6174-6564-0000-000000000001";

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
        return Cli.tiny(Cli.with(new Object[] {"--epochs", 1, "--out", out}, more));
    }

    /** The entry of backend cuda in what {@code doctor --json} printed. */
    private static Map<?, ?> cuda(Cli.Result doctor) throws Exception {
        JsonObject event = doctor.ok().lastEvent();
        assertThat(doctor.err()).isEmpty();
        for (Object entry : event.list("backends")) {
            if (entry instanceof Map<?, ?> backend && "cuda".equals(backend.get("name"))) {
                return backend;
            }
        }
        throw new AssertionError("no backend cuda in " + doctor);
    }

    private static Map<?, ?> findings(Cli.Result doctor) throws Exception {
        return cuda(doctor).get("findings") instanceof Map<?, ?> findings ? findings : Map.of();
    }

    /** Backend cuda is refused for one reason, with one remedy, wherever a user may ask for it. */
    private void isRefused(EmulatedGpu machine, String reason, String remedy) throws Exception {
        List<Cli.Result> results = machine.run(
                command("doctor", "--json"),
                command("doctor"),
                train("forced", "--backend", "cuda"),
                train("best", "--verbose"));
        Map<?, ?> cuda = cuda(results.getFirst());
        assertThat(cuda.get("available")).isEqualTo(false);
        assertThat(problems(cuda)).hasSize(1);
        String because = textOfProblem(cuda, "reason");
        String mended = textOfProblem(cuda, "remedy");
        assertThat(because).startsWith(reason);
        assertThat(mended).contains(remedy);
        assertThat(results.getFirst().lastEvent().string("best")).isEqualTo(Cli.cpuBackend());

        Cli.Result text = results.get(1).ok();
        assertThat(text.err()).isEmpty();
        int backend = text.out().indexOf("backend     cuda: not available");
        assertThat(backend).as("%s", text).isPositive();
        assertThat(text.out().get(backend + 1).strip()).isEqualTo("problem: " + because);
        assertThat(text.out().get(backend + 2).strip()).isEqualTo("remedy: " + mended);
        assertThat(text.out().getLast()).startsWith("best        " + Cli.cpuProfile() + " on ");

        Cli.Result forced = results.get(2);
        assertThat(forced.status()).isEqualTo(2);
        assertThat(forced.out()).isEmpty();
        assertThat(forced.err()).containsExactly("elbo4j: backend 'cuda' is not available: " + because + "; " + mended);
        assertThat(folder.resolve("forced")).doesNotExist();

        Cli.Result best = results.get(3).ok();
        assertThat(best.err())
                .containsExactly("backend " + Cli.cpuProfile() + "; not cuda: " + because + "; " + mended);
        assertThat(folder.resolve("best/model.safetensors")).exists();
    }

    private static List<?> problems(Map<?, ?> backend) {
        return backend.get("problems") instanceof List<?> problems ? problems : List.of();
    }

    private static String textOfProblem(Map<?, ?> backend, String name) {
        return problems(backend).stream()
                .map(problem -> problem instanceof Map<?, ?> texts ? String.valueOf(texts.get(name)) : "?")
                .collect(Collectors.joining(" | "));
    }

    @Test
    void noDriver() throws Exception {
        gpu.withoutDriver();
        List<Cli.Result> results = gpu.run(
                command("doctor", "--json"),
                train("tf32", "--precision", "tf32"),
                train("device", "--device", 0),
                train("java", "--backend", "java", "--precision", "tf32"));
        if (findings(results.getFirst()).containsKey("driver")) {
            Required.skip("this machine has an NVIDIA driver");
        }
        String reason = "there is no NVIDIA driver: libcuda.so.1 was not found";
        isRefused(gpu, reason, "install the NVIDIA driver, 580 or newer");
        // What only a GPU could do is not done by something else.
        for (Cli.Result result : results.subList(1, 4)) {
            assertThat(result.status()).as("%s", result).isEqualTo(2);
            assertThat(result.out()).isEmpty();
            assertThat(result.err()).hasSize(1);
        }
        assertThat(results.get(1).err().getFirst())
                .startsWith("elbo4j: no backend opens with {precision=tf32}; not cuda: " + reason)
                .contains("backend 'java': precision 'tf32' is not fp32 or fp64");
        assertThat(results.get(2).err().getFirst()).startsWith("elbo4j: backend 'cuda' is not available: " + reason);
        assertThat(results.get(3).err())
                .containsExactly(
                        "elbo4j: backend 'java': precision 'tf32' is not fp32 or fp64; see `elbo4j train" + " --help`");
        for (String out : List.of("tf32", "device", "java")) {
            assertThat(folder.resolve(out)).doesNotExist();
        }
    }

    @Test
    void noCublas() throws Exception {
        gpu.driverOnly();
        if (findings(gpu.run("doctor", "--json")).containsKey("cuBLAS")) {
            Required.skip("this machine has a cuBLAS");
        }
        isRefused(gpu, "no cuBLAS 12 or newer was found on the system's library path, in CUDA_HOME", "pip install");
    }

    @Test
    void noCublasWhereItIsNamed() throws Exception {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        isRefused(gpu.cublas(empty), "-Delbo4j.cublas.path=" + empty, "name a file libcublas.so.12 or newer");
    }

    @Test
    void aDriverThatIsTooOld() throws Exception {
        isRefused(
                gpu.environment("EMU_DRIVER_VERSION", 12040),
                "the NVIDIA driver is too old: it is for CUDA 12.4, the kernels need CUDA 13.0",
                "update the NVIDIA driver to 580 or newer");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            34  | CUDA_ERROR_STUB_LIBRARY                   | remove the toolkit's stubs folder from LD_LIBRARY_PATH
            46  | CUDA_ERROR_DEVICE_UNAVAILABLE             | nvidia-smi -c DEFAULT
            100 | CUDA_ERROR_NO_DEVICE                      | CUDA_VISIBLE_DEVICES
            101 | CUDA_ERROR_INVALID_DEVICE                 | nvidia-smi -L
            803 | CUDA_ERROR_SYSTEM_DRIVER_MISMATCH         | restart the machine
            804 | CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE | remove cuda-compat
            999 | CUDA_ERROR_UNKNOWN                        | Xid lines
            """)
    void aDriverThatDoesNotStart(int code, String name, String remedy) throws Exception {
        isRefused(gpu.environment("EMU_INIT_RESULT", code), "cuInit failed with " + name + " (" + code + "): ", remedy);
    }

    @Test
    void hiddenDevices() throws Exception {
        isRefused(
                gpu.environment("CUDA_VISIBLE_DEVICES", ""),
                "cuInit failed with CUDA_ERROR_NO_DEVICE (100)",
                "whether CUDA_VISIBLE_DEVICES hides it");
    }

    @Test
    void aNewerCublasTrainsThroughTheForwardingLibrary() throws Exception {
        Path cublas = EmulatedGpu.file("cublas13");
        List<Cli.Result> results =
                gpu.cublas(cublas).run(command("doctor", "--json"), train("newer", "--backend", "cuda"));
        if (textOfProblem(cuda(results.getFirst()), "reason").contains("no forwarding library")) {
            Required.skip("the build of cuda/ needs gcc and nm for the forwarding library");
        }
        assertThat(cuda(results.getFirst()).get("available")).isEqualTo(true);
        assertThat(String.valueOf(findings(results.getFirst()).get("cuBLAS")))
                .isEqualTo("13 (" + cublas.resolve("libcublas.so.13")
                        + ", by -Delbo4j.cublas.path, through the forwarding library)");
        results.get(1).ok();
        new EmulatedGpu(folder).run(train("asked-for", "--backend", "cuda")).ok();
        assertThat(folder.resolve("newer/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("asked-for/model.safetensors"));
    }

    @Test
    void severalDevices() throws Exception {
        List<Cli.Result> results = gpu.environment("EMU_DEVICES", 2)
                .run(
                        command("doctor"),
                        train("first"),
                        train("by-index", "--device", 1),
                        train("by-uuid", "--backend", "cuda", "--device", SECOND),
                        train("none", "--device", 7),
                        train("both", "--device", FIRST.substring(0, 12)));
        List<String> doctor = results.getFirst().ok().out();
        assertThat(doctor)
                .contains(
                        "backend     cuda: available",
                        "              driver: NVIDIA driver for CUDA 13.0",
                        "              device 0: Emulated CUDA device 0, compute capability 9.0, 2.0 GiB, " + FIRST,
                        "              device 1: Emulated CUDA device 1, compute capability 9.0, 2.0 GiB, " + SECOND,
                        "              cuBLAS: 12 (" + EmulatedGpu.file("libcublas.so.12")
                                + ", by -Delbo4j.cublas.path)");
        assertThat(doctor.getLast()).startsWith("best        cuda-fp32-sm90 on Emulated CUDA device 0");

        trainedOn(results.get(1), 0);
        trainedOn(results.get(2), 1);
        trainedOn(results.get(3), 1);
        String known = "name one by index or UUID: 0 = " + FIRST + " Emulated CUDA device 0, 1 = " + SECOND
                + " Emulated CUDA device 1; see `elbo4j train --help`";
        assertThat(results.get(4).status()).isEqualTo(2);
        assertThat(results.get(4).err()).containsExactly("elbo4j: device '7' names no device; " + known);
        assertThat(results.get(5).status()).isEqualTo(2);
        assertThat(results.get(5).err()).containsExactly("elbo4j: device 'GPU-656d756c' names 2 devices; " + known);
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"1", SECOND})
    void oneOfSeveralDevicesIsShown(String visible) throws Exception {
        List<Cli.Result> results = gpu.environment("EMU_DEVICES", 2)
                .environment("CUDA_VISIBLE_DEVICES", visible)
                .run(
                        command("doctor", "--json"),
                        train("shown", "--device", SECOND),
                        train("hidden", "--device", FIRST));
        assertThat(String.valueOf(findings(results.getFirst()).get("device 0")))
                .startsWith("Emulated CUDA device 1,")
                .endsWith(SECOND);
        assertThat(findings(results.getFirst()).containsKey("device 1")).isFalse();
        trainedOn(results.get(1), 1);
        assertThat(results.get(2).status()).isEqualTo(2);
        assertThat(results.get(2).err().getFirst()).contains("names no device", "0 = " + SECOND);
    }

    private static void trainedOn(Cli.Result result, int device) {
        assertThat(result.ok().err()).isEmpty();
        assertThat(result.out())
                .filteredOn(line -> line.startsWith("backend   "))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("backend   cuda (cuda-fp32-sm90) on Emulated CUDA device " + device + " (");
    }
}
