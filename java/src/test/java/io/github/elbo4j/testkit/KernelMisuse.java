package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.validation.Argument;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelOperands;
import java.util.Set;

/** Wrong operands in every role of a case: each is refused with a message that names both sides, at once and recorded. */
final class KernelMisuse {
    private KernelMisuse() {}

    static void refusesAll(Backend subject, Backend other, KernelCase kernelCase) {
        if (!kernelCase.specs().isEmpty()) {
            foreignArena(subject, other, kernelCase);
            closedArena(subject, kernelCase);
            return;
        }
        foreignState(subject, other, kernelCase);
        if (kernelCase.kernel().equals("advance")) {
            return; // takes nothing but the state
        }
        for (Argument argument : kernelCase.arguments()) {
            foreign(subject, other, kernelCase, argument);
            closed(subject, kernelCase, argument);
            misshapen(subject, kernelCase, argument);
            wrongType(subject, kernelCase, argument);
            if (argument.output()) {
                overlapping(subject, kernelCase, argument);
            }
        }
    }

    private static void foreign(Backend subject, Backend other, KernelCase kernelCase, Argument argument) {
        try (Workspace elsewhere = other.workspace("elsewhere")) {
            Tensor stranger = elsewhere.tensor("stranger", type(argument, other), argument.shape());
            refused(subject, kernelCase, argument, stranger, IllegalArgumentException.class, "stranger", "backend");
        }
    }

    private static void closed(Backend subject, KernelCase kernelCase, Argument argument) {
        try (Workspace work = subject.workspace("closed")) {
            Tensor tensor = work.tensor("shut", type(argument, subject), argument.shape());
            tensor.close();
            refused(subject, kernelCase, argument, tensor, IllegalStateException.class, "shut", "closed");
        }
        Tensor orphan;
        try (Workspace work = subject.workspace("closed")) {
            orphan = work.tensor("orphan", type(argument, subject), argument.shape());
        }
        refused(subject, kernelCase, argument, orphan, IllegalStateException.class, "orphan", "closed");
    }

    private static void misshapen(Backend subject, KernelCase kernelCase, Argument argument) {
        if (argument.role().equals("data")) {
            return; // any number of rows; its columns are the output's, which is misshapen in its turn
        }
        try (Workspace work = subject.workspace("misshapen")) {
            long[] taller = argument.shape().clone();
            taller[0] += 1;
            Tensor tensor = work.tensor("tall", type(argument, subject), taller);
            refused(subject, kernelCase, argument, tensor, IllegalArgumentException.class, "'", "must");
            long[] wider = argument.shape().length == 1
                    ? new long[] {argument.shape()[0], 2}
                    : new long[] {argument.shape()[0], argument.shape()[1] + 1};
            Tensor wide = work.tensor("wide", type(argument, subject), wider);
            refused(subject, kernelCase, argument, wide, IllegalArgumentException.class, "'", "must");
        }
    }

    private static void wrongType(Backend subject, KernelCase kernelCase, Argument argument) {
        try (Workspace work = subject.workspace("type")) {
            Tensor tensor = work.tensor("integers", DType.I32, argument.shape());
            refused(subject, kernelCase, argument, tensor, IllegalArgumentException.class, "integers", "must");
        }
    }

