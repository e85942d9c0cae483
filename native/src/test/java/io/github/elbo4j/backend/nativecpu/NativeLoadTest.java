package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.engine.UnpackedLibrary;
import io.github.elbo4j.backend.nativecpu.ChildJvm.Mode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the library is found, and what is said of every way in which it may not be; the reference serves on. */
class NativeLoadTest {
    private static final NativePlatform PLATFORM = NativePlatform.current();
    private static final String RESOURCE = PLATFORM.resource();

    @TempDir
    Path folder;

    private Path temporary;

    @BeforeEach
    void makeTemporary() throws IOException {
        temporary = Files.createDirectory(folder.resolve("temporary"));
    }

    private static byte[] library() throws IOException {
        NativeFixture.assumeAvailable();
        try (InputStream in = Objects.requireNonNull(NativeProvider.class.getResourceAsStream("/" + RESOURCE))) {
            return in.readAllBytes();
        }
    }

    private static byte[] hash(byte[] content) throws IOException {
        return (UnpackedLibrary.sha256(new ByteArrayInputStream(content)) + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    private static Map<String, byte[]> jar(byte[] content, byte[] hash) {
        return new HashMap<>(Map.of(RESOURCE, content, RESOURCE + ".sha256", hash));
    }

    private NativeLoader.Outcome load(@Nullable String from, Map<String, byte[]> resources) {
        return new NativeLoader(PLATFORM, from, temporary, name -> {
                    byte[] content = resources.get(name);
                    return content == null ? null : new ByteArrayInputStream(content);
                })
                .load();
    }

    private Problem failure(@Nullable String from, Map<String, byte[]> resources) {
        NativeLoader.Outcome outcome = load(from, resources);
        assertThat(outcome).isInstanceOf(NativeLoader.Failed.class);
        Problem problem = ((NativeLoader.Failed) outcome).problem();
        assertThat(problem.reason()).doesNotContain("\n");
        assertThat(problem.remedy()).isNotBlank();
        return problem;
    }

    private long left() throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.count();
        }
    }

    @Test
    void theLibraryOfTheJarIsLoadedAndLeavesNothing() throws IOException {
        byte[] content = library();
        NativeLoader.Outcome outcome = load(null, jar(content, hash(content)));
        assertThat(outcome).isInstanceOfSatisfying(NativeLoader.Loaded.class, loaded -> {
            assertThat(loaded.origin()).isEqualTo("the jar");
            assertThat(loaded.symbols().find("elbo4j_program_run")).isPresent();
        });
        if (!PLATFORM.os().equals("windows")) {
            assertThat(left()).isZero();
        }
    }

    @Test
    void aFolderIsTakenInsteadOfTheJar() throws IOException {
        Path from = Files.createDirectory(folder.resolve("own"));
        Files.write(from.resolve(PLATFORM.fileName()), library());
        assertThat(load(from.toString(), Map.of()))
                .isInstanceOfSatisfying(
                        NativeLoader.Loaded.class,
                        loaded -> assertThat(loaded.origin()).isEqualTo("-Delbo4j.native.dir=" + from));
    }

    @Test
    void aJarWithoutKernelsSaysHowToGetThem() {
        Problem problem = failure(null, Map.of());
        assertThat(problem.reason()).isEqualTo("this jar holds no native kernels for " + PLATFORM);
        assertThat(problem.remedy()).contains("cmake and g++", "-Delbo4j.native.dir");
    }

    @Test
    void aLibraryWithoutAHashIsNotTrusted() throws IOException {
        byte[] content = library();
        Map<String, byte[]> jar = jar(content, hash(content));
        jar.remove(RESOURCE + ".sha256");
        assertThat(failure(null, jar).reason()).contains(RESOURCE, "no hash");
        assertThat(left()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 5000, -1})
    void aTruncatedLibraryIsNotLoaded(int length) throws IOException {
        byte[] content = library();
        byte[] truncated = Arrays.copyOf(content, length < 0 ? content.length - 1 : length);
        assertThat(failure(null, jar(truncated, hash(content))).reason()).contains(RESOURCE + " is damaged", "SHA-256");
        assertThat(left()).isZero();
        // Without a hash it is found out before the system maps what is not there.
        if (PLATFORM.os().startsWith("linux")) {
            Path from = Files.createDirectory(folder.resolve("own"));
            Files.write(from.resolve(PLATFORM.fileName()), truncated);
            assertThat(failure(from.toString(), Map.of()).reason()).contains(from.toString(), "is not a whole library");
        }
    }

