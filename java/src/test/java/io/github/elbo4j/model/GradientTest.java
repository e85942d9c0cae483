package io.github.elbo4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.testkit.TestSeed;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The gradient of every parameter of the whole model in binary64 against finite differences of the loss it reports. */
class GradientTest {
    private static final double TOLERANCE = 1e-6;
    private static final int CASES_PER_ACTIVATION = 4;

    private static Backend backend;

    @BeforeAll
    static void open() {
        backend = Backends.open("java", Map.of("precision", "fp64", "threads", "1"));
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    @Test
    void everyGradientIsTheDerivativeOfTheLoss() {
        Random random = TestSeed.random(GradientTest.class);
        double worst = 0;
        int parameters = 0;
        for (Activation activation : Activation.values()) {
            for (int i = 0; i < CASES_PER_ACTIVATION; i++) {
                Case test = Case.random(random, activation, i);
                try (Model model = new Model(test)) {
                    double error = model.worstError(model.gradients(test.beta(), test.reduction()));
                    assertThat(error).as("%s", test).isLessThan(TOLERANCE);
                    worst = Math.max(worst, error);
                    parameters += model.count();
                }
            }
        }
        System.out.printf("%d gradients, worst relative error %.1e%n", parameters, worst);
    }

    @Test
    void aWrongGradientIsFound() {
        Random random = TestSeed.random(GradientTest.class);
        for (int i = 0; i < 6; i++) {
            Case test = Case.random(random, any(random, Activation.values()), i % 2 * 2);
            try (Model model = new Model(test)) {
                double[][] right = model.gradients(test.beta(), test.reduction());
                assertThat(model.worstError(right)).as("%s", test).isLessThan(TOLERANCE);

                Reduction other = test.reduction() == Reduction.SUM ? Reduction.MEAN : Reduction.SUM;
                assertFound(model, model.gradients(-test.beta(), test.reduction()), "sign of the KL divergence");
                assertFound(model, model.gradients(0, test.reduction()), "a missing KL divergence");
                assertFound(model, model.gradients(test.beta(), other), "the other reduction");
                for (int tensor = 0; tensor < right.length; tensor++) {
                    double[][] wrong = copy(right);
                    int largest = largest(wrong[tensor]);
                    if (Math.abs(wrong[tensor][largest]) > 1e-4) {
                        wrong[tensor][largest] = -wrong[tensor][largest];
                        assertFound(model, wrong, "the sign of one number of tensor " + tensor);
                    }
                }
            }
        }
    }

    private static void assertFound(Model model, double[][] wrong, String mistake) {
        assertThat(model.worstError(wrong)).as("%s in %s", mistake, model.test).isGreaterThan(1000 * TOLERANCE);
    }

    private static <T> T any(Random random, T[] values) {
        return List.of(values).get(random.nextInt(values.length));
    }

    private static double[][] copy(double[][] values) {
        double[][] copy = values.clone();
        for (int i = 0; i < copy.length; i++) {
            copy[i] = copy[i].clone();
        }
        return copy;
    }

    private static int largest(double[] values) {
        int at = 0;
        for (int i = 0; i < values.length; i++) {
            at = Math.abs(values[i]) > Math.abs(values[at]) ? i : at;
        }
        return at;
    }

    /** One architecture, objective and place in an epoch. */
    private record Case(
            VaeConfig config,
            double beta,
            Reduction reduction,
            Pixels pixels,
            boolean bytes,
            int dataRows,
            int batch,
            int position,
            long seed) {
        static Case random(Random random, Activation activation, int index) {
            int[] encoder = widths(random);
            int[] decoder = widths(random);
            double beta = index == 0 ? 1 : 0.1 + 4 * random.nextDouble();
            int batch = 2 + random.nextInt(6);
            // Odd cases stand at the last, partial batch of an epoch.
            int left = (index & 1) == 1 ? 1 + random.nextInt(batch - 1) : batch;
            VaeConfig config = VaeConfig.builder()
                    .input(new ImageShape(1 + random.nextInt(3), 1 + random.nextInt(3), 1))
                    .hidden(encoder)
                    .decoder(decoder)
                    .latent(1 + random.nextInt(5))
                    .activation(activation)
                    .initialization(any(random, Initialization.values()))
                    .beta(beta)
                    .build();
            return new Case(
                    config,
                    beta,
                    (index & 2) == 0 ? Reduction.MEAN : Reduction.SUM,
                    random.nextBoolean() ? Pixels.UNIT : Pixels.BERNOULLI,
                    random.nextBoolean(),
                    batch + left,
                    batch,
                    batch,
                    random.nextLong());
        }

        private static int[] widths(Random random) {
            return random.ints(1 + random.nextInt(3), 1, 10).toArray();
        }

        int active() {
            return Math.min(batch, dataRows - position);
        }
    }

    /** A model whose loss at one fixed step, noise included, is a function of its weights alone. */
    private static final class Model implements AutoCloseable {
        private final Case test;
        private final Vae vae;
        private final Workspace workspace;
        private final Tensor data;
        private final StepState state;
        private final Snapshot start;
        private final Replay replay;
        private final double[] weights;
        private final double[][] differences;

        Model(Case test) {
            this.test = test;
            this.vae = Vae.create(backend, test.config(), test.seed());
            this.workspace = backend.workspace("gradients");
            this.state = workspace.stepState(test.seed(), List.of(), 0, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            this.start = new Snapshot(
                    7, 3, test.position(), 0, Map.of(VaeGraph.LOG_LIKELIHOOD, 0.0, VaeGraph.KL, 0.0), null);
            Random random = new Random(test.seed());
            int columns = test.config().input().size();
            if (test.bytes()) {
                this.data = workspace.tensor("data", DType.U8, test.dataRows(), columns);
                byte[] bytes = new byte[test.dataRows() * columns];
                random.nextBytes(bytes);
                data.upload(MemorySegment.ofArray(bytes), 0);
            } else {
                this.data = workspace.tensor("data", DType.F64, test.dataRows(), columns);
                data.uploadDoubles(
                        random.doubles((long) test.dataRows() * columns).toArray());
            }
            this.weights = vae.parameters().values().downloadDoubles();
            // Zero biases would put ReLU's kink where it is met; gaps between the views stay zero.
            for (int[] view : views()) {
                for (int i = view[0]; i < view[1]; i++) {
                    weights[i] += 0.2 * (random.nextDouble() - 0.5);
                }
            }
            this.replay = record(test.beta(), test.reduction());
            this.differences = differences();
        }

        private Replay record(double klWeight, Reduction reduction) {
            return workspace.record(state, Rows.of(test.batch()), step -> {
                vae.graph()
                        .gradients(
                                step,
                                state,
                                data,
                                Order.shuffled(test.dataRows()),
                                test.pixels(),
                                Scalar.of(klWeight),
                                reduction);
                step.optimizer().advance(state);
            });
        }

        /** {@return begin and end of every parameter in the arena} */
        private List<int[]> views() {
            List<int[]> views = new ArrayList<>();
            for (Parameters.Spec spec : vae.parameters().specs()) {
                int from = (int) vae.parameters().value(spec.name()).offset();
                views.add(new int[] {from, from + (int) spec.size()});
            }
            return views;
        }

        int count() {
            return views().stream().mapToInt(view -> view[1] - view[0]).sum();
        }

        /** {@return the gradient of every parameter, by tensor} */
        double[][] gradients(double klWeight, Reduction reduction) {
            try (Replay run = record(klWeight, reduction)) {
                vae.parameters().values().uploadDoubles(weights);
                state.restore(start);
                run.run(1);
                double[] all = vae.parameters().gradients().downloadDoubles();
                return views().stream()
                        .map(view -> java.util.Arrays.copyOfRange(all, view[0], view[1]))
                        .toArray(double[][]::new);
            }
        }

        private double loss(double[] at) {
            vae.parameters().values().uploadDoubles(at);
            state.restore(start);
            replay.run(1);
            Snapshot end = state.read();
            assertThat(end.rows()).isEqualTo(test.active());
            double mean = -end.mean(VaeGraph.LOG_LIKELIHOOD) + test.beta() * end.mean(VaeGraph.KL);
            return test.reduction() == Reduction.MEAN ? mean : mean * test.active();
        }

        private double[][] differences() {
            return views().stream()
                    .map(view -> java.util.stream.IntStream.range(view[0], view[1])
                            .mapToDouble(this::derivative)
                            .toArray())
                    .toArray(double[][]::new);
        }

        /** Central differences of fourth order; a step that straddles a kink disagrees with its half and is made smaller. */
        private double derivative(int parameter) {
            double best = Double.NaN;
            double bestSpread = Double.POSITIVE_INFINITY;
            for (double h = 2e-4; h > 1e-6; h /= 4) {
                double wide = stencil(parameter, h);
                double narrow = stencil(parameter, h / 2);
                double spread = Math.abs(wide - narrow);
                if (spread < bestSpread) {
                    best = wide;
                    bestSpread = spread;
                }
                if (spread <= 1e-9 * Math.max(1, Math.abs(wide))) {
                    break;
                }
            }
            assertThat(bestSpread)
                    .as("the loss of %s has no derivative at parameter %d; take another seed", test, parameter)
                    .isLessThan(1e-6 * Math.max(1, Math.abs(best)));
            return best;
        }

        private double stencil(int parameter, double h) {
            return (8 * (moved(parameter, h) - moved(parameter, -h))
                            - (moved(parameter, 2 * h) - moved(parameter, -2 * h)))
                    / (12 * h);
        }

        private double moved(int parameter, double by) {
            double[] at = weights.clone();
            at[parameter] += by;
            return loss(at);
        }

        /** {@return the worst error of an element, relative to it or to a thousandth of the tensor's largest} */
        double worstError(double[][] gradients) {
            double worst = 0;
            for (int t = 0; t < gradients.length; t++) {
                double floor = 1e-3 * Math.abs(differences[t][largest(differences[t])]);
                for (int i = 0; i < gradients[t].length; i++) {
                    double expected = differences[t][i];
                    double error = Math.abs(gradients[t][i] - expected);
                    // Where a whole tensor has no gradient, the differences are rounding of the loss.
                    double scale = Math.max(Math.max(Math.abs(expected), floor), 1e-3);
                    worst = Math.max(worst, error / scale);
                }
            }
            return worst;
        }

        @Override
        public void close() {
            workspace.close();
            vae.close();
        }
    }
}
