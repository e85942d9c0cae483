package io.github.elbo4j.cli;

import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One JSON object a line, and nothing else on standard output. */
final class JsonReport implements RunReport {
    private final Streams streams;

    JsonReport(Streams streams) {
        this.streams = streams;
    }

    @Override
    public void begin(Vae vae, TrainingConfig training, DataSplit data, Path folder, int finishedEpochs) {
        // Scripts read events of epochs only.
    }

    @Override
    public void onEpoch(EpochReport report) {
        Map<String, @Nullable Object> event = new LinkedHashMap<>();
        event.put("event", "epoch");
        event.put("epoch", report.epoch());
        event.put("train", losses(report.train()));
        Losses test = report.test();
        event.put("test", test == null ? null : losses(test));
        event.put("train_seconds", report.trainSeconds());
        event.put("test_seconds", report.testSeconds());
        streams.json(event);
    }

    @Override
    public void end(Vae vae, TrainingResult result, Path folder, boolean pictures) {
        Map<String, @Nullable Object> event = new LinkedHashMap<>();
        event.put("event", "done");
        event.put("out", folder.toString());
        event.put("backend", vae.backend().info().name());
        event.put("steps", result.steps());
        if (result.cancelled()) {
            event.put("cancelled", true);
        }
        streams.json(event);
    }

    static Map<String, @Nullable Object> losses(Losses losses) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("reconstruction", losses.reconstruction());
        json.put("kl", losses.kl());
        json.put("loss", losses.loss());
        return json;
    }
}
