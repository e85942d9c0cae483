package io.github.elbo4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VaeFilesTest {
    @TempDir
    Path root;

    private final Backend backend = Backends.open("java", Map.of("threads", "1"));

    @AfterEach
    void close() {
        assertThat(backend.info().bytesInUse()).isZero();
        backend.close();
    }

    private static VaeConfig.Builder config() {
        return VaeConfig.builder()
                .input(new ImageShape(2, 3, 1))
                .hidden(5)
                .latent(2)
                .activation(Activation.GELU)
                .beta(0.5);
    }

    private Path saved(String name, VaeConfig config, long seed) throws IOException {
        Path folder = root.resolve(name);
        try (Vae vae = Vae.create(backend, config, seed)) {
            VaeFiles.save(vae, folder);
        }
        return folder;
    }

    /** Writes the weights again, one tensor left out, renamed or reshaped. */
    private static void rewrite(Path folder, String name, String newName, long... newShape) throws IOException {
        SafetensorsFile file = SafetensorsFile.read(folder.resolve(VaeFiles.WEIGHTS));
        SafetensorsWriter writer = new SafetensorsWriter();
        for (String each : file.names()) {
            if (!each.equals(name)) {
                writer.add(each, file.type(each), file.shape(each), file.data(each));
            } else if (!newName.isEmpty()) {
                writer.add(newName, file.type(each), newShape, file.data(each));
            }
        }
        writer.write(folder.resolve(VaeFiles.WEIGHTS));
    }

    private void assertRefused(Path path, String... words) {
        assertThatThrownBy(() -> VaeFiles.load(backend, path).close())
                .isInstanceOf(FormatException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void whatIsSavedIsLoadedAgain() throws IOException {
        VaeConfig config = config().build();
        Path folder = root.resolve("new/folder");
        try (Vae vae = Vae.create(backend, config, 7)) {
            VaeFiles.save(vae, folder);
            for (Path path : new Path[] {folder, folder.resolve(VaeFiles.WEIGHTS)}) {
                try (Vae loaded = VaeFiles.load(backend, path);
                        FrozenModel frozen = FrozenModel.of(vae);
                        FrozenModel again = FrozenModel.of(loaded);
                        InferenceSession before = frozen.session(2);
                        InferenceSession after = again.session(2)) {
                    assertThat(loaded.config()).isEqualTo(config);
                    assertThat(loaded.parameters().values().downloadFloats())
                            .isEqualTo(vae.parameters().values().downloadFloats());
                    float[] x = {0, 0.5f, 1, 0.25f, 1, 0, 1, 1, 1, 0, 0, 0};
                    assertThat(after.reconstruct(x))
                            .isEqualTo(before.reconstruct(x))
                            .hasSize(12);
                    assertThat(after.decode(new float[] {1, -1})).isEqualTo(before.decode(new float[] {1, -1}));
                }
            }
        }
        SafetensorsFile file = SafetensorsFile.read(folder.resolve(VaeFiles.WEIGHTS));
        assertThat(file.names())
                .containsExactlyInAnyOrder(
                        "encoder.0.weight",
                        "encoder.0.bias",
                        "heads.weight",
                        "heads.bias",
                        "decoder.0.weight",
                        "decoder.0.bias",
                        "logits.weight",
                        "logits.bias");
        assertThat(file.shape("heads.weight")).containsExactly(4, 5);
        assertThat(file.shape("logits.bias")).containsExactly(6);
        assertThat(file.type("logits.bias")).isEqualTo(DType.F32);
    }

    @Test
    void savingAgainReplacesBothFiles() throws IOException {
        Path folder = saved("run", config().build(), 1);
        VaeConfig other = config().latent(1).build();
        saved("run", other, 2);
        try (Vae loaded = VaeFiles.load(backend, folder)) {
            assertThat(loaded.config()).isEqualTo(other);
        }
    }

    @Test
    void weightsBesideAnotherConfigurationAreRefused() throws IOException {
        Path folder = saved("run", config().build(), 1);
        for (VaeConfig other : new VaeConfig[] {
            config().latent(3).build(),
            config().hidden(6).build(),
            config().input(new ImageShape(1, 7, 1)).build(),
            config().hidden(5, 5).build(),
        }) {
            Path beside = saved("other " + other.summary(), other, 1);
            Files.copy(
                    beside.resolve(VaeFiles.CONFIG),
                    folder.resolve(VaeFiles.CONFIG),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            assertRefused(folder, VaeFiles.WEIGHTS, "configuration");
        }
        Path deep = saved("deep", config().hidden(5, 5).decoder(5).build(), 1);
        Files.copy(
                saved("flat", config().build(), 1).resolve(VaeFiles.CONFIG),
                deep.resolve(VaeFiles.CONFIG),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertRefused(deep, VaeFiles.WEIGHTS);
    }

    @Test
    void aMissingAnExtraAndAMisshapenTensorAreNamed() throws IOException {
        Path folder = saved("missing", config().build(), 1);
        rewrite(folder, "heads.bias", "");
        assertRefused(folder, "heads.bias");

        folder = saved("extra", config().build(), 1);
        SafetensorsFile file = SafetensorsFile.read(folder.resolve(VaeFiles.WEIGHTS));
        SafetensorsWriter writer = new SafetensorsWriter().add("conv.weight", new float[] {1}, 1);
        for (String name : file.names()) {
            writer.add(name, file.type(name), file.shape(name), file.data(name));
        }
        writer.write(folder.resolve(VaeFiles.WEIGHTS));
        assertRefused(folder, "conv.weight", "no parameter");

        folder = saved("transposed", config().build(), 1);
        rewrite(folder, "encoder.0.weight", "encoder.0.weight", 6, 5);
        assertRefused(folder, "encoder.0.weight", "[5, 6]", "[6, 5]");
    }

    @Test
    void missingFilesAreNamed() throws IOException {
        Path folder = saved("run", config().build(), 1);
        Files.delete(folder.resolve(VaeFiles.CONFIG));
        assertRefused(folder, VaeFiles.CONFIG);
        folder = saved("other", config().build(), 1);
        Files.delete(folder.resolve(VaeFiles.WEIGHTS));
        assertRefused(folder, VaeFiles.WEIGHTS);
        assertRefused(root.resolve("nowhere"), "nowhere");
    }

    @Test
    void aConfigurationCannotClaimMoreMemoryThanTheFileHolds() throws IOException {
        Path folder = saved("run", config().build(), 1);
        long peak = backend.info().bytesPeak();
        Path config = folder.resolve(VaeFiles.CONFIG);
        String text = Files.readString(config);
        String huge = text.replaceFirst("\"latent\"\\s*:\\s*2", "\"latent\":1048576");
        assertThat(huge).isNotEqualTo(text);
        Files.writeString(config, huge);
        assertRefused(folder, "heads.weight");
        assertThat(backend.info().bytesPeak()).isEqualTo(peak);
    }

    @Test
    void aFolderThatCannotBeWrittenKeepsItsFiles() throws IOException {
        Path folder = saved("run", config().build(), 1);
        byte[] weights = Files.readAllBytes(folder.resolve(VaeFiles.WEIGHTS));
        byte[] config = Files.readAllBytes(folder.resolve(VaeFiles.CONFIG));
        // A folder under the name that the new file is written to stops even root.
        Files.createDirectories(folder.resolve("." + VaeFiles.CONFIG + ".partial/x"));
        try (Vae vae = Vae.create(backend, config().latent(1).build(), 2)) {
            assertThatThrownBy(() -> VaeFiles.save(vae, folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(VaeFiles.CONFIG);
            Path file = Files.writeString(root.resolve("file"), "x");
            assertThatThrownBy(() -> VaeFiles.save(vae, file)).isInstanceOf(IOException.class);
        }
        assertThat(Files.readAllBytes(folder.resolve(VaeFiles.WEIGHTS))).isEqualTo(weights);
        assertThat(Files.readAllBytes(folder.resolve(VaeFiles.CONFIG))).isEqualTo(config);
        VaeFiles.load(backend, folder).close();
    }
}
