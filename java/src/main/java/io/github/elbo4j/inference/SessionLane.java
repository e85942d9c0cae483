package io.github.elbo4j.inference;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scratch;
import io.github.elbo4j.backend.Staging;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One block of rows on its way: memory that the host and the backend share, and the recorded steps between. */
final class SessionLane {
    /** What a session does with rows. */
    enum Operation {
        ENCODE,
        SAMPLE,
        RECONSTRUCT,
        DECODE,
        DECODE_LOGITS,
        SCORE;

        /** All but the scores. */
        static final Set<Operation> ANSWERING = EnumSet.complementOf(EnumSet.of(SCORE));

        boolean takesCodes() {
            return this == DECODE || this == DECODE_LOGITS;
        }
    }

    private final VaeConfig config;
    private final int block;
    private final int samples;
    private final DType real;
    private final Staging numbers;
    private final Staging pixels;
    private final Staging codes;
    private final Staging rowIds;
    private final Staging heads;
    private final Staging image;
    private final Staging kl;
    private final Staging logLikelihood;
    private final Map<Operation, Replay> ofNumbers = new EnumMap<>(Operation.class);
    private final Map<Operation, Replay> ofPixels = new EnumMap<>(Operation.class);
    private Operation running = Operation.ENCODE;
    private @Nullable Replay replay;
    private int count;

    /**
     * Allocates and records.
     *
     * @param workspace of the session
     * @param state of the session
     * @param model what is run
     * @param block rows at a time
     * @param samples samples of a score
     * @param operations what the lane is for
     */
    SessionLane(
            Workspace workspace, StepState state, Snapshot model, int block, int samples, Set<Operation> operations) {
        this.config = model.config();
        this.block = block;
        this.samples = samples;
        this.real = workspace.backend().real();
        int width = config.input().size();
        int latent = config.latent();
        boolean scores = operations.contains(Operation.SCORE);
        // What the lane's operations leave unused is one row, so that nothing needs to be null.
        int answered = scores ? 1 : block;
        int scored = scores ? block : 1;
        this.numbers = workspace.staging("x", real, block, width);
        this.pixels = workspace.staging("x of bytes", DType.U8, block, width);
        this.codes = workspace.staging("z", real, answered, latent);
        this.rowIds = workspace.staging("row ids", DType.I64, answered);
        this.heads = workspace.staging("mu and logVar", real, answered, 2L * latent);
        this.image = workspace.staging("pixels", real, answered, width);
        this.kl = workspace.staging("kl", real, scored);
        this.logLikelihood = workspace.staging("logLikelihood", real, (long) scored * samples);
        for (Operation operation : operations) {
            Rows rows = Rows.of(block);
            ofNumbers.put(
                    operation,
                    workspace.record(
                            state, rows, step -> issue(step, state, model.graph(), operation, numbers, Pixels.AS_IS)));
            if (!operation.takesCodes()) {
                ofPixels.put(
                        operation,
                        workspace.record(
                                state,
                                rows,
                                step -> issue(step, state, model.graph(), operation, pixels, Pixels.UNIT)));
            }
        }
    }

    private void issue(
            Recording step, StepState state, VaeGraph graph, Operation operation, Staging input, Pixels conversion) {
        Rows rows = step.rows();
        Staging staged = operation.takesCodes() ? codes : input;
        Scratch in = step.scratch(staged.name(), rows, staged.columns());
        step.data().load(rows, staged, conversion, in);
        switch (operation) {
            case ENCODE -> step.data().store(rows, graph.encode(step, in), heads);
            case SAMPLE -> {
                Noise epsilon = Noise.evaluation(Noise.Purpose.EPSILON, rowIds);
                Operand z = graph.sample(step, rows, state, graph.encode(step, in), epsilon);
                step.data().store(rows, z, codes);
            }
            case RECONSTRUCT -> {
                Operand z = graph.sample(step, rows, state, graph.encode(step, in), Noise.off());
                step.data().store(rows, graph.decodeMeans(step, rows, z), image);
            }
            case DECODE -> step.data().store(rows, graph.decodeMeans(step, rows, in), image);
            case DECODE_LOGITS -> step.data().store(rows, graph.decode(step, rows, in), image);
            case SCORE -> {
                Rows folded = rows.folded(samples);
                Operand muLogVar = graph.encode(step, in);
                Operand z = graph.sample(step, folded, state, muLogVar, Noise.common(Noise.Purpose.EPSILON));
                step.data().store(rows, graph.kl(step, muLogVar), kl);
                Operand logits = graph.decode(step, folded, z);
                step.data().store(folded, graph.logLikelihood(step, folded, logits, in), logLikelihood);
            }
        }
    }

