package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code report}: the page of a run, made again. */
@Command(
        name = "report",
        description = {
            "Write the report of a run again.",
            "Replaces report.html in the run's folder, one page that opens offline: losses, pictures, animations, a"
                    + " map of the latent space, and the command that reproduces the run. `elbo4j train` writes it as well."
        },
        footer = {"elbo4j report runs/mnist"},
        sortOptions = false,
        abbreviateSynopsis = true)
final class ReportCommand extends Subcommand {
    private final Streams streams;

    @Parameters(paramLabel = "DIR", description = "Folder of a run.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path folder;

    @Option(
            names = "--data",
            paramLabel = "SPEC",
            description = "The run's data, where it lies now (default: where the run found it).")
    private @Nullable String data;

    @Mixin
    private final BackendOptions backends = new BackendOptions();

    @Option(names = "--json", order = LAST - 1, description = "Print one JSON object instead of text.")
    private boolean json;

    ReportCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (folder.toString().isEmpty()) {
            throw new InputException("DIR is empty; name the folder of a run (. is the current one)");
        }
        if (!Files.exists(folder.resolve(RunFolder.CHECKPOINT))) {
            throw new FormatException(
                    folder.toString(), "there is no '" + RunFolder.CHECKPOINT + "' in it", "name the folder of a run");
        }
        try (RunLock _ = RunLock.take(folder)) {
            write();
        }
        Path page = folder.resolve(RunPage.PAGE);
        if (json) {
            Map<String, @Nullable Object> event = new LinkedHashMap<>();
            event.put("event", "report");
            event.put("files", List.of(page.toString()));
            streams.json(event);
        } else {
            streams.out().println(page);
        }
        return Failures.OK;
    }

    private void write() throws IOException {
        RunFolder.Resumable run = RunFolder.open(folder);
        String named = data == null ? run.dataSpec() : data;
        if (named.isEmpty()) {
            throw new InputException(folder + ": the run does not know the name of its data; give it with --data");
        }
        DataSplit split = data == null ? TrainCommand.openOfRun(named) : TrainCommand.open(named);
        if (!run.hasData(split)) {
            throw new InputException("--data " + named + " is not what the run was trained on ('" + run.dataSpec()
                    + "'); give the same data");
        }
        try (Backend backend = backends.open();
                Vae vae = run.restore(backend);
                FrozenModel frozen = FrozenModel.of(vae)) {
            RunPage.Run told = new RunPage.Run(
                    run.model(), run.training(), run.profile(), RunPage.Facts.read(folder), run.history());
            RunPage.write(told, frozen, split, folder);
        }
    }
}
