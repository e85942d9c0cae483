package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.validation.Argument.Access;
import io.github.elbo4j.validation.Argument.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The operands of a {@link KernelCase} on one backend, in a workspace of their own.
 *
 * <p>Framed operands are views inside larger tensors: an output stands between guard values, which shows overruns, and
 * an input between NaN, which shows when what lies beside it is read. Outputs are poisoned before a call, which shows
 * unwritten elements, and so are the padding rows of inputs.
 */
public final class KernelOperands implements AutoCloseable {
    /** Elements of a guard: 64 begin at an aligned address whatever their type. */
    private static final int GUARD = 64;

    private static final double GUARD_VALUE = 1234.5;
    private static final double GUARD_BYTE = 165;
    private static final double GUARD_LONG = -987_654_321;

    private final KernelCase kernelCase;
    private final Workspace workspace;
    private final boolean framed;
    private final StepState state;
    private final @Nullable Parameters parameters;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, Operand> operands = new LinkedHashMap<>();
    private final Map<String, double[]> before = new LinkedHashMap<>();
    private int active;

    /**
     * Allocates the operands.
     *
     * @param backend where
     * @param kernelCase what
     * @param framed whether operands are views between guards
     */
    public KernelOperands(Backend backend, KernelCase kernelCase, boolean framed) {
        this.kernelCase = kernelCase;
        this.framed = framed;
        this.workspace = backend.workspace("validation of " + kernelCase.kernel());
        this.state = workspace.stepState(
                KernelCase.SEED, List.copyOf(kernelCase.slots().keySet()), 1, List.of(KernelCase.METRIC));
        this.parameters =
                kernelCase.specs().isEmpty() ? null : workspace.parameters(kernelCase.specs(), kernelCase.moments());
        for (Argument argument : kernelCase.arguments()) {
            if (argument.kind() != Kind.ARENA) {
                allocate(argument);
            }
        }
    }

    private void allocate(Argument argument) {
        DType type = switch (argument.kind()) {
            case REAL, ARENA -> workspace.backend().real();
            case U8 -> DType.U8;
            case I64 -> DType.I64;
        };
        if (framed) {
            long padded = Math.ceilDiv(argument.size(), GUARD) * (long) GUARD;
            Tensor tensor = workspace.tensor("frame of " + argument.role(), type, padded + 2 * GUARD);
            tensors.put(argument.role(), tensor);
            operands.put(argument.role(), tensor.view(argument.role(), GUARD, argument.shape()));
        } else {
            Tensor tensor = workspace.tensor(argument.role(), type, argument.shape());
            tensors.put(argument.role(), tensor);
            operands.put(argument.role(), tensor);
        }
    }

    /**
     * Fills everything anew: contents, poison, guards, counters and schedule.
     *
     * @param activeRows batch rows that will be active; padding rows of inputs are poisoned
     */
    public void fill(int activeRows) {
        active = activeRows;
        for (Argument argument : kernelCase.arguments()) {
            if (argument.kind() != Kind.ARENA) {
                fill(argument);
            }
        }
        if (parameters != null) {
            fillArena(parameters);
        }
        if (!kernelCase.slots().isEmpty()) {
            double[] row = kernelCase.slots().values().stream()
                    .mapToDouble(Double::doubleValue)
                    .toArray();
            state.schedule(kernelCase.start().step(), row);
        }
        state.restore(kernelCase.start());
    }

    private void fill(Argument argument) {
        Tensor tensor = tensor(argument.role());
        double[] content = new double[Math.toIntExact(tensor.size())];
        int from = framed ? GUARD : 0;
        Arrays.fill(content, argument.output() ? guard(argument.kind()) : poison(argument.kind()));
        int used = argument.access() == Access.WRITE
                ? 0
                : argument.activeSize(kernelCase.rows().capacity(), active);
        System.arraycopy(argument.values(), 0, content, from, used);
        Arrays.fill(content, from + used, from + argument.size(), poison(argument.kind()));
        put(tensor, content);
        before.put(argument.role(), content);
    }

    private void fillArena(Parameters arena) {
        Map<String, double[]> parts = new LinkedHashMap<>();
        for (Argument argument : kernelCase.arguments()) {
            if (argument.kind() == Kind.ARENA) {
                Tensor part = part(arena, argument.role());
                double[] content = parts.computeIfAbsent(part.name(), name -> new double[Math.toIntExact(part.size())]);
                System.arraycopy(argument.values(), 0, content, offset(arena, argument.role()), argument.size());
            }
        }
        for (Argument argument : kernelCase.arguments()) {
            if (argument.kind() == Kind.ARENA) {
                Tensor part = part(arena, argument.role());
                double[] content = parts.get(part.name());
                if (content != null) {
                    part.uploadDoubles(content);
                }
            }
        }
    }

    /** {@return what the call left behind, and every rule that it broke} */
    public KernelOutcome collect() {
        Map<String, double[]> outputs = new LinkedHashMap<>();
        List<String> faults = new ArrayList<>();
        for (Argument argument : kernelCase.arguments()) {
            if (argument.kind() == Kind.ARENA) {
                collectArena(argument, outputs, faults);
                continue;
            }
            double[] after = get(tensor(argument.role()));
            double[] old = before.getOrDefault(argument.role(), after);
            int from = framed ? GUARD : 0;
            if (argument.output()) {
                int used = argument.activeSize(kernelCase.rows().capacity(), active);
                requireSame(argument.role() + ": written before its start", after, old, 0, from, faults);
                requireSame(
                        argument.role() + ": written past its end",
                        after,
                        old,
                        from + argument.size(),
                        after.length,
                        faults);
                outputs.put(argument.role(), Arrays.copyOfRange(after, from, from + used));
            } else {
                requireSame(argument.role() + ": changed an input", after, old, 0, after.length, faults);
            }
        }
        return new KernelOutcome(outputs, state.read(), faults);
    }

