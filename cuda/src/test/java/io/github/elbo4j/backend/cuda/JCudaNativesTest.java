package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Loading JCuda's own native library, each time in a JVM of its own. */
class JCudaNativesTest {
    @TempDir
    Path folder;

    private Path temporary;

    @BeforeEach
    void temporary() throws Exception {
        Tools.needPlatform();
        temporary = Files.createDirectory(folder.resolve("tmp"));
    }

    private ChildJvm jvm(ChildJvm.Mode mode) {
        return new ChildJvm(mode).option("-Djava.io.tmpdir=" + temporary);
    }

    @ParameterizedTest
    @EnumSource
    void loadsOnTopOfADriverAndLeavesNothing(ChildJvm.Mode mode) throws Exception {
        Tools.need("gcc");
        Path driver = Tools.library(folder.resolve("driver"), "libcuda.so.1", "fake_cuda.c");
        // What JCuda's own loader would take: whatever lies under this name.
        String predictable = JCudaNatives.Part.DRIVER.fileName();
        Files.writeString(temporary.resolve(predictable), "planted");
        Map<String, String> seen = jvm(mode).probe("driver", driver.toString());
        assertThat(seen)
                .containsEntry("module", mode == ChildJvm.Mode.MODULE_PATH ? "io.github.elbo4j.cuda" : "null")
                .containsEntry("opened", "")
                .containsEntry("reason", "")
                .containsEntry("status", "0")
                .containsEntry("version", "13000")
                .containsEntry("kept", "true")
                .containsEntry("tmpdir", temporary.toString())
                .containsEntry("left", predictable);
    }

    @ParameterizedTest
    @EnumSource
    void saysThatThereIsNoDriver(ChildJvm.Mode mode) throws Exception {
        if (ChildJvm.driverInstalled()) {
            Tools.skip("this machine has an NVIDIA driver");
        }
        Map<String, String> seen = jvm(mode).probe("driver");
        assertThat(seen.get("reason")).isEqualTo("there is no NVIDIA driver: libcuda.so.1 was not found");
        assertThat(seen.get("remedy")).contains("install the NVIDIA driver, 580 or newer");
        assertThat(seen)
                .containsEntry("kept", "true")
                .containsEntry("tmpdir", temporary.toString())
                .containsEntry("left", "");
    }

    @ParameterizedTest
    @EnumSource
    void manyThreadsGetOneOutcome(ChildJvm.Mode mode) throws Exception {
        assertThat(jvm(mode).probe("threads"))
                .containsEntry("outcomes", "1 1")
                .containsEntry("tmpdir", temporary.toString())
                .containsEntry("left", "");
    }

    @ParameterizedTest
    @EnumSource
    void saysThatTheFolderForTemporaryFilesCannotBeWritten(ChildJvm.Mode mode) throws Exception {
        Path absent = folder.resolve("absent");
        Map<String, String> seen =
                new ChildJvm(mode).option("-Djava.io.tmpdir=" + absent).probe("driver");
        assertThat(seen.get("reason")).startsWith("native libraries cannot be written below " + absent);
        assertThat(seen.get("remedy")).contains("-Djava.io.tmpdir=FOLDER");
        assertThat(seen).containsEntry("tmpdir", absent.toString());
    }

    @ParameterizedTest
    @EnumSource
    void saysThatTheNativesAreMissing(ChildJvm.Mode mode) throws Exception {
        Map<String, String> seen = jvm(mode).without("jcuda-natives").probe("driver");
        assertThat(seen.get("reason")).contains("native libraries are not on the class path");
        assertThat(seen.get("remedy")).isEqualTo("add org.jcuda:jcuda-natives with classifier linux-x86_64");
        assertThat(seen).containsEntry("left", "");
    }

    @Test
    void saysThatJCudaIsMissing() throws Exception {
        Map<String, String> seen = jvm(ChildJvm.Mode.CLASS_PATH)
                .without("jcuda")
                .without("jcublas")
                .probe("driver");
        assertThat(seen.get("reason")).isEqualTo("JCuda is not on the class path or module path");
    }

    @ParameterizedTest
    @EnumSource
    void saysThatNativeAccessIsDenied(ChildJvm.Mode mode) throws Exception {
        for (String part : List.of("driver", "cublas")) {
            Map<String, String> seen = jvm(mode).withoutNativeAccess().probe(part);
            assertThat(seen.get("reason")).as(part).isEqualTo("this JVM denies native access");
            assertThat(seen.get("remedy")).contains("--enable-native-access=io.github.elbo4j.cuda,jcuda,jcublas");
            assertThat(seen).containsEntry("tmpdir", temporary.toString()).containsEntry("left", "");
        }
    }

    /** A file system mounted noexec refuses to map code. */
    @Test
    void saysThatTheFolderForTemporaryFilesIsMountedNoexec() throws Exception {
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
        Tools.Result permitted = Tools.run(trial);
        if (permitted.status() != 0) {
            Tools.skip("this user may not mount: " + permitted.output().strip());
        }
        Map<String, String> seen = jvm(ChildJvm.Mode.CLASS_PATH).through(mount).probe("driver");
        assertThat(seen.get("reason"))
                .isEqualTo(
                        "native libraries cannot be run from below " + temporary + ": it is probably mounted noexec");
        assertThat(seen.get("remedy")).contains("-Djava.io.tmpdir=FOLDER");
        assertThat(seen).containsEntry("left", "");
    }
}
