package io.github.elbo4j.training;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a run: {@value #CHECKPOINT} holds everything and is all that resuming reads; {@value #HISTORY}, the
 * model's {@value VaeFiles#WEIGHTS} and {@value VaeFiles#CONFIG} are written after it and written again from it, so a
 * process may be killed at any moment. Each file is replaced atomically.
 *
 * <p>One process uses a folder at a time.
 */
public final class RunFolder {
    /** Name of the checkpoint. */
    public static final String CHECKPOINT = "checkpoint.safetensors";

    /** Name of the table of epochs. */
    public static final String HISTORY = "history.csv";

    private final Path path;
    private final RunData data;

    private RunFolder(Path path, RunData data) {
        this.path = path;
        this.data = data;
    }

    /**
     * {@return the folder of a new run, made if it does not exist}
     *
     * @param path the folder
     * @param data what the run is trained on
     * @throws FormatException if it already holds a run, whose files would be lost
     * @throws IOException if it cannot be made or written
     */
    public static RunFolder create(Path path, DataSplit data) throws IOException {
        return create(path, data.spec(), data.train(), data.test());
    }

    /**
     * {@return the folder of a new run, made if it does not exist}
     *
     * @param path the folder
     * @param spec how the data is named; empty when it has no name
     * @param train training data
     * @param test test data, null for none
     * @throws FormatException if it already holds a run, whose files would be lost
     * @throws IOException if it cannot be made or written
     */
    public static RunFolder create(Path path, String spec, Dataset train, @Nullable Dataset test) throws IOException {
        requireNoRun(path);
        return writable(path, RunData.of(spec, train, test));
    }

    /**
     * {@return the folder of a new run that takes the place of the one in it, if any; made if it does not exist}
     *
     * <p>The files of the old run stay until the new run replaces them, one by one, at its first checkpoint.
     *
     * @param path the folder
     * @param data what the run is trained on
     * @throws FormatException if it cannot be made or written
     */
    public static RunFolder overwrite(Path path, DataSplit data) throws IOException {
        return writable(path, RunData.of(data.spec(), data.train(), data.test()));
    }

    /**
     * Checks that a folder, which need not exist, holds no run yet.
     *
     * @throws FormatException if it does
     */
    public static void requireNoRun(Path path) throws FormatException {
        for (String name : List.of(CHECKPOINT, VaeFiles.WEIGHTS, VaeFiles.CONFIG, HISTORY)) {
            if (Files.exists(path.resolve(name))) {
                throw new FormatException(
                        path.toString(),
                        "the folder already holds '" + name + "'",
                        "choose another folder, resume the run in it, or remove its files first");
            }
        }
    }

    private static RunFolder writable(Path path, RunData data) throws IOException {
        try {
            Files.createDirectories(path);
            // Found out now rather than after the first epoch.
            Files.delete(Files.createTempFile(path, ".elbo4j", ".probe"));
        } catch (IOException | SecurityException e) {
            throw new FormatException(
                    path.toString(),
                    "the folder cannot be made or written (" + reason(e) + ")",
                    "choose a folder on a disk with room, where you may write",
                    e);
        }
        return new RunFolder(path, data);
    }

    private static String reason(Exception e) {
        return switch (e) {
            case FileAlreadyExistsException _ -> "it exists and is not a folder";
            case NoSuchFileException _ -> "no such folder";
            case AccessDeniedException _ -> "permission denied";
            case FileSystemException disk when disk.getReason() != null -> disk.getReason();
            default -> e.getClass().getSimpleName();
        };
    }

    /** {@return the folder} */
    public Path path() {
        return path;
    }

    /**
     * {@return what a run's checkpoint says of it}
     *
     * @throws FormatException if there is none, or it cannot be used
     */
    public static Resumable open(Path path) throws IOException {
        Path file = path.resolve(CHECKPOINT);
        if (!Files.exists(file)) {
            throw new FormatException(
                    path.toString(), "there is no '" + CHECKPOINT + "' in it", "name the folder of a run");
        }
        return new Resumable(path, Checkpoint.read(file));
    }

    void save(Vae vae, TrainingConfig training, Snapshot state, List<EpochReport> history, double epochSeconds)
            throws IOException {
        Checkpoint.write(path.resolve(CHECKPOINT), vae, training, data, state, history, epochSeconds);
        VaeFiles.save(vae, path);
        AtomicFiles.writeString(path.resolve(HISTORY), csv(history));
    }

    private static String csv(List<EpochReport> history) {
        StringBuilder text = new StringBuilder("epoch,train_reconstruction,train_kl,train_loss,"
                + "test_reconstruction,test_kl,test_loss,train_seconds,test_seconds\n");
        for (EpochReport epoch : history) {
            StringJoiner line = new StringJoiner(",", "", "\n");
            line.add(Integer.toString(epoch.epoch()));
            add(line, epoch.train());
            add(line, epoch.test());
            line.add(String.format(Locale.ROOT, "%.3f", epoch.trainSeconds()));
            line.add(String.format(Locale.ROOT, "%.3f", epoch.testSeconds()));
            text.append(line);
        }
        return text.toString();
    }

    private static void add(StringJoiner line, @Nullable Losses losses) {
        line.add(losses == null ? "" : Double.toString(losses.reconstruction()));
        line.add(losses == null ? "" : Double.toString(losses.kl()));
        line.add(losses == null ? "" : Double.toString(losses.loss()));
    }

    /** A run on disk that can go on. */
    public static final class Resumable {
        private final Path path;
        private final Checkpoint checkpoint;

        private Resumable(Path path, Checkpoint checkpoint) {
            this.path = path;
            this.checkpoint = checkpoint;
        }

        /** {@return architecture and objective} */
        public VaeConfig model() {
            return checkpoint.model();
        }

        /** {@return how the run is trained} */
        public TrainingConfig training() {
            return checkpoint.training();
        }

        /** {@return how the data was named; empty when it was not opened by a name} */
        public String dataSpec() {
            return checkpoint.data().spec();
        }

        /** {@return numeric profile of the backend that wrote it; another one goes on with other bits} */
        public String profile() {
            return checkpoint.profile();
        }

        /** {@return finished epochs} */
        public List<EpochReport> history() {
            return checkpoint.history();
        }

        /** {@return whether this is what the run was trained on, wherever it lies now} */
        public boolean hasData(DataSplit split) {
            return RunData.of(split.spec(), split.train(), split.test()).sameData(checkpoint.data());
        }

        /** {@return the model as the checkpoint has it, with its moments, on a backend} */
        public Vae restore(Backend backend) throws IOException {
            return checkpoint.restore(backend);
        }

        /**
         * {@return a trainer that goes on in the same folder}
         *
         * @param vae the model that {@link #restore} gave
         * @param training the run's configuration, with another number of epochs if wanted
         * @param spec how the data is named now; empty when it has no name
         * @param train training data, the same as before
         * @param test test data, the same as before
         * @throws FormatException if the data is not what the run was trained on
         * @throws IllegalArgumentException if the model's configuration, or anything but the number of epochs, differs
         */
        public Trainer trainer(Vae vae, TrainingConfig training, String spec, Dataset train, @Nullable Dataset test)
                throws IOException {
            if (!vae.config().equals(model())) {
                throw new IllegalArgumentException("the run's model is " + model() + ", not " + vae.config());
            }
            if (!training.withEpochs(1).equals(training().withEpochs(1))) {
                throw new IllegalArgumentException("a resumed run keeps its configuration but for the epochs: it has "
                        + training() + ", asked for is " + training);
            }
            RunData data = RunData.of(spec, train, test);
            if (!data.sameData(checkpoint.data())) {
                throw new FormatException(
                        path.toString(),
                        "the run was trained on other data ('" + dataSpec() + "', "
                                + checkpoint.data().trainRows() + " training rows, SHA-256 "
                                + checkpoint.data().trainFingerprint() + ")",
                        "resume it with the same data, or train another run on this data");
            }
            return Trainer.resume(vae, checkpoint, training, train, test).keepIn(new RunFolder(path, data));
        }
    }
}
