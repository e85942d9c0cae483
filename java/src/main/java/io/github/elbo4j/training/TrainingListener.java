package io.github.elbo4j.training;

import java.nio.file.Path;

/**
 * Follows a run; called on the thread that runs it. What a listener throws ends the run at that step border, after the
 * last checkpoint was kept.
 */
public interface TrainingListener {
    /** Some steps are done; called a few times a second. */
    default void onProgress(Progress progress) {}

    /** An epoch and its evaluation are done; what it gave is on disk already if the run has a folder. */
    default void onEpoch(EpochReport report) {}

    /** The run's folder was brought up to date. */
    default void onCheckpoint(Path folder, long step) {}
}
