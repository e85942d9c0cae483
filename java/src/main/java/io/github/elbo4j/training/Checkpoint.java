package io.github.elbo4j.training;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.model.VaeGraph;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that resuming needs, in one safetensors file: weights, both moments, counters and sums as tensors; configurations,
 * history and the data's fingerprints as metadata.
 *
 * @param file what was read
 * @param model architecture and objective
 * @param training how the run is trained
 * @param data what it is trained on
 * @param profile numeric profile of the backend that wrote it
 * @param state counters and sums
 * @param history finished epochs
 * @param epochSeconds time spent in the unfinished epoch
 */
record Checkpoint(
        SafetensorsFile file,
        VaeConfig model,
        TrainingConfig training,
        RunData data,
        String profile,
        Snapshot state,
        List<EpochReport> history,
        double epochSeconds) {

    private static final String FORMAT = "elbo4j-checkpoint-1";
    private static final String REMEDY = "resume from an intact checkpoint, or train again into another folder";
    private static final List<String> METRICS = List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL);
    private static final String VALUE = "value.";
    private static final String COUNTERS = "state.counters";
    private static final String SUMS = "state.sums";

    /** Writes everything atomically. */
    static void write(
            Path file,
            Vae vae,
            TrainingConfig training,
            RunData data,
            Snapshot state,
            List<EpochReport> history,
            double epochSeconds)
            throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("format", FORMAT)
                .metadata("model", Json.write(vae.config().toJson()))
                .metadata("training", Json.write(training.toJson()))
                .metadata("data", Json.write(data.toJson()))
                .metadata("profile", vae.backend().info().numericProfile())
                .metadata("epoch_seconds", Double.toString(epochSeconds));
        // One value an epoch: a run of any length stays within the limits of one JSON document.
        for (EpochReport epoch : history) {
            writer.metadata("history." + epoch.epoch(), Json.write(toJson(epoch)));
        }
        writer.add(COUNTERS, DType.I64, new long[] {4}, MemorySegment.ofArray(new long[] {
            state.step(), state.epoch(), state.position(), state.rows()
        }));
        double[] sums = new double[METRICS.size()];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = state.sums().getOrDefault(METRICS.get(i), 0.0);
        }
        writer.add(SUMS, DType.F64, new long[] {sums.length}, MemorySegment.ofArray(sums));
        Parameters parameters = vae.parameters();
        try (Arena host = Arena.ofConfined()) {
            VaeFiles.add(writer, host, VALUE, parameters, parameters.values());
            for (int i = 0; i < parameters.moments(); i++) {
                VaeFiles.add(writer, host, moment(i), parameters, parameters.moment(i));
            }
            writer.write(file);
        }
    }

    /**
     * {@return a checkpoint that was read and checked; its weights are still on the host}
     *
     * @throws FormatException if it is not a checkpoint, or contradicts itself
     */
    static Checkpoint read(Path path) throws IOException {
        SafetensorsFile file = SafetensorsFile.read(path);
        if (!FORMAT.equals(file.metadata().get("format"))) {
            throw new FormatException(file.source(), "this is not a checkpoint of a format that can be read", REMEDY);
        }
        VaeConfig model = VaeConfig.fromJson(json(file, "model"));
        TrainingConfig training = TrainingConfig.fromJson(json(file, "training"));
        RunData data = RunData.fromJson(json(file, "data"));
        MemorySegment counters = file.data(COUNTERS, DType.I64, 4);
        MemorySegment sums = file.data(SUMS, DType.F64, METRICS.size());
        Map<String, Double> named = new LinkedHashMap<>();
        for (int i = 0; i < METRICS.size(); i++) {
            named.put(METRICS.get(i), sums.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i));
        }
        long[] counts = counters.toArray(ValueLayout.JAVA_LONG_UNALIGNED);
        for (long count : counts) {
            if (count < 0) {
                throw new FormatException(file.source(), "its counters hold " + count, REMEDY);
            }
        }
        Snapshot state = new Snapshot(counts[0], counts[1], counts[2], counts[3], named, null);
        List<EpochReport> history = new ArrayList<>();
        while (file.metadata().containsKey("history." + (history.size() + 1))) {
            history.add(epoch(json(file, "history." + (history.size() + 1)), history.size() + 1));
        }
        Checkpoint checkpoint = new Checkpoint(
                file, model, training, data, text(file, "profile"), state, List.copyOf(history), seconds(file));
        checkpoint.requireConsistent();
        return checkpoint;
    }

    /** {@return the model with its weights and moments, on a backend} */
    Vae restore(Backend backend) throws IOException {
        VaeFiles.requireFits(file, VALUE, model, backend.real());
        return VaeFiles.restore(backend, model, vae -> {
            Parameters parameters = vae.parameters();
            VaeFiles.fill(file, VALUE, parameters, parameters.values());
            requireNumbers(VALUE, parameters, parameters.values(), -Double.MAX_VALUE);
            for (int i = 0; i < parameters.moments(); i++) {
                Tensor moment = parameters.moment(i);
                VaeFiles.fill(file, moment(i), parameters, moment);
                // The second moment is a mean of squares.
                requireNumbers(moment(i), parameters, moment, i == 1 ? 0 : -Double.MAX_VALUE);
            }
        });
    }

    /** Refuses what no run can have written: it would stop the run at its next step, far from the cause. */
    private void requireNumbers(String prefix, Parameters parameters, Tensor tensor, double least)
            throws FormatException {
        double[] numbers = tensor.downloadDoubles();
        for (Parameters.Spec spec : parameters.specs()) {
            int start = Math.toIntExact(parameters.value(spec.name()).offset());
            for (int i = 0; i < spec.size(); i++) {
                double number = numbers[start + i];
                if (!(number >= least && number <= Double.MAX_VALUE)) {
                    throw new FormatException(
                            file.source(),
                            "tensor '" + prefix + spec.name() + "' holds " + number + " at element " + i,
                            REMEDY);
                }
            }
        }
    }

    private void requireConsistent() throws FormatException {
        long batch = Math.min(training.batch(), data.trainRows());
        long stepsPerEpoch = Math.ceilDiv(data.trainRows(), batch);
        boolean finite = state.sums().values().stream().allMatch(Double::isFinite);
        if (state.step() < 0
                || state.epoch() != history.size()
                || state.position() < 0
                || state.position() >= data.trainRows()
                || state.rows() != state.position()
                || state.position() % batch != 0
                || state.step() != state.epoch() * stepsPerEpoch + state.position() / batch
                || !finite) {
            throw new FormatException(file.source(), "its counters contradict each other: " + state, REMEDY);
        }
    }

    private static String moment(int index) {
        return "moment" + index + ".";
    }

    private static Map<String, Object> toJson(EpochReport epoch) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("train", toJson(epoch.train()));
        if (epoch.test() != null) {
            json.put("test", toJson(epoch.test()));
        }
        json.put("train_seconds", epoch.trainSeconds());
        json.put("test_seconds", epoch.testSeconds());
        return json;
    }

    private static Map<String, Object> toJson(Losses losses) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("reconstruction", losses.reconstruction());
        json.put("kl", losses.kl());
        json.put("loss", losses.loss());
        return json;
    }

    private static EpochReport epoch(JsonObject json, int number) throws FormatException {
        return new EpochReport(
                number,
                losses(json.object("train")),
                json.has("test") ? losses(json.object("test")) : null,
                json.number("train_seconds"),
                json.number("test_seconds"));
    }

    private static Losses losses(JsonObject json) throws FormatException {
        return new Losses(json.number("reconstruction"), json.number("kl"), json.number("loss"));
    }

    private static double seconds(SafetensorsFile file) throws FormatException {
        try {
            double seconds = Double.parseDouble(text(file, "epoch_seconds"));
            if (seconds >= 0 && seconds < Double.POSITIVE_INFINITY) {
                return seconds;
            }
        } catch (NumberFormatException e) {
            // Reported below.
        }
        throw new FormatException(file.source(), "its metadata 'epoch_seconds' is not a time", REMEDY);
    }

    private static JsonObject json(SafetensorsFile file, String key) throws FormatException {
        return JsonObject.parse(file.source() + ", metadata '" + key + "'", text(file, key));
    }

    private static String text(SafetensorsFile file, String key) throws FormatException {
        String value = file.metadata().get(key);
        if (value == null) {
            throw new FormatException(file.source(), "its metadata has no '" + key + "'", REMEDY);
        }
        return value;
    }
}
