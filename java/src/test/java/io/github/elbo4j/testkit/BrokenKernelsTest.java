package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCases;
import io.github.elbo4j.validation.Validation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Proves the checks: every kind of wrong kernel fails them. */
class BrokenKernelsTest {
    private static final List<KernelCase> CASES = KernelCases.all(1);

    static Stream<Arguments> faults() {
        List<Arguments> faults = new ArrayList<>();
        List<String> kernels = List.of(
                "selectRows",
                "gather",
                "load",
                "store",
                "linearForward",
                "linearBackwardInput",
                "linearBackwardWeights",
                "reparameterizeForward",
                "reparameterizeBackward",
                "gaussianKlForward",
                "bernoulliForward",
                "bernoulliForwardBackward",
                "sgd",
                "adam");
        for (String kernel : kernels) {
            boolean arena = kernel.equals("sgd") || kernel.equals("adam");
            faults.add(Arguments.of(kernel, BrokenFault.SIGN));
            faults.add(Arguments.of(kernel, BrokenFault.TERM));
            faults.add(Arguments.of(kernel, BrokenFault.TRANSPOSED));
            faults.add(Arguments.of(kernel, BrokenFault.UNWRITTEN));
            faults.add(Arguments.of(kernel, BrokenFault.NOT_A_NUMBER));
            if (!arena) {
                faults.add(Arguments.of(kernel, BrokenFault.PAST_THE_END));
            }
            if (!kernel.equals("selectRows")) {
                faults.add(Arguments.of(kernel, BrokenFault.CHANGES_AN_INPUT));
                faults.add(Arguments.of(kernel, BrokenFault.UNSTEADY));
            }
        }
        faults.add(Arguments.of("linearBackwardWeights", BrokenFault.COUNTS_PADDING));
        faults.add(Arguments.of("accumulate", BrokenFault.COUNTS_PADDING));
        faults.add(Arguments.of("gather", BrokenFault.WRONG_STEP));
        faults.add(Arguments.of("reparameterizeForward", BrokenFault.WRONG_STEP));
        faults.add(Arguments.of("reparameterizeBackward", BrokenFault.WRONG_STEP));
        faults.add(Arguments.of("accumulate", BrokenFault.LEAVES_STATE));
        faults.add(Arguments.of("checkGradients", BrokenFault.LEAVES_STATE));
        faults.add(Arguments.of("advance", BrokenFault.LEAVES_STATE));
        faults.add(Arguments.of("accumulate", BrokenFault.CHANGES_AN_INPUT));
        faults.add(Arguments.of("checkGradients", BrokenFault.CHANGES_AN_INPUT));
        return faults.stream();
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aWrongKernelFails(String kernel, BrokenFault fault) {
        KernelCase kernelCase = caseFor(kernel, fault);
        try (Backend sound = Backends.open("java", Map.of("threads", "1"));
                KernelCheck soundCheck = new KernelCheck(sound)) {
            assertThatCode(() -> soundCheck.all(kernelCase)).doesNotThrowAnyException();
            BrokenBackend broken = new BrokenBackend(sound, kernel, fault);
            try (KernelCheck check = new KernelCheck(broken)) {
                assertThatThrownBy(() -> check.all(kernelCase))
                        .as("%s in %s", fault, kernelCase)
                        .isInstanceOf(AssertionError.class);
            }
            // What is within the tolerance and only differs from call to call is not a matter of numbers.
            if (fault != BrokenFault.UNSTEADY) {
                assertThat(Validation.run(broken, 1, List.of(kernelCase)).passed())
                        .as("%s in %s", fault, kernelCase)
                        .isFalse();
            }
        }
    }

    /** The first case of the kernel that shows the fault: not tiny, not halted, keyed by the step where that matters. */
    private static KernelCase caseFor(String kernel, BrokenFault fault) {
        return CASES.stream()
                .filter(candidate -> candidate.kernel().equals(kernel))
                .filter(candidate -> candidate.start().halt() == null)
                .filter(candidate -> fault != BrokenFault.LEAVES_STATE
                        || !candidate.kernel().equals("checkGradients")
                        || candidate.setting().contains("NaN in second"))
                .filter(candidate -> fault != BrokenFault.WRONG_STEP
                        || candidate.properties().contains(KernelCase.Property.READS_STEP))
                .filter(candidate ->
                        candidate.capacity() >= 7 || candidate.arguments().size() > 5)
                .filter(candidate -> candidate.arguments().stream()
                        .filter(argument -> argument.output())
                        .allMatch(argument ->
                                argument.size() >= 5 || !candidate.specs().isEmpty()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no case of " + kernel + " for " + fault));
    }
}
