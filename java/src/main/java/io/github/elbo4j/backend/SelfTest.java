package io.github.elbo4j.backend;

import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * What every backend must pass when it is opened: one recorded training step of a model with one pixel, one latent and
 * weights of one, whose numbers are known in closed form, which runs every kernel once; then the products and row sums at
 * once in sizes that fill vectors and leave a tail.
 */
final class SelfTest {
    private static final double TOLERANCE = 1e-5;

    private final Backend backend;
    private final double tolerance;

    private SelfTest(Backend backend) {
        this.backend = backend;
        // A number here comes from at most four products, one after the other, of terms of about its own size.
        this.tolerance = TOLERANCE + 4 * backend.info().productError();
    }

    static void run(Backend backend) {
        SelfTest test = new SelfTest(backend);
        test.step();
        test.wide();
        test.staged();
    }

    /** Constant operands, so that every element of a result is the same small number. */
    private void wide() {
        int n = 5;
        int in = 37;
        int out = 19;
        try (Workspace work = backend.workspace("self-test")) {
            Rows rows = Rows.of(n);
            Tensor x = filled(work, "x", 1, n, in);
            Tensor w = filled(work, "w", 0.5, out, in);
            Tensor b = filled(work, "b", 2, out);
            Tensor y = filled(work, "y", Double.NaN, n, out);
            backend.linear().linearForward(rows, x, w, b, Activation.IDENTITY, y, null);
            checkAll("wide product", y, 0.5 * in + 2);
            Tensor g = filled(work, "g", 0.25, n, out);
            Tensor dx = filled(work, "dx", Double.NaN, n, in);
            backend.linear().linearBackwardInput(rows, g, w, Activation.IDENTITY, x, dx, Write.OVERWRITE);
            checkAll("wide input gradient", dx, 0.125 * out);
            Tensor dw = filled(work, "dw", Double.NaN, out, in);
            Tensor db = filled(work, "db", Double.NaN, out);
            backend.linear().linearBackwardWeights(rows, x, g, dw, db, Write.OVERWRITE);
            checkAll("wide weight gradient", dw, 0.25 * n);
            checkAll("wide bias gradient", db, 0.25 * n);
            Tensor zeros = filled(work, "zeros", 0, n, in);
            Tensor sums = filled(work, "sums", Double.NaN, n);
            backend.loss().bernoulliForward(rows, zeros, x, sums);
            checkAll("wide log-likelihood", sums, -in * StrictMath.log(2));
            // mu = lv = 1: (1 + expm1(1) - 1) / 2 for each column.
            Tensor heads = filled(work, "heads", 1, n, 2L * in);
            backend.latent().gaussianKlForward(rows, heads, Clamp.DEFAULT, sums);
            checkAll("wide kl", sums, in * StrictMath.expm1(1) / 2);
        }
    }

    /** Rows from the host to a step and back, fewer than there is room for. */
    private void staged() {
        try (Workspace work = backend.workspace("self-test")) {
            Staging pixels = work.staging("pixels", DType.U8, 3, 2);
            Staging out = work.staging("out", backend.real(), 3, 2);
            pixels.host().copyFrom(MemorySegment.ofArray(new byte[] {(byte) 255, 0, 51, (byte) 102, 1, 2}));
            StepState state = work.stepState(7, List.of(), 0, List.of());
            try (Replay replay = work.record(state, Rows.of(3), step -> {
                Scratch x = step.scratch("x", step.rows(), 2);
                step.data().load(step.rows(), pixels, Pixels.UNIT, x);
                step.data().store(step.rows(), x, out);
            })) {
                replay.runRows(2);
                replay.await();
            }
            check("staged rows", out.downloadDoubles(), 1, 0, 0.2, 0.4, 0, 0);
        }
    }

    private static Tensor filled(Workspace work, String name, double value, long... shape) {
        Tensor tensor = work.tensor(name, work.backend().real(), shape);
        double[] values = new double[Math.toIntExact(tensor.size())];
        Arrays.fill(values, value);
        tensor.uploadDoubles(values);
        return tensor;
    }

    private void checkAll(String what, Tensor actual, double expected) {
        double[] values = actual.downloadDoubles();
        double[] all = new double[values.length];
        Arrays.fill(all, expected);
        check(what, values, all);
    }

