package io.github.elbo4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.PyTorchFiles;
import io.github.elbo4j.model.PyTorchNames;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java programs of the documents, compiled and run as a user would, and numbers of theirs that can be computed. */
class DocsTest {
    private static final String EMBED = "docs/embed.md";
    private static final Path EXAMPLES = Path.of("src/test/java/io/github/elbo4j/examples");

    @TempDir
    Path folder;

    @Test
    void theProgramsOfEmbedRun() throws Exception {
        List<ExampleProgram> programs = ExampleProgram.allOf(EMBED);
        assertThat(programs).extracting(ExampleProgram::name).containsExactly("ScorePictures", "ServeWhileTraining");
        ExampleProgram.Output trained = run(programs.getFirst());
        assertThat(trained.out()).hasSize(3).allMatch(line -> line.matches("picture \\d: ELBO -\\d+\\.\\d+ nats"));
        assertThat(folder.resolve("model/model.safetensors")).exists();
        assertThat(run(programs.getFirst()).out())
                .as("the stored model gives the same scores")
                .isEqualTo(trained.out());

        List<String> served = run(programs.getLast()).out();
        assertThat(served)
                .contains("serving epoch 1", "serving epoch 2", "serving epoch 3")
                .filteredOn(line -> line.matches("a client was answered [1-9]\\d* times"))
                .hasSize(4);
        assertThat(elbo(served, "ELBO after: "))
                .as("what is served is what was trained")
                .isGreaterThan(elbo(served, "ELBO before: ") + 50);
    }

    private static double elbo(List<String> lines, String start) {
        return lines.stream()
                .filter(line -> line.startsWith(start))
                .mapToDouble(line ->
                        Double.parseDouble(line.substring(start.length()).replace(" nats", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theProgramsOfFromPyTorchRunOnAFileOfPyTorchsForm() throws Exception {
        try (Backend backend = Backends.open("java");
                Vae vae = Vae.create(backend, VaeConfig.builder().build(), 3)) {
            PyTorchFiles.save(vae, folder.resolve("vae.safetensors"), PyTorchNames.EXAMPLE);
        }
        List<ExampleProgram> programs = ExampleProgram.allOf("docs/from-pytorch.md");
        assertThat(programs).hasSize(2);
        assertThat(run(programs.getFirst()).out()).singleElement().asString().contains("784");
        assertThat(run(programs.getLast()).out())
                .hasSize(2)
                .allMatch(line -> line.matches("ELBO -\\d+\\.\\d+ nats, KL divergence \\d+\\.\\d+"));
    }

    /** Neither a leak nor native access without leave, which the Java backend does not need. */
    private ExampleProgram.Output run(ExampleProgram program) throws IOException, InterruptedException {
        ExampleProgram.Output output = program.run(folder);
        assertThat(output.err()).doesNotContain("WARNING");
        return output;
    }

    @Test
    void theProgramsAreThoseOfTheExamplesPackage() throws IOException {
        for (ExampleProgram program : ExampleProgram.allOf(EMBED)) {
            String file = Files.readString(EXAMPLES.resolve(program.name() + ".java"));
            assertThat("package io.github.elbo4j.examples;\n\n" + program.source())
                    .as("%s on the page and in the package", program.name())
                    .isEqualTo(file);
        }
    }

    @Test
    void theMemoryOfASessionIsWhatThePageSays() throws IOException {
        List<String> page = Files.readAllLines(Path.of("").toAbsolutePath().resolveSibling(EMBED));
        try (Backend backend = Backends.open("java");
                Vae vae = Vae.create(backend, VaeConfig.builder().build(), 1);
                FrozenModel model = FrozenModel.of(vae)) {
            for (int rows : new int[] {1, 64, 256, 4096}) {
                long before = backend.info().bytesInUse();
                InferenceSession session = model.session(rows);
                double megabytes = (backend.info().bytesInUse() - before) / 1e6;
                session.close();
                String start = "| " + rows + " | " + String.format(Locale.ROOT, "%.2f", megabytes) + " MB |";
                assertThat(page).anyMatch(line -> line.startsWith(start));
            }
        }
    }
}
