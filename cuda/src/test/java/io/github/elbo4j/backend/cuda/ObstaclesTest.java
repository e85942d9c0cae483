package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ObstaclesTest {
    private static final String NATIVES = "org.jcuda:jcuda-natives with classifier linux-x86_64";
    private static final Path TEMPORARY = Path.of("/somewhere/tmp");

    /** As JCuda words it: both attempts, each with its stack trace. */
    private static Problem loading(String message) {
        return Obstacles.loading(
                new UnsatisfiedLinkError("Error while loading native library \"JCudaDriver-12.6.0-linux-x86_64\"\n"
                        + "---(start of nested stack traces)---\n"
                        + "java.lang.UnsatisfiedLinkError: no JCudaDriver-12.6.0-linux-x86_64 in java.library.path: /lib\n"
                        + "\tat java.base/java.lang.System.loadLibrary(System.java:1)\n"
                        + "java.lang." + message + "\n"
                        + "\tat java.base/java.lang.System.load(System.java:1)\n"
                        + "---(end of nested stack traces)---\n"),
                NATIVES,
                TEMPORARY);
    }

    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, true",
        "Linux, x86_64, true",
        "Linux, aarch64, false",
        "Linux, x86, false",
        "Mac OS X, x86_64, false",
        "Windows 11, amd64, false",
    })
    void jcudaHasNativesForOnePlatform(String os, String architecture, boolean supported) {
        assertThat(Obstacles.platform(os, architecture).isEmpty()).isEqualTo(supported);
        if (!supported) {
            Problem problem = Obstacles.platform(os, architecture).orElseThrow();
            assertThat(problem.reason()).contains(os).contains(architecture);
            assertThat(problem.remedy()).contains("Linux on x86-64");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            UnsatisfiedLinkError: /tmp/x.so: libcuda.so.1: cannot open shared object file: No such file or directory | no NVIDIA driver | install the NVIDIA driver, 580
            UnsatisfiedLinkError: /tmp/x.so: libcublas.so.12: cannot open shared object file: No such file or directory | libcublas.so.12 was not found | -Delbo4j.cublas.path
            UnsatisfiedLinkError: /tmp/x.so: libstdc++.so.6: cannot open shared object file: No such file or directory | system library libstdc++.so.6 | install the package that holds libstdc++.so.6
            UnsatisfiedLinkError: /tmp/x.so: failed to map segment from shared object: Operation not permitted | /somewhere/tmp: it is probably mounted noexec | -Djava.io.tmpdir
            UnsatisfiedLinkError: /tmp/x.so: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /tmp/x.so) | version `GLIBC_2.38' not found | newer Linux
            UnsatisfiedLinkError: /tmp/x.so: libcuda.so.1: file too short | libcuda.so.1 is not a whole | install the package anew
            UnsatisfiedLinkError: Native Library /tmp/x.so already loaded in another classloader | another class loader | one class loader
            IllegalCallerException: Illegal native access from module jcuda | denies native access | --enable-native-access=io.github.elbo4j.cuda,jcuda,jcublas
            RuntimeException: No resource found with name '/lib/x.so' | not on the class path | add org.jcuda:jcuda-natives
            UnsatisfiedLinkError: something else went wrong | something else went wrong | another version of JCuda
            """)
    void eachFailureHasItsReasonAndRemedy(String message, String reason, String remedy) {
        Problem problem = loading(message);
        assertThat(problem.reason()).contains(reason).doesNotContain("\n");
        assertThat(problem.remedy()).contains(remedy);
    }

    @Test
    void missingClassesAndCausesAreSeen() {
        assertThat(Obstacles.loading(new NoClassDefFoundError("jcuda/JCudaVersion"), NATIVES, TEMPORARY)
                        .reason())
                .isEqualTo("JCuda is not on the class path or module path");
        assertThat(Obstacles.loading(new ClassNotFoundException("jcuda.driver.JCudaDriver"), NATIVES, TEMPORARY)
                        .reason())
                .isEqualTo("JCuda is not on the class path or module path");
        // What the JVM says at a second attempt: the first cause hangs below.
        Throwable second = new NoClassDefFoundError("Could not initialize class jcuda.driver.JCudaDriver");
        second.initCause(
                new ExceptionInInitializerError(
                        "Exception java.lang.UnsatisfiedLinkError: libcuda.so.1: cannot open shared object file [in thread \"x\"]"));
        assertThat(Obstacles.loading(second, NATIVES, TEMPORARY).reason()).contains("no NVIDIA driver");
    }

    @Test
    void aMessageIsNotNeeded() {
        assertThat(Obstacles.loading(new UnsatisfiedLinkError(), NATIVES, TEMPORARY)
                        .reason())
                .isEqualTo("JCuda's native library could not be loaded: java.lang.UnsatisfiedLinkError");
    }

    @Test
    void anUnwritableFolderIsNamed() {
        Problem problem = Obstacles.unwritable(TEMPORARY, new IOException("No space left on device"));
        assertThat(problem.reason()).contains("/somewhere/tmp").contains("No space left on device");
    }
}
