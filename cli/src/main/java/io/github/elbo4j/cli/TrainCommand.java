package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.inference.FrozenModel;
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
        description = {
            "Train a variational autoencoder, or go on with a run.",
            "Every epoch is kept: a run that was stopped, or killed, goes on with --resume and ends with the same bits. At"
                    + " the end the folder holds weights, losses and pictures."
        },
        footer = {
            "elbo4j train --data mnist --hidden 400 --latent 20 --out runs/mnist",
            "elbo4j train --resume runs/mnist --epochs 20"
        },
        sortOptions = false,
        abbreviateSynopsis = true)
final class TrainCommand extends Subcommand {
    private static final String DEFAULT_DATA = "digits";

    /** What a run leaves beside the files of the library. */
    private static final List<String> ALSO_WRITTEN = List.of(
            Pictures.RECONSTRUCTIONS,
            Pictures.SAMPLES,
            RunPage.PAGE,
            RunPage.FACTS,
            EpochFrames.Kind.RECONSTRUCTIONS.animation(),
            EpochFrames.Kind.SAMPLES.animation(),
            EpochFrames.FOLDER);

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
        for (String file : ALSO_WRITTEN) {
            if (Files.exists(folder.resolve(file), LinkOption.NOFOLLOW_LINKS)) {
                throw new InputException(folder + ": the folder already holds '" + file
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
            DataSplit split = named == null ? openOfRun(run.dataSpec()) : open(named);
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
            RunPage.Facts facts = RunPage.Facts.of(vae.backend());
            boolean pictures = Pictures.drawable(vae.config().input());
            if (pictures) {
                trainer.listen(frames(vae, config, split, folder, finishedEpochs));
            }
            TrainingResult result = train(trainer, folder, facts);
            if (pictures) {
                Pictures.write(vae, split.test(), config.seed(), folder);
            }
            page(vae, config, split, folder, facts, result);
            report.end(vae, result, folder, pictures);
        }
    }

    private EpochFrames frames(Vae vae, TrainingConfig config, DataSplit split, Path folder, int finishedEpochs) {
        EpochFrames frames = new EpochFrames(folder, vae, split.test(), config.seed(), streams);
        if (finishedEpochs == 0) {
            frames.begin();
        }
        return frames;
    }

    private static void page(
            Vae vae, TrainingConfig config, DataSplit split, Path folder, RunPage.Facts facts, TrainingResult result)
            throws IOException {
        String profile = vae.backend().info().numericProfile();
        try (FrozenModel frozen = FrozenModel.of(vae)) {
            RunPage.write(
                    new RunPage.Run(vae.config(), config, profile, facts, result.history()), frozen, split, folder);
        }
    }

    /** Makes the folder this run's, now that its model has taken the place of what was there. */
    private void takeOver(Path folder, RunPage.Facts facts) {
        try {
            if (overwrite) {
                // The new run may have no pictures, and the old ones are none of it.
                EpochFrames.clear(folder);
                for (String file : ALSO_WRITTEN.subList(0, ALSO_WRITTEN.indexOf(EpochFrames.FOLDER))) {
                    Files.deleteIfExists(folder.resolve(file));
                }
            }
            facts.note(folder);
        } catch (IOException e) {
            streams.warn(folder + ": pictures of an earlier run could not be deleted, or " + RunPage.FACTS
                    + " not be written (" + e.getMessage() + "); the report may show the wrong ones");
        }
    }

    private TrainingResult train(Trainer trainer, Path folder, RunPage.Facts facts) throws IOException {
        AtomicBoolean kept = new AtomicBoolean(resume != null);
        AtomicBoolean noted = new AtomicBoolean();
        trainer.listen(new TrainingListener() {
            @Override
            public void onCheckpoint(Path at, long step) {
                kept.set(true);
                if (!noted.getAndSet(true)) {
                    takeOver(folder, facts);
                }
            }
        });
        try {
            return trainer.run();
        } catch (BackendException e) {
            if (kept.get()) {
                throw new BackendException(
                        e.getMessage() + "; `elbo4j train --resume " + Shell.quoted(folder)
                                + "` goes on from the last checkpoint",
                        e);
            }
            throw e;
        } catch (IllegalArgumentException e) {
            // All options were accepted before: this is no fault of the user.
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** {@return the data of a run, by the name that the run has for it} */
    static DataSplit openOfRun(String spec) {
        try {
            return open(spec);
        } catch (InputException e) {
            throw new InputException(
                    e.getMessage()
                            + "; the run has this name for its data, perhaps as seen from another folder: say where it"
                            + " lies now with --data",
                    e);
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
