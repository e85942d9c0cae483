package io.github.elbo4j.inference;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A snapshot of a model's weights that never changes: what a service holds while training goes on beside it.
 *
 * <p>Any number of {@linkplain #session sessions} share its weights, and keep them until they are closed themselves: a
 * model may be closed before its sessions, which is how one is replaced while calls are under way (see
 * {@link SessionPool#swap}). A model that is forgotten without being closed is freed when the garbage collector finds it,
 * with a warning in the log that says where it was opened.
 *
 * <p>Safe for any number of threads.
 */
public final class FrozenModel implements AutoCloseable {
    private final Snapshot snapshot;
    private final Leaks.Guard guard;
    private boolean open = true;

    private FrozenModel(Snapshot snapshot) {
        this.snapshot = snapshot;
        this.guard = Leaks.guard(this, "frozen model " + snapshot.config().summary(), snapshot::release);
    }

    /**
     * {@return a snapshot of a model's present weights, on the same backend}
     *
     * @param vae the model, not needed afterwards; to be called on its thread: while it is trained, in a
     *     {@link io.github.elbo4j.training.TrainingListener}. From another thread it meets the trainer in the model's
     *     workspace, and one of both throws
     * @throws IllegalArgumentException if a weight is not finite
     */
    public static FrozenModel of(Vae vae) {
        return new FrozenModel(Snapshot.of(vae));
    }

    /**
     * {@return the model of a folder, see {@link VaeFiles#load}}
     *
     * @param backend where it serves
     * @param path folder of a model or a run, or its weights' file
     * @throws FormatException if a file is missing, malformed, or does not fit the other
     */
    public static FrozenModel load(Backend backend, Path path) throws IOException {
        try (Vae vae = VaeFiles.load(backend, path)) {
            return of(vae);
        } catch (IllegalArgumentException e) {
            throw new FormatException(path.toString(), "cannot serve", String.valueOf(e.getMessage()), e);
        }
    }

    /** {@return architecture and objective} */
    public VaeConfig config() {
        return snapshot.config();
    }

    /** {@return the backend it serves on} */
    public Backend backend() {
        return snapshot.backend();
    }

    /**
     * {@return a new session whose scores take one sample of z}
     *
     * @param maxRows most rows of a call, at least 1
     */
    public InferenceSession session(int maxRows) {
        return session(maxRows, 1);
    }

    /**
     * {@return a new session}
     *
     * @param maxRows most rows of a call, at least 1
     * @param samples samples of z for each row of a score, at least 1
     * @throws IllegalArgumentException if a number is out of range
     * @throws io.github.elbo4j.backend.BackendMemoryException if it does not fit the backend's memory
     * @throws IllegalStateException if the model is closed
     */
    public InferenceSession session(int maxRows, int samples) {
        Snapshot held = share();
        try {
            return InferenceSession.open(held, maxRows, samples);
        } catch (RuntimeException | Error e) {
            held.release();
            throw e;
        }
    }

    /** {@return the weights, held once more} */
    synchronized Snapshot share() {
        if (!open) {
            throw new IllegalStateException("the frozen model " + config().summary() + " is closed");
        }
        snapshot.hold();
        return snapshot;
    }

    /** Lets go of the weights, which live on as long as a session uses them; closing twice does nothing. */
    @Override
    public synchronized void close() {
        open = false;
        guard.close();
    }

    /** {@return architecture and backend in one line} */
    @Override
    public String toString() {
        return "frozen " + config().summary() + " on " + backend().info().numericProfile();
    }
}
