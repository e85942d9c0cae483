package io.github.elbo4j.testkit;

/** The seed of all contract cases: the system property {@code elbo4j.test.seed}, or 1. */
final class ContractSeed {
    private static final long VALUE = announced(Long.getLong("elbo4j.test.seed", 1));

    private ContractSeed() {}

    static long value() {
        return VALUE;
    }

    private static long announced(long seed) {
        System.out.println("contract seed: -Delbo4j.test.seed=" + seed);
        return seed;
    }
}
