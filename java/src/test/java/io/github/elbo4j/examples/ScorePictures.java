package io.github.elbo4j.examples;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.training.Trainer;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Scores pictures with a stored model, and trains and stores one first where there is none. */
final class ScorePictures {
    private static final int ROWS = 64;

    private ScorePictures() {}

    static void main(String[] args) throws IOException {
        Path folder = Path.of(args.length == 0 ? "model" : args[0]);
        try (Backend backend = Backends.best()) {
            if (!Files.exists(folder)) {
                train(backend, folder);
            }
            try (FrozenModel model = FrozenModel.load(backend, folder);
                    InferenceSession session = model.session(ROWS)) {
                // Both made once: a call with them allocates nothing.
                HostRows pictures = HostRows.of(Digits.generate(7, 0, ROWS).values(), DType.U8, 0, 0);
                float[] scores = new float[ROWS * Score.COLUMNS];
                HostRows out = HostRows.of(scores);
                session.score(pictures, ROWS, 1, out);
                for (int row = 0; row < 3; row++) {
                    IO.println("picture " + row + ": ELBO " + scores[row * Score.COLUMNS + 2] + " nats");
                }
            }
        }
    }

    private static void train(Backend backend, Path folder) throws IOException {
        DataSplit digits = Digits.split(600);
        VaeConfig config = VaeConfig.builder()
                .input(digits.train().shape())
                .hidden(64)
                .latent(8)
                .build();
        TrainingConfig training =
                TrainingConfig.builder().epochs(2).batch(50).seed(1).build();
        try (Vae vae = Vae.create(backend, config, training.seed());
                Trainer trainer = Trainer.create(vae, training, digits)) {
            trainer.run();
            VaeFiles.save(vae, folder);
        }
    }
}
