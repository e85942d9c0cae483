package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** From operands to the arrays behind them. Kernels bind arrays when they are issued, so a replay looks nothing up. */
final class JavaOperands {
    /** Elements of a binary32 segment, which need not be aligned in a heap array. */
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** Elements of a binary64 segment, which need not be aligned in a heap array. */
    static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

    private JavaOperands() {}

    static float[] f32(Operand operand) {
        return memory(operand).f32();
    }

    static double[] f64(Operand operand) {
        return memory(operand).f64();
    }

    static long[] i64(Operand operand) {
        return memory(operand).i64();
    }

    static MemorySegment segment(Operand operand) {
        return memory(operand).segment();
    }

    /** {@return the first element of an operand whose elements lie in a segment} */
    static long longOffset(Operand operand) {
        return operand instanceof JavaView view ? view.offset() : 0;
    }

    /** {@return the first element of an operand whose elements lie in an array} */
    static int offset(Operand operand) {
        return operand instanceof JavaView view ? Math.toIntExact(view.offset()) : 0;
    }

    /** {@return the tensors behind operands, views resolved} */
    static List<JavaTensor> tensors(List<Operand> operands) {
        List<JavaTensor> tensors = new ArrayList<>();
        for (Operand operand : operands) {
            switch (operand) {
                case JavaTensor tensor -> tensors.add(tensor);
                case JavaView view -> tensors.add(view.tensor());
                default ->
                    throw new IllegalStateException("'" + operand.name()
                            + "' is an intermediate of a recording; a kernel that runs at once takes tensors");
            }
        }
        return tensors;
    }

    /** {@return the tensors behind operands, views resolved and intermediates left out} */
    static List<JavaTensor> stored(List<Operand> operands) {
        return tensors(operands.stream()
                .filter(operand -> !(operand instanceof JavaScratch))
                .toList());
    }

    /** {@return the workspaces that a call writes to, that of its state included} */
    static Set<JavaWorkspace> written(KernelCall call) {
        Set<JavaWorkspace> workspaces = new LinkedHashSet<>();
        stored(call.outputs()).forEach(tensor -> workspaces.add(tensor.workspace()));
        if (call.state() != null) {
            workspaces.add(JavaStepState.of(call.state()).workspace());
        }
        return workspaces;
    }

    private static JavaMemory memory(Operand operand) {
        return switch (operand) {
            case JavaTensor tensor -> tensor.memory();
            case JavaView view -> view.tensor().memory();
            case JavaScratch scratch -> scratch.memory();
            default ->
                throw new IllegalArgumentException("'" + operand.name() + "' is not an operand of backend 'java'");
        };
    }
}
