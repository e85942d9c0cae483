package io.github.elbo4j.inference;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;

/** Frees what was forgotten, and says where it was opened. */
final class Leaks {
    private static final System.Logger LOG = System.getLogger("io.github.elbo4j.inference");
    private static final Cleaner CLEANER = Cleaner.create();

    private Leaks() {}

    /**
     * What closing an object does, once.
     *
     * <p>Must not refer to the object itself, or it is never found to be unreachable.
     */
    static final class Guard {
        private final String what;
        private final Runnable release;
        private final Throwable opened;
        private final AtomicBoolean done = new AtomicBoolean();
        private final Cleaner.Cleanable cleanable;

        private Guard(Object owner, String what, Runnable release) {
            this.what = what;
            this.release = release;
            this.opened = new Throwable(what + " was opened here, on thread '"
                    + Thread.currentThread().getName() + "'");
            this.cleanable = CLEANER.register(owner, this::leaked);
        }

        /** Releases; the second call does nothing, also from another thread at the same time. A release that throws can be tried again. */
        synchronized void close() {
            if (done.get()) {
                return;
            }
            release.run();
            done.set(true);
            cleanable.clean();
        }

        private void leaked() {
            if (done.getAndSet(true)) {
                return;
            }
            LOG.log(
                    System.Logger.Level.WARNING,
                    what + " was not closed and is freed now; close it, best by try-with-resources",
                    opened);
            try {
                release.run();
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, what + " could not be freed", e);
            }
        }
    }

    /**
     * {@return what closes an object, or frees it with a warning when it has become unreachable}
     *
     * @param owner the object
     * @param what the object in words
     * @param release frees what it holds; does not refer to it
     */
    static Guard guard(Object owner, String what, Runnable release) {
        return new Guard(owner, what, release);
    }
}
