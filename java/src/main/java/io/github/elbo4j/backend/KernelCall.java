package io.github.elbo4j.backend;

import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One kernel call whose operands were checked against the contract: the one place that knows every shape rule, used by
 * every backend before it runs or records anything.
 *
 * <p>Made by one factory a kernel. The factories throw {@link IllegalArgumentException} for an operand of another
 * backend, type or shape, for outputs that overlap other operands, and {@link IllegalStateException} for closed ones.
 * They know what a call reads and writes, so a backend can order, pin and merge calls.
 */
public final class KernelCall {
    private final String kernel;
    private final Backend backend;
    private final @Nullable Rows rows;
    private final List<Operand> inputs = new ArrayList<>();
    private final List<Operand> outputs = new ArrayList<>();
    private final List<String> words = new ArrayList<>();
    private boolean scheduled;
    private @Nullable StepState state;

    private KernelCall(String kernel, Backend backend, @Nullable Rows rows) {
        this.kernel = kernel;
        this.backend = backend;
        this.rows = rows;
    }

    /** A checked {@link DataKernels#selectRows}. */
    public static KernelCall selectRows(Backend backend, Rows rows, StepState state, Order order, Operand rowIds) {
        KernelCall call =
                new KernelCall("selectRows", backend, rows).unfolded(rows).state(state);
        return call.word(order.shuffled() ? "shuffled" : "sequential")
                .write("rowIds", rowIds, DType.I64, rows.total(), 1);
    }

    /** A checked {@link DataKernels#gather}. */
    public static KernelCall gather(
            Backend backend,
            Rows rows,
            Operand rowIds,
            Operand data,
            Pixels pixels,
            Noise noise,
            StepState state,
            Operand out) {
        KernelCall call = new KernelCall("gather", backend, rows)
                .unfolded(rows)
                .state(state)
                .word(pixels.name());
        if (data.type() != DType.U8 && data.type() != backend.real()) {
            throw call.fault("data", data, "must hold U8 or " + backend.real());
        }
        if ((pixels == Pixels.BERNOULLI) == (noise.rowKey() == Noise.RowKey.OFF)) {
            throw new IllegalArgumentException("gather: pixels " + pixels + " with noise " + noise.rowKey()
                    + "; draw Bernoulli pixels with noise and the others with Noise.off()");
        }
        if (data.columns() > Philox.MAX_COLUMNS || data.rows() > Philox.MAX_ROWS) {
            throw call.fault("data", data, "is larger than the generator's counter allows");
        }
        return call.read("rowIds", rowIds, DType.I64, rows.total(), 1)
                .read("data", data, data.type(), data.rows(), data.columns())
                .noise(noise, rows)
                .write("out", out, backend.real(), rows.total(), data.columns());
    }

    /** A checked {@link DataKernels#load}. */
    public static KernelCall load(Backend backend, Rows rows, Operand in, Pixels pixels, Operand out) {
        KernelCall call = new KernelCall("load", backend, rows).unfolded(rows).word(pixels.name());
        if (in.type() != DType.U8 && in.type() != backend.real()) {
            throw call.fault("in", in, "must hold U8 or " + backend.real());
        }
        if (pixels == Pixels.BERNOULLI) {
            throw new IllegalArgumentException("load: draws no pixels; take AS_IS or UNIT, or gather with noise");
        }
        return call.read("in", in, in.type(), rows.total(), in.columns())
                .write("out", out, backend.real(), rows.total(), in.columns());
    }

    /** A checked {@link DataKernels#store}. */
    public static KernelCall store(Backend backend, Rows rows, Operand in, Operand out) {
        return new KernelCall("store", backend, rows)
                .read("in", in, backend.real(), rows.total(), in.columns())
                .write("out", out, backend.real(), rows.total(), in.columns());
    }

    /** A checked {@link LinearKernels#linearForward}. */
    public static KernelCall linearForward(
            Backend backend,
            Rows rows,
            Operand x,
            Operand w,
            Operand b,
            Activation f,
            Operand y,
            @Nullable Operand pre) {
        KernelCall call = new KernelCall("linearForward", backend, rows).word(f.label());
        DType real = backend.real();
        long in = x.columns();
        long out = w.rows();
        if ((pre != null) != f.needsInput()) {
            throw new IllegalArgumentException("linearForward: activation " + f.label()
                    + (pre == null ? " needs 'pre', its input, for its gradient" : " takes no 'pre'"));
        }
        call.read("x", x, real, rows.total(), in)
                .read("w", w, real, out, in)
                .read("b", b, real, out, 1)
                .write("y", y, real, rows.total(), out);
        return pre == null ? call : call.write("pre", pre, real, rows.total(), out);
    }

