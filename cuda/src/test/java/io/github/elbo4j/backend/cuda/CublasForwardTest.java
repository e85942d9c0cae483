package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The forwarding library: what it exports, and JCublas2 on top of it and of a cuBLAS with four functions. */
class CublasForwardTest {
    private static final String SCRIPT = "src/main/native/cublas_forward.sh";
    /** A line of readelf --dyn-syms: type, bind, visibility, section, name with version. */
    private static final Pattern SYMBOL =
            Pattern.compile("\\s(NOTYPE|FUNC)\\s+GLOBAL\\s+DEFAULT\\s+(\\S+)\\s+(cublas\\S+)(?: \\(\\d+\\))?\\s*$");

    @TempDir
    Path folder;

    private Path temporary;

    @BeforeEach
    void temporary() throws Exception {
        Tools.need("gcc", "nm");
        assertThat(CublasForward.built()).as("built by this module's build").isTrue();
        temporary = Files.createDirectory(folder.resolve("tmp"));
    }

    private ChildJvm jvm(ChildJvm.Mode mode) {
        return new ChildJvm(mode).option("-Djava.io.tmpdir=" + temporary);
    }

    private Path copy(String resource) throws IOException {
        Path file = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
        ClassLoader loader = CublasForward.class.getClassLoader();
        try (InputStream content = resource.startsWith("/")
                ? CublasForward.class.getResourceAsStream(resource)
                : loader.getResourceAsStream(resource)) {
            Files.copy(Objects.requireNonNull(content), file);
        }
        return file;
    }

    private static Set<String> symbols(Path library, boolean undefined) throws Exception {
        Tools.Result result = Tools.run(List.of("readelf", "-W", "--dyn-syms", library.toString()));
        assertThat(result.status()).isZero();
        Set<String> names = new TreeSet<>();
        for (String line : result.output().lines().toList()) {
            Matcher matcher = SYMBOL.matcher(line);
            if (matcher.find() && matcher.group(2).equals("UND") == undefined) {
                names.add(matcher.group(3).replace("@@", "@"));
            }
        }
        return names;
    }

    @Test
    void everyFunctionThatJCublas2AsksForIsExportedInThatVersion() throws Exception {
        Tools.need("readelf");
        Set<String> asked = symbols(copy("lib/" + JCudaNatives.Part.CUBLAS.fileName()), true);
        Set<String> exported = symbols(copy(CublasForward.RESOURCE), false);
        assertThat(asked).hasSizeGreaterThan(400).allMatch(name -> name.endsWith("@libcublas.so.12"));
        assertThat(exported).isEqualTo(asked);
    }

    @Test
    void theLibraryStandsForTwelveAndNeedsNothing() throws Exception {
        Tools.need("readelf");
        Path library = copy(CublasForward.RESOURCE);
        String dynamic = Tools.run(List.of("readelf", "-W", "-d", "-l", library.toString()))
                .output();
        assertThat(dynamic).contains("Library soname: [libcublas.so.12]").doesNotContain("(NEEDED)");
        assertThat(dynamic).containsPattern("GNU_STACK.* RW ").doesNotContain("TEXTREL");
        assertThat(Files.size(library)).isLessThan(200_000);
    }

    private Path fakeCublas(int major) throws Exception {
        Path place = folder.resolve("cuda/lib64");
        Path lt = Tools.library(place, "libcublasLt.so." + major, "fake_cublas_lt.c");
        return Tools.library(place, "libcublas.so." + major, "fake_cublas.c", lt.toString());
    }

    @ParameterizedTest
    @EnumSource
    void jcublas2RunsOnANewerCublas(ChildJvm.Mode mode) throws Exception {
        Path cublas = fakeCublas(13);
        Map<String, String> seen =
                jvm(mode).option("-Delbo4j.cublas.path=" + cublas.getParent()).probe("cublas");
        assertThat(seen)
                .containsEntry("module", mode == ChildJvm.Mode.MODULE_PATH ? "io.github.elbo4j.cuda" : "null")
                .containsEntry("reason", "")
                .containsEntry(
                        "library",
                        "cuBLAS 13 (" + cublas + ", by -Delbo4j.cublas.path, through the forwarding library)")
                .containsEntry("lt", cublas.resolveSibling("libcublasLt.so.13").toString())
                .containsEntry("create", "0")
                .containsEntry("getVersion", "0")
                .containsEntry("version", "130042")
                .containsEntry("sgemm", "0")
                .containsEntry("destroy", "15")
                .containsEntry("statusName", "not supported by this cuBLAS")
                .containsEntry("statusString", "not supported by this cuBLAS")
                .containsEntry("kept", "true")
                .containsEntry("tmpdir", temporary.toString())
                .containsEntry("left", "");
        Set<String> lacking = Set.of(Objects.requireNonNull(seen.get("lacking")).split(" ", -1));
        assertThat(lacking)
                .hasSizeGreaterThan(400)
                .contains("cublasDestroy_v2", "cublasGetStatusName", "cublasGemmEx")
                .doesNotContain("cublasCreate_v2", "cublasGetVersion_v2", "cublasSgemm_v2");
    }

