package io.github.elbo4j.backend;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that changes from step to step, kept by the backend so that a recorded step can be run many times with nothing
 * passed in: the seed of its random numbers, the step counter, the place in the epoch, the schedule, sums over the epoch
 * and the halt flag.
 *
 * <p>Used by one thread at a time, as its workspace is.
 */
public interface StepState {
    /**
     * What the flag says once a number was not finite.
     *
     * @param step the step, counted from 0
     * @param tensor name of the operand or parameter
     * @param firstRow first bad row of the batch, or element for parameters
     * @param count how many were bad
     */
    record Halt(long step, String tensor, long firstRow, long count) {}

    /**
     * Everything a checkpoint needs.
     *
     * @param step steps done
     * @param epoch epochs done
     * @param position rows of the present epoch that are done
     * @param rows rows added to the sums since they were reset
     * @param sums each metric's sum over those rows
     * @param halt why training stopped, null while every number was finite
     */
    record Snapshot(
            long step,
            long epoch,
            long position,
            long rows,
            Map<String, Double> sums,
            @Nullable Halt halt) {
        /** Checks the counters and keeps its own copy of the sums. */
        public Snapshot {
            if (step < 0 || epoch < 0 || position < 0 || rows < 0) {
                throw new IllegalArgumentException("snapshot: step " + step + ", epoch " + epoch + ", position "
                        + position + " and rows " + rows + " must be at least 0");
            }
            sums = Map.copyOf(sums);
        }

        /** {@return a metric's sum divided by the batch rows seen; with k samples a row it is k times the mean over samples} */
        public double mean(String metric) {
            Double sum = sums.get(metric);
            if (sum == null) {
                throw new IllegalArgumentException("no metric '" + metric + "'; known are " + sums.keySet());
            }
            return sum / rows;
        }
    }

    /** {@return the workspace that made it} */
    Workspace workspace();

    /** {@return the metrics that {@link LossKernels#accumulate} may add to} */
    List<String> metrics();

    /** {@return the key of every random number and shuffle of its steps} */
    long seed();

    /** Sets the key of every random number and shuffle from the next step on, after all enqueued work. */
    void reseed(long seed);

    /**
     * {@return the schedule's column of a name}
     *
     * @throws IllegalArgumentException if there is none
     */
    Scalar.Slot slot(String name);

    /**
     * Replaces the schedule after all enqueued work: a table of steps by slots, computed in double by the host.
     *
     * @param firstStep step of the first row
     * @param values row-major {@code [steps, slots]}, at most the table's capacity
     */
    void schedule(long firstStep, double[] values);

    /** {@return the counters, sums and flag after all enqueued work; the only synchronisation of a training run} */
    Snapshot read();

    /** Replaces counters, sums and flag after all enqueued work, as when a checkpoint is loaded; schedule and seed stay. */
    void restore(Snapshot snapshot);

    /** Sets the sums and the rows seen to zero, after all enqueued work. */
    void resetMetrics();
}