    /** An output on an input or on another output, in whole and in part. */
    private static void overlapping(Backend subject, KernelCase kernelCase, Argument output) {
        for (Argument partner : kernelCase.arguments()) {
            boolean mayCoincide = kernelCase.kernel().equals("bernoulliForwardBackward")
                    && output.role().equals("dLogits")
                    && partner.role().equals("logits");
            if (partner.role().equals(output.role()) || partner.kind() != output.kind()) {
                continue;
            }
            try (Workspace work = subject.workspace("overlap");
                    KernelOperands operands = new KernelOperands(subject, kernelCase, true)) {
                long step = Tensor.VIEW_ALIGNMENT / type(output, subject).bytes();
                Tensor both =
                        work.tensor("both", type(output, subject), step + Math.max(output.size(), partner.size()));
                operands.replace(partner.role(), both.view("partner", 0, partner.shape()));
                if (!mayCoincide) {
                    operands.replace(output.role(), both.view("onto", 0, output.shape()));
                    refused(subject, kernelCase, operands, IllegalArgumentException.class, "onto", "partner");
                }
                if (partner.size() > step) {
                    operands.replace(output.role(), both.view("shifted", step, output.shape()));
                    refused(subject, kernelCase, operands, IllegalArgumentException.class, "shifted", "partner");
                }
            }
        }
    }

    private static void foreignState(Backend subject, Backend other, KernelCase kernelCase) {
        boolean takesState = !kernelCase.family().equals("linear")
                && !Set.of("load", "store", "gaussianKlForward").contains(kernelCase.kernel())
                && !kernelCase.kernel().startsWith("bernoulli");
        if (!takesState) {
            return;
        }
        try (KernelOperands mine = new KernelOperands(subject, kernelCase, false);
                KernelOperands strange = new KernelOperands(other, kernelCase, false)) {
            for (Argument argument : kernelCase.arguments()) {
                strange.replace(argument.role(), mine.get(argument.role()));
            }
            assertThatThrownBy(() -> kernelCase.issue().on(subject, strange))
                    .as("%s with a step state of another backend", kernelCase)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("backend");
        }
    }

    private static void foreignArena(Backend subject, Backend other, KernelCase kernelCase) {
        try (KernelOperands strange = new KernelOperands(other, kernelCase, false)) {
            assertThatThrownBy(() -> kernelCase.issue().on(subject, strange))
                    .as("%s with parameters of another backend", kernelCase)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("backend");
        }
    }

    private static void closedArena(Backend subject, KernelCase kernelCase) {
        KernelOperands operands = new KernelOperands(subject, kernelCase, false);
        operands.close();
        assertThatThrownBy(() -> kernelCase.issue().on(subject, operands))
                .as("%s with closed parameters", kernelCase)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    private static void refused(
            Backend subject,
            KernelCase kernelCase,
            Argument argument,
            Operand wrong,
            Class<? extends RuntimeException> how,
            String... words) {
        try (KernelOperands operands = new KernelOperands(subject, kernelCase, false)) {
            operands.replace(argument.role(), wrong);
            refused(subject, kernelCase, operands, how, words);
        }
    }

    private static void refused(
            Backend subject,
            KernelCase kernelCase,
            KernelOperands operands,
            Class<? extends RuntimeException> how,
            String... words) {
        expectRefusal(subject, kernelCase, operands, how, words);
        long before = operands.workspace().bytesInUse();
        assertThatThrownBy(() -> {
                    Replay made = operands.workspace()
                            .record(operands.state(), Rows.of(kernelCase.capacity()), step -> {
                                expectRefusal(step, kernelCase, operands, how, words);
                                kernelCase.issue().on(step, operands);
                            });
                    made.close();
                })
                .isInstanceOf(how);
        if (operands.workspace().bytesInUse() != before) {
            throw new AssertionError(kernelCase + ": a refused call left memory behind");
        }
    }

    private static void expectRefusal(
            Kernels kernels,
            KernelCase kernelCase,
            KernelOperands operands,
            Class<? extends RuntimeException> how,
            String... words) {
        assertThatThrownBy(() -> kernelCase.issue().on(kernels, operands))
                .as("%s", kernelCase)
                .isInstanceOf(how)
                .hasMessageContaining(kernelCase.kernel())
                .hasMessageContainingAll(words);
    }

    private static DType type(Argument argument, Backend backend) {
        return switch (argument.kind()) {
            case U8 -> DType.U8;
            case I64 -> DType.I64;
            case REAL, ARENA -> backend.real();
        };
    }
}
