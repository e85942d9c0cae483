package io.github.elbo4j.inference;

import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.inference.SessionLane.Operation;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The recorded steps of a session, and how the rows of a call go through them: a block at a time, in turns through two
 * lanes where one block is not enough, so that the host fills one while a device computes the other.
 */
final class SessionSteps implements AutoCloseable {
    /** Rows that random numbers tell apart. */
    static final long MAX_ROW = Philox.MAX_ROWS;

    /** Rows of a block, times samples, where bits do not depend on it: enough to keep a processor's threads busy. */
    private static final int FREE_BLOCK = 256;

    private final Workspace workspace;
    private final StepState state;
    private final SessionLane[] lanes;
    private final SessionLane[] scoringLanes;

    SessionSteps(Snapshot model, int maxRows, int samples) {
        int fixed = model.backend().info().rowBlock();
        int block = fixed > 0 ? fixed : Math.min(maxRows, FREE_BLOCK);
        // Where it shows in the bits, it depends on nothing but the number of samples.
        int scoringBlock = fixed > 0 ? Math.max(1, fixed / samples) : Math.clamp(FREE_BLOCK / samples, 1, maxRows);
        this.workspace =
                model.backend().workspace("session of " + model.config().summary());
        try {
            this.state = workspace.stepState(0, List.of(), 0, List.of());
            // A backend that computes while the host goes on is one whose blocks are fixed.
            this.lanes = new SessionLane[fixed > 0 && maxRows > block ? 2 : 1];
            this.scoringLanes = new SessionLane[fixed > 0 && maxRows > scoringBlock ? 2 : 1];
            for (int i = 0; i < lanes.length; i++) {
                lanes[i] = new SessionLane(workspace, state, model, block, 1, Operation.ANSWERING);
            }
            for (int i = 0; i < scoringLanes.length; i++) {
                scoringLanes[i] =
                        new SessionLane(workspace, state, model, scoringBlock, samples, Set.of(Operation.SCORE));
            }
        } catch (RuntimeException | Error e) {
            workspace.close();
            throw e;
        }
    }

    void encode(HostRows x, int n, HostRows mu, HostRows logVar) {
        run(Operation.ENCODE, lanes, x, n, 0, mu, logVar);
    }

    void sample(HostRows x, int n, long seed, long firstRow, HostRows z) {
        state.reseed(seed);
        run(Operation.SAMPLE, lanes, x, n, firstRow, z, null);
    }

    void decode(HostRows z, int n, HostRows means) {
        run(Operation.DECODE, lanes, z, n, 0, means, null);
    }

    void decodeLogits(HostRows z, int n, HostRows logits) {
        run(Operation.DECODE_LOGITS, lanes, z, n, 0, logits, null);
    }

    void reconstruct(HostRows x, int n, HostRows means) {
        run(Operation.RECONSTRUCT, lanes, x, n, 0, means, null);
    }

    void score(HostRows x, int n, long seed, HostRows scores) {
        state.reseed(seed);
        run(Operation.SCORE, scoringLanes, x, n, 0, scores, null);
    }

    private static void run(
            Operation operation,
            SessionLane[] turns,
            HostRows in,
            int n,
            long firstRow,
            HostRows out,
            @Nullable HostRows second) {
        int block = turns[0].block();
        int started = 0;
        int finished = 0;
        try {
            while (finished < n) {
                SessionLane next = turns[started / block % turns.length];
                if (started < n && started - finished < block * turns.length) {
                    int count = Math.min(block, n - started);
                    next.start(operation, in, started, count, firstRow + started);
                    started += count;
                } else {
                    SessionLane oldest = turns[finished / block % turns.length];
                    oldest.finish(finished, out, second);
                    finished += block;
                }
            }
        } catch (RuntimeException | Error e) {
            // Nothing may still run when the next call fills the lanes.
            for (SessionLane lane : turns) {
                lane.settle(e);
            }
            throw e;
        }
    }

    @Override
    public void close() {
        workspace.close();
    }
}
