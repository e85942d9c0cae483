package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCases;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What holds for every kernel of a family on every backend; see {@link KernelCheck} for each check. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class KernelsContract {
    private final List<KernelCase> cases;
    private @Nullable Backend backend;
    private @Nullable KernelCheck check;

    KernelsContract(String family) {
        this.cases = KernelCases.of(family, ContractSeed.value());
    }

    /** {@return a new instance of the backend under test} */
    protected abstract Backend open();

    /** {@return the backend under test} */
    protected final Backend backend() {
        if (backend == null) {
            throw new IllegalStateException("not opened");
        }
        return backend;
    }

    @BeforeAll
    final void openAll() {
        backend = open();
        check = new KernelCheck(backend());
    }

    @AfterAll
    final void closeAll() {
        if (check != null) {
            check.close();
        }
        backend().close();
    }

    @Test
    final void numbersAreRightAtOnceAndRecorded() {
        each(KernelCheck::correct);
    }

    @Test
    final void theSameCallGivesTheSameBits() {
        each(KernelCheck::repeatable);
    }

    @Test
    final void paddingRowsReachNothing() {
        each(KernelCheck::fewerRows);
    }

    @Test
    final void permutedRowsGivePermutedResults() {
        each(KernelCheck::rowsPermute);
    }

    @Test
    final void aRowAloneGivesTheBitsOfTheBatch() {
        each(KernelCheck::rowsAlone);
    }

    @Test
    final void noiseIsKeyedByTheStep() {
        each(KernelCheck::stepCounts);
    }

    @Test
    final void wrongOperandsAreRefused() {
        try (Backend other =
                Backends.open("java", Map.of("precision", backend().real() == DType.F32 ? "fp32" : "fp64"))) {
            // One case a kernel and set of operands is enough: the refusals do not depend on sizes.
            Map<String, KernelCase> chosen = new LinkedHashMap<>();
            for (KernelCase kernelCase : cases) {
                boolean large = kernelCase.arguments().stream().anyMatch(argument -> argument.size() > 20_000);
                if ((!large && kernelCase.capacity() > 1) || !kernelCase.specs().isEmpty()) {
                    String operands = kernelCase.kernel()
                            + kernelCase.arguments().stream()
                                    .map(argument -> argument.role() + argument.kind() + argument.access())
                                    .toList();
                    chosen.putIfAbsent(operands, kernelCase);
                }
            }
            chosen.values().forEach(kernelCase -> KernelMisuse.refusesAll(backend(), other, kernelCase));
        }
    }

    private void each(BiConsumer<KernelCheck, KernelCase> checking) {
        KernelCheck checks = check;
        if (checks == null) {
            throw new IllegalStateException("not opened");
        }
        List<AssertionError> failures = new ArrayList<>();
        for (KernelCase kernelCase : cases) {
            try {
                checking.accept(checks, kernelCase);
            } catch (AssertionError e) {
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            AssertionError first = new AssertionError(
                    failures.size() + " of " + cases.size() + " cases fail, the first: "
                            + failures.getFirst().getMessage(),
                    failures.getFirst());
            throw first;
        }
    }
}
