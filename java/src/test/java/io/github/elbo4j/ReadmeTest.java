package io.github.elbo4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java example of the README, compiled and run as a user would. */
class ReadmeTest {
    @TempDir
    Path root;

    @Test
    void theExampleCompilesAndRuns() throws Exception {
        List<ExampleProgram> programs = ExampleProgram.allOf("README.md");
        assertThat(programs).hasSize(1);
        assertThat(programs.getFirst().run(root).out()).anyMatch(line -> line.startsWith("score of that picture: "));
    }

    @Test
    void anExampleThatDoesNotCompileOrThrowsFailsTheTest() {
        assertThatThrownBy(() -> run("class Wrong { void main() { io.github.elbo4j.backend.Nothing.here(); } }"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Nothing");
        assertThatThrownBy(() -> run("class Raw { void main() { java.util.List list = null; } }"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("rawtypes");
        assertThatThrownBy(
                        () -> run("class Throws { static void main(String[] args) { throw new Error(\"thrown\"); } }"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("thrown");
    }

    private void run(String source) throws Exception {
        ExampleProgram.of(source).run(root);
    }
}
