package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.StepState.Snapshot;
import java.util.Map;

/** One way for a kernel to be wrong. */
enum BrokenFault {
    /** The largest element has the other sign. */
    SIGN,
    /** The largest element lacks a thousandth of itself. */
    TERM,
    /** The largest and the smallest element stand in each other's place. */
    TRANSPOSED,
    /** The first element that the kernel would change is not written. */
    UNWRITTEN,
    /** The first element is NaN. */
    NOT_A_NUMBER,
    /** One element is written behind the output. */
    PAST_THE_END,
    /** An input is changed. */
    CHANGES_AN_INPUT,
    /** Padding rows count as active. */
    COUNTS_PADDING,
    /** Noise is that of another step. */
    WRONG_STEP,
    /** Each call errs by another amount, within the tolerance. */
    UNSTEADY,
    /** What a kernel does to the state is not done. */
    LEAVES_STATE;

    private static int calls;

    /** Works the fault before the kernel runs. */
    void before(BrokenCall call) {
        switch (this) {
            case UNWRITTEN -> call.keep(BrokenCall.get(call.output()));
            case WRONG_STEP -> move(call, 1);
            default -> {}
        }
    }

    /** Works the fault after the kernel ran. */
    void after(BrokenCall call) {
        switch (this) {
            case SIGN -> {
                int at = extreme(call.output(), true);
                BrokenCall.set(call.output(), at, -BrokenCall.get(call.output(), at));
            }
            case TERM -> {
                int at = extreme(call.output(), true);
                BrokenCall.set(call.output(), at, BrokenCall.get(call.output(), at) * 0.999);
            }
            case TRANSPOSED -> {
                int large = extreme(call.output(), true);
                int small = extreme(call.output(), false);
                double value = BrokenCall.get(call.output(), large);
                BrokenCall.set(call.output(), large, BrokenCall.get(call.output(), small));
                BrokenCall.set(call.output(), small, value);
            }
            case UNWRITTEN -> {
                double[] now = BrokenCall.get(call.output());
                int at = 0;
                while (at < now.length - 1 && now[at] == call.kept()[at]) {
                    at++;
                }
                BrokenCall.set(call.output(), at, call.kept()[at]);
            }
            case NOT_A_NUMBER -> BrokenCall.set(call.output(), 0, Double.NaN);
            case PAST_THE_END -> {
                if (BrokenCall.framed(call.output())) {
                    BrokenCall.set(call.output(), call.output().size(), 1);
                }
            }
            case CHANGES_AN_INPUT -> BrokenCall.set(call.input(), 0, BrokenCall.get(call.input(), 0) + 1);
            case WRONG_STEP -> move(call, -1);
            case UNSTEADY -> {
                int at = extreme(call.output(), true);
                float value = (float) BrokenCall.get(call.output(), at);
                calls++;
                BrokenCall.set(call.output(), at, calls % 2 == 0 ? value : Math.nextUp(value));
            }
            case LEAVES_STATE -> {
                Snapshot now = call.state().read();
                Map<String, Double> sums = Map.of(now.sums().keySet().iterator().next(), -12.25);
                call.state().restore(new Snapshot(4, 2, now.position(), 30, sums, null));
            }
            case COUNTS_PADDING -> {}
        }
    }

    private static void move(BrokenCall call, long steps) {
        Snapshot now = call.state().read();
        call.state()
                .restore(new Snapshot(
                        now.step() + steps, now.epoch(), now.position(), now.rows(), now.sums(), now.halt()));
    }

    private static int extreme(Operand operand, boolean largest) {
        double[] all = BrokenCall.get(operand);
        int at = 0;
        for (int i = 1; i < all.length; i++) {
            double difference = Math.abs(all[i]) - Math.abs(all[at]);
            if (largest ? difference > 0 : difference < 0) {
                at = i;
            }
        }
        return at;
    }
}
