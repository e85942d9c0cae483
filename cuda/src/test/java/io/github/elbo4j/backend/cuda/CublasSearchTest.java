package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The search on made-up file systems. */
class CublasSearchTest {
    private static final byte[] X86_64 = header(2, 62);
    private static final byte[] AARCH64 = header(2, 183);
    private static final byte[] I386 = header(1, 3);

    @TempDir
    Path root;

    @BeforeEach
    void platform() {
        Tools.needPlatform();
    }

    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, Path> system = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private @Nullable String configured;

    private static byte[] header(int elfClass, int machine) {
        byte[] header = new byte[64];
        header[0] = 0x7f;
        header[1] = 'E';
        header[2] = 'L';
        header[3] = 'F';
        header[4] = (byte) elfClass;
        header[18] = (byte) machine;
        return header;
    }

    private Path at(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    private Path put(String absolute) {
        return put(absolute, X86_64);
    }

    private Path put(String absolute, byte[] content) {
        try {
            Path file = at(absolute);
            Files.createDirectories(file.getParent());
            return Files.write(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private CublasSearch.Outcome search() {
        return new CublasSearch(new CublasSearch.Host(root, environment, configured, name -> {
                    asked.add(name);
                    return Optional.ofNullable(system.get(name));
                }))
                .run();
    }

    private CublasLibrary found() {
        CublasSearch.Outcome outcome = search();
        assertThat(outcome).isInstanceOf(CublasSearch.Outcome.Found.class);
        return ((CublasSearch.Outcome.Found) outcome).library();
    }

    private Problem none() {
        CublasSearch.Outcome outcome = search();
        assertThat(outcome).isInstanceOf(CublasSearch.Outcome.None.class);
        return ((CublasSearch.Outcome.None) outcome).problem();
    }

    private void finds(String absolute, int major, String way) {
        CublasLibrary library = found();
        assertThat(library.file()).isEqualTo(at(absolute));
        assertThat(library.major()).isEqualTo(major);
        assertThat(library.way()).isEqualTo(way);
        assertThat(library.needsForwarding()).isEqualTo(major != 12);
    }

    @Test
    void anEmptyMachineHasNoneAndSaysWhereItLooked() {
        Problem problem = none();
        assertThat(problem.reason())
                .isEqualTo("no cuBLAS 12 or newer was found on the system's library path, in CUDA_HOME, CUDA_PATH,"
                        + " /usr/local/cuda* and the nvidia folders of Python environments");
        assertThat(problem.remedy())
                .contains("install cuBLAS 12 or 13")
                .contains("pip install nvidia-cublas")
                .contains("-Delbo4j.cublas.path=FILE_OR_FOLDER");
        assertThat(asked).startsWith("libcublas.so.12", "libcublas.so.13").doesNotHaveDuplicates();
    }

    @Test
    void theSystemsTwelveIsTakenBeforeAllElse() {
        system.put("libcublas.so.12", put("/usr/lib/x86_64-linux-gnu/libcublas.so.12"));
        environment.put("CUDA_HOME", "/opt/cuda");
        put("/opt/cuda/lib64/libcublas.so.12");
        finds("/usr/lib/x86_64-linux-gnu/libcublas.so.12", 12, "the system's library path");
        assertThat(asked).containsExactly("libcublas.so.12");
    }

    @Test
    void aTwelveAnywhereIsTakenBeforeAThirteenOfTheSystem() {
        system.put("libcublas.so.13", put("/usr/lib/libcublas.so.13"));
        put("/usr/local/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
        finds(
                "/usr/local/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
                12,
                "the Python packages of " + at("/usr/local"));
        assertThat(asked).containsExactly("libcublas.so.12");
    }

    @Test
    void placesAreSearchedInOrder() throws IOException {
        environment.put("CUDA_HOME", "/opt/home");
        environment.put("CUDA_PATH", "/opt/path");
        environment.put("VIRTUAL_ENV", "/srv/env");
        String[][] places = {
            {"/opt/home/lib64/libcublas.so.12", "CUDA_HOME"},
            {"/opt/home/lib/libcublas.so.12", "CUDA_HOME"},
            {"/opt/home/targets/x86_64-linux/lib/libcublas.so.12", "CUDA_HOME"},
            {"/opt/path/lib64/libcublas.so.12", "CUDA_PATH"},
            {"/usr/local/cuda/lib64/libcublas.so.12", "/usr/local/cuda"},
            {"/usr/local/cuda-13.1/lib64/libcublas.so.12", "/usr/local/cuda-13.1"},
            {"/usr/local/cuda-12.10/lib64/libcublas.so.12", "/usr/local/cuda-12.10"},
            {"/usr/local/cuda-12.9/lib64/libcublas.so.12", "/usr/local/cuda-12.9"},
            {"/srv/env/lib/python3.13/site-packages/nvidia/cublas/lib/libcublas.so.12", "env"},
            {"/usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublas.so.12", "usr"},
        };
        for (String[] place : places) {
            put(place[0]);
        }
        for (String[] place : places) {
            String way = place[1].equals("env") || place[1].equals("usr")
                    ? "the Python packages of " + at(place[1].equals("env") ? "/srv/env" : "/usr")
                    : place[1];
            finds(place[0], 12, way);
            Files.delete(at(place[0]));
        }
        none();
    }

    @Test
    void thirteenIsTakenFromTheSystemBeforeAToolkit() {
        system.put("libcublas.so.13", put("/usr/lib/libcublas.so.13"));
        put("/usr/local/cuda-13.0/lib64/libcublas.so.13");
        finds("/usr/lib/libcublas.so.13", 13, "the system's library path");
    }

    @Test
    void theOldestThatWillDoIsTaken() {
        put("/usr/local/cuda-15.0/lib64/libcublas.so.15");
        put("/usr/local/cuda-14.2/lib64/libcublas.so.14");
        system.put("libcublas.so.16", put("/usr/lib/libcublas.so.16"));
        finds("/usr/local/cuda-14.2/lib64/libcublas.so.14", 14, "/usr/local/cuda-14.2");
        assertThat(asked).containsExactly("libcublas.so.12", "libcublas.so.13", "libcublas.so.14");
        system.put("libcublas.so.13", put("/usr/lib/libcublas.so.13"));
        finds("/usr/lib/libcublas.so.13", 13, "the system's library path");
    }

    @Test
    void aVersionFarAheadIsFoundToo() {
        put("/usr/local/cuda/lib64/libcublas.so.123");
        finds("/usr/local/cuda/lib64/libcublas.so.123", 123, "/usr/local/cuda");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/usr/local/lib/python3.9/site-packages/nvidia/cublas/lib/libcublas.so.12",
                "/usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublas.so.12",
                "/usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublas.so.12",
                "/usr/lib64/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12",
                "/opt/conda/lib/python3.12/site-packages/nvidia/cu12/lib/libcublas.so.12",
                "/home/me/.local/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
                "/srv/conda/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
                "/srv/conda/lib/libcublas.so.12",
                "/srv/venv/lib/python3.14/site-packages/nvidia/cublas/lib/libcublas.so.12",
                "/srv/tools/lib/python3.14/site-packages/nvidia/cublas/lib/libcublas.so.12",
            })
    void pythonEnvironmentsAreSearched(String file) throws IOException {
        environment.put("HOME", "/home/me");
        environment.put("CONDA_PREFIX", "/srv/conda");
        environment.put("VIRTUAL_ENV", "/srv/venv");
        environment.put("PATH", "relative::/usr/bin:/srv/tools/bin");
        assertThat(put("/srv/tools/bin/python3").toFile().setExecutable(true)).isTrue();
        put(file);
        assertThat(found().file()).isEqualTo(at(file));
    }

    @Test
    void aFolderOnThePathWithoutPythonIsNoEnvironment() {
        environment.put("PATH", "/srv/tools/bin");
        put("/srv/tools/lib/python3.14/site-packages/nvidia/cublas/lib/libcublas.so.12");
        none();
    }

    @Test
    void newerPythonsComeFirst() {
        String packages = "/site-packages/nvidia/cu13/lib/libcublas.so.13";
        put("/usr/local/lib/python3.9" + packages);
        put("/usr/local/lib/python3.12" + packages);
        put("/usr/local/lib/python3.11" + packages);
        finds("/usr/local/lib/python3.12" + packages, 13, "the Python packages of " + at("/usr/local"));
    }

    @Test
    void libcublasLtIsTakenFromBesideTheLibrary() {
        put("/usr/local/cuda/lib64/libcublas.so.13");
        put("/usr/local/cuda/lib64/libcublasLt.so.12");
        assertThat(found().lt()).isEmpty();
        Path lt = put("/usr/local/cuda/lib64/libcublasLt.so.13");
        assertThat(found().lt()).contains(lt);
    }

    @Test
    void libcublasLtIsTakenFromWhereALinkLeads() throws IOException {
        Path real = put("/opt/real/libcublas.so.12.6.4.1");
        Path lt = put("/opt/real/libcublasLt.so.12");
        Path link = at("/usr/local/cuda/lib64/libcublas.so.12");
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, real);
        CublasLibrary library = found();
        assertThat(library.file()).isEqualTo(link);
        assertThat(library.lt().orElseThrow().toRealPath()).isEqualTo(lt.toRealPath());
    }

    @Test
    void libcublasLtOfTheSystemIsFoundToo() {
        system.put("libcublas.so.12", put("/usr/lib/libcublas.so.12"));
        Path lt = put("/usr/lib/libcublasLt.so.12");
        assertThat(found().lt()).contains(lt);
    }

    @Test
    void aFileWithItsWholeVersionWillDo() {
        put("/usr/local/cuda/lib64/libcublas.so.12.8.4.1");
        finds("/usr/local/cuda/lib64/libcublas.so.12.8.4.1", 12, "/usr/local/cuda");
        put("/usr/local/cuda/lib64/libcublas.so.12");
        finds("/usr/local/cuda/lib64/libcublas.so.12", 12, "/usr/local/cuda");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "libcublas.so",
                "libcublas.so.",
                "libcublas.so.x",
                "libcublas.so.12a",
                "libcublas.so.12.",
                "libcublas.so.99999",
                "libcublasLt.so.12",
                "xlibcublas.so.12",
                "libcublas.12.so"
            })
    void otherNamesAreNotTaken(String name) {
        put("/usr/local/cuda/lib64/" + name);
        none();
    }

    @Test
    void whatCannotBeUsedIsPassedOverAndSaid() throws IOException {
        put("/usr/local/cuda-11.8/lib64/libcublas.so.11");
        put("/usr/local/cuda-12.1/lib64/libcublas.so.12", AARCH64);
        put("/usr/local/cuda-12.2/lib64/libcublas.so.12", I386);
        put("/usr/local/cuda-12.3/lib64/libcublas.so.12", new byte[0]);
        put(
                "/usr/local/cuda-12.4/lib64/libcublas.so.12",
                "INPUT(libcublas.so.12.4)\n".getBytes(StandardCharsets.US_ASCII));
        Files.createDirectories(at("/usr/local/cuda-12.5/lib64/libcublas.so.12"));
        Path dangling = at("/usr/local/cuda-12.6/lib64/libcublas.so.12");
        Files.createDirectories(dangling.getParent());
        Files.createSymbolicLink(dangling, at("/gone"));
        assertThat(none().reason())
                .contains("cuda-11.8/lib64/libcublas.so.11 is older than 12")
                .contains("cuda-12.1/lib64/libcublas.so.12 is not an x86-64 library")
                .contains("cuda-12.2/lib64/libcublas.so.12 is not an x86-64 library")
                .contains("cuda-12.3/lib64/libcublas.so.12 is not an x86-64 library")
                .contains("cuda-12.4/lib64/libcublas.so.12 is not an x86-64 library")
                .contains("cuda-12.5/lib64/libcublas.so.12 is unreadable")
                .contains("cuda-12.6/lib64/libcublas.so.12 is unreadable");
        put("/usr/local/cuda-12.0/lib64/libcublas.so.12");
        finds("/usr/local/cuda-12.0/lib64/libcublas.so.12", 12, "/usr/local/cuda-12.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "relative/cuda", "/does/not/exist", "/a/file"})
    void oddVariablesAreNoObstacle(String value) {
        put("/a/file");
        environment.put("CUDA_HOME", value);
        environment.put("CUDA_PATH", value);
        environment.put("VIRTUAL_ENV", value);
        environment.put("CONDA_PREFIX", value);
        environment.put("HOME", value);
        environment.put("PATH", value + ":" + value);
        none();
        put("/usr/local/cuda/lib64/libcublas.so.12");
        finds("/usr/local/cuda/lib64/libcublas.so.12", 12, "/usr/local/cuda");
    }

    @Test
    void aConfiguredFileIsTakenWhateverElseThereIs() {
        system.put("libcublas.so.12", put("/usr/lib/libcublas.so.12"));
        put("/opt/mine/libcublas.so.13");
        Path lt = put("/opt/mine/libcublasLt.so.13");
        configured = " /opt/mine/libcublas.so.13 ";
        finds("/opt/mine/libcublas.so.13", 13, "-Delbo4j.cublas.path");
        assertThat(found().lt()).contains(lt);
        assertThat(asked).isEmpty();
    }

    @Test
    void aConfiguredFolderIsSearchedForTheOldest() {
        put("/opt/mine/libcublas.so.14");
        put("/opt/mine/libcublas.so.13");
        put("/opt/mine/libcublas.so.11");
        configured = "/opt/mine";
        finds("/opt/mine/libcublas.so.13", 13, "-Delbo4j.cublas.path");
        put("/opt/mine/libcublas.so.12");
        finds("/opt/mine/libcublas.so.12", 12, "-Delbo4j.cublas.path");
    }

    @Test
    void aConfiguredLinkWithoutVersionIsFollowedToItsName() throws IOException {
        Path real = put("/opt/mine/libcublas.so.12.6.4.1");
        Files.createSymbolicLink(at("/opt/mine/libcublas.so"), real);
        configured = "/opt/mine/libcublas.so";
        finds("/opt/mine/libcublas.so", 12, "-Delbo4j.cublas.path");
    }

    @Test
    void aConfiguredPathThatIsNoneIsAnErrorAndNothingElseIsTaken() {
        system.put("libcublas.so.12", put("/usr/lib/libcublas.so.12"));
        configured = "/opt/absent";
        assertThat(none().reason())
                .isEqualTo("-Delbo4j.cublas.path=/opt/absent is not a cuBLAS 12 or newer (there is no such file)");
        put("/opt/empty/readme");
        configured = "/opt/empty";
        assertThat(none().reason()).isEqualTo("-Delbo4j.cublas.path=/opt/empty is not a cuBLAS 12 or newer");
        put("/opt/old/libcublas.so.11");
        configured = "/opt/old";
        assertThat(none().reason()).contains("libcublas.so.11 is older than 12");
        put("/opt/renamed/blas.so");
        configured = "/opt/renamed/blas.so";
        assertThat(none().reason()).contains("the version is not in the name of");
        assertThat(none().remedy()).contains("name a file libcublas.so.12 or newer");
        assertThat(asked).isEmpty();
    }

    @Test
    void aBlankPropertyIsNone() {
        configured = "  ";
        put("/usr/local/cuda/lib64/libcublas.so.12");
        finds("/usr/local/cuda/lib64/libcublas.so.12", 12, "/usr/local/cuda");
    }

    @Test
    void aLibrarySaysWhichAndByWhichWay() {
        put("/usr/local/cuda-13.0/lib64/libcublas.so.13");
        assertThat(found())
                .hasToString("cuBLAS 13 (" + at("/usr/local/cuda-13.0/lib64/libcublas.so.13")
                        + ", by /usr/local/cuda-13.0, through the forwarding library)");
        put("/usr/local/cuda-12.6/lib64/libcublas.so.12");
        assertThat(found())
                .hasToString("cuBLAS 12 (" + at("/usr/local/cuda-12.6/lib64/libcublas.so.12")
                        + ", by /usr/local/cuda-12.6)");
    }
}