    @ParameterizedTest
    @EnumSource
    void aNewerCublasIsFoundThroughTheEnvironment(ChildJvm.Mode mode) throws Exception {
        Path cublas = fakeCublas(14);
        Map<String, String> seen = jvm(mode)
                .environment("CUDA_HOME", folder.resolve("cuda").toString())
                .probe("cublas");
        String library = String.valueOf(seen.get("library"));
        if (!library.contains("by CUDA_HOME")) {
            Tools.skip("this machine has a cuBLAS: " + library);
        }
        assertThat(seen).containsEntry("version", "130042").containsEntry("sgemm", "0");
        assertThat(library).startsWith("cuBLAS 14 (" + cublas);
    }

    @ParameterizedTest
    @EnumSource
    void theSystemsLibraryPathIsAsked(ChildJvm.Mode mode) throws Exception {
        Path cublas = fakeCublas(13);
        Map<String, String> seen = jvm(mode)
                .environment("LD_LIBRARY_PATH", String.valueOf(cublas.getParent()))
                .probe("cublas");
        String library = String.valueOf(seen.get("library"));
        if (!library.contains(cublas.toString())) {
            Tools.skip("this machine has a cuBLAS: " + library);
        }
        assertThat(library).contains("by the system's library path");
        assertThat(seen).containsEntry("version", "130042").containsEntry("sgemm", "0");
    }

    /** Without its libcublasLt a library cannot be opened; the loader's own words are in the reason. */
    @Test
    void aCublasThatCannotBeOpenedIsAReason() throws Exception {
        Path cublas = fakeCublas(13);
        Files.delete(cublas.resolveSibling("libcublasLt.so.13"));
        Map<String, String> seen = jvm(ChildJvm.Mode.CLASS_PATH)
                .option("-Delbo4j.cublas.path=" + cublas)
                .probe("cublas");
        assertThat(seen.get("reason")).contains("cannot be loaded: ").contains("libcublasLt.so.13: cannot open");
        assertThat(seen.get("remedy")).contains("with its libcublasLt");
    }

    @Test
    void aJarThatWasBuiltWithoutGccSaysSo() throws Exception {
        Path cublas = fakeCublas(13);
        Path built = ChildJvm.folder(CudaStatus.class, "CudaStatus.class");
        Path without = folder.resolve("classes");
        try (Stream<Path> files = Files.walk(built)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".class")).toList()) {
                Path copy = without.resolve(built.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        for (ChildJvm.Mode mode : ChildJvm.Mode.values()) {
            Map<String, String> seen = jvm(mode)
                    .classes(without)
                    .option("-Delbo4j.cublas.path=" + cublas)
                    .probe("cublas");
            assertThat(seen.get("reason")).startsWith("this jar has no forwarding library");
            assertThat(seen.get("remedy")).contains("install cuBLAS 12");
        }
    }

    @Test
    void theBuildGoesOnWithoutGccAndLeavesNoOlderLibrary() throws Exception {
        Path bin = Files.createDirectory(folder.resolve("bin"));
        for (String tool : List.of("dirname", "rm")) {
            Path real = Stream.of("/usr/bin", "/bin")
                    .map(each -> Path.of(each, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            Files.copy(real, bin.resolve(tool), StandardCopyOption.COPY_ATTRIBUTES);
        }
        Path out = Files.createDirectory(folder.resolve("out"));
        Path older = Files.createFile(out.resolve("libelbo4j_cublas_forward.so"));
        ProcessBuilder builder = new ProcessBuilder(
                "/bin/sh", SCRIPT, "absent.so", folder.resolve("work").toString(), out.toString());
        builder.environment().put("PATH", bin.toString());
        Tools.Result result = Tools.run(builder);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("not built, there is no gcc");
        assertThat(older).doesNotExist();
    }

    @Test
    void theBuildFailsWhenJCublas2AsksForNothing() throws Exception {
        Path empty = Tools.library(folder.resolve("empty"), "libempty.so", "fake_cublas_lt.c");
        Tools.Result result = Tools.run(List.of(
                "sh",
                SCRIPT,
                empty.toString(),
                folder.resolve("work").toString(),
                folder.resolve("out").toString()));
        assertThat(result.status()).isNotZero();
        assertThat(result.output()).contains("no cuBLAS function");
    }

    /** Twice the same bytes, as everything in the jar. */
    @Test
    void theBuildIsReproducible() throws Exception {
        Path jcublas = copy("lib/" + JCudaNatives.Part.CUBLAS.fileName());
        Path again = folder.resolve("again");
        Tools.Result result = Tools.run(
                List.of("sh", SCRIPT, jcublas.toString(), folder.resolve("work").toString(), again.toString()));
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(again.resolve("libelbo4j_cublas_forward.so")).hasSameBinaryContentAs(copy(CublasForward.RESOURCE));
    }
}
