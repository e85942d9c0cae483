package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The emulated device in every mood, {@code -Delbo4j.test.seeds} of them: whatever order it chooses and wherever memory
 * lies, a training has the same bits.
 */
class CudaModesTest {
    private static final int SEEDS = Integer.getInteger("elbo4j.test.seeds", 20);
    private static final List<String> STEPS = List.of("1", "2", "5", "16");

    /**
     * Where memory lies.
     *
     * @param guard side of the guard page; {@code tight} only where blocks are cut out of chunks, as kernels rely on the
     *     alignment of a real device's allocations
     * @param pool whether they are
     */
    private record Layout(String guard, String pool) {}

    private static final List<Layout> LAYOUTS = List.of(
            new Layout("end", "on"),
            new Layout("end", "off"),
            new Layout("start", "on"),
            new Layout("start", "off"),
            new Layout("tight", "on"));

    @AfterEach
    void defaults() {
        EmulatedDevice.assumeEmulated();
        System.clearProperty("elbo4j.cuda.pool");
        EmulatorControl.reset();
        CudaContext.forgetLost();
        EmulatorControl.setOption("seed", "1");
        EmulatorControl.setOption("guard", "end");
        EmulatorControl.setOption("lazy", "1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp32", "tf32", "bf16"})
    void theBitsAreTheSameInEveryMode(String precision) {
        EmulatedDevice.assumeEmulated();
        long violations = EmulatorControl.counter("violations");
        @Nullable List<Long> expected = null;
        for (int seed = 1; seed <= SEEDS; seed++) {
            // Cycles without a common factor, so that each meets each.
            Layout layout = LAYOUTS.get(seed % LAYOUTS.size());
            String steps = STEPS.get(seed % STEPS.size());
            String lazy = seed % 3 == 0 ? "0" : "1";
            EmulatorControl.reset();
            EmulatorControl.setOption("seed", String.valueOf(seed));
            EmulatorControl.setOption("guard", layout.guard());
            EmulatorControl.setOption("lazy", lazy);
            System.setProperty("elbo4j.cuda.pool", layout.pool());
            List<Long> bits;
            try (Backend backend = Backends.open("cuda", Map.of("precision", precision, "steps", steps))) {
                bits = use(backend);
            }
            expected = expected == null ? bits : expected;
            assertThat(bits)
                    .as("seed=%d %s lazy=%s steps=%s", seed, layout, lazy, steps)
                    .isEqualTo(expected);
            assertThat(EmulatorControl.counter("violations")).isEqualTo(violations);
            assertThat(EmulatorControl.lastFault().status()).isZero();
        }
    }

    private static List<Long> use(Backend backend) {
        try (TinyTraining training = new TinyTraining(backend, 3)) {
            training.run(7);
            // Weights come from the host in between, and a call at once takes them.
            Tensor values = training.vae().parameters().values();
            float[] weights = values.downloadFloats();
            weights[0] += 0.125f;
            values.uploadFloats(weights);
            float[] picture;
            try (FrozenModel frozen = FrozenModel.of(training.vae());
                    InferenceSession session = frozen.session(2)) {
                picture = session.reconstruct(new float[12]);
            }
            training.run(2);
            Tensor sums = training.work().tensor("sums", DType.F32, 3);
            Tensor rows = training.work().tensor("rows", DType.F32, 3, 33);
            backend.loss().bernoulliForward(Rows.of(3), rows, rows, sums);
            List<Long> bits = training.bits();
            for (float[] each : List.of(picture, sums.downloadFloats())) {
                for (float value : each) {
                    bits.add((long) Float.floatToRawIntBits(value));
                }
            }
            return bits;
        }
    }
}