    /** A checked {@link LinearKernels#linearBackwardInput}. */
    public static KernelCall linearBackwardInput(
            Backend backend,
            Rows rows,
            Operand g,
            Operand w,
            Activation f,
            Operand saved,
            Operand dx,
            LinearKernels.Write write) {
        DType real = backend.real();
        long out = w.rows();
        long in = w.columns();
        return new KernelCall("linearBackwardInput", backend, rows)
                .word(f.label())
                .word(write.name())
                .read("g", g, real, rows.total(), out)
                .read("w", w, real, out, in)
                .read("saved", saved, real, rows.total(), in)
                .write(write, "dx", dx, real, rows.total(), in);
    }

    /** A checked {@link LinearKernels#linearBackwardWeights}. */
    public static KernelCall linearBackwardWeights(
            Backend backend, Rows rows, Operand x, Operand g, Operand dw, Operand db, LinearKernels.Write write) {
        DType real = backend.real();
        return new KernelCall("linearBackwardWeights", backend, rows)
                .word(write.name())
                .read("x", x, real, rows.total(), x.columns())
                .read("g", g, real, rows.total(), g.columns())
                .write(write, "dw", dw, real, g.columns(), x.columns())
                .write(write, "db", db, real, g.columns(), 1);
    }

    /** A checked {@link LatentKernels#reparameterizeForward}. */
    public static KernelCall reparameterizeForward(
            Backend backend, Rows rows, Operand muLogVar, Clamp clamp, Noise noise, StepState state, Operand z) {
        KernelCall call = new KernelCall("reparameterizeForward", backend, rows)
                .state(state)
                .word(clamp.toString());
        long d = call.latentSize(muLogVar);
        return call.read("muLogVar", muLogVar, backend.real(), rows.capacity(), 2 * d)
                .noise(noise, rows)
                .write("z", z, backend.real(), rows.total(), d);
    }

    /** A checked {@link LatentKernels#reparameterizeBackward}. */
    public static KernelCall reparameterizeBackward(
            Backend backend,
            Rows rows,
            Operand muLogVar,
            Clamp clamp,
            Noise noise,
            StepState state,
            Operand dz,
            Scalar klWeight,
            LatentKernels.Reduction reduction,
            Operand dMuLogVar) {
        KernelCall call = new KernelCall("reparameterizeBackward", backend, rows)
                .state(state)
                .word(reduction.name());
        long d = call.latentSize(muLogVar);
        return call.word(clamp.toString())
                .scalar("klWeight", klWeight)
                .read("muLogVar", muLogVar, backend.real(), rows.capacity(), 2 * d)
                .noise(noise, rows)
                .read("dz", dz, backend.real(), rows.total(), d)
                .write("dMuLogVar", dMuLogVar, backend.real(), rows.capacity(), 2 * d);
    }

    /** A checked {@link LatentKernels#gaussianKlForward}. */
    public static KernelCall gaussianKlForward(Backend backend, Rows rows, Operand muLogVar, Clamp clamp, Operand kl) {
        KernelCall call = new KernelCall("gaussianKlForward", backend, rows)
                .unfolded(rows)
                .word(clamp.toString());
        long d = call.latentSize(muLogVar);
        return call.read("muLogVar", muLogVar, backend.real(), rows.total(), 2 * d)
                .write("kl", kl, backend.real(), rows.total(), 1);
    }

    /** A checked {@link LossKernels#bernoulliForward}. */
    public static KernelCall bernoulliForward(
            Backend backend, Rows rows, Operand logits, Operand target, Operand logLikelihood) {
        return new KernelCall("bernoulliForward", backend, rows)
                .read("logits", logits, backend.real(), rows.total(), logits.columns())
                .read("target", target, backend.real(), rows.capacity(), logits.columns())
                .write("logLikelihood", logLikelihood, backend.real(), rows.total(), 1);
    }

    /** A checked {@link LossKernels#bernoulliForwardBackward}. */
    public static KernelCall bernoulliForwardBackward(
            Backend backend,
            Rows rows,
            Operand logits,
            Operand target,
            Scalar weight,
            LatentKernels.Reduction reduction,
            Operand logLikelihood,
            Operand dLogits) {
        KernelCall call = new KernelCall("bernoulliForwardBackward", backend, rows)
                .word(reduction.name())
                .scalar("weight", weight)
                .read("target", target, backend.real(), rows.capacity(), logits.columns())
                .write("logLikelihood", logLikelihood, backend.real(), rows.total(), 1)
                .write("dLogits", dLogits, backend.real(), rows.total(), logits.columns());
        if (sameMemory(logits, dLogits)) {
            // In place: each element is read before it is overwritten, so this one overlap is part of the contract.
            call.inputs.add(logits);
            return call;
        }
        return call.read("logits", logits, backend.real(), rows.total(), logits.columns());
    }

