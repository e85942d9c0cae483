package io.github.elbo4j.testkit;

import java.util.Random;

/**
 * The seed of random tests: 1, or what {@code -Delbo4j.test.seed=NUMBER} says; {@code random} takes a new one. It is
 * printed, so that a failure can be repeated.
 */
public final class TestSeed {
    /** Name of the property. */
    public static final String PROPERTY = "elbo4j.test.seed";

    private TestSeed() {}

    /** {@return a generator for a test, and prints its seed} */
    public static Random random(Class<?> test) {
        long seed = of(System.getProperty(PROPERTY, "1"));
        System.out.println(test.getSimpleName() + ": -D" + PROPERTY + "=" + seed);
        return new Random(seed);
    }

    static long of(String text) {
        return text.equals("random") ? new Random().nextLong() : Long.parseLong(text);
    }
}
