package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.Trainer;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A training by our trainer, as {@code ./elbo4j train} does; the job's setting is the backend's name. */
public final class OurTraining {
    private OurTraining() {}

    /** Runs one job. */
    public static void main(String[] args) throws IOException {
        TrainingProcess.main(args, OurTraining::train);
    }

    private static List<Double> train(Job job, int epochs) throws IOException {
        ImageShape shape = job.workload().config().input();
        DataSplit data = new DataSplit(
                Dataset.ofBytes(Files.readAllBytes(job.folder().resolve(StepProcess.DATA)), shape),
                Dataset.ofBytes(Files.readAllBytes(job.folder().resolve(StepProcess.TEST)), shape),
                "rows of the comparison");
        TrainingConfig config = TrainingConfig.builder()
                .epochs(epochs)
                .batch(job.workload().batch())
                .seed(job.seed())
                .build();
        try (Backend backend = Backends.open(job.setting(), Map.of("threads", Integer.toString(job.threads())));
                Vae vae = Vae.create(backend, job.workload().config(), config.seed());
                Trainer trainer = Trainer.create(vae, config, data)) {
            List<Double> losses = new ArrayList<>();
            for (EpochReport report : trainer.run().history()) {
                Losses test = Objects.requireNonNull(report.test());
                losses.add(test.loss());
            }
            return losses;
        }
    }
}
