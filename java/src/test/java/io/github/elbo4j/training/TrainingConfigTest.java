package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingConfigTest {
    private static TrainingConfig parsed(Map<String, Object> json) throws FormatException {
        return TrainingConfig.fromJson(JsonObject.parse("training", Json.write(json)));
    }

    @Test
    void theDefaultsAreThoseOfThePublishedExample() {
        TrainingConfig config = TrainingConfig.builder().build();
        assertThat(config)
                .isEqualTo(new TrainingConfig(
                        10, 128, new Optimizer.Adam(1e-3, 0.9, 0.999, 1e-8), 1, true, Pixels.UNIT, Reduction.MEAN));
        assertThat(config.withEpochs(3).epochs()).isEqualTo(3);
        assertThat(config.withEpochs(3).withEpochs(10)).isEqualTo(config);
    }

    @Test
    void everyConfigurationSurvivesTheRoundTripThroughJson() throws FormatException {
        for (Optimizer optimizer : List.of(
                new Optimizer.Adam(1e-30, 0, 0.999_999_999, 1e30),
                new Optimizer.Adam(0.1),
                new Optimizer.Sgd(1.0 / 3))) {
            for (long seed : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 53 | 1}) {
                for (Reduction reduction : Reduction.values()) {
                    for (Pixels pixels : List.of(Pixels.UNIT, Pixels.BERNOULLI)) {
                        TrainingConfig config = new TrainingConfig(
                                TrainingConfig.MAX_EPOCHS,
                                TrainingConfig.MAX_BATCH,
                                optimizer,
                                seed,
                                seed == 0,
                                pixels,
                                reduction);
                        assertThat(parsed(config.toJson())).isEqualTo(config);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1e-3, 1e-31, 1e31, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void learningRatesAndEpsilonsThatCannotWorkAreNamed(double wrong) {
        assertRefused(() -> new Optimizer.Adam(wrong), "learning rate", Double.toString(wrong));
        assertRefused(() -> new Optimizer.Sgd(wrong), "learning rate", Double.toString(wrong));
        assertRefused(() -> new Optimizer.Adam(1e-3, 0.9, 0.999, wrong), "epsilon", Double.toString(wrong));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, 2, Double.NaN})
    void decaysOutsideTheirRangeAreNamed(double wrong) {
        assertRefused(() -> new Optimizer.Adam(1e-3, wrong, 0.999, 1e-8), "beta1 " + wrong);
        assertRefused(() -> new Optimizer.Adam(1e-3, 0.9, wrong, 1e-8), "beta2 " + wrong);
    }

    @Test
    void countsOutsideTheirRangeAreNamed() {
        for (int wrong : new int[] {0, -1, TrainingConfig.MAX_EPOCHS + 1, Integer.MIN_VALUE}) {
            assertRefused(() -> TrainingConfig.builder().epochs(wrong).build(), "epochs " + wrong);
            assertRefused(() -> TrainingConfig.builder().build().withEpochs(wrong), "epochs " + wrong);
        }
        for (int wrong : new int[] {0, -1, TrainingConfig.MAX_BATCH + 1, Integer.MIN_VALUE}) {
            assertRefused(() -> TrainingConfig.builder().batch(wrong).build(), "batch " + wrong);
        }
        assertRefused(() -> TrainingConfig.builder().pixels(Pixels.AS_IS).build(), "AS_IS");
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String... words) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll(words);
    }

    @Test
    void everyKeyIsNeededAndNoOtherIsTaken() {
        Map<String, Object> intact = TrainingConfig.builder().build().toJson();
        for (String key : intact.keySet()) {
            Map<String, Object> without = new LinkedHashMap<>(intact);
            without.remove(key);
            assertThatThrownBy(() -> parsed(without))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining(key);
            Map<String, Object> wrong = new LinkedHashMap<>(intact);
            wrong.put(key, List.of());
            assertThatThrownBy(() -> parsed(wrong))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining(key);
        }
        Map<String, Object> more = new LinkedHashMap<>(intact);
        more.put("surprise", 1L);
        assertThatThrownBy(() -> parsed(more))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("surprise");
        Map<String, Object> unknown = new LinkedHashMap<>(intact);
        unknown.put("optimizer", Map.of("name", "lion", "learning_rate", 0.1));
        assertThatThrownBy(() -> parsed(unknown))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("lion");
    }
}
