package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.training.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/**
 * The trained model that a command is given, and what the run that it comes from says.
 *
 * <p>The run's checkpoint is read only when something is asked that no option says, so that a damaged one is in nobody's
 * way.
 */
final class TrainedModel {
    private static final long DEFAULT_SEED = 1;

    @Parameters(paramLabel = "MODEL", description = "Folder of a run, or its model.safetensors.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path path;

    private RunFolder.@Nullable Resumable run;
    private boolean asked;

    /** Checks that there are weights; done before anything that takes time. */
    void require() {
        if (path.toString().isEmpty()) {
            // An unset variable of a script would otherwise mean the current folder.
            throw new InputException("MODEL is empty; name the folder of a run (. is the current one)");
        }
        if (!Files.exists(weights())) {
            throw new InputException(
                    weights() + ": does not exist; name the folder of a run, or a " + VaeFiles.WEIGHTS);
        }
    }

    /** {@return architecture and objective, read without the weights} */
    VaeConfig config() throws IOException {
        require();
        if (!Files.exists(weights().resolveSibling(VaeFiles.CONFIG))) {
            throw new InputException(weights() + ": there is no " + VaeFiles.CONFIG
                    + " beside it; name the folder of a run, and load a PyTorch file in Java first (PyTorchFiles)");
        }
        return VaeConfig.fromJson(JsonObject.read(weights().resolveSibling(VaeFiles.CONFIG)));
    }

    /** {@return the model on a backend, to be evaluated} */
    Vae load(Backend backend) throws IOException {
        return VaeFiles.load(backend, path);
    }

    /** {@return the model on a backend, to be used} */
    FrozenModel freeze(Backend backend) throws IOException {
        return FrozenModel.load(backend, path);
    }

    /** {@return the data of a name, or without one what the run was trained on} */
    DataSplit data(@Nullable String named) throws IOException {
        if (named != null) {
            return TrainCommand.open(named);
        }
        return TrainCommand.openOfRun(run().map(RunFolder.Resumable::dataSpec)
                .filter(spec -> !spec.isEmpty())
                .orElseThrow(() -> new InputException(
                        path + ": there is no checkpoint beside it that names its data; give it with --data")));
    }

    /** {@return a key of random numbers; if none is given the run's, or 1} */
    long seed(@Nullable Long given) throws IOException {
        return given != null ? given : run().map(of -> of.training().seed()).orElse(DEFAULT_SEED);
    }

    /** {@return how data becomes a Bernoulli target; if nothing is given, as in the run, or with pixels as they are} */
    Pixels pixels(@Nullable Boolean binarize) throws IOException {
        if (binarize != null) {
            return binarize ? Pixels.BERNOULLI : Pixels.UNIT;
        }
        return run().map(of -> of.training().pixels()).orElse(Pixels.UNIT);
    }

    private Path weights() {
        return Files.isDirectory(path) ? path.resolve(VaeFiles.WEIGHTS) : path;
    }

    private Optional<RunFolder.Resumable> run() throws IOException {
        if (!asked) {
            Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
            if (folder != null && Files.exists(folder.resolve(RunFolder.CHECKPOINT))) {
                run = RunFolder.open(folder);
            }
            asked = true;
        }
        return Optional.ofNullable(run);
    }
}
