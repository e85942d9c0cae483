package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.RunFolder;
import io.github.elbo4j.training.Trainer;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingListener;
import io.github.elbo4j.training.TrainingResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: a new run, or more of an old one. */
@Command(
        name = "train",
        description = "Train a variational autoencoder, or go on with a run.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class TrainCommand extends Subcommand {
    private static final String DEFAULT_DATA = "digits";

    private final Streams streams;

    @Option(
            names = "--data",
            paramLabel = "SPEC",
            description = DataSpec.FORMS + " (default: digits, which are drawn and need no download).")
    private @Nullable String data;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final TrainingOptions training = new TrainingOptions();

    @Mixin
    private final BackendOptions backends = new BackendOptions();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder of the run (default: runs/NNNN-DATA, the first free number).")
    private @Nullable Path out;

    @Option(names = "--overwrite", description = "Take a folder that holds a run, and replace its files.")
    private boolean overwrite;

    @Option(
            names = "--resume",
            paramLabel = "DIR",
            description = "Go on with the run in this folder; it ends as if it had never stopped.")
    private @Nullable Path resume;

    @Option(names = "--json", description = "Print one JSON object a line instead of text.")
    private boolean json;

    TrainCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        requireNamed("--out", out);
        requireNamed("--resume", resume);
        Path folder = resume;
        if (folder == null) {
            return trainNew();
        }
        if (out != null || overwrite) {
            throw new InputException("--resume goes on in its own folder; leave out --out and --overwrite");
        }
        return resume(folder);
    }

    private static void requireNamed(String option, @Nullable Path folder) {
        // An unset variable of a script would otherwise mean the current folder.
        if (folder != null && folder.toString().isEmpty()) {
            throw new InputException(option + " is empty; name a folder (. is the current one)");
        }
    }

    private static void requireFree(Path folder) throws IOException {
        try {
            RunFolder.requireNoRun(folder);
        } catch (FormatException e) {
            throw new InputException(e.getMessage() + "; --overwrite replaces the files of the run", e);
        }
        for (String picture : List.of(Pictures.RECONSTRUCTIONS, Pictures.SAMPLES)) {
            if (Files.exists(folder.resolve(picture), LinkOption.NOFOLLOW_LINKS)) {
                throw new InputException(folder + ": the folder already holds '" + picture
                        + "'; choose another folder, or replace its files with --overwrite");
            }
        }
    }

    private int trainNew() throws IOException {
        // Everything that can be wrong is found before anything is written.
        model.check();
        TrainingConfig config = training.config();
        Path wanted = out;
        if (wanted != null && !overwrite) {
            requireFree(wanted);
        }
        String named = data;
        DataSplit split = open(named == null ? DEFAULT_DATA : named);
        VaeConfig architecture = model.config(split.train().shape());
        try (Backend backend = backends.open();
                ShutdownCancel shutdown = new ShutdownCancel();
                Vae vae = Vae.create(backend, architecture, config.seed());
                Trainer trainer = Trainer.create(vae, config, split)) {
            Path folder = wanted == null ? OutFolder.numbered(split.spec()) : wanted;
            boolean made = wanted == null || !Files.exists(wanted, LinkOption.NOFOLLOW_LINKS);
            try {
                RunFolder run = overwrite ? RunFolder.overwrite(folder, split) : RunFolder.create(folder, split);
                try (RunLock _ = RunLock.take(folder)) {
                    if (!overwrite) {
                        // Once more, now that nobody else can begin a run here.
                        requireFree(folder);
                    }
                    run(vae, trainer.keepIn(run), config, split, folder, 0, shutdown);
                }
            } finally {
                if (made) {
                    OutFolder.removeIfEmpty(folder);
                }
            }
        }
        return Failures.OK;
    }

    private int resume(Path folder) throws IOException {
        if (!Files.exists(folder.resolve(RunFolder.CHECKPOINT))) {
            throw new FormatException(
                    folder.toString(),
                    "there is no '" + RunFolder.CHECKPOINT + "' in it",
                    "name the folder of a run, or train a new one with --out");
        }
        try (RunLock _ = RunLock.take(folder)) {
            RunFolder.Resumable run = RunFolder.open(folder);
            model.requireSame(run.model());
            TrainingConfig config = training.resumed(run.training());
            String named = data;
            if (named == null && run.dataSpec().isEmpty()) {
                throw new InputException(folder + ": the run does not know the name of its data; give it with --data");
            }
            DataSplit split = open(named == null ? run.dataSpec() : named);
            try (Backend backend = backends.open();
                    ShutdownCancel shutdown = new ShutdownCancel();
                    Vae vae = run.restore(backend);
                    Trainer trainer = trainer(run, vae, config, split)) {
                String profile = backend.info().numericProfile();
                if (!profile.equals(run.profile())) {
                    streams.warn("the run was trained as " + run.profile() + " and goes on as " + profile
                            + ": it will not end with the same bits");
                }
                run(vae, trainer, config, split, folder, run.history().size(), shutdown);
            }
        }
        return Failures.OK;
    }

    private Trainer trainer(RunFolder.Resumable run, Vae vae, TrainingConfig config, DataSplit split)
            throws IOException {
        try {
            return run.trainer(vae, config, split.spec(), split.train(), split.test());
        } catch (FormatException e) {
            throw new InputException("--data " + split.spec() + " contradicts the run: " + e.getMessage(), e);
        }
    }

    private void run(
            Vae vae,
            Trainer trainer,
            TrainingConfig config,
            DataSplit split,
            Path folder,
            int finishedEpochs,
            ShutdownCancel shutdown)
            throws IOException {
        try (RunReport report = json ? new JsonReport(streams) : new TextReport(streams.out(), Terminals.columns())) {
            report.begin(vae, config, split, folder, finishedEpochs);
            shutdown.watch(trainer.listen(report));
            TrainingResult result = train(trainer, folder);
            boolean pictures = Pictures.drawable(vae.config().input());
            if (pictures) {
                Pictures.write(vae, split.test(), config.seed(), folder);
            }
            report.end(vae, result, folder, pictures);
        }
    }

    private TrainingResult train(Trainer trainer, Path folder) throws IOException {
        AtomicBoolean kept = new AtomicBoolean(resume != null);
        trainer.listen(new TrainingListener() {
            @Override
            public void onCheckpoint(Path at, long step) {
                kept.set(true);
            }
        });
        try {
            return trainer.run();
        } catch (BackendException e) {
            if (kept.get()) {
                throw new BackendException(
                        e.getMessage() + "; `elbo4j train --resume " + folder + "` goes on from the last checkpoint",
                        e);
            }
            throw e;
        } catch (IllegalArgumentException e) {
            // All options were accepted before: this is no fault of the user.
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** {@return the data of a name; whatever is wrong with it is the user's to mend} */
    static DataSplit open(String spec) {
        try {
            return DataSpec.parse(spec).open();
        } catch (FormatException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new InputException("data '" + spec + "' cannot be read (" + e + "); check the path and the disk", e);
        }
    }
}
