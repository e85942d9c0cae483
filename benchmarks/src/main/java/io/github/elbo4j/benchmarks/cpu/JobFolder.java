package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What every process of a comparison reads: rows and initial weights. */
final class JobFolder {
    private JobFolder() {}

    /** Writes pixels, row after row. */
    static void rows(Path folder, String file, Dataset data) throws IOException {
        try (FileChannel out =
                FileChannel.open(folder.resolve(file), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = data.values().asByteBuffer();
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
    }

    /** Writes the initial weights, which the reference draws as every backend does. */
    static void weights(Path folder, Workload workload) throws IOException {
        try (Backend reference = Backends.open("java");
                Vae vae = Vae.create(reference, workload.config(), TrainingStep.SEED)) {
            VaeFiles.save(vae, folder.resolve(workload.name()));
        }
    }

    static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}
