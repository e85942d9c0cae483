package io.github.elbo4j.inference;

import io.github.elbo4j.model.VaeConfig;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Sessions for a server: threads borrow one and give it back, and another snapshot takes the place of the model without
 * dropping a call.
 *
 * <p>A borrowed session is used as long as its lease is kept, and is not closed by its borrower: that throws.
 *
 * <p>Safe for any number of threads, virtual ones included.
 */
public final class SessionPool implements AutoCloseable {
    private final int sessions;
    private final int maxRows;
    private final int samples;
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Condition returned = lock.newCondition();
    private final Deque<Member> idle = new ArrayDeque<>();
    private VaeConfig config;
    private int generation;
    private int lent;
    private boolean open = true;

    /** A session of the pool, and the model it belongs to. */
    private record Member(InferenceSession session, int generation) {}

    /**
     * A session that was borrowed; closing the lease gives it back. One that is forgotten is given back when the garbage
     * collector finds it, with a warning in the log that says where it was borrowed.
     */
    public final class Lease implements AutoCloseable {
        private final Member member;
        private final Leaks.Guard guard;
        private volatile boolean out = true;

        private Lease(Member member) {
            this.member = member;
            // Through the pool and the member: neither refers to the lease.
            this.guard = Leaks.guard(this, "lease of a session", () -> giveBack(member));
        }

        /**
         * {@return the session, to be given back by closing the lease}
         *
         * @throws IllegalStateException if it was given back
         */
        public InferenceSession session() {
            if (!out) {
                throw new IllegalStateException("this session was given back to its pool; borrow one again");
            }
            return member.session;
        }

        /**
         * Gives the session back; a second call does nothing.
         *
         * @throws IllegalStateException if a call of the session runs on another thread and it is not to be lent again
         */
        @Override
        public void close() {
            out = false;
            guard.close();
        }
    }

    private void giveBack(Member member) {
        lock.lock();
        try {
            if (open && member.generation == generation) {
                lent--;
                idle.addFirst(member);
                returned.signal();
                return;
            }
        } finally {
            lock.unlock();
        }
        // Of a model that was replaced, or of a pool that was closed: this was its last call.
        member.session.dispose();
        lock.lock();
        try {
            lent--;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Opens a pool; all of its sessions are made now.
     *
     * @param model what is served; the pool holds its weights itself, so the model may be closed
     * @param sessions how many, at least 1: calls that run at the same time
     * @param maxRows most rows of a call
     * @param samples samples of z for each row of a score
     */
    public SessionPool(FrozenModel model, int sessions, int maxRows, int samples) {
        if (sessions < 1) {
            throw new IllegalArgumentException("a pool of " + sessions + " sessions; it needs at least 1");
        }
        this.sessions = sessions;
        this.maxRows = maxRows;
        this.samples = samples;
        this.config = model.config();
        make(model).forEach(session -> idle.addLast(new Member(session, 0)));
    }

    private List<InferenceSession> make(FrozenModel model) {
        List<InferenceSession> made = new ArrayList<>(sessions);
        try {
            for (int i = 0; i < sessions; i++) {
                made.add(model.session(maxRows, samples).inPool());
            }
            return made;
        } catch (RuntimeException | Error e) {
            made.forEach(InferenceSession::dispose);
            throw e;
        }
    }

    /**
     * {@return a session, when one is free}
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if the pool is closed, also while waiting
     */
    public Lease borrow() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (open && idle.isEmpty()) {
                returned.await();
            }
            return take();
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@return a session, when one is free within a time}
     *
     * @param limit how long to wait
     * @throws TimeoutException if none was given back meanwhile
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if the pool is closed, also while waiting
     */
    public Lease borrow(Duration limit) throws InterruptedException, TimeoutException {
        long left = TimeUnit.NANOSECONDS.convert(limit);
        lock.lockInterruptibly();
        try {
            while (open && idle.isEmpty()) {
                if (left <= 0) {
                    throw new TimeoutException("all " + sessions + " sessions are lent, and none was given back within "
                            + limit + "; open the pool with more, or shed load");
                }
                left = returned.awaitNanos(left);
            }
            return take();
        } finally {
            lock.unlock();
        }
    }

    private Lease take() {
        if (!open) {
            throw new IllegalStateException("the pool is closed");
        }
        Lease lease = new Lease(idle.removeFirst());
        lent++;
        return lease;
    }

    /**
     * {@return what a function gives for a borrowed session, which goes back afterwards}
     *
     * @throws InterruptedException if the thread is interrupted while it waits for one
     */
    public <T> T call(Function<? super InferenceSession, ? extends T> body) throws InterruptedException {
        try (Lease lease = borrow()) {
            return body.apply(lease.session());
        }
    }

    /**
     * Serves another model from now on: sessions of it are made first, calls under way end on the old one, and whoever
     * borrows afterwards gets the new one. Until the last old call has ended both take memory.
     *
     * @param next the other model, whose inputs and latent codes have the same sizes; the pool holds its weights itself
     * @throws IllegalArgumentException if they have not; the old model is served on then, as it is after any failure
     * @throws IllegalStateException if the pool is closed
     */
    public void swap(FrozenModel next) {
        VaeConfig wanted = next.config();
        if (!wanted.input().equals(config().input()) || wanted.latent() != config().latent()) {
            throw new IllegalArgumentException("the pool serves " + config().summary() + ", whose callers cannot use "
                    + wanted.summary() + "; open another pool for it");
        }
        List<InferenceSession> made = make(next);
        close(replaceIdle(made, wanted));
    }

    private List<Member> replaceIdle(List<InferenceSession> made, VaeConfig wanted) {
        lock.lock();
        try {
            if (open) {
                List<Member> replaced = List.copyOf(idle);
                idle.clear();
                generation++;
                config = wanted;
                made.forEach(session -> idle.addLast(new Member(session, generation)));
                returned.signalAll();
                return replaced;
            }
        } finally {
            lock.unlock();
        }
        made.forEach(InferenceSession::dispose);
        throw new IllegalStateException("the pool is closed");
    }

    /** {@return architecture and objective of the model that is served} */
    public VaeConfig config() {
        lock.lock();
        try {
            return config;
        } finally {
            lock.unlock();
        }
    }

    /** {@return sessions that are lent at present} */
    public int lent() {
        lock.lock();
        try {
            return lent;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the pool: nothing is lent any more, and what is lent is freed when it is given back. Twice does nothing. */
    @Override
    public void close() {
        List<Member> left;
        lock.lock();
        try {
            open = false;
            left = List.copyOf(idle);
            idle.clear();
            returned.signalAll();
        } finally {
            lock.unlock();
        }
        close(left);
    }

    /** Closes all, also if one of them cannot be. */
    private static void close(List<Member> members) {
        IllegalStateException failure = null;
        for (Member member : members) {
            try {
                member.session.dispose();
            } catch (IllegalStateException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
