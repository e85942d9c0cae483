package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Mnist;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.testkit.TestData;
import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A smoke test on real images; the published losses take ten epochs of all of them. */
class MnistTrainingTest {
    @Test
    void oneEpochOnATenthOfMnistLearns() throws IOException {
        DataSplit mnist = Mnist.read(TestData.folder("mnist"));
        try (Backend backend = Runs.backend(2);
                Vae vae = Vae.create(backend, VaeConfig.preset("784-400-20").build(), 1);
                Trainer trainer = Trainer.create(
                        vae,
                        TrainingConfig.builder().epochs(1).build(),
                        mnist.train().slice(0, 6000),
                        mnist.test().slice(0, 1000))) {
            TrainingResult result = trainer.run();
            assertThat(result.steps()).isEqualTo(47);
            EpochReport epoch = result.history().getFirst();
            System.out.println("6,000 images of MNIST: " + epoch);
            double test = Objects.requireNonNull(epoch.test()).loss();
            // Measured with seed 1: 272.2 while training, then 206.2 of which 5.9 are KL; an untrained model has about
            // 543.
            assertThat(epoch.train().loss()).isBetween(260.0, 285.0);
            assertThat(test).isBetween(198.0, 214.0);
            assertThat(Objects.requireNonNull(epoch.test()).kl()).isBetween(4.0, 8.0);
        }
    }
}
