package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.engine.Operands;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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
        return Operands.offset(operand);
    }

    /** {@return the first element of an operand whose elements lie in an array} */
    static int offset(Operand operand) {
        return Math.toIntExact(Operands.offset(operand));
    }

    private static JavaMemory memory(Operand operand) {
        return (JavaMemory) Operands.memory(operand);
    }
}
