package io.github.elbo4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class PyTorchFilesTest {
    private static final ImageShape PAIR = new ImageShape(2, 2, 1);

    /**
     * The header that safetensors 0.4 writes for a 4-3-2-3-4 model of pytorch/examples: metadata, then the tensors in the
     * order of their data, which is that of their names.
     */
    private static final String HEADER = "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
            + "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[3,4],\"data_offsets\":[12,60]},"
            + "\"fc21.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[60,68]},"
            + "\"fc21.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[68,92]},"
            + "\"fc22.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[92,100]},"
            + "\"fc22.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[100,124]},"
            + "\"fc3.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[124,136]},"
            + "\"fc3.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[136,160]},"
            + "\"fc4.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[160,176]},"
            + "\"fc4.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[176,224]}}";

    private static final float[] FC1_BIAS = {0.25f, -0.5f, 0.125f};
    private static final float[] FC1_WEIGHT = {1, -0.5f, 0.25f, 2, -1.5f, 0.75f, 1, -0.25f, 0.5f, 0.5f, -2, 1};
    private static final float[] FC21_BIAS = {0.5f, -0.25f};
    private static final float[] FC21_WEIGHT = {0.5f, -1, 0.75f, 0.25f, 1, -0.5f};
    private static final float[] FC22_BIAS = {-1, 0.5f};
    private static final float[] FC22_WEIGHT = {-0.25f, 0.5f, 1, -0.75f, 0.25f, 0.125f};
    private static final float[] FC3_BIAS = {0.1f, 0.2f, -0.3f};
    private static final float[] FC3_WEIGHT = {1, -1, 0.5f, 0.25f, 2, 1.5f};
    private static final float[] FC4_BIAS = {0.05f, -0.05f, 0.6f, -0.7f};
    private static final float[] FC4_WEIGHT = {1, 0, -1, 0.5f, 0.5f, 0.5f, -2, 1, 0.25f, 0.75f, -0.5f, 1.25f};

    /** Two images, and for each what the model gives, computed by hand from the weights above. */
    private static final float[] X = {1, 0, 0.5f, 0.25f, 0, 1, 0.75f, 0};

    @TempDir
    Path root;

    private final Backend backend = Backends.open("java", Map.of("threads", "1"));
    private final Backend oracle = Backends.open("java", Map.of("threads", "1", "precision", "fp64"));

    @AfterEach
    void close() {
        for (Backend each : List.of(backend, oracle)) {
            assertThat(each.info().bytesInUse()).isZero();
            each.close();
        }
    }

    private static byte[] golden() {
        return StateDictBytes.file(
                HEADER,
                concat(
                        FC1_BIAS,
                        FC1_WEIGHT,
                        FC21_BIAS,
                        FC21_WEIGHT,
                        FC22_BIAS,
                        FC22_WEIGHT,
                        FC3_BIAS,
                        FC3_WEIGHT,
                        FC4_BIAS,
                        FC4_WEIGHT));
    }

    /** A model of pytorch/examples, 4-3-2-3-4, in one type. */
    private static StateDictBytes example(String dtype) {
        return new StateDictBytes()
                .linear("fc1", dtype, 4, 3)
                .linear("fc21", dtype, 3, 2)
                .linear("fc22", dtype, 3, 2)
                .linear("fc3", dtype, 2, 3)
                .linear("fc4", dtype, 3, 4);
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(root.resolve("vae.safetensors"), bytes);
    }

    private static PyTorchFiles.Options pair() {
        return PyTorchFiles.options().input(PAIR);
    }

    private void assertRefused(byte[] bytes, String... words) throws IOException {
        assertRefused(bytes, pair(), words);
    }

    private void assertRefused(byte[] bytes, PyTorchFiles.Options options, String... words) throws IOException {
        Path file = write(bytes);
        assertThatThrownBy(() -> PyTorchFiles.load(backend, file, options).close())
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining("; ")
                .hasMessageContainingAll(words);
    }

    private static float[] concat(float[]... parts) {
        int size = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        float[] all = new float[size];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    private static double[] values(Vae vae, String parameter) {
        View view = vae.parameters().value(parameter);
        return Arrays.copyOfRange(
                vae.parameters().values().downloadDoubles(), (int) view.offset(), (int) (view.offset() + view.size()));
    }

    /** {@return {@code x W^T + b} of one row, {@code W} as PyTorch stores it} */
    private static double[] linear(double[] x, float[] weight, float[] bias) {
        double[] y = new double[bias.length];
        for (int o = 0; o < y.length; o++) {
            for (int i = 0; i < x.length; i++) {
                y[o] += x[i] * weight[o * x.length + i];
            }
            y[o] += bias[o];
        }
        return y;
    }

    private static double[] relu(double[] x) {
        return Arrays.stream(x).map(v -> Math.max(v, 0)).toArray();
    }

    private static double[] sigmoid(double[] x) {
        return Arrays.stream(x).map(v -> 1 / (1 + Math.exp(-v))).toArray();
    }

    private static double[] row(int row) {
        double[] x = new double[4];
        for (int i = 0; i < 4; i++) {
            x[i] = X[4 * row + i];
        }
        return x;
    }

    private static double[] hidden(int row) {
        return relu(linear(row(row), FC1_WEIGHT, FC1_BIAS));
    }

    private static double[] means(double[] z) {
        return sigmoid(linear(relu(linear(z, FC3_WEIGHT, FC3_BIAS)), FC4_WEIGHT, FC4_BIAS));
    }

    private static void assertClose(float[] actual, double[] expected, double error) {
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(expected[i], within(error));
        }
    }

    @Test
    void theForwardPassOfTheTestIsRight() {
        // Row 0: fc1 gives 1 + 0.125 + 0.5 + 0.25, -1.5 + 0.5 - 0.0625 - 0.5 and 0.5 - 1 + 0.25 + 0.125.
        assertThat(linear(row(0), FC1_WEIGHT, FC1_BIAS)).containsExactly(1.875, -1.5625, -0.125);
        // Only the first unit is on, so fc21 gives 1.875 * (0.5, 0.25) + (0.5, -0.25).
        assertThat(linear(hidden(0), FC21_WEIGHT, FC21_BIAS)).containsExactly(1.4375, 0.21875);
        assertThat(linear(hidden(0), FC22_WEIGHT, FC22_BIAS)).containsExactly(-1.46875, -0.90625);
        // Row 1: fc1 gives -0.5 + 0.1875 + 0.25, 0.75 + 0.75 - 0.5 and 0.5 - 1.5 + 0.125.
        assertThat(linear(row(1), FC1_WEIGHT, FC1_BIAS)).containsExactly(-0.0625, 1, -0.875);
        assertThat(linear(hidden(1), FC21_WEIGHT, FC21_BIAS)).containsExactly(-0.5, 0.75);
        assertThat(linear(hidden(1), FC22_WEIGHT, FC22_BIAS)).containsExactly(-0.5, 0.75);
    }

    @Test
    void theExampleGivesWhatPyTorchGives() throws IOException {
        Path file = write(golden());
        for (Backend each : List.of(backend, oracle)) {
            double error = each == oracle ? 1e-14 : 1e-6;
            try (Vae vae = PyTorchFiles.load(each, file, pair())) {
                assertThat(vae.config())
                        .isEqualTo(VaeConfig.builder()
                                .input(PAIR)
                                .hidden(3)
                                .latent(2)
                                .build());
                double[] mu0 = linear(hidden(0), FC21_WEIGHT, FC21_BIAS);
                double[] mu1 = linear(hidden(1), FC21_WEIGHT, FC21_BIAS);
                // Pixels come back as binary32 on either backend.
                assertClose(Arrays.copyOf(reconstruct(vae, X), 4), means(mu0), 1e-6);
                assertClose(Arrays.copyOfRange(reconstruct(vae, X), 4, 8), means(mu1), 1e-6);
                assertClose(decode(vae, new float[] {0.5f, -2}), means(new double[] {0.5, -2}), 1e-6);
                assertLosses(vae, error);
            }
        }
    }

    /** Compares the sums over both rows of the log-likelihood through z = mu, and of the KL divergence, which needs the log-variance. */
    private static void assertLosses(Vae vae, double error) {
        double logLikelihood = 0;
        double kl = 0;
        for (int r = 0; r < 2; r++) {
            double[] mu = linear(hidden(r), FC21_WEIGHT, FC21_BIAS);
            double[] logVar = linear(hidden(r), FC22_WEIGHT, FC22_BIAS);
            double[] p = means(mu);
            for (int i = 0; i < 4; i++) {
                double x = row(r)[i];
                logLikelihood += x * Math.log(p[i]) + (1 - x) * Math.log(1 - p[i]);
            }
            for (int i = 0; i < 2; i++) {
                kl -= 0.5 * (1 + logVar[i] - mu[i] * mu[i] - Math.exp(logVar[i]));
            }
        }
        try (Workspace work = vae.backend().workspace("test")) {
            Tensor data = work.tensor("data", vae.backend().real(), 2, 4);
            data.uploadFloats(X);
            StepState state = work.stepState(0, List.of(), 0, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            work.record(
                            state,
                            Rows.of(2),
                            step -> vae.graph().evaluation(step, state, data, LatentMode.MEAN, Pixels.UNIT))
                    .run(1);
            Snapshot end = state.read();
            assertThat(end.sums().get(VaeGraph.LOG_LIKELIHOOD)).isCloseTo(logLikelihood, within(10 * error));
            assertThat(end.sums().get(VaeGraph.KL)).isCloseTo(kl, within(10 * error));
        }
    }

    @Test
    void headsAreMuAndThenTheLogVariance() throws IOException {
        try (Vae vae = PyTorchFiles.load(oracle, write(golden()), pair())) {
            assertThat(values(vae, "heads.weight")).containsExactly(doubles(concat(FC21_WEIGHT, FC22_WEIGHT)));
            assertThat(values(vae, "heads.bias")).containsExactly(doubles(concat(FC21_BIAS, FC22_BIAS)));
        }
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    @Test
    void the784InputsOfMnistNeedNoOptionsAndNoMetadata() throws IOException {
        byte[] bytes = new StateDictBytes()
                .withoutMetadata()
                .linear("fc1", "F32", 784, 6)
                .linear("fc21", "F32", 6, 2)
                .linear("fc22", "F32", 6, 2)
                .linear("fc3", "F32", 2, 5)
                .linear("fc4", "F32", 5, 784)
                .bytes();
        try (Vae vae = PyTorchFiles.load(backend, write(bytes))) {
            assertThat(vae.config().input()).isEqualTo(new ImageShape(28, 28, 1));
            assertThat(vae.config().summary()).isEqualTo("784-6-2-5-784 relu");
            assertThat(decode(vae, new float[2])).hasSize(784);
        }
    }

    @Test
    void whatIsSavedIsTheSameFileAgain() throws IOException {
        Path file = write(golden());
        Path again = root.resolve("again.safetensors");
        for (Backend each : List.of(backend, oracle)) {
            try (Vae vae = PyTorchFiles.load(each, file, pair())) {
                PyTorchFiles.save(vae, again, PyTorchNames.EXAMPLE);
            }
            SafetensorsFile saved = SafetensorsFile.read(again);
            SafetensorsFile original = SafetensorsFile.read(file);
            assertThat(saved.metadata()).isEqualTo(Map.of("format", "pt"));
            assertThat(saved.names()).containsExactlyInAnyOrderElementsOf(original.names());
            for (String name : original.names()) {
                assertThat(saved.shape(name)).isEqualTo(original.shape(name));
                assertThat(saved.data(name, DType.F32, original.shape(name)).mismatch(original.data(name)))
                        .as(name)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void aTrainedModelIsBitEqualAfterPyTorch() throws IOException {
        VaeConfig config = VaeConfig.builder()
                .input(PAIR)
                .hidden(7, 5, 3)
                .decoder(6, 9)
                .latent(2)
                .activation(Activation.TANH)
                .beta(4)
                .logVarClamp(new Clamp(-10, 10))
                .build();
        PyTorchFiles.Options options =
                pair().activation(Activation.TANH).beta(4).logVarClamp(new Clamp(-10, 10));
        Path file = root.resolve("deep.safetensors");
        try (Vae vae = Vae.create(backend, config, 3)) {
            PyTorchFiles.save(vae, file, PyTorchNames.sequential(config));
            try (Vae loaded = PyTorchFiles.load(backend, file, options)) {
                assertThat(loaded.config()).isEqualTo(config);
                assertThat(loaded.parameters().values().downloadFloats())
                        .isEqualTo(vae.parameters().values().downloadFloats());
            }
            PyTorchNames merged = PyTorchNames.builder()
                    .encoder("a", "b", "c")
                    .heads("d")
                    .decoder("e", "f", "g")
                    .build();
            PyTorchFiles.save(vae, file, merged);
            assertThat(SafetensorsFile.read(file).shape("d.weight")).containsExactly(4, 3);
            try (Vae loaded = PyTorchFiles.load(backend, file, options.names(merged))) {
                assertThat(reconstruct(loaded, X)).isEqualTo(reconstruct(vae, X));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."})
    void prefixesOfWrappersArePassedOver(String prefix) throws IOException {
        StateDictBytes wrapped = new StateDictBytes()
                .linear(prefix + "fc1", "F32", 4, 3)
                .linear(prefix + "fc21", "F32", 3, 2)
                .linear(prefix + "fc22", "F32", 3, 2)
                .linear(prefix + "fc3", "F32", 2, 3)
                .linear(prefix + "fc4", "F32", 3, 4);
        float[] plain;
        try (Vae vae = PyTorchFiles.load(backend, write(example("F32").bytes()), pair())) {
            plain = vae.parameters().values().downloadFloats();
        }
        for (PyTorchFiles.Options options : List.of(pair(), pair().names(PyTorchNames.EXAMPLE))) {
            try (Vae vae = PyTorchFiles.load(backend, write(wrapped.bytes()), options)) {
                assertThat(vae.parameters().values().downloadFloats()).isEqualTo(plain);
            }
        }
        assertRefused(wrapped.remove(prefix + "fc4.bias").bytes(), "lacks '" + prefix + "fc4.bias'");
    }

    @Test
    void aPrefixOfSomeNamesOnlyIsPartOfThem() throws IOException {
        assertRefused(
                example("F32").linear("module.fc5", "F32", 3, 2).bytes(),
                "\"module.fc5.weight\"",
                "none of the layers");
    }

    @ParameterizedTest
    @ValueSource(strings = {"F64", "F16", "BF16"})
    void otherTypesGiveTheSameModel(String dtype) throws IOException {
        // All numbers are multiples of 1/16 below 1, exact in each of the types.
        for (Backend each : List.of(backend, oracle)) {
            try (Vae f32 = PyTorchFiles.load(each, write(example("F32").bytes()), pair());
                    Vae other = PyTorchFiles.load(each, write(example(dtype).bytes()), pair())) {
                assertThat(other.parameters().values().downloadDoubles())
                        .isEqualTo(f32.parameters().values().downloadDoubles());
            }
        }
    }

    @Test
    void bitsOfEachTypeBecomeTheirNumbers() throws IOException {
        byte[] half = shorts(0x3c00, 0x0001, 0x7bff);
        try (Vae vae = PyTorchFiles.load(
                oracle,
                write(example("F32")
                        .addRaw("fc3.bias", "F16", new long[] {3}, half)
                        .bytes()),
                pair())) {
            assertThat(values(vae, "decoder.0.bias")).containsExactly(1, 0x1p-24, 65504);
        }
        byte[] brain = shorts(0xc000, 0x0001, 0x7f7f);
        try (Vae vae = PyTorchFiles.load(
                oracle,
                write(example("F32")
                        .addRaw("fc3.bias", "BF16", new long[] {3}, brain)
                        .bytes()),
                pair())) {
            assertThat(values(vae, "decoder.0.bias")).containsExactly(-2, 0x1p-133, 0x1.fep127);
        }
        StateDictBytes wide = example("F32").add("fc3.bias", "F64", new long[] {3}, 0.1, -1e-320, 1e300);
        try (Vae vae = PyTorchFiles.load(oracle, write(wide.bytes()), pair())) {
            assertThat(values(vae, "decoder.0.bias")).containsExactly(0.1, -1e-320, 1e300);
        }
        wide = example("F32").add("fc3.bias", "F64", new long[] {3}, 0.1, -1e-320, 1 + 0x1p-24 + 0x1p-50);
        try (Vae vae = PyTorchFiles.load(backend, write(wide.bytes()), pair())) {
            assertThat(values(vae, "decoder.0.bias")).containsExactly(0.1f, -0.0, 1 + 0x1p-23);
        }
    }

    private static byte[] shorts(int... bits) {
        ByteBuffer bytes = ByteBuffer.allocate(bits.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int each : bits) {
            bytes.putShort((short) each);
        }
        return bytes.array();
    }

    @Test
    void tensorsLongerThanAPartAreCopiedWhole() throws IOException {
        byte[] bytes = new StateDictBytes()
                .linear("fc1", "F16", 400, 331)
                .linear("fc21", "F32", 331, 2)
                .linear("fc22", "F32", 331, 2)
                .linear("fc3", "F32", 2, 3)
                .linear("fc4", "F32", 3, 400)
                .bytes();
        double[] expected = new double[400 * 331];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = ((i * 7 + 11) % 23 - 11) / 16.0;
        }
        PyTorchFiles.Options options = PyTorchFiles.options().input(new ImageShape(20, 20, 1));
        for (Backend each : List.of(backend, oracle)) {
            try (Vae vae = PyTorchFiles.load(each, write(bytes), options)) {
                assertThat(values(vae, "encoder.0.weight")).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"fc_mu,fc_var", "mu,logvar", "mean,log_var", "fc_mean,fc_logvar"})
    void sequentialsOfAnyDepthAreDetected(String mu, String logVar) throws IOException {
        StateDictBytes two = new StateDictBytes()
                .linear(mu, "F32", 5, 2)
                .linear(logVar, "F32", 5, 2)
                .linear("decoder.0", "F32", 2, 6)
                .linear("decoder.2", "F32", 6, 4)
                .linear("encoder.0", "F32", 4, 7)
                .linear("encoder.2", "F32", 7, 5);
        try (Vae vae = PyTorchFiles.load(backend, write(two.bytes()), pair().activation(Activation.ELU))) {
            assertThat(vae.config().summary()).isEqualTo("4-7-5-2-6-4 elu");
        }
        // Numbers, not letters, order the layers: 10 comes after 4.
        StateDictBytes three = new StateDictBytes()
                .linear("encoder.0", "F32", 4, 7)
                .linear("encoder.10", "F32", 6, 5)
                .linear("encoder.4", "F32", 7, 6)
                .linear(logVar, "F32", 5, 2)
                .linear(mu, "F32", 5, 2)
                .linear("decoder.1", "F32", 2, 8)
                .linear("decoder.11", "F32", 9, 4)
                .linear("decoder.2", "F32", 8, 9);
        try (Vae vae = PyTorchFiles.load(oracle, write(three.bytes()), pair())) {
            assertThat(vae.config().summary()).isEqualTo("4-7-6-5-2-8-9-4 relu");
            SafetensorsFile file = SafetensorsFile.read(root.resolve("vae.safetensors"));
            assertThat(values(vae, "heads.weight"))
                    .startsWith(doubles(file.floats(mu + ".weight")))
                    .endsWith(doubles(file.floats(logVar + ".weight")));
            assertThat(values(vae, "encoder.2.weight")).isEqualTo(doubles(file.floats("encoder.10.weight")));
            assertThat(values(vae, "decoder.1.bias")).isEqualTo(doubles(file.floats("decoder.2.bias")));
            assertThat(values(vae, "logits.weight")).isEqualTo(doubles(file.floats("decoder.11.weight")));
        }
    }

    @Test
    void anEncoderThatEndsInBothHeadsIsDetected() throws IOException {
        StateDictBytes merged = new StateDictBytes()
                .linear("encoder.0", "F32", 4, 7)
                .linear("encoder.2", "F32", 7, 6)
                .linear("decoder.0", "F32", 3, 5)
                .linear("decoder.2", "F32", 5, 4);
        try (Vae vae = PyTorchFiles.load(backend, write(merged.bytes()), pair())) {
            assertThat(vae.config().summary()).isEqualTo("4-7-3-5-4 relu");
            SafetensorsFile file = SafetensorsFile.read(root.resolve("vae.safetensors"));
            assertThat(values(vae, "heads.weight")).isEqualTo(doubles(file.floats("encoder.2.weight")));
        }
        assertRefused(
                merged.linear("encoder.2", "F32", 7, 5).bytes(), "'encoder.2' gives 5 outputs", "the log-variance");
        assertRefused(
                merged.linear("encoder.2", "F32", 7, 8).bytes(),
                "layer 'decoder.0' takes 3 values but 'mu of encoder.2' gives 4");
    }

    @Test
    void anyOtherNamesAreGiven() throws IOException {
        byte[] bytes = new StateDictBytes()
                .linear("net.enc_in", "F32", 4, 7)
                .linear("net.enc_hidden", "F32", 7, 5)
                .linear("net.to_mu", "F32", 5, 2)
                .linear("net.to_lv", "F32", 5, 2)
                .linear("net.dec", "F32", 2, 3)
                .linear("net.out", "F32", 3, 4)
                .bytes();
        assertRefused(bytes, "\"net.enc_in.weight\" (F32 [7, 4])", "pytorch/examples", "options().names(");
        PyTorchNames names = PyTorchNames.builder()
                .encoder("net.enc_in", "net.enc_hidden")
                .heads("net.to_mu", "net.to_lv")
                .decoder("net.dec", "net.out")
                .build();
        try (Vae vae = PyTorchFiles.load(backend, write(bytes), pair().names(names))) {
            assertThat(vae.config().summary()).isEqualTo("4-7-5-2-3-4 relu");
        }
        assertRefused(
                bytes,
                pair().names(PyTorchNames.EXAMPLE),
                "lacks 'fc1.weight', 'fc1.bias', 'fc21.weight'",
                "[fc1, fc21, fc22, fc3, fc4]");
    }

    @Test
    void sequentialNamesLeaveTheOddNumbersToActivations() {
        VaeConfig config = VaeConfig.builder().hidden(9, 8, 7).decoder(8, 9).build();
        assertThat(PyTorchNames.sequential(config))
                .isEqualTo(new PyTorchNames(
                        List.of("encoder.0", "encoder.2", "encoder.4"),
                        List.of("fc_mu", "fc_var"),
                        List.of("decoder.0", "decoder.2", "decoder.4")));
    }

    @Test
    void headsOfUnknownNamesAreNotGuessed() throws IOException {
        StateDictBytes other = new StateDictBytes()
                .linear("encoder.0", "F32", 4, 7)
                .linear("encoder.2", "F32", 7, 6)
                .linear("decoder.0", "F32", 3, 5)
                .linear("decoder.2", "F32", 5, 4)
                .linear("to_latent", "F32", 6, 6);
        assertRefused(other.bytes(), "are named neither as in pytorch/examples");
        assertRefused(
                other.remove("to_latent.weight")
                        .remove("to_latent.bias")
                        .linear("fc_mu", "F32", 6, 3)
                        .bytes(),
                "are named neither as in pytorch/examples");
    }

    @Test
    void namesThatMakeNoModelAreRefused() {
        assertThatThrownBy(() -> PyTorchNames.builder()
                        .heads("mu", "lv")
                        .decoder("a", "b")
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 names of encoder layers");
        assertThatThrownBy(() ->
                        PyTorchNames.builder().encoder("e").decoder("a", "b").build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PyTorchNames.builder()
                        .encoder("e")
                        .heads("h")
                        .decoder("a")
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 of decoder layers");
        assertThatThrownBy(() -> new PyTorchNames(List.of("e"), List.of("a", "b", "c"), List.of("d", "f")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PyTorchNames.builder()
                        .encoder("e")
                        .heads("mu", "mu")
                        .decoder("a", "b")
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'mu' is named twice");
    }

    @Test
    void layersThatDoNotFollowFromOneAnotherAreExplained() throws IOException {
        assertRefused(
                example("F32").linear("fc21", "F32", 5, 2).bytes(), "layer 'fc21' takes 5 values but 'fc1' gives 3");
        assertRefused(
                example("F32").linear("fc22", "F32", 4, 2).bytes(), "layer 'fc22' takes 4 values but 'fc1' gives 3");
        assertRefused(
                example("F32").linear("fc22", "F32", 3, 1).bytes(), "layer 'fc21' gives 2 values but 'fc22' gives 1");
        assertRefused(
                example("F32").linear("fc3", "F32", 4, 3).bytes(), "layer 'fc3' takes 4 values but 'fc21' gives 2");
        assertRefused(
                example("F32").linear("fc4", "F32", 6, 4).bytes(), "layer 'fc4' takes 6 values but 'fc3' gives 3");
        assertRefused(
                example("F32").linear("fc4", "F32", 3, 5).bytes(), "layer 'fc1' takes 4 values but 'fc4' gives 5");
    }

    @Test
    void inputsThatAreNotTheImageAreRefused() throws IOException {
        assertRefused(
                example("F32").bytes(),
                PyTorchFiles.options(),
                "layer 'fc1' takes 4 values, which are no image of 28 x 28 x 1",
                "options().input(");
        assertRefused(
                example("F32").bytes(), PyTorchFiles.options().input(new ImageShape(3, 2, 5)), "no image of 3 x 2 x 5");
    }

    @Test
    void tensorsOfOtherKindsOfLayersAreNamed() throws IOException {
        long[] three = {3};
        StateDictBytes normalized = example("F32")
                .add("bn1.weight", "F32", three, 1, 1, 1)
                .add("bn1.num_batches_tracked", "I64", new long[0], 7);
        assertRefused(
                normalized.bytes(),
                "\"bn1.num_batches_tracked\" (I64 [])",
                "BatchNorm",
                "fold it into the linear layer");
        assertRefused(
                normalized.bytes(), pair().names(PyTorchNames.EXAMPLE), "\"bn1.num_batches_tracked\"", "BatchNorm");
        assertRefused(
                example("F32").add("norm.weight", "F32", three, 1, 1, 1).bytes(),
                "\"norm.weight\" (F32 [3]) is none of the layers [fc1, fc21, fc22, fc3, fc4]");
        assertRefused(
                example("F32").add("scale", "F32", new long[0], 1).bytes(), "\"scale\" (F32 []) is none of the layers");
        assertRefused(
                example("F32")
                        .add("fc1.weight", "F32", new long[] {3, 4, 1, 1}, new double[12])
                        .bytes(),
                "\"fc1.weight\" (F32 [3, 4, 1, 1])",
                "convolutions");
        assertRefused(
                example("F32").add("fc3.bias", "F32", new long[] {2}, 1, 2).bytes(),
                "\"fc3.bias\" (F32 [2])",
                "the 3 outputs");
        assertRefused(
                example("F32")
                        .add("fc3.bias", "F32", new long[] {3, 1}, 1, 2, 3)
                        .bytes(),
                "\"fc3.bias\" (F32 [3, 1])");
        assertRefused(
                example("F32").add("fc3.bias", "I64", three, 1, 2, 3).bytes(), "\"fc3.bias\" (I64 [3])", "F16 or BF16");
        assertRefused(
                example("F32").add("fc21.weight", "F32", new long[] {0, 3}).bytes(), "\"fc21.weight\"", "the width 0");
        assertRefused(
                example("F32")
                        .add("fc21.weight", "F32", new long[] {0, 1L << 62})
                        .bytes(),
                "\"fc21.weight\"",
                "the width 0");
        assertRefused(
                example("F32")
                        .add("fc1.weight", "BF16", new long[] {1, (1 << 20) + 1}, new double[(1 << 20) + 1])
                        .bytes(),
                "\"fc1.weight\"",
                "the width 1048577",
                "1 to 1048576");
    }

    @Test
    void missingTensorsAreNamed() throws IOException {
        assertRefused(example("F32").remove("fc22.bias").bytes(), "lacks 'fc22.bias' of the layers", "save zeros");
        assertRefused(
                example("F32").remove("fc22.bias").remove("fc22.weight").bytes(), "lacks 'fc22.weight', 'fc22.bias'");
        assertRefused(new StateDictBytes().bytes(), "has no tensors");
    }

    @Test
    void numbersThatAreNotFiniteAreNamed() throws IOException {
        double[] bias = {1, 2, Double.NaN, 4};
        assertRefused(
                example("F32").add("fc4.bias", "F32", new long[] {4}, bias).bytes(),
                "\"fc4.bias\" (F32 [4]) holds NaN at element 2");
        bias[2] = Double.NEGATIVE_INFINITY;
        for (String dtype : List.of("F64", "F32", "F16", "BF16")) {
            assertRefused(
                    example("F32").add("fc4.bias", dtype, new long[] {4}, bias).bytes(),
                    "holds -Infinity at element 2");
        }
        bias[2] = 1e300;
        assertRefused(
                example("F32").add("fc4.bias", "F64", new long[] {4}, bias).bytes(),
                "holds 1.0E300 at element 2, no finite number as F32");
        double[] long16 = new double[200_000];
        long16[150_000] = Double.POSITIVE_INFINITY;
        assertRefused(
                new StateDictBytes()
                        .linear("fc1", "F32", 4, 50_000)
                        .add("fc1.weight", "F16", new long[] {50_000, 4}, long16)
                        .linear("fc21", "F32", 50_000, 2)
                        .linear("fc22", "F32", 50_000, 2)
                        .linear("fc3", "F32", 2, 3)
                        .linear("fc4", "F32", 3, 4)
                        .bytes(),
                "\"fc1.weight\"",
                "holds Infinity at element 150000");
    }

    @Test
    void namesFromTheFileReachNoTerminal() throws IOException {
        assertRefused(example("F32").add("\\u001b[2J", "F32", new long[0], 1).bytes(), "\"\\u001b[2J\"");
    }

    @Test
    void modelsTooDeepAreRefused() throws IOException {
        StateDictBytes deep = new StateDictBytes().linear("mu", "F32", 1, 1).linear("logvar", "F32", 1, 1);
        for (int i = 0; i < 65; i++) {
            deep.linear("encoder." + i, "F32", 1, 1);
        }
        deep.linear("decoder.0", "F32", 1, 1).linear("decoder.1", "F32", 1, 1);
        assertRefused(deep.bytes(), "has 65 hidden layers in its encoder and 1 in its decoder", "at most 64");
    }

    @Test
    void aFileClaimsNoMoreMemoryThanItHolds() throws IOException {
        long peak = backend.info().bytesPeak();
        assertRefused(example("F32").linear("fc4", "F32", 3, 100_000).bytes(), "'fc4' gives 100000");
        byte[] bytes = new String(golden(), StandardCharsets.ISO_8859_1)
                .replace("[3,4]", "[9,9]")
                .getBytes(StandardCharsets.ISO_8859_1);
        assertRefused(bytes, "\"fc1.weight\" has 48 bytes of data but needs 324");
        assertThat(backend.info().bytesPeak()).isEqualTo(peak);
    }

    @Test
    void filesOfThisLibraryAndPicklesAreToldApart() throws IOException {
        Path folder = root.resolve("model");
        try (Vae vae = Vae.create(
                backend, VaeConfig.builder().input(PAIR).hidden(3).latent(2).build(), 1)) {
            VaeFiles.save(vae, folder);
        }
        assertThatThrownBy(() -> PyTorchFiles.load(backend, folder.resolve(VaeFiles.WEIGHTS), pair()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("written by this library")
                .hasMessageContaining("VaeFiles.load");
        assertThatThrownBy(() -> PyTorchFiles.load(backend, folder, pair()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a folder");
        assertThatThrownBy(() -> PyTorchFiles.load(backend, root.resolve("nowhere"), pair()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("does not exist");
        byte[] zip = {'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0};
        assertRefused(zip, "torch.save", "safetensors.torch.save_file(model.state_dict(), ...)");
        byte[] pickle = {(byte) 0x80, 2, (byte) 0x8a, 10, 'l', (byte) 0xfc, (byte) 0x9c, 'F'};
        assertRefused(pickle, "torch.save");
        assertRefused(new byte[] {'P', 'K'}, "too few for a safetensors file");
    }

    @Test
    void aModelFolderWithAStateDictIsSentHere() throws IOException {
        Path folder = Files.createDirectory(root.resolve("hub"));
        Path weights = folder.resolve(VaeFiles.WEIGHTS);
        byte[] unknown = new StateDictBytes().linear("net", "F32", 4, 3).bytes();
        for (byte[] bytes : List.of(golden(), example("F32").withoutMetadata().bytes(), unknown)) {
            Files.write(weights, bytes);
            for (Path path : List.of(folder, weights)) {
                assertThatThrownBy(() -> VaeFiles.load(backend, path))
                        .isInstanceOf(FormatException.class)
                        .hasMessage(weights + ": is a state_dict of PyTorch, not a model of this library;"
                                + " load it with PyTorchFiles.load");
            }
        }
        Files.write(
                weights,
                new StateDictBytes()
                        .withoutMetadata()
                        .linear("net", "F32", 4, 3)
                        .bytes());
        assertThatThrownBy(() -> VaeFiles.load(backend, folder)).hasMessageContaining(VaeFiles.CONFIG);
    }

    @Test
    void aModelThatAnotherToolWroteAgainIsLoadedFromItsFolder() throws IOException {
        Path folder = root.resolve("model");
        VaeConfig config =
                VaeConfig.builder().input(PAIR).hidden(3, 5).latent(2).build();
        try (Vae vae = Vae.create(backend, config, 1)) {
            VaeFiles.save(vae, folder);
        }
        Path weights = folder.resolve(VaeFiles.WEIGHTS);
        SafetensorsFile file = SafetensorsFile.read(weights);
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        for (String name : file.names()) {
            writer.add(name, file.type(name), file.shape(name), file.data(name));
        }
        writer.write(weights);
        try (Vae vae = VaeFiles.load(backend, folder)) {
            assertThat(vae.config()).isEqualTo(config);
        }
    }

    @Test
    void savingRefusesNamesOfAnotherModelAndNumbersThatAreNone() throws IOException {
        VaeConfig config =
                VaeConfig.builder().input(PAIR).hidden(3, 5).latent(2).build();
        Path file = write(golden());
        try (Vae vae = Vae.create(oracle, config, 1)) {
            assertThatThrownBy(() -> PyTorchFiles.save(vae, file, PyTorchNames.EXAMPLE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("2 hidden layers in its encoder and 3 layers in its decoder");
            double[] huge = new double[5];
            huge[3] = 1e39;
            vae.parameters()
                    .values()
                    .upload(
                            MemorySegment.ofArray(huge),
                            vae.parameters().value("encoder.1.bias").offset());
            assertThatThrownBy(() -> PyTorchFiles.save(vae, file, PyTorchNames.sequential(config)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'encoder.1.bias' holds Infinity as F32");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(golden());
    }

    @Test
    void aFileThatCannotBeWrittenStays() throws IOException {
        Path file = write(golden());
        Files.createDirectories(root.resolve(".vae.safetensors.partial/x"));
        try (Vae vae = PyTorchFiles.load(backend, file, pair())) {
            assertThatThrownBy(() -> PyTorchFiles.save(vae, file, PyTorchNames.EXAMPLE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("vae.safetensors");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(golden());
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        Random random = TestSeed.random(PyTorchFilesTest.class);
        List<byte[]> originals = List.of(
                golden(),
                example("F16").withoutMetadata().bytes(),
                new StateDictBytes()
                        .linear("module.encoder.0", "BF16", 4, 3)
                        .linear("module.encoder.2", "F64", 3, 4)
                        .linear("module.decoder.0", "F32", 2, 5)
                        .linear("module.decoder.2", "F16", 5, 4)
                        .bytes());
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 3_000; i++) {
            byte[] bytes = mutated(originals.get(i % originals.size()), random);
            Path file = write(bytes);
            try (Vae vae = PyTorchFiles.load(backend, file, pair())) {
                assertThat(vae.parameters().values().downloadFloats()).doesNotContain(Float.NaN);
                assertThat(vae.parameterCount()).isLessThan(bytes.length);
                read++;
            } catch (FormatException e) {
                assertThat(e).hasMessageStartingWith(file + ": ").hasMessageContaining("; ");
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("input " + HexFormat.of().formatHex(bytes), e);
            }
        }
        assertThat(read).as("files still read").isGreaterThan(300);
        assertThat(refused).as("files refused").isGreaterThan(1_000);
    }

    private static byte[] mutated(byte[] original, Random random) {
        byte[] bytes = original.clone();
        int header = 8
                + (int) ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        for (int edits = 1 + random.nextInt(2); edits > 0; edits--) {
            // Most of a file is header; half of the edits go to the numbers.
            int at = random.nextBoolean() && header < bytes.length
                    ? header + random.nextInt(bytes.length - header)
                    : random.nextInt(bytes.length);
            switch (random.nextInt(6)) {
                case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) random.nextInt();
                case 3 -> bytes[at] = (byte) "0123456789".charAt(random.nextInt(10));
                case 4 -> bytes = Arrays.copyOf(bytes, at + 1);
                default -> {
                    String text = new String(bytes, StandardCharsets.ISO_8859_1);
                    String[] swaps = {"F32", "F16", "F64", "BF16", "fc2", "fc1", "weight", "bias", ",4]", ",3]", "0,2]"
                    };
                    bytes = text.replaceFirst(swaps[random.nextInt(swaps.length)], swaps[random.nextInt(swaps.length)])
                            .getBytes(StandardCharsets.ISO_8859_1);
                }
            }
        }
        return bytes;
    }

    private static float[] reconstruct(Vae vae, float[] x) {
        try (FrozenModel model = FrozenModel.of(vae);
                InferenceSession session = model.session(2)) {
            return session.reconstruct(x);
        }
    }

    private static float[] decode(Vae vae, float[] z) {
        try (FrozenModel model = FrozenModel.of(vae);
                InferenceSession session = model.session(1)) {
            return session.decode(z);
        }
    }
}
