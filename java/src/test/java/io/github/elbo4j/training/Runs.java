package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Small models, data and runs for the tests of this package. */
final class Runs {
    static final ImageShape SHAPE = new ImageShape(3, 4, 1);

    private Runs() {}

    static Backend backend(int threads) {
        return Backends.open("java", Map.of("threads", Integer.toString(threads)));
    }

    static Backend backend64() {
        return Backends.open("java", Map.of("threads", "1", "precision", "fp64"));
    }

    static VaeConfig model() {
        return VaeConfig.builder()
                .input(SHAPE)
                .hidden(7, 5)
                .latent(3)
                .activation(Activation.TANH)
                .build();
    }

    static TrainingConfig.Builder training() {
        return TrainingConfig.builder().epochs(3).batch(8).seed(5);
    }

    /** {@return rows with some structure: a bright half and noise} */
    static Dataset data(long seed, int rows) {
        Random random = new Random(seed);
        byte[] pixels = new byte[rows * SHAPE.size()];
        for (int row = 0; row < rows; row++) {
            boolean left = random.nextBoolean();
            for (int j = 0; j < SHAPE.size(); j++) {
                boolean bright = (j % SHAPE.width() < SHAPE.width() / 2) == left;
                pixels[row * SHAPE.size() + j] = (byte) (random.nextInt(64) + (bright ? 190 : 0));
            }
        }
        return Dataset.ofBytes(pixels, SHAPE);
    }

    /** {@return the weights after a run of a model that starts from seed 3} */
    static float[] weightsAfter(Backend backend, VaeConfig model, TrainingConfig training, Dataset data)
            throws IOException {
        try (Vae vae = Vae.create(backend, model, 3);
                Trainer trainer = Trainer.create(vae, training, data, null)) {
            trainer.run();
            return weights(vae);
        }
    }

    static float[] weights(Vae vae) {
        return vae.parameters().values().downloadFloats();
    }

    /** {@return the losses of a history, which unlike the times in it are exactly reproducible} */
    static List<@Nullable Losses> losses(List<EpochReport> history) {
        return history.stream()
                .flatMap(epoch -> Stream.of(epoch.train(), epoch.test()))
                .toList();
    }

    /** {@return every file of a folder by name, with its content} */
    static Map<String, String> files(Path folder) {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                files.put(
                        folder.relativize(path).toString(),
                        new String(Files.readAllBytes(path), java.nio.charset.StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files;
    }

    static void assertSameBytes(Path actual, Path expected, String what) throws IOException {
        assertThat(Files.mismatch(actual, expected))
                .as("first byte in which %s differs", what)
                .isEqualTo(-1);
    }
}