    private void step() {
        try (Workspace work = backend.workspace("self-test")) {
            Rows rows = Rows.of(2);
            Tensor data = work.tensor("data", DType.U8, 2, 1);
            data.upload(MemorySegment.ofArray(new byte[] {(byte) 255, 0}), 0);
            Parameters parameters = work.parameters(
                    List.of(
                            Parameters.Spec.trained("heads.weight", "all", 2, 1),
                            Parameters.Spec.trained("heads.bias", "all", 2),
                            Parameters.Spec.trained("decoder.weight", "all", 1, 1),
                            Parameters.Spec.trained("decoder.bias", "all", 1)),
                    2);
            // mu = x, logVar = 0, logit = z: with epsilon off, z = x.
            double[] weights = new double[Math.toIntExact(parameters.values().size())];
            weights[(int) parameters.value("heads.weight").offset()] = 1;
            weights[(int) parameters.value("decoder.weight").offset()] = 1;
            parameters.values().uploadDoubles(weights);
            Tensor prior = work.tensor("prior", backend.real(), 2, 2);
            StepState state = work.stepState(7, List.of("lr"), 2, List.of("logLikelihood", "kl"));
            state.schedule(0, new double[] {0.5, 0.25});
            Tensor z = work.tensor("z", backend.real(), 2, 1);
            Tensor noisy = work.tensor("noisy", backend.real(), 2, 1);
            try (Replay replay =
                    work.record(state, rows, step -> record(step, rows, data, parameters, state, z, prior, noisy))) {
                replay.run(1);
                replay.await();
            }
            check("z", z.downloadDoubles(), 1, 0);
            // Rows x = 1 and x = 0: log sigmoid(1) and log(1 - sigmoid(0)); KL = 1/2 and 0.
            StepState.Snapshot snapshot = state.read();
            double first = -StrictMath.log1p(StrictMath.exp(-1));
            check("log-likelihood", new double[] {snapshot.mean("logLikelihood")}, (first - StrictMath.log(2)) / 2);
            check("kl", new double[] {snapshot.mean("kl")}, 0.25);
            check("step", new double[] {snapshot.step(), snapshot.epoch(), snapshot.position()}, 1, 1, 0);
            // dlogit = (sigmoid(l) - x) / 2; dW = sum dlogit * z; dmu = dlogit + mu / 2.
            double g0 = (1 / (1 + StrictMath.exp(-1)) - 1) / 2;
            check("decoder gradient", slice(parameters.gradients(), parameters.gradient("decoder.weight")), g0);
            check(
                    "decoder bias gradient",
                    slice(parameters.gradients(), parameters.gradient("decoder.bias")),
                    g0 + 0.25);
            check("heads gradient", slice(parameters.gradients(), parameters.gradient("heads.weight")), g0 + 0.5, 0);
            // Adam's first step moves by lr * sign(g), then gradient descent by lr * g.
            check(
                    "updated decoder weight",
                    slice(parameters.values(), parameters.value("decoder.weight")),
                    1 + 0.5 - 0.5 * g0);
            double[] block = new double[1];
            Normals.row(7, 1, 0, Philox.stream(Noise.Purpose.EPSILON, 0), block);
            check("noise", slice(noisy.downloadDoubles(), 1, 1), block[0]);
        }
    }

    private static void record(
            Recording step,
            Rows rows,
            Tensor data,
            Parameters parameters,
            StepState state,
            Tensor z,
            Tensor prior,
            Tensor noisy) {
        Scratch ids = step.scratch("rowIds", DType.I64, rows);
        Scratch x = step.scratch("x", rows, 1);
        Scratch muLogVar = step.scratch("muLogVar", rows, 2);
        Scratch logits = step.scratch("logits", rows, 1);
        Scratch logLikelihood = step.scratch("logLikelihood", rows);
        Scratch kl = step.scratch("kl", rows);
        Scratch dLogits = step.scratch("dLogits", rows, 1);
        Scratch dz = step.scratch("dz", rows, 1);
        Scratch dMuLogVar = step.scratch("dMuLogVar", rows, 2);
        Operand headsW = parameters.value("heads.weight");
        Operand headsB = parameters.value("heads.bias");
        Operand decoderW = parameters.value("decoder.weight");
        Operand decoderB = parameters.value("decoder.bias");
        Clamp clamp = Clamp.DEFAULT;

        step.data().selectRows(rows, state, Order.sequential(2), ids);
        step.data().gather(rows, ids, data, Pixels.UNIT, Noise.off(), state, x);
        step.linear().linearForward(rows, x, headsW, headsB, Activation.IDENTITY, muLogVar, null);
        step.latent().reparameterizeForward(rows, muLogVar, clamp, Noise.off(), state, z);
        step.latent().gaussianKlForward(rows, muLogVar, clamp, kl);
        step.linear().linearForward(rows, z, decoderW, decoderB, Activation.IDENTITY, logits, null);
        step.loss().bernoulliForward(rows, logits, x, logLikelihood);
        step.loss().bernoulliForwardBackward(rows, logits, x, Scalar.of(1), Reduction.MEAN, logLikelihood, dLogits);
        step.loss().accumulate(rows, state, "logLikelihood", logLikelihood);
        step.loss().accumulate(rows, state, "kl", kl);
        step.linear()
                .linearBackwardWeights(
                        rows,
                        z,
                        dLogits,
                        parameters.gradient("decoder.weight"),
                        parameters.gradient("decoder.bias"),
                        Write.OVERWRITE);
        step.linear().linearBackwardInput(rows, dLogits, decoderW, Activation.IDENTITY, z, dz, Write.OVERWRITE);
        step.latent()
                .reparameterizeBackward(
                        rows, muLogVar, clamp, Noise.off(), state, dz, Scalar.of(1), Reduction.MEAN, dMuLogVar);
        step.linear()
                .linearBackwardWeights(
                        rows,
                        x,
                        dMuLogVar,
                        parameters.gradient("heads.weight"),
                        parameters.gradient("heads.bias"),
                        Write.OVERWRITE);
        step.optimizer().checkGradients(parameters, "all", state);
        // Corrections of Adam's first step: 1 - 0.9 and 1 - 0.99.
        step.optimizer()
                .adam(
                        parameters,
                        "all",
                        state,
                        state.slot("lr"),
                        Scalar.of(1 - 0.9),
                        Scalar.of(1 - 0.99),
                        0.9,
                        0.99,
                        1e-8);
        step.optimizer().sgd(parameters, "all", state, state.slot("lr"));
        step.latent().reparameterizeForward(rows, prior, clamp, Noise.training(Noise.Purpose.EPSILON), state, noisy);
        step.optimizer().advance(state);
    }

    private static double[] slice(Tensor tensor, View view) {
        return slice(tensor.downloadDoubles(), Math.toIntExact(view.offset()), Math.toIntExact(view.size()));
    }

    private static double[] slice(double[] all, int offset, int size) {
        return Arrays.copyOfRange(all, offset, offset + size);
    }

    private void check(String what, double[] actual, double... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i])))) {
                throw new BackendException(what + "[" + i + "] is " + actual[i] + ", expected " + expected[i]);
            }
        }
    }
}
