package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * PyTorch and JAX at the same work as {@link StepsPart}: same weights, same rows in the same order, same precision. Each
 * script prints one JSON line a row; those that the results have already are skipped.
 */
final class PeersPart implements Part {
    private static final List<String> SCRIPTS = List.of("pytorch", "jax");

    @Override
    public void run(Kit kit) throws IOException {
        Path work = Files.createTempDirectory("peers");
        try {
            export(kit, work);
            for (String precision : kit.options().precisions()) {
                for (String script : SCRIPTS) {
                    if (kit.wanted(script + "/" + precision)) {
                        run(kit, work, script, precision);
                    }
                }
            }
        } finally {
            delete(work);
        }
    }

    /** Writes the rows and the initial weights, which the reference draws as every backend does. */
    private static void export(Kit kit, Path work) throws IOException {
        Dataset data = StepsPart.data(kit.quick());
        try (FileChannel file =
                FileChannel.open(work.resolve("data.u8"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            var bytes = data.values().asByteBuffer();
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        }
        List<Integer> widths = StepsPart.shapes(kit.quick()).stream()
                .map(StepsPart.Shape::hidden)
                .distinct()
                .toList();
        for (int hidden : widths) {
            try (Backend reference = Backends.open("java");
                    Vae vae = TrainingStep.model(reference, hidden)) {
                VaeFiles.save(vae, work.resolve("h" + hidden));
            }
        }
    }

    private static void run(Kit kit, Path work, String script, String precision) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Optional.ofNullable(System.getenv("PYTHON")).orElse("python3"),
                kit.options()
                        .home()
                        .resolve("peers")
                        .resolve(script + "_vae.py")
                        .toString(),
                "--work",
                work.toString(),
                "--precision",
                precision,
                "--shapes",
                StepsPart.shapes(kit.quick()).stream()
                        .map(StepsPart.Shape::label)
                        .collect(Collectors.joining(",")),
                "--seconds",
                Long.toString(kit.secondsLeft()),
                "--device",
                kit.options().backend().equals("cuda") ? "cuda" : "cpu"));
        if (kit.quick()) {
            command.add("--quick");
        }
        for (String done : kit.doneNames()) {
            command.add("--skip");
            command.add(done);
        }
        Row end = new Row();
        try {
            Child.Outcome outcome = Child.run(command, Map.of("PYTHONUNBUFFERED", "1"), line -> {
                Row row = new Row();
                line.forEach((key, value) -> {
                    if (value != null && !key.equals("name")) {
                        row.put(key, value);
                    }
                });
                kit.write(String.valueOf(line.get("name")), null, precision, row);
            });
            end.put("status", outcome.status());
            if (outcome.status() == 3) {
                kit.stop();
                return;
            }
            if (outcome.status() == 4) {
                end.put("skipped", outcome.tail());
            } else if (outcome.status() != 0) {
                end.put("error", outcome.tail());
            }
        } catch (IOException e) {
            end.put("skipped", "cannot be started: " + e.getMessage());
        }
        kit.write(script + "/" + precision, null, precision, end);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
