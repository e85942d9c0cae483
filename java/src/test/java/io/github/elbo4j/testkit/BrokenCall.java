package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A call of a broken kernel: its operands by direction, and access to their elements. */
final class BrokenCall {
    private static final Set<String> OUTPUTS =
            Set.of("rowIds", "out", "y", "pre", "dx", "dw", "db", "z", "dMuLogVar", "kl", "logLikelihood", "dLogits");

    private final List<Operand> inputs = new ArrayList<>();
    private final List<Operand> outputs = new ArrayList<>();
    private @Nullable StepState state;
    private Runnable onIssued = () -> {};
    private double[] kept = {};

    BrokenCall(Method method, Object[] arguments) {
        for (int i = 0; i < arguments.length; i++) {
            String name = method.getParameters()[i].getName();
            boolean written = OUTPUTS.contains(name) && !(method.getName().equals("gather") && name.equals("rowIds"));
            if (arguments[i] instanceof Operand operand) {
                (written ? outputs : inputs).add(operand);
            } else if (arguments[i] instanceof Parameters parameters) {
                boolean updates = !method.getName().equals("checkGradients");
                if (updates) {
                    outputs.add(parameters.values());
                }
                inputs.add(parameters.gradients());
            } else if (arguments[i] instanceof StepState given) {
                state = given;
            }
        }
    }

    void onIssued(Runnable action) {
        onIssued = action;
    }

    void issued() {
        onIssued.run();
    }

    boolean hasOutput() {
        return !outputs.isEmpty();
    }

    Operand output() {
        return outputs.getLast();
    }

    Operand input() {
        return inputs.getFirst();
    }

    StepState state() {
        if (state == null) {
            throw new IllegalStateException("the kernel takes no state");
        }
        return state;
    }

    void keep(double... values) {
        kept = values;
    }

    double[] kept() {
        return kept;
    }

    /** {@return the elements of an operand as double} */
    static double[] get(Operand operand) {
        double[] all = new double[(int) operand.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = get(operand, i);
        }
        return all;
    }

    static double get(Operand operand, long index) {
        Tensor tensor = tensor(operand);
        long at = offset(operand) + index;
        return switch (operand.type()) {
            case F32 -> {
                float[] one = new float[1];
                tensor.download(MemorySegment.ofArray(one), at);
                yield one[0];
            }
            case F64 -> {
                double[] one = new double[1];
                tensor.download(MemorySegment.ofArray(one), at);
                yield one[0];
            }
            case I64 -> {
                long[] one = new long[1];
                tensor.download(MemorySegment.ofArray(one), at);
                yield (double) one[0];
            }
            default -> {
                byte[] one = new byte[1];
                tensor.download(MemorySegment.ofArray(one), at);
                yield one[0];
            }
        };
    }

    static void set(Operand operand, long index, double value) {
        MemorySegment one = switch (operand.type()) {
            case F32 -> MemorySegment.ofArray(new float[] {(float) value});
            case F64 -> MemorySegment.ofArray(new double[] {value});
            case I64 -> MemorySegment.ofArray(new long[] {(long) value});
            default -> MemorySegment.ofArray(new byte[] {(byte) (int) value});
        };
        tensor(operand).upload(one, offset(operand) + index);
    }

    /** {@return whether something lies behind the operand} */
    static boolean framed(Operand operand) {
        return operand instanceof View && operand.type() != DType.BF16;
    }

    private static Tensor tensor(Operand operand) {
        return operand instanceof View view ? view.tensor() : (Tensor) operand;
    }

    private static long offset(Operand operand) {
        return operand instanceof View view ? view.offset() : 0;
    }
}