    @Test
    void aChangedLibraryIsNotLoaded() throws IOException {
        byte[] content = library();
        byte[] hash = hash(content);
        content[content.length / 2] ^= 1;
        assertThat(failure(null, jar(content, hash)).reason()).contains("is damaged");
        assertThat(left()).isZero();
    }

    @Test
    void textIsNoLibrary() throws IOException {
        byte[] text = "x".repeat(1000).getBytes(StandardCharsets.US_ASCII);
        assertThat(failure(null, jar(text, hash(text))).reason())
                .containsAnyOf("is not a whole library", "could not be loaded");
        assertThat(left()).isZero();
    }

    @Test
    void theTemporaryFolderMustBeThereAndWritable() throws IOException {
        byte[] content = library();
        Files.delete(temporary);
        Problem absent = failure(null, jar(content, hash(content)));
        assertThat(absent.reason()).contains("cannot be written below " + temporary);
        assertThat(absent.remedy()).contains("-Djava.io.tmpdir=FOLDER");
        Files.writeString(temporary, "a file");
        assertThat(failure(null, jar(content, hash(content))).reason())
                .contains("cannot be written below " + temporary);
    }

    @Test
    void aFolderWithoutTheLibraryIsNamed() {
        Problem problem = failure(folder.toString(), Map.of());
        assertThat(problem.reason())
                .contains(
                        "-Delbo4j.native.dir",
                        folder.resolve(PLATFORM.fileName()).toString());
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whatIsNoFileIsNotOpened() throws Exception {
        Path file = folder.resolve(PLATFORM.fileName());
        Files.createDirectory(file);
        assertThat(failure(folder.toString(), Map.of()).reason()).contains(file + " cannot be read");
        Files.delete(file);
        if (PLATFORM.os().equals("windows")) {
            NativeFixture.skip("pipes are files on Unix only");
        }
        // To open one for reading waits for a writer.
        Tools.need("mkfifo");
        assertThat(Tools.run(new ProcessBuilder("mkfifo", file.toString())).status())
                .isZero();
        assertThat(failure(folder.toString(), Map.of()).reason()).contains(file + " cannot be read");
    }

    @Test
    void aSearchThatThrowsIsAProblem() {
        for (Throwable each : List.of(new UnsupportedOperationException("no linker"), new LinkageError("no class"))) {
            assertThat(NativeLoader.attempt(() -> {
                        throw Rethrown.of(each);
                    }))
                    .isInstanceOfSatisfying(
                            NativeLoader.Failed.class,
                            failed -> assertThat(failed.problem().reason()).contains(each.toString()));
        }
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() throws Exception {
        Path file = Tools.library(folder, "int elbo4j_abi_version(void) { return 7001; }\n");
        Problem problem = failure(folder.toString(), Map.of());
        assertThat(problem.reason()).contains("has ABI version 7001, this jar needs " + NativeLibrary.ABI_VERSION);
        byte[] content = Files.readAllBytes(file);
        assertThat(failure(null, jar(content, hash(content))).reason()).contains("of the jar has ABI version 7001");
        assertThat(problem.remedy()).contains("built with this jar");
    }

    @Test
    void anyOtherLibraryIsRefused() throws Exception {
        Tools.library(folder, "int something_else(void) { return 1; }\n");
        assertThat(failure(folder.toString(), Map.of()).reason()).contains("no function elbo4j_abi_version");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /tmp/x.so: failed to map segment from shared object: Operation not permitted | it is probably mounted noexec | -Djava.io.tmpdir
            /lib/libc.so.6: version `GLIBC_2.38' not found (required by /tmp/x.so)       | version `GLIBC_2.38' not found | newer distribution
            libgomp.so.1: cannot open shared object file: No such file or directory      | needs libgomp.so.1             | install the package
            /tmp/x.so: file too short                                                   | is not a whole library         | anew
            /tmp/x.so: wrong ELF class: ELFCLASS32                                       | is not a whole library         | anew
            something else                                                              | could not be loaded: something else | built for this system
            ''                                                                          | the system does not say why    | built for this system
            """)
    void whatTheSystemSaysIsPutInWords(String message, String reason, String remedy) {
        Problem problem = NativeObstacles.loading(folder.resolve("x.so"), message);
        assertThat(problem.reason()).contains(reason).contains(folder.toString());
        assertThat(problem.remedy()).contains(remedy);
    }

    private ChildJvm jvm(Mode mode) {
        return new ChildJvm(mode).option("-Djava.io.tmpdir=" + temporary);
    }

    private static void requireReferenceServes(Map<String, String> seen) {
        assertThat(seen)
                .containsEntry("problems", "1")
                .containsEntry("kept", "true")
                .containsEntry("best", "java")
                .containsEntry("left", "");
        assertThat(seen.get("open")).startsWith("BackendUnavailableException").contains(seen.get("reason"));
    }

    @ParameterizedTest
    @EnumSource
    void bestTakesTheNativeBackend(Mode mode) throws Exception {
        NativeFixture.assumeAvailable();
        Map<String, String> seen = jvm(mode).probe();
        assertThat(seen)
                .containsEntry("module", mode == Mode.MODULE_PATH ? "io.github.elbo4j.nativecpu" : "null")
                .containsEntry("problems", "0")
                .containsEntry("best", "native")
                .containsEntry("left", "");
        assertThat(seen.get("open")).startsWith(NativeFixture.isas().getLast().name() + " on ");
    }

    @ParameterizedTest
    @EnumSource
    void withoutALibraryTheReferenceServes(Mode mode) throws Exception {
        Map<String, String> seen =
                jvm(mode).option("-Delbo4j.native.dir=" + folder).probe();
        requireReferenceServes(seen);
        assertThat(seen.get("reason")).contains("-Delbo4j.native.dir");
    }

    @ParameterizedTest
    @EnumSource
    void withoutNativeAccessTheReferenceServes(Mode mode) throws Exception {
        NativeFixture.assumeAvailable();
        Map<String, String> seen = jvm(mode).withoutNativeAccess().probe();
        requireReferenceServes(seen);
        assertThat(seen).containsEntry("reason", "this JVM denies native access");
        assertThat(seen.get("remedy")).contains("--enable-native-access=io.github.elbo4j.nativecpu");
    }

    @Test
    void aLibraryThatLacksAFunctionIsRefused() throws Exception {
        Tools.library(folder, "int elbo4j_abi_version(void) { return " + NativeLibrary.ABI_VERSION + "; }\n");
        Map<String, String> seen =
                jvm(Mode.CLASS_PATH).option("-Delbo4j.native.dir=" + folder).probe();
        requireReferenceServes(seen);
        assertThat(seen.get("reason")).contains("does not fit this jar: the library has no function elbo4j_");
    }

    @Test
    void theTemporaryFolderMustAllowToRunLibraries() throws Exception {
        NativeFixture.assumeAvailable();
        if (!PLATFORM.os().startsWith("linux")) {
            NativeFixture.skip("only Linux lets a user mount a folder of his own");
        }
        List<String> mount = List.of(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o noexec tmpfs \"$0\" && exec \"$@\"",
                temporary.toString());
        Tools.need("unshare", "mount");
        List<String> trial = new ArrayList<>(mount);
        trial.add("true");
        Tools.Result permitted = Tools.run(new ProcessBuilder(trial));
        if (permitted.status() != 0) {
            NativeFixture.skip("this user may not mount: " + permitted.output().strip());
        }
        Map<String, String> seen = jvm(Mode.CLASS_PATH).through(mount).probe();
        requireReferenceServes(seen);
        assertThat(seen.get("reason")).contains(temporary.toString(), "mounted noexec");
        assertThat(seen.get("remedy")).contains("-Djava.io.tmpdir=FOLDER");
    }

    @Test
    void theVariableCapsTheInstructionSet() throws Exception {
        for (NativeIsas.Isa isa : NativeFixture.isas()) {
            Map<String, String> seen = jvm(Mode.CLASS_PATH)
                    .environment(NativeIsas.CAP_VARIABLE, isa.name())
                    .probe();
            assertThat(seen)
                    .containsEntry("problems", "0")
                    .containsEntry("finding.in.use", isa.name())
                    .containsEntry("finding.ELBO4J_MAX_ISA", isa.name());
            assertThat(seen.get("open")).startsWith(isa.name() + " on ");
        }
        Map<String, String> seen = jvm(Mode.CLASS_PATH)
                .environment(NativeIsas.CAP_VARIABLE, "avx9")
                .probe();
        requireReferenceServes(seen);
        assertThat(seen.get("reason"))
                .isEqualTo("the environment variable ELBO4J_MAX_ISA 'avx9' is unknown; this CPU has "
                        + NativeProbe.result().isas().names());
    }
}
