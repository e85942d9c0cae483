package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.Staging;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;

/** The calls that are measured alone, each on inputs of random numbers: zeros run faster than data. */
public final class KernelCases {
    /** Values of an MNIST row. */
    private static final int PIXELS = TrainingStep.INPUT;

    private static final int LATENT = TrainingStep.LATENT;
    private static final int HIDDEN = 400;

    private static final String GROUP = "all";

    /** Large enough that one update shows in the weights. */
    private static final double LEARNING_RATE = 1e-3;

    private KernelCases() {}

    /**
     * One kernel.
     *
     * @param name name of the row
     * @param rows rows; 0 where the size decides
     * @param columns elements of a row: of z for the latent kernels, of the output else
     * @param perElement fewest bytes that an element moves, each input read once and each output written once; for
     *     products the operations
     * @param noise whether random numbers are drawn, whose arithmetic may outweigh the bytes
     * @param once whether a recording may hold the call only once
     * @param prepare makes the inputs and gives the call
     */
    public record KernelCase(
            String name,
            long rows,
            long columns,
            double perElement,
            boolean noise,
            boolean once,
            Function<Inputs, Consumer<Recording>> prepare) {}

    /** Kernels bound by memory, by bytes for each element. */
    public static final List<KernelCase> ELEMENTWISE = List.of(
            elementwise("gather-unit", PIXELS, 5, false, inputs -> gather(inputs, Pixels.UNIT, Noise.off())),
            elementwise(
                    "gather-bernoulli",
                    PIXELS,
                    5,
                    true,
                    inputs -> gather(inputs, Pixels.BERNOULLI, Noise.training(Purpose.BINARIZE))),
            elementwise("load-u8", PIXELS, 5, false, inputs -> load(inputs, DType.U8, Pixels.UNIT)),
            elementwise("load-f32", PIXELS, 8, false, inputs -> load(inputs, DType.F32, Pixels.AS_IS)),
            elementwise("store", PIXELS, 8, false, KernelCases::store),
            elementwise("reparameterize-forward", LATENT, 12, true, KernelCases::reparameterizeForward),
            elementwise("reparameterize-backward", LATENT, 20, true, KernelCases::reparameterizeBackward),
            elementwise("gaussian-kl-forward", LATENT, 8 + 4.0 / LATENT, false, KernelCases::gaussianKl),
            elementwise("bernoulli-forward", PIXELS, 8 + 4.0 / PIXELS, false, KernelCases::bernoulliForward),
            elementwise("bernoulli-forward-backward", PIXELS, 12 + 4.0 / PIXELS, false, KernelCases::bernoulliBoth),
            elementwise("check-gradients", 1, 4, false, inputs -> {
                Parameters arena = inputs.arena(0);
                return step -> step.optimizer().checkGradients(arena, GROUP, inputs.state());
            }),
            elementwise("sgd", 1, 12, false, inputs -> {
                Parameters arena = inputs.arena(0);
                return step -> step.optimizer().sgd(arena, GROUP, inputs.state(), Scalar.of(LEARNING_RATE));
            }),
            elementwise("adam", 1, 28, false, KernelCases::adam));

    /** Kernels whose time is that of a launch: once a step, on few numbers. */
    public static final List<KernelCase> PER_STEP = List.of(
            new KernelCase("select-rows", 4096, 1, 0, true, true, inputs -> {
                Tensor ids = inputs.written(inputs.workspace().tensor("ids", DType.I64, inputs.rows()));
                return step ->
                        step.data().selectRows(inputs.batch(), inputs.state(), Order.shuffled(2 * inputs.rows()), ids);
            }),
            new KernelCase("accumulate", 4096, 1, 0, false, false, inputs -> {
                Tensor numbers = inputs.random("numbers", inputs.rows());
                return step -> step.loss().accumulate(inputs.batch(), inputs.state(), "sum", numbers);
            }),
            new KernelCase(
                    "advance",
                    1,
                    1,
                    0,
                    false,
                    false,
                    inputs -> step -> step.optimizer().advance(inputs.state())));

    /** {@return the dense layer between input and hidden layer, by operations for each element of the output} */
    static List<KernelCase> products(boolean quick) {
        return quick
                ? product(16)
                : java.util.stream.Stream.of(128L, 4096L)
                        .flatMap(rows -> product(rows).stream())
                        .toList();
    }

    private static List<KernelCase> product(long rows) {
        return layer("-b" + rows, rows, PIXELS, HIDDEN);
    }

    /**
     * {@return the three products of a dense layer}
     *
     * @param suffix of their names
     * @param rows of the batch
     * @param wide inputs of the forward product and of the weights' gradient; outputs of the layer whose inputs'
     *     gradient is taken
     * @param narrow the other side of each
     */
    public static List<KernelCase> layer(String suffix, long rows, int wide, int narrow) {
        double flops = 2.0 * wide;
        return List.of(
                new KernelCase("linear-forward" + suffix, rows, narrow, flops, false, false, i -> forward(i, wide)),
                new KernelCase(
                        "linear-backward-input" + suffix, rows, narrow, flops, false, false, i -> input(i, wide)),
                new KernelCase(
                        "linear-backward-weights" + suffix, rows, narrow, flops, false, false, i -> weights(i, wide)));
    }