    int block() {
        return block;
    }

    /**
     * Brings rows in and enqueues a step on them.
     *
     * @param in rows of the call
     * @param first the first of them
     * @param rows how many, at most a block
     * @param firstRow its number for random numbers
     */
    void start(Operation operation, HostRows in, int first, int rows, long firstRow) {
        boolean bytes = in.type() == DType.U8;
        if (operation.takesCodes()) {
            RowCopies.in("z", in, first, rows, codes, -Float.MAX_VALUE, Float.MAX_VALUE);
        } else if (bytes) {
            RowCopies.in(in, first, rows, pixels);
        } else {
            RowCopies.in("x", in, first, rows, numbers, 0, 1);
        }
        if (operation == Operation.SAMPLE) {
            MemorySegment ids = rowIds.host();
            for (int i = 0; i < rows; i++) {
                ids.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i, firstRow + i);
            }
        }
        Replay chosen = bytes ? ofPixels.get(operation) : ofNumbers.get(operation);
        if (chosen == null) {
            throw new IllegalStateException("a lane that was not made for " + operation);
        }
        running = operation;
        count = rows;
        // Before it runs: what fails halfway may have been enqueued, and is waited for.
        replay = chosen;
        chosen.runRows(rows);
    }

    /** Waits for the step and brings its results out, to the rows from {@code first} on. */
    void finish(int first, HostRows out, @Nullable HostRows second) {
        await();
        int latent = config.latent();
        switch (running) {
            case ENCODE -> {
                RowCopies.out(heads, 0, latent, count, out, first);
                if (second != null) {
                    RowCopies.out(heads, latent, latent, count, second, first);
                    clamp(second, first);
                }
            }
            case SAMPLE -> RowCopies.out(codes, 0, latent, count, out, first);
            case RECONSTRUCT, DECODE, DECODE_LOGITS ->
                RowCopies.out(image, 0, config.input().size(), count, out, first);
            case SCORE -> scores(out, first);
        }
    }

    private void await() {
        Replay started = replay;
        replay = null;
        if (started != null) {
            started.await();
        }
    }

    /** Waits for what may still run after a failure. */
    void settle(Throwable failure) {
        try {
            await();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void clamp(HostRows logVar, int first) {
        float low = (float) config.logVarClamp().low();
        float high = (float) config.logVarClamp().high();
        int latent = config.latent();
        for (int r = first; r < first + count; r++) {
            for (int j = 0; j < latent; j++) {
                RowCopies.set(logVar, r, j, latent, Math.clamp(RowCopies.get(logVar, r, j, latent), low, high));
            }
        }
    }

    private void scores(HostRows out, int first) {
        for (int r = 0; r < count; r++) {
            double sum = 0;
            for (int s = 0; s < samples; s++) {
                sum += element(logLikelihood, (long) r * samples + s);
            }
            double reconstruction = sum / samples;
            double divergence = element(kl, r);
            RowCopies.set(out, first + r, 0, Score.COLUMNS, (float) reconstruction);
            RowCopies.set(out, first + r, 1, Score.COLUMNS, (float) divergence);
            RowCopies.set(out, first + r, 2, Score.COLUMNS, (float) (reconstruction - divergence));
        }
    }

    private double element(Staging staged, long index) {
        return real == DType.F32
                ? staged.host().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index)
                : staged.host().getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, index);
    }
}
