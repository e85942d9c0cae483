package io.github.elbo4j.cli;

import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingListener;
import io.github.elbo4j.training.TrainingResult;
import java.nio.file.Path;

/** Tells the user how a run goes. */
interface RunReport extends TrainingListener, AutoCloseable {
    /** Before the first step. */
    void begin(Vae vae, TrainingConfig training, DataSplit data, Path folder, int finishedEpochs);

    /** After the last file was written; {@code pictures} says whether there are any. */
    void end(Vae vae, TrainingResult result, Path folder, boolean pictures);

    /** Leaves the terminal in order, also after a failure. */
    @Override
    default void close() {}
}