    private void collectArena(Argument argument, Map<String, double[]> outputs, List<String> faults) {
        Parameters arena = parameters();
        double[] all = part(arena, argument.role()).downloadDoubles();
        int offset = offset(arena, argument.role());
        double[] after = Arrays.copyOfRange(all, offset, offset + argument.size());
        if (argument.output()) {
            outputs.put(argument.role(), after);
        } else {
            requireSame(argument.role() + ": changed an input", after, argument.values(), 0, after.length, faults);
        }
        // The gap behind a view ends where the next one begins.
        long alignment = Tensor.VIEW_ALIGNMENT / workspace.backend().real().bytes();
        long next = Math.min(all.length, Math.ceilDiv(offset + argument.size(), alignment) * alignment);
        for (int i = offset + argument.size(); i < next; i++) {
            if (all[i] != 0) {
                faults.add(argument.role() + ": the gap behind it holds " + all[i] + ", not zero");
                return;
            }
        }
    }

    private static void requireSame(
            String fault, double[] after, double[] before, int from, int to, List<String> faults) {
        for (int i = from; i < to; i++) {
            if (Double.compare(after[i], before[i]) != 0) {
                faults.add(fault + ", element " + (i - from) + " is " + after[i] + " and was " + before[i]);
                return;
            }
        }
    }

    /** {@return the workspace that owns everything here} */
    public Workspace workspace() {
        return workspace;
    }

    /** {@return the rows of the call} */
    public Rows rows() {
        return kernelCase.rows();
    }

    /** {@return the step state of the call} */
    public StepState state() {
        return state;
    }

    /** {@return the operand of a role} */
    public Operand get(String role) {
        Operand operand = operands.get(role);
        if (operand == null) {
            throw new IllegalArgumentException(kernelCase + " has no operand '" + role + "'");
        }
        return operand;
    }

    /** {@return the tensor that holds an operand, guards included} */
    public Tensor tensor(String role) {
        Tensor tensor = tensors.get(role);
        if (tensor == null) {
            throw new IllegalArgumentException(kernelCase + " has no tensor '" + role + "'");
        }
        return tensor;
    }

    /** Puts another operand in a role, to see it refused. */
    public void replace(String role, Operand operand) {
        operands.put(role, operand);
    }

    /** {@return the arena} */
    public Parameters parameters() {
        if (parameters == null) {
            throw new IllegalStateException(kernelCase + " has no parameters");
        }
        return parameters;
    }

    /** {@return a column of the schedule where the case has one of that name, else the number itself} */
    public Scalar scalar(String name, double value) {
        return kernelCase.slots().containsKey(name) ? state.slot(name) : Scalar.of(value);
    }

    @Override
    public void close() {
        workspace.close();
    }

    private static Tensor part(Parameters arena, String role) {
        return switch (role.substring(0, role.indexOf('/'))) {
            case "values" -> arena.values();
            case "gradients" -> arena.gradients();
            case "moment 0" -> arena.moment(0);
            default -> arena.moment(1);
        };
    }

    private static int offset(Parameters arena, String role) {
        View view = arena.value(role.substring(role.indexOf('/') + 1));
        return Math.toIntExact(view.offset());
    }

    private static double guard(Kind kind) {
        return switch (kind) {
            case REAL, ARENA -> GUARD_VALUE;
            case U8 -> GUARD_BYTE;
            case I64 -> GUARD_LONG;
        };
    }

    private static double poison(Kind kind) {
        return switch (kind) {
            case REAL, ARENA -> Double.NaN;
            case U8 -> 255 - GUARD_BYTE;
            case I64 -> 2 * GUARD_LONG;
        };
    }

    private static void put(Tensor tensor, double[] content) {
        switch (tensor.type()) {
            case U8 -> {
                byte[] bytes = new byte[content.length];
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = (byte) (int) content[i];
                }
                tensor.upload(MemorySegment.ofArray(bytes), 0);
            }
            case I64 -> {
                long[] longs = new long[content.length];
                for (int i = 0; i < longs.length; i++) {
                    longs[i] = (long) content[i];
                }
                tensor.upload(MemorySegment.ofArray(longs), 0);
            }
            default -> tensor.uploadDoubles(content);
        }
    }

    private static double[] get(Tensor tensor) {
        int size = Math.toIntExact(tensor.size());
        double[] content = new double[size];
        switch (tensor.type()) {
            case U8 -> {
                byte[] bytes = new byte[size];
                tensor.download(MemorySegment.ofArray(bytes), 0);
                for (int i = 0; i < size; i++) {
                    content[i] = bytes[i] & 0xFF;
                }
            }
            case I64 -> {
                long[] longs = new long[size];
                tensor.download(MemorySegment.ofArray(longs), 0);
                for (int i = 0; i < size; i++) {
                    content[i] = longs[i];
                }
            }
            default -> content = tensor.downloadDoubles();
        }
        return content;
    }
}