    /** A checked {@link LossKernels#accumulate}. */
    public static KernelCall accumulate(Backend backend, Rows rows, StepState state, String metric, Operand perRow) {
        if (!state.metrics().contains(metric)) {
            throw new IllegalArgumentException(
                    "accumulate: no metric '" + metric + "'; the step state has " + state.metrics());
        }
        return new KernelCall("accumulate", backend, rows)
                .state(state)
                .word(metric)
                .read("perRow", perRow, backend.real(), rows.total(), 1);
    }

    /** A checked {@link OptimizerKernels#checkGradients}. */
    public static KernelCall checkGradients(Backend backend, Parameters parameters, String group, StepState state) {
        return new KernelCall("checkGradients", backend, null)
                .state(state)
                .word(group)
                .whole("gradients", parameters.gradients(), false)
                .group(parameters, group);
    }

    /** A checked {@link OptimizerKernels#adam}. */
    public static KernelCall adam(
            Backend backend,
            Parameters parameters,
            String group,
            StepState state,
            Scalar learningRate,
            Scalar correction1,
            Scalar correction2,
            double beta1,
            double beta2,
            double epsilon) {
        if (parameters.moments() < 2) {
            throw new IllegalArgumentException(
                    "adam: the parameters keep " + parameters.moments() + " moments, and Adam needs 2");
        }
        if (!(beta1 >= 0
                && beta1 < 1
                && beta2 >= 0
                && beta2 < 1
                && epsilon >= OptimizerKernels.MIN_EPSILON
                && epsilon <= OptimizerKernels.MAX_EPSILON)) {
            throw new IllegalArgumentException("adam: beta1 " + beta1 + " and beta2 " + beta2
                    + " must be in [0, 1), and epsilon " + epsilon + " from " + OptimizerKernels.MIN_EPSILON + " to "
                    + OptimizerKernels.MAX_EPSILON);
        }
        return new KernelCall("adam", backend, null)
                .state(state)
                .word(group)
                .scalar("learningRate", learningRate)
                .scalar("correction1", correction1)
                .scalar("correction2", correction2)
                .whole("gradients", parameters.gradients(), false)
                .whole("values", parameters.values(), true)
                .whole("moment 0", parameters.moment(0), true)
                .whole("moment 1", parameters.moment(1), true)
                .group(parameters, group);
    }

    /** A checked {@link OptimizerKernels#sgd}. */
    public static KernelCall sgd(
            Backend backend, Parameters parameters, String group, StepState state, Scalar learningRate) {
        return new KernelCall("sgd", backend, null)
                .state(state)
                .word(group)
                .scalar("learningRate", learningRate)
                .whole("gradients", parameters.gradients(), false)
                .whole("values", parameters.values(), true)
                .group(parameters, group);
    }

    /** A checked {@link OptimizerKernels#advance}. */
    public static KernelCall advance(Backend backend, StepState state) {
        return new KernelCall("advance", backend, null).state(state);
    }

    /** {@return the kernel's name: the method of its family} */
    public String kernel() {
        return kernel;
    }

    /** {@return the rows it runs on; null for kernels that have none} */
    public @Nullable Rows rows() {
        return rows;
    }

    /** {@return what it reads; an output that it adds to or updates is among them} */
    public List<Operand> inputs() {
        return List.copyOf(inputs);
    }

    /** {@return what it writes} */
    public List<Operand> outputs() {
        return List.copyOf(outputs);
    }

    /** {@return the state it reads or changes, also through the schedule; null for kernels that have none} */
    public @Nullable StepState state() {
        return state;
    }

    /** {@return whether it takes a number from the schedule} */
    public boolean scheduled() {
        return scheduled;
    }

    /** {@return whether it chooses the active rows: {@link DataKernels#selectRows}} */
    public boolean selectsRows() {
        return kernel.equals("selectRows");
    }

    /** {@return whether it ends a step: {@link OptimizerKernels#advance}} */
    public boolean advances() {
        return kernel.equals("advance");
    }

    /** {@return the call in one line: name, options, operands read, operands written} */
    @Override
    public String toString() {
        return kernel + words + " " + names(inputs) + " -> " + names(outputs);
    }

    /** {@return an operand in words: name, type, shape and backend} */
    public static String describe(Operand operand) {
        return "'" + operand.name() + "' " + operand.type() + Arrays.toString(operand.shape()) + " of "
                + operand.backend().info().numericProfile();
    }

    private KernelCall word(String word) {
        words.add(word);
        return this;
    }

