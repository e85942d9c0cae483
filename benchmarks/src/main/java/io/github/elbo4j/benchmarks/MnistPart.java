package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.data.Mnist;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.Trainer;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The published training of docs/fidelity.md through the public trainer: learning curve and time. */
final class MnistPart implements Part {
    private static final int EPOCHS = 10;

    /** Published test loss after ten epochs with sampled z, and how far off a single run may be: docs/fidelity.md. */
    private static final double PUBLISHED = 105.6;

    private static final double TOLERANCE = 1.0;

    @Override
    public void run(Kit kit) throws IOException {
        Path folder = kit.options().home().resolve("mnist");
        if (!kit.quick() && !Files.isDirectory(folder)) {
            kit.write("data", null, "none", new Row().put("skipped", "this kit was packed without MNIST"));
            return;
        }
        for (String precision : kit.precisions()) {
            if (!kit.wanted(precision)) {
                continue;
            }
            try (Backend backend = kit.open(precision, Map.of())) {
                kit.row(precision, backend, precision, row -> train(kit, backend, precision, folder, row));
            } catch (RuntimeException | LinkageError e) {
                kit.write(precision, null, precision, new Row().put("error", String.valueOf(e)));
            }
        }
    }

    private static void train(Kit kit, Backend backend, String precision, Path folder, Row row) throws IOException {
        DataSplit data = kit.quick() ? Digits.split(96) : Mnist.read(folder);
        VaeConfig model = kit.quick()
                ? VaeConfig.builder().hidden(16).latent(2).build()
                : VaeConfig.builder().build();
        TrainingConfig training = TrainingConfig.builder()
                .epochs(kit.quick() ? 2 : EPOCHS)
                .batch(kit.quick() ? 32 : 128)
                .build();
        List<Object> curve = new ArrayList<>();
        long start = System.nanoTime();
        double seconds = 0;
        double last = Double.NaN;
        try (Vae vae = Vae.create(backend, model, training.seed());
                Trainer trainer = Trainer.create(vae, training, data)) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(EpochReport report) {
                    try {
                        kit.write(precision + "/epoch-" + report.epoch(), backend, precision, epoch(report));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            });
            for (EpochReport report : trainer.run().history()) {
                seconds += report.trainSeconds();
                Losses test = report.test();
                if (test != null) {
                    last = test.loss();
                    curve.add(last);
                }
            }
        }
        row.put("epochs", training.epochs())
                .put("test_losses", curve)
                .put("test_loss", last)
                .put("train_seconds", seconds)
                .put("seconds", (System.nanoTime() - start) / 1e9);
        if (!kit.quick()) {
            row.put("published_test_loss", PUBLISHED).put("tolerance", TOLERANCE);
            if (!(Math.abs(last - PUBLISHED) <= TOLERANCE)) {
                row.put("error", "the test loss is not the published one");
            }
        }
    }

    private static Row epoch(EpochReport report) {
        Row row = new Row()
                .put("epoch", report.epoch())
                .put("train_loss", report.train().loss())
                .put("train_seconds", report.trainSeconds())
                .put("test_seconds", report.testSeconds());
        Losses test = report.test();
        return test == null ? row : row.put("test_loss", test.loss()).put("test_kl", test.kl());
    }
}
