package io.github.elbo4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.testkit.TestSeed;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VaeConfigTest {
    private static final int MUTATIONS = 3000;

    private static VaeConfig parsed(String json) throws FormatException {
        return VaeConfig.fromJson(JsonObject.parse("config.json", json));
    }

    private static String text(VaeConfig config) {
        return Json.write(config.toJson());
    }

    @ParameterizedTest
    @CsvSource({
        "784-400-20, 784-400-20-400-784 relu, 652824",
        "784-256-128-20, 784-256-128-20-128-256-784 relu, 476216",
        "784-256-64-20, 784-256-64-20-64-256-784 relu, 439480",
        "784-256-128-32, 784-256-128-32-128-256-784 relu, 480848"
    })
    void presetsAreThePublishedArchitectures(String name, String summary, long parameters) {
        VaeConfig config = VaeConfig.preset(name).build();
        assertThat(config.summary()).isEqualTo(summary);
        assertThat(config.beta()).isEqualTo(1);
        assertThat(config.initialization()).isEqualTo(Initialization.PYTORCH);
        assertThat(config.logVarClamp()).isEqualTo(Clamp.DEFAULT);
        assertThat(VaeConfig.presets()).hasSize(4).contains(name);
        assertThat(VaeGraph.specs(config).stream()
                        .mapToLong(Parameters.Spec::size)
                        .sum())
                .isEqualTo(parameters);
        try (Backend backend = Backends.open("java", Map.of("threads", "1"));
                Vae vae = Vae.create(backend, config, 1)) {
            assertThat(vae.parameterCount()).isEqualTo(parameters);
            assertThat(vae).hasToString("VAE " + summary + ", " + parameters + " parameters on java-fp32");
        }
    }

    @Test
    void theBuildersDefaultIsTheFirstPreset() {
        assertThat(VaeConfig.builder().build())
                .isEqualTo(VaeConfig.preset("784-400-20").build());
        assertThatThrownBy(() -> VaeConfig.preset("784-1-1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("784-1-1")
                .hasMessageContaining("784-400-20, 784-256-128-20, 784-256-64-20, 784-256-128-32");
    }

    @Test
    void theDecoderMirrorsTheEncoderUnlessItIsGiven() {
        assertThat(VaeConfig.builder().hidden(9, 5, 3).build().decoder()).containsExactly(3, 5, 9);
        assertThat(VaeConfig.builder().hidden(9, 5).decoder(7).build().decoder())
                .containsExactly(7);
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void everyActivationSurvivesTheRoundTripThroughJson(Activation activation) throws FormatException {
        for (Initialization initialization : Initialization.values()) {
            VaeConfig config = VaeConfig.builder()
                    .input(new ImageShape(3, 5, 2))
                    .hidden(9, 1, VaeConfig.MAX_WIDTH)
                    .decoder(4)
                    .latent(7)
                    .activation(activation)
                    .initialization(initialization)
                    .beta(0.1)
                    .logVarClamp(new Clamp(-12.5, 0.1))
                    .build();
            assertThat(parsed(text(config))).isEqualTo(config);
            assertThat(VaeConfig.fromJson(JsonObject.parse("config.json", Json.writePretty(config.toJson()))))
                    .isEqualTo(config);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-300, 1, 4, 1e300, Double.MIN_VALUE, Double.MAX_VALUE})
    void everyBetaSurvivesTheRoundTripThroughJson(double beta) throws FormatException {
        VaeConfig config = VaeConfig.builder().beta(beta).build();
        assertThat(parsed(text(config)).beta()).isEqualTo(beta);
    }

    @Test
    void whatIsOutOfRangeIsNamed() {
        assertRefused(VaeConfig.builder().hidden(400, 0), "encoder", "width 0");
        assertRefused(VaeConfig.builder().hidden(-1), "encoder", "-1");
        assertRefused(VaeConfig.builder().hidden(VaeConfig.MAX_WIDTH + 1), "encoder", "1048577");
        assertRefused(VaeConfig.builder().hidden(), "encoder", "0 layers");
        assertRefused(VaeConfig.builder().hidden(new int[65]), "encoder", "65 layers");
        assertRefused(VaeConfig.builder().decoder(3, 0), "decoder", "width 0");
        assertRefused(VaeConfig.builder().latent(0), "latent", "0");
        assertRefused(VaeConfig.builder().latent(Integer.MIN_VALUE), "latent", "-2147483648");
        assertRefused(VaeConfig.builder().beta(-0.1), "beta", "-0.1");
        assertRefused(VaeConfig.builder().beta(Double.NaN), "beta", "NaN");
        assertRefused(VaeConfig.builder().beta(Double.POSITIVE_INFINITY), "beta", "Infinity");
        for (double[] range : new double[][] {{1, 1}, {2, 1}, {Double.NaN, 1}, {0, Double.NaN}, {-81, 0}, {0, 81}}) {
            assertThatThrownBy(() -> new Clamp(range[0], range[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("log-variance range")
                    .hasMessageContaining(range[0] + ".." + range[1]);
        }
        for (int[] extents : new int[][] {{0, 1, 1}, {1, -1, 1}, {1, 1, 0}, {1 << 20, 1 << 20, 1 << 20}}) {
            assertThatThrownBy(() -> new ImageShape(extents[0], extents[1], extents[2]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("image of " + extents[0]);
        }
    }

    private static void assertRefused(VaeConfig.Builder builder, String... words) {
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void namesOfActivationsAndInitializationsAreListedWhenUnknown() {
        assertThatThrownBy(() -> Activation.of("rellu"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rellu")
                .hasMessageContaining("leaky-relu");
        assertThat(Activation.of("Leaky_ReLU")).isEqualTo(Activation.LEAKY_RELU);
        assertThatThrownBy(() -> Initialization.of("xavier"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("xavier")
                .hasMessageContaining("pytorch, glorot, he");
        assertThat(LatentMode.of("MEAN")).isEqualTo(LatentMode.MEAN);
        assertThatThrownBy(() -> LatentMode.of("mode"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sampled, mean");
    }

    @Test
    void everyKeyOfAConfigurationFileIsNeededAndNoOtherIsTaken() throws FormatException {
        String intact = text(VaeConfig.builder().build());
        assertThat(parsed(intact)).isNotNull();
        Map<String, Object> json = VaeConfig.builder().build().toJson();
        for (String key : json.keySet()) {
            Map<String, Object> without = new java.util.LinkedHashMap<>(json);
            without.remove(key);
            assertThatThrownBy(() -> parsed(Json.write(without)))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("config.json")
                    .hasMessageContaining("\"" + key + "\"");
        }
        json.put("surprise", 1L);
        assertThatThrownBy(() -> parsed(Json.write(json)))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("surprise");
    }

    @Test
    void wrongValuesInAConfigurationFileAreNamed() {
        String intact = text(VaeConfig.builder().build());
        Map.of(
                        "\"latent\":20", "\"latent\":0",
                        "\"encoder\":[400]", "\"encoder\":[4.5]",
                        "\"decoder\":[400]", "\"decoder\":[]",
                        "\"activation\":\"relu\"", "\"activation\":\"rellu\"",
                        "\"initialization\":\"pytorch\"", "\"initialization\":\"torch\"",
                        "\"likelihood\":\"bernoulli\"", "\"likelihood\":\"gaussian\"",
                        "\"model\":\"mlp-vae\"", "\"model\":\"vq-vae\"",
                        "\"format\":1", "\"format\":2",
                        "\"beta\":1.0", "\"beta\":-1",
                        "[28,28,1]", "[28,28]")
                .forEach((from, to) -> {
                    assertThat(intact).contains(from);
                    String key = from.startsWith("[") ? "input" : from.substring(1, from.indexOf('"', 1));
                    assertThatThrownBy(() -> parsed(intact.replace(from, to)))
                            .isInstanceOf(FormatException.class)
                            .hasMessageContaining(key);
                });
    }

    @Test
    void damagedConfigurationsLeadToNothingButAFormatException() {
        Random random = TestSeed.random(VaeConfigTest.class);
        String intact =
                Json.writePretty(VaeConfig.builder().hidden(9, 5).build().toJson());
        List<MatchResult> tokens = Pattern.compile("-?[0-9.]+|\"[^\"]*\"")
                .matcher(intact)
                .results()
                .toList();
        List<String> pieces = List.of(
                "-1",
                "0",
                "1e400",
                "-0.0",
                "9223372036854775808",
                "1048577",
                "null",
                "[]",
                "{}",
                "\"\"",
                "true",
                "NaN",
                ",",
                "]",
                "[[[[",
                "\"\\ud800\"",
                "1.5",
                "\"encoder\"",
                "[1,2,3]");
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            String piece = pieces.get(random.nextInt(pieces.size()));
            String damaged;
            if (random.nextInt(3) > 0) {
                MatchResult token = tokens.get(random.nextInt(tokens.size()));
                damaged = intact.substring(0, token.start()) + piece + intact.substring(token.end());
            } else {
                int from = random.nextInt(intact.length());
                int to = Math.min(intact.length(), from + random.nextInt(5));
                damaged = intact.substring(0, from) + (random.nextBoolean() ? piece : "") + intact.substring(to);
            }
            try {
                VaeConfig config = parsed(damaged);
                assertThat(parsed(text(config))).as(damaged).isEqualTo(config);
            } catch (FormatException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                fail("%s: %s".formatted(damaged, e), e);
            }
        }
        System.out.println(refused + " of " + MUTATIONS + " damaged configurations refused");
        assertThat(refused).isGreaterThan(MUTATIONS / 2);
    }

    @Test
    void initialWeightsFollowTheirRules() {
        try (Backend backend = Backends.open("java", Map.of("threads", "1"))) {
            for (Initialization initialization : Initialization.values()) {
                VaeConfig config = VaeConfig.builder()
                        .hidden(100)
                        .latent(50)
                        .initialization(initialization)
                        .build();
                try (Vae vae = Vae.create(backend, config, 1);
                        Vae same = Vae.create(backend, config, 1);
                        Vae other = Vae.create(backend, config, 2)) {
                    float[] all = vae.parameters().values().downloadFloats();
                    assertThat(same.parameters().values().downloadFloats()).isEqualTo(all);
                    assertThat(other.parameters().values().downloadFloats()).isNotEqualTo(all);
                    assertUniform(vae, all, "encoder.0.weight", bound(initialization, 784, 100));
                    assertUniform(vae, all, "heads.weight", bound(initialization, 100, 50));
                    assertUniform(vae, all, "decoder.0.weight", bound(initialization, 50, 100));
                    assertUniform(vae, all, "logits.weight", bound(initialization, 100, 784));
                    assertUniform(vae, all, "logits.bias", initialization == Initialization.PYTORCH ? 0.1 : 0);
                }
            }
        }
    }

    private static double bound(Initialization initialization, int in, int out) {
        return switch (initialization) {
            case PYTORCH -> 1 / Math.sqrt(in);
            case GLOROT -> Math.sqrt(6.0 / (in + out));
            case HE -> Math.sqrt(6.0 / in);
        };
    }

    private static void assertUniform(Vae vae, float[] all, String name, double bound) {
        var view = vae.parameters().value(name);
        double sum = 0;
        double squares = 0;
        double largest = 0;
        for (int i = 0; i < view.size(); i++) {
            double value = all[(int) view.offset() + i];
            sum += value;
            squares += value * value;
            largest = Math.max(largest, Math.abs(value));
        }
        double n = view.size();
        assertThat(largest).as(name).isBetween(0.97 * bound, bound + 1e-9);
        // Mean and variance of a uniform number within five standard errors.
        assertThat(Math.abs(sum / n)).as(name).isLessThanOrEqualTo(5 * bound / Math.sqrt(3 * n));
        assertThat(Math.abs(squares / n - bound * bound / 3))
                .as(name)
                .isLessThanOrEqualTo(5 * bound * bound * Math.sqrt(4.0 / 45 / n));
    }
}