    private KernelCall scalar(String role, Scalar scalar) {
        switch (scalar) {
            case Scalar.Constant(double value) -> words.add(role + "=" + value);
            case Scalar.Slot slot -> {
                scheduled = true;
                state(slot.state());
                if (!slot.equals(slot.state().slot(slot.name()))) {
                    throw new IllegalArgumentException(kernel + ": " + role + " is column " + slot.index()
                            + " of the schedule, which is not that of '" + slot.name() + "'");
                }
                words.add(role + "=" + slot.name());
            }
        }
        return this;
    }

    private KernelCall state(StepState given) {
        if (given.workspace().backend() != backend) {
            throw new IllegalArgumentException(kernel + ": the step state of workspace '"
                    + given.workspace().name() + "' belongs to another backend than the kernel, which runs on "
                    + backend.info().numericProfile());
        }
        if (state != null && state != given) {
            throw new IllegalArgumentException(kernel + ": takes numbers from two step states, of workspace '"
                    + state.workspace().name() + "' and of '"
                    + given.workspace().name() + "'");
        }
        state = given;
        return this;
    }

    private KernelCall unfolded(Rows given) {
        if (given.fold() != 1) {
            throw new IllegalArgumentException(kernel + ": takes rows that are not folded, but got " + given);
        }
        return this;
    }

    private KernelCall read(String role, Operand operand, DType type, long wantedRows, long wantedColumns) {
        checkOperand(role, operand, type, wantedRows, wantedColumns);
        for (Operand output : outputs) {
            requireApart(role, operand, output);
        }
        inputs.add(operand);
        return this;
    }

    private KernelCall write(String role, Operand operand, DType type, long wantedRows, long wantedColumns) {
        checkOperand(role, operand, type, wantedRows, wantedColumns);
        inputs.forEach(input -> requireApart(role, operand, input));
        outputs.forEach(output -> requireApart(role, operand, output));
        outputs.add(operand);
        return this;
    }

    private KernelCall write(
            LinearKernels.Write write, String role, Operand operand, DType type, long wantedRows, long wantedColumns) {
        write(role, operand, type, wantedRows, wantedColumns);
        if (write == LinearKernels.Write.ADD) {
            inputs.add(operand);
        }
        return this;
    }

    private KernelCall whole(String role, Tensor tensor, boolean updated) {
        checkOperand(role, tensor, backend.real(), tensor.rows(), tensor.columns());
        inputs.add(tensor);
        if (updated) {
            outputs.add(tensor);
        }
        return this;
    }

    private KernelCall group(Parameters parameters, String group) {
        parameters.groupOffset(group); // throws for an unknown group
        return this;
    }

    private KernelCall noise(Noise noise, Rows given) {
        words.add(noise.purpose() + "/" + noise.rowKey());
        Operand rowIds = noise.rowIds();
        return rowIds == null ? this : read("noise row ids", rowIds, DType.I64, given.capacity(), 1);
    }

    private long latentSize(Operand muLogVar) {
        long columns = muLogVar.columns();
        if (columns % 2 != 0) {
            throw fault("muLogVar", muLogVar, "must have an even number of columns: means, then log-variances");
        }
        return columns / 2;
    }

    private void checkOperand(String role, Operand operand, DType type, long wantedRows, long wantedColumns) {
        if (operand.backend() != backend) {
            throw fault(
                    role,
                    operand,
                    "belongs to another backend than the kernel, which runs on "
                            + backend.info().numericProfile());
        }
        if (!operand.isOpen()) {
            throw new IllegalStateException(kernel + ": " + role + " " + describe(operand) + " is closed");
        }
        if (operand.type() != type || operand.rows() != wantedRows || operand.columns() != wantedColumns) {
            throw fault(role, operand, "must be " + type + "[" + wantedRows + ", " + wantedColumns + "]");
        }
    }

    private void requireApart(String role, Operand a, Operand b) {
        if (overlap(a, b)) {
            throw fault(role, a, "shares memory with " + describe(b) + "; an output must stand apart");
        }
    }

    private IllegalArgumentException fault(String role, Operand operand, String what) {
        return new IllegalArgumentException(kernel + ": " + role + " " + describe(operand) + " " + what);
    }

    private static boolean sameMemory(Operand a, Operand b) {
        return base(a) == base(b) && offset(a) == offset(b) && a.size() == b.size();
    }

    private static boolean overlap(Operand a, Operand b) {
        return base(a) == base(b) && offset(a) < offset(b) + b.size() && offset(b) < offset(a) + a.size();
    }

    private static Operand base(Operand operand) {
        return operand instanceof View view ? view.tensor() : operand;
    }

    private static long offset(Operand operand) {
        return operand instanceof View view ? view.offset() : 0;
    }

    private static String names(List<Operand> operands) {
        return operands.stream().map(Operand::name).collect(Collectors.joining(", ", "(", ")"));
    }
}
