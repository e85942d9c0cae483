package io.github.elbo4j.cli;

import io.github.elbo4j.training.Trainer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ends a run in order when the process is asked to end: the trainer stops at the next step border and the exit waits until
 * everything is written, for a while.
 */
final class ShutdownCancel implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 20;

    private final CountDownLatch written = new CountDownLatch(1);
    private final Thread hook = new Thread(this::cancelAndWait, "elbo4j-shutdown");
    private @Nullable Trainer trainer;
    private boolean asked;

    ShutdownCancel() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The run to cancel; cancelled at once if the process was asked before. */
    synchronized void watch(Trainer run) {
        trainer = run;
        if (asked) {
            run.cancel();
        }
    }

    private synchronized void ask() {
        asked = true;
        if (trainer != null) {
            trainer.cancel();
        }
    }

    private void cancelAndWait() {
        ask();
        try {
            if (!written.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("warning: the last steps are lost; resuming goes on from the last finished epoch");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Everything is written. */
    @Override
    public void close() {
        written.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already, by way of this hook.
        }
    }
}