    private static KernelCase elementwise(
            String name, long columns, double bytes, boolean noise, Function<Inputs, Consumer<Recording>> prepare) {
        return new KernelCase(name, 0, columns, bytes, noise, false, prepare);
    }

    /**
     * Where a call finds its operands.
     *
     * @param workspace owns them
     * @param state of the recording
     * @param rows rows of the recording
     * @param columns elements of a row
     * @param results the tensors that the call writes, in the order of their making
     */
    public record Inputs(Workspace workspace, StepState state, long rows, long columns, List<Tensor> results) {
        /** Random numbers are drawn for so many bytes and repeated. */
        private static final int CHUNK_BYTES = 1 << 20;

        public Inputs(Workspace workspace, StepState state, long rows, long columns) {
            this(workspace, state, rows, columns, new ArrayList<>());
        }

        Rows batch() {
            return Rows.of(rows);
        }

        private DType real() {
            return backend().real();
        }

        private Backend backend() {
            return workspace.backend();
        }

        /** {@return a tensor of numbers in [0, 1)} */
        Tensor random(String name, long... shape) {
            Tensor tensor = workspace.tensor(name, real(), shape);
            fill(tensor);
            return tensor;
        }

        /** {@return a tensor that is written only} */
        Tensor output(String name, long... shape) {
            return written(workspace.tensor(name, real(), shape));
        }

        /** {@return the tensor, which is one of the results} */
        Tensor written(Tensor tensor) {
            results.add(tensor);
            return tensor;
        }

        /** {@return random pixels} */
        Tensor pixels(long... shape) {
            Tensor tensor = workspace.tensor("data", DType.U8, shape);
            fill(tensor);
            return tensor;
        }

        /** {@return random numbers that the host has staged} */
        Staging staged(DType type) {
            Staging staging = workspace.staging("staged", type, rows, columns);
            fill(staging);
            return staging;
        }

        /** {@return one parameter of as many values as the inputs have elements, gradients filled} */
        Parameters arena(int moments) {
            Parameters arena =
                    workspace.parameters(List.of(Parameters.Spec.trained("w", GROUP, rows, columns)), moments);
            fill(arena.values());
            fill(arena.gradients());
            written(arena.values());
            for (int i = 0; i < moments; i++) {
                written(arena.moment(i));
            }
            return arena;
        }

        /** {@return row ids that visit every row once, far from in order} */
        Tensor rowIds() {
            Tensor ids = workspace.tensor("ids", DType.I64, rows);
            long stride = 7919;
            while (gcd(stride, rows) != 1) {
                stride++;
            }
            try (Arena host = Arena.ofConfined()) {
                MemorySegment numbers = host.allocate(ValueLayout.JAVA_LONG, rows);
                for (long i = 0; i < rows; i++) {
                    numbers.setAtIndex(ValueLayout.JAVA_LONG, i, i * stride % rows);
                }
                ids.upload(numbers, 0);
            }
            return ids;
        }

        private static long gcd(long a, long b) {
            return b == 0 ? a : gcd(b, a % b);
        }

