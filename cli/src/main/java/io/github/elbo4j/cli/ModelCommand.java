package io.github.elbo4j.cli;

import io.github.elbo4j.model.VaeConfig;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What every command over a trained model takes. */
abstract class ModelCommand extends Subcommand {
    /** Most values of the rows that go through a session at a time, one row at least. */
    private static final int CHUNK_VALUES = 1 << 20;

    private static final int MAX_CHUNK_ROWS = 1000;

    final Streams streams;

    @Mixin
    final TrainedModel model = new TrainedModel();

    @Mixin
    final BackendOptions backends = new BackendOptions();

    @Option(names = "--json", order = LAST - 1, description = "Print one JSON object instead of text.")
    boolean json;

    private final long start = System.nanoTime();

    ModelCommand(Streams streams) {
        this.streams = streams;
    }

    /** {@return rows that go through a session at a time; no effect on the result} */
    static int chunk(VaeConfig config, long rows) {
        int most = Math.clamp(CHUNK_VALUES / Math.max(config.input().size(), config.latent()), 1, MAX_CHUNK_ROWS);
        return (int) Math.min(most, rows);
    }

    /** Refuses a number out of range. */
    static void requireRange(String option, long given, long low, long high) {
        if (given < low || given > high) {
            throw new InputException(
                    option + " " + given + " is out of range; give a number from " + low + " to " + high);
        }
    }

    /** {@return the numbers of an option's list, each finite} */
    static List<Double> numbers(String option, String given, int low, int high, String example) {
        // Unlike a double's own, these texts have no NaN, no infinity and no suffix.
        List<Double> numbers = list(option, given, low, high, example, text -> new BigDecimal(text).doubleValue());
        if (!numbers.stream().allMatch(number -> Float.isFinite(number.floatValue()))) {
            throw new InputException(
                    option + " '" + given + "' has a number that is too large; give it as in " + example);
        }
        return numbers;
    }

    /** {@return the whole numbers from 0 on of an option's list} */
    static List<Long> indices(String option, String given, int low, int high, String example) {
        return list(option, given, low, high, example, Long::parseUnsignedLong).stream()
                .map(index -> index < 0 ? Long.MAX_VALUE : index)
                .toList();
    }

    private static <T> List<T> list(
            String option, String given, int low, int high, String example, Function<String, T> parse) {
        String[] parts = given.split(",", -1);
        if (parts.length < low || parts.length > high) {
            throw new InputException(
                    option + " '" + given + "' is a list of " + parts.length + "; give it as in " + example);
        }
        try {
            return Arrays.stream(parts).map(parse).toList();
        } catch (NumberFormatException e) {
            throw new InputException(option + " '" + given + "' is no list of numbers; give it as in " + example, e);
        }
    }

    /** {@return an event to be printed, without what the command adds} */
    Map<String, @Nullable Object> event(String name, long n, @Nullable OutFile out) {
        Map<String, @Nullable Object> event = new LinkedHashMap<>();
        event.put("event", name);
        event.put("n", n);
        event.put("files", out == null ? List.of() : List.of(out.name()));
        event.put("seconds", (System.nanoTime() - start) / 1e9);
        return event;
    }
}
