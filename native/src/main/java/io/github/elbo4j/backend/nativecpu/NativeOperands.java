package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.engine.Memory;
import io.github.elbo4j.backend.engine.Operands;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From checked operands to what the library takes: addresses, codes, and small structures that it reads at once. */
final class NativeOperands {
    private static final long NO_SLOT = -1;

    private NativeOperands() {}

    /** {@return the address of an operand's first element} */
    static long address(Operand operand) {
        return memory(operand).address()
                + Operands.offset(operand) * operand.type().bytes();
    }

    /** {@return the same, 0 for none} */
    static long addressOrNone(@Nullable Operand operand) {
        return operand == null ? 0 : address(operand);
    }

    static NativeMemory memory(Operand operand) {
        return (NativeMemory) Operands.memory(operand);
    }

    /** {@return the address of the counter of changes of a parameter arena's values} */
    static long version(Operand values) {
        return ((NativeValues) memory(values)).version();
    }

    /** {@return the values that a call writes without counting a change, which the optimizer's kernels do themselves} */
    static List<NativeValues> valuesWrittenUncounted(KernelCall call) {
        if (call.kernel().equals("adam") || call.kernel().equals("sgd")) {
            return List.of();
        }
        return call.outputs().stream()
                .map(Operands::memory)
                .filter(NativeValues.class::isInstance)
                .map(NativeValues.class::cast)
                .toList();
    }

    /** {@return an {@code elbo4j_noise}} */
    static long noise(Arena arena, Noise noise) {
        MemorySegment struct = arena.allocate(16, 8);
        struct.set(ValueLayout.JAVA_LONG, 0, addressOrNone(noise.rowIds()));
        struct.set(ValueLayout.JAVA_INT, 8, noise.purpose().code());
        struct.set(ValueLayout.JAVA_INT, 12, NativeCodes.of(noise.rowKey()));
        return struct.address();
    }

    /** {@return an {@code elbo4j_scalar}} */
    static long scalar(Arena arena, Scalar scalar) {
        MemorySegment struct = arena.allocate(16, 8);
        switch (scalar) {
            case Scalar.Constant constant -> {
                struct.set(ValueLayout.JAVA_DOUBLE, 0, constant.value());
                struct.set(ValueLayout.JAVA_LONG, 8, NO_SLOT);
            }
            case Scalar.Slot slot -> struct.set(ValueLayout.JAVA_LONG, 8, slot.index());
        }
        return struct.address();
    }

    /** {@return an {@code elbo4j_weights}, with the copy that the memory keeps if the operand lies in a parameter arena} */
    static long weights(Arena arena, Operand w) {
        MemorySegment struct = arena.allocate(32, 8);
        struct.set(ValueLayout.JAVA_LONG, 0, address(w));
        Memory memory = Operands.memory(w);
        if (memory instanceof NativeValues values) {
            long offset = Operands.offset(w);
            long packedVersion = values.packedVersion(offset, w.rows(), w.columns());
            if (packedVersion != 0) {
                struct.set(
                        ValueLayout.JAVA_LONG,
                        8,
                        values.packed() + offset * w.type().bytes());
                struct.set(ValueLayout.JAVA_LONG, 16, values.version());
                struct.set(ValueLayout.JAVA_LONG, 24, packedVersion);
            }
        }
        return struct.address();
    }
}