        private static void fill(Tensor tensor) {
            SplittableRandom random = new SplittableRandom(TrainingStep.SEED);
            int bytes = tensor.type().bytes();
            try (Arena host = Arena.ofConfined()) {
                MemorySegment chunk = host.allocate(CHUNK_BYTES, 64);
                for (long i = 0; i < CHUNK_BYTES / bytes; i++) {
                    switch (tensor.type()) {
                        case U8 -> chunk.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
                        case F32 -> chunk.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble());
                        case F64 -> chunk.setAtIndex(ValueLayout.JAVA_DOUBLE, i, random.nextDouble());
                        default -> throw new IllegalArgumentException("no random numbers of " + tensor.type());
                    }
                }
                long perChunk = CHUNK_BYTES / bytes;
                for (long start = 0; start < tensor.size(); start += perChunk) {
                    long count = Math.min(perChunk, tensor.size() - start);
                    tensor.upload(chunk.asSlice(0, count * bytes), start);
                }
            }
        }
    }

    private static Consumer<Recording> gather(Inputs inputs, Pixels pixels, Noise noise) {
        Tensor data = inputs.pixels(inputs.rows(), inputs.columns());
        Tensor ids = inputs.rowIds();
        Tensor out = inputs.output("out", inputs.rows(), inputs.columns());
        return step -> step.data().gather(inputs.batch(), ids, data, pixels, noise, inputs.state(), out);
    }

    private static Consumer<Recording> load(Inputs inputs, DType type, Pixels pixels) {
        Tensor staged = inputs.staged(type);
        Tensor out = inputs.output("out", inputs.rows(), inputs.columns());
        return step -> step.data().load(inputs.batch(), staged, pixels, out);
    }

    private static Consumer<Recording> store(Inputs inputs) {
        Tensor in = inputs.random("in", inputs.rows(), inputs.columns());
        Tensor staged = inputs.written(inputs.staged(DType.F32));
        return step -> step.data().store(inputs.batch(), in, staged);
    }

    private static Consumer<Recording> reparameterizeForward(Inputs inputs) {
        Tensor heads = inputs.random("muLogVar", inputs.rows(), 2 * inputs.columns());
        Tensor z = inputs.output("z", inputs.rows(), inputs.columns());
        Noise noise = Noise.training(Purpose.EPSILON);
        return step ->
                step.latent().reparameterizeForward(inputs.batch(), heads, Clamp.DEFAULT, noise, inputs.state(), z);
    }

    private static Consumer<Recording> reparameterizeBackward(Inputs inputs) {
        Tensor heads = inputs.random("muLogVar", inputs.rows(), 2 * inputs.columns());
        Tensor dz = inputs.random("dz", inputs.rows(), inputs.columns());
        Tensor out = inputs.output("dMuLogVar", inputs.rows(), 2 * inputs.columns());
        Noise noise = Noise.training(Purpose.EPSILON);
        return step -> step.latent()
                .reparameterizeBackward(
                        inputs.batch(),
                        heads,
                        Clamp.DEFAULT,
                        noise,
                        inputs.state(),
                        dz,
                        Scalar.of(1),
                        Reduction.MEAN,
                        out);
    }

    private static Consumer<Recording> gaussianKl(Inputs inputs) {
        Tensor heads = inputs.random("muLogVar", inputs.rows(), 2 * inputs.columns());
        Tensor kl = inputs.output("kl", inputs.rows());
        return step -> step.latent().gaussianKlForward(inputs.batch(), heads, Clamp.DEFAULT, kl);
    }

    private static Consumer<Recording> bernoulliForward(Inputs inputs) {
        Tensor logits = inputs.random("logits", inputs.rows(), inputs.columns());
        Tensor target = inputs.random("target", inputs.rows(), inputs.columns());
        Tensor out = inputs.output("logLikelihood", inputs.rows());
        return step -> step.loss().bernoulliForward(inputs.batch(), logits, target, out);
    }

    private static Consumer<Recording> bernoulliBoth(Inputs inputs) {
        Tensor logits = inputs.random("logits", inputs.rows(), inputs.columns());
        Tensor target = inputs.random("target", inputs.rows(), inputs.columns());
        Tensor out = inputs.output("logLikelihood", inputs.rows());
        Tensor gradient = inputs.output("dLogits", inputs.rows(), inputs.columns());
        return step -> step.loss()
                .bernoulliForwardBackward(inputs.batch(), logits, target, Scalar.of(1), Reduction.MEAN, out, gradient);
    }

    private static Consumer<Recording> adam(Inputs inputs) {
        Parameters arena = inputs.arena(2);
        // Late in a training: the corrections are 1.
        return step -> step.optimizer()
                .adam(
                        arena,
                        GROUP,
                        inputs.state(),
                        Scalar.of(LEARNING_RATE),
                        Scalar.of(1),
                        Scalar.of(1),
                        0.9,
                        0.999,
                        1e-8);
    }

    private static Consumer<Recording> forward(Inputs inputs, int wide) {
        Tensor x = inputs.random("x", inputs.rows(), wide);
        Tensor w = inputs.random("w", inputs.columns(), wide);
        Tensor b = inputs.random("b", inputs.columns());
        Tensor y = inputs.output("y", inputs.rows(), inputs.columns());
        return step -> step.linear().linearForward(inputs.batch(), x, w, b, Activation.RELU, y, null);
    }

    /** The mirrored layer: from its wide side back to the narrow one. */
    private static Consumer<Recording> input(Inputs inputs, int wide) {
        Tensor g = inputs.random("g", inputs.rows(), wide);
        Tensor w = inputs.random("w", wide, inputs.columns());
        Tensor saved = inputs.random("saved", inputs.rows(), inputs.columns());
        Tensor dx = inputs.output("dx", inputs.rows(), inputs.columns());
        return step ->
                step.linear().linearBackwardInput(inputs.batch(), g, w, Activation.RELU, saved, dx, Write.OVERWRITE);
    }

    private static Consumer<Recording> weights(Inputs inputs, int wide) {
        Tensor x = inputs.random("x", inputs.rows(), wide);
        Tensor g = inputs.random("g", inputs.rows(), inputs.columns());
        Tensor dw = inputs.output("dw", inputs.columns(), wide);
        Tensor db = inputs.output("db", inputs.columns());
        return step -> step.linear().linearBackwardWeights(inputs.batch(), x, g, dw, db, Write.OVERWRITE);
    }
}
