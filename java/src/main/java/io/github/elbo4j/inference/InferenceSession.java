package io.github.elbo4j.inference;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.model.VaeConfig;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link FrozenModel} on rows in the caller's memory: everything a call needs was made when the session was opened,
 * so that calls with {@link HostRows} allocate nothing on the heap, as long as the code is compiled and the backend's
 * threads are awake and not contended for.
 *
 * <p>A row's result depends on the weights, the row, the seed and, for scores, the number of samples: not on the rows
 * beside it, their number or order, the thread, or other sessions.
 *
 * <p>Inputs {@code x} are {@code [n, input size]} of numbers in [0, 1], or bytes of which 255 stands for 1; latent codes
 * are {@code [n, latent]} and finite. Anything else is an {@link IllegalArgumentException} that names the row; so are rows
 * that do not fit their memory, and more than {@link #maxRows}. The session goes on to serve, but outputs may have been
 * overwritten in part. Outputs may be the memory of inputs only if they are other elements of it. Where the sums of a layer
 * exceed binary32, which takes latent codes or weights beyond all training, results are infinite or no numbers.
 *
 * <p>Used by one thread at a time, and may be handed from one to the next; a call that meets another one throws
 * {@link IllegalStateException}, as does one on a closed session or with a closed segment, and the segments'
 * {@link WrongThreadException} comes out as it is. A device that fails throws
 * {@link io.github.elbo4j.backend.BackendException}. For servers there is {@link SessionPool}. A session that is forgotten
 * without being closed is freed when the garbage collector finds it, with a warning in the log that says where it was
 * opened.
 */
public final class InferenceSession implements AutoCloseable {
    /** Most samples of z for each row of a score. */
    public static final int MAX_SAMPLES = 1 << 16;

    private final Snapshot snapshot;
    private final SessionSteps steps;
    private final int maxRows;
    private final int samples;
    private final Leaks.Guard guard;
    // Two fields in place of one object, so that a call allocates nothing.
    private final AtomicReference<@Nullable Thread> user = new AtomicReference<>();
    private volatile String call = "";
    private volatile boolean open = true;
    private volatile boolean pooled;

    private InferenceSession(Snapshot snapshot, SessionSteps steps, int maxRows, int samples) {
        this.snapshot = snapshot;
        this.steps = steps;
        this.maxRows = maxRows;
        this.samples = samples;
        this.guard =
                Leaks.guard(this, "inference session of " + snapshot.config().summary(), () -> {
                    steps.close();
                    snapshot.release();
                });
    }

    /** {@return a session that takes over one hold on the weights} */
    static InferenceSession open(Snapshot held, int maxRows, int samples) {
        if (maxRows < 1 || samples < 1 || samples > MAX_SAMPLES) {
            throw new IllegalArgumentException("a session of " + maxRows + " rows (at least 1) and " + samples
                    + " samples (1 to " + MAX_SAMPLES + ")");
        }
        return new InferenceSession(held, new SessionSteps(held, maxRows, samples), maxRows, samples);
    }

    /** {@return architecture and objective of the model} */
    public VaeConfig config() {
        return snapshot.config();
    }

    /** {@return the most rows of a call} */
    public int maxRows() {
        return maxRows;
    }

    /** {@return samples of z for each row of a score} */
    public int samples() {
        return samples;
    }

    /**
     * Overwrites {@code mu} and {@code logVar} with the posteriors of inputs.
     *
     * @param x inputs, {@code [n, input size]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param mu receives means, {@code [n, latent]}
     * @param logVar receives log-variances, {@code [n, latent]}, within the model's {@link VaeConfig#logVarClamp}
     */
    public void encode(HostRows x, int n, HostRows mu, HostRows logVar) {
        int latent = config().latent();
        enter("encode", n);
        try {
            requireInput("x", x, n);
            mu.requireTarget("mu", n, latent, false);
            logVar.requireTarget("logVar", n, latent, false);
            steps.encode(x, n, mu, logVar);
        } finally {
            exit();
        }
    }

    /**
     * Overwrites {@code z} with one sample of each input's posterior: {@code mu + exp(logVar / 2) * epsilon}.
     *
     * @param x inputs, {@code [n, input size]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param seed key of epsilon
     * @param firstRow number of the first row, from 0: row i meets the epsilon of {@code firstRow + i}, which is that of
     *     an evaluation with this seed; so rows keep theirs in whatever batch they come
     * @param z receives latent codes, {@code [n, latent]}
     */
    public void sample(HostRows x, int n, long seed, long firstRow, HostRows z) {
        enter("sample", n);
        try {
            requireInput("x", x, n);
            if (firstRow < 0 || firstRow > SessionSteps.MAX_ROW - n) {
                throw new IllegalArgumentException("firstRow " + firstRow + ": rows are numbered from 0 to "
                        + (SessionSteps.MAX_ROW - 1) + ", and " + n + " follow");
            }
            z.requireTarget("z", n, config().latent(), false);
            steps.sample(x, n, seed, firstRow, z);
        } finally {
            exit();
        }
    }

    /**
     * Overwrites {@code means} with the means of the likelihood given latent codes: pixel probabilities.
     *
     * @param z latent codes, {@code [n, latent]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param means receives numbers in [0, 1], or bytes of which 255 stands for 1, {@code [n, input size]}
     */
    public void decode(HostRows z, int n, HostRows means) {
        enter("decode", n);
        try {
            requireLatent(z, n);
            means.requireTarget("means", n, config().input().size(), true);
            steps.decode(z, n, means);
        } finally {
            exit();
        }
    }

    /**
     * Overwrites {@code logits} with the logits of latent codes, from which log-likelihoods are computed without loss.
     *
     * @param z latent codes, {@code [n, latent]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param logits receives them, {@code [n, input size]}
     */
    public void decodeLogits(HostRows z, int n, HostRows logits) {
        enter("decodeLogits", n);
        try {
            requireLatent(z, n);
            logits.requireTarget("logits", n, config().input().size(), false);
            steps.decodeLogits(z, n, logits);
        } finally {
            exit();
        }
    }

    /**
     * Overwrites {@code means} with reconstructions of inputs through {@code z = mu}.
     *
     * @param x inputs, {@code [n, input size]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param means receives numbers in [0, 1], or bytes of which 255 stands for 1, {@code [n, input size]}
     */
    public void reconstruct(HostRows x, int n, HostRows means) {
        enter("reconstruct", n);
        try {
            requireInput("x", x, n);
            means.requireTarget("means", n, config().input().size(), true);
            steps.reconstruct(x, n, means);
        } finally {
            exit();
        }
    }

    /**
     * Overwrites {@code scores} with how well the model explains each input, see {@link Score}.
     *
     * <p>Every row meets the same epsilons (common random numbers), so that scores of rows compare, and a score never
     * depends on the rows beside it.
     *
     * @param x inputs, {@code [n, input size]}
     * @param n how many rows, 1 to {@link #maxRows}
     * @param seed key of the {@link #samples} epsilons
     * @param scores receives reconstruction log-likelihood, KL divergence and evidence lower bound,
     *     {@code [n, 3]}, in nats
     */
    public void score(HostRows x, int n, long seed, HostRows scores) {
        enter("score", n);
        try {
            requireInput("x", x, n);
            scores.requireTarget("scores", n, Score.COLUMNS, false);
            steps.score(x, n, seed, scores);
        } finally {
            exit();
        }
    }

    /** {@return the posteriors of inputs {@code [n, input size]}, in new arrays; see the other method of this name} */
    public Posterior encode(float[] x) {
        int n = rows("x", x, config().input().size());
        Posterior posterior = new Posterior(new float[n * config().latent()], new float[n * config().latent()]);
        encode(HostRows.of(x), n, HostRows.of(posterior.mu()), HostRows.of(posterior.logVar()));
        return posterior;
    }

    /** {@return samples of the posteriors of inputs {@code [n, input size]}; see the other method of this name} */
    public float[] sample(float[] x, long seed, long firstRow) {
        int n = rows("x", x, config().input().size());
        float[] z = new float[Math.multiplyExact(n, config().latent())];
        sample(HostRows.of(x), n, seed, firstRow, HostRows.of(z));
        return z;
    }

    /** {@return pixel probabilities {@code [n, input size]} of latent codes {@code [n, latent]}} */
    public float[] decode(float[] z) {
        int n = rows("z", z, config().latent());
        float[] means = new float[Math.multiplyExact(n, config().input().size())];
        decode(HostRows.of(z), n, HostRows.of(means));
        return means;
    }

    /** {@return reconstructions of inputs through z = mu, both {@code [n, input size]}} */
    public float[] reconstruct(float[] x) {
        float[] means = new float[x.length];
        reconstruct(HostRows.of(x), rows("x", x, config().input().size()), HostRows.of(means));
        return means;
    }

    /** {@return the scores of inputs {@code [n, input size]}; see the other method of this name} */
    public List<Score> score(float[] x, long seed) {
        int n = rows("x", x, config().input().size());
        float[] numbers = new float[n * Score.COLUMNS];
        score(HostRows.of(x), n, seed, HostRows.of(numbers));
        List<Score> scores = new ArrayList<>(n);
        for (int i = 0; i < numbers.length; i += Score.COLUMNS) {
            scores.add(new Score(numbers[i], numbers[i + 1], numbers[i + 2]));
        }
        return scores;
    }

    private int rows(String role, float[] values, int columns) {
        if (values.length == 0 || values.length % columns != 0) {
            throw new IllegalArgumentException(
                    role + ": " + values.length + " numbers are not one or more rows of " + columns);
        }
        requireRows(role, values.length / columns);
        return values.length / columns;
    }

    private void requireInput(String role, HostRows x, int n) {
        x.requireRows(role, n, config().input().size());
    }

    private void requireLatent(HostRows z, int n) {
        z.requireRows("z", n, config().latent());
        if (z.type() != DType.F32) {
            throw new IllegalArgumentException("z: latent codes are no pixels; give rows of F32");
        }
    }

    private void enter(String name, int n) {
        requireRows(name, n);
        enter(name);
    }

    private void requireRows(String what, int n) {
        if (n < 1 || n > maxRows) {
            throw new IllegalArgumentException(
                    what + ": " + n + " rows, but the session was opened for 1 to " + maxRows);
        }
    }

    private void enter(String name) {
        if (!open) {
            throw new IllegalStateException(name + ": the session is closed");
        }
        Thread other = user.compareAndExchange(null, Thread.currentThread());
        if (other != null) {
            throw new IllegalStateException(
                    name + ": the session is in use by " + call + " on thread '" + other.getName()
                            + "'; a session serves one call at a time, so open one for each thread or take a pool");
        }
        call = name;
        if (!open) {
            exit();
            throw new IllegalStateException(name + ": the session is closed");
        }
    }

    private void exit() {
        try {
            user.set(null);
        } finally {
            // A session that nobody holds any more must not be freed while a call of it runs.
            Reference.reachabilityFence(this);
        }
    }

    /** {@return this session, which its pool closes from now on} */
    InferenceSession inPool() {
        pooled = true;
        return this;
    }

    /**
     * Frees everything; closing twice does nothing.
     *
     * @throws IllegalStateException while a call runs on another thread, or if the session belongs to a pool; nothing is
     *     freed then
     */
    @Override
    public void close() {
        if (pooled) {
            throw new IllegalStateException("close: the session belongs to a pool; close the lease to give it back");
        }
        dispose();
    }

    /** Closes it, whoever it belongs to. */
    void dispose() {
        if (!open) {
            return;
        }
        enter("close");
        try {
            guard.close();
            open = false;
        } finally {
            exit();
        }
    }

    /** {@return model, backend and extents in one line} */
    @Override
    public String toString() {
        return "session of " + config().summary() + " for " + maxRows + " rows, " + samples + " samples a score";
    }
}
