package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.cuda.CudaNode.Product.Shape;
import io.github.elbo4j.backend.engine.Issuer;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Dense layers: products by cuBLAS, the rest by {@code linear.cu}. cuBLAS is column-major, so a row-major matrix is its
 * transpose there and the factors change places.
 */
final class CudaLinearKernels implements LinearKernels {
    /** Rows that one block of a bias gradient adds; see linear.cu. */
    private static final int SUM_BLOCK = 64;

    /** Most row blocks that one thread block takes alone: above it a second pass is cheaper. */
    private static final int MAX_BLOCKS_IN_ONE_PASS = 8;

    private static final int MAX_GRID_Y = 65_535;
    private static final int SUM_COLUMNS = 32;
    private static final int SUM_THREADS = 8;

    private final Backend backend;
    private final Issuer<CudaCommand> issuer;

    CudaLinearKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    /** y = f(x W^T + b). */
    record Forward(
            Rows rows,
            CudaOperand x,
            CudaOperand w,
            CudaOperand b,
            Activation activation,
            CudaOperand y,
            @Nullable CudaOperand pre)
            implements CudaCommand {
        @Override
        public List<CudaOperand> factors() {
            return List.of(x, w);
        }

        /** Issues x W^T into y. */
        void product(CudaTape tape) {
            int in = (int) x.columns();
            int out = (int) w.rows();
            Shape shape = new Shape(true, false, out, (int) rows.total(), in, in, in, false);
            tape.product(shape, tape.factor(w, null, false), tape.factor(x, rows, false), y);
        }

        @Override
        public void issue(CudaTape tape) {
            product(tape);
            if (pre != null) {
                tape.outputWithoutCopy(pre, true);
            }
            tape.elements(
                    "linear_forward_f32",
                    y.elements(),
                    4,
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    y.columns(),
                    CudaCodes.of(activation),
                    b.address(),
                    y.address(),
                    pre == null ? 0L : pre.address(),
                    tape.output(y, true));
        }
    }

    @Override
    public void linearForward(
            Rows rows, Operand x, Operand w, Operand b, Activation f, Operand y, @Nullable Operand pre) {
        KernelCall call = KernelCall.linearForward(backend, rows, x, w, b, f, y, pre);
        requireInts(call, rows.total(), x.columns(), y.columns());
        issuer.issue(
                call,
                new Forward(
                        rows,
                        CudaOperand.of(x),
                        CudaOperand.of(w),
                        CudaOperand.of(b),
                        f,
                        CudaOperand.of(y),
                        pre == null ? null : CudaOperand.of(pre)));
    }

    /** dx = (g W) * f'. */
    record BackwardInput(
            Rows rows, CudaOperand g, CudaOperand w, Activation f, CudaOperand saved, CudaOperand dx, boolean add)
            implements CudaCommand {
        @Override
        public List<CudaOperand> factors() {
            return List.of(g, w);
        }

        /** Issues g W into dx. */
        void product(CudaTape tape) {
            int in = (int) w.columns();
            int out = (int) w.rows();
            Shape shape = new Shape(false, false, in, (int) rows.total(), out, in, out, add);
            tape.product(shape, tape.factor(w, null, false), tape.factor(g, rows, false), dx);
        }

        @Override
        public void issue(CudaTape tape) {
            product(tape);
            if (f == Activation.IDENTITY) {
                tape.outputWithoutCopy(dx, tape.padded(g) && (!add || tape.padded(dx)));
                return;
            }
            tape.elements(
                    "linear_backward_input_f32",
                    dx.elements(),
                    4,
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    dx.columns(),
                    CudaCodes.of(f),
                    saved.address(),
                    dx.address(),
                    tape.output(dx, true));
        }
    }

    @Override
    public void linearBackwardInput(
            Rows rows, Operand g, Operand w, Activation f, Operand saved, Operand dx, Write write) {
        KernelCall call = KernelCall.linearBackwardInput(backend, rows, g, w, f, saved, dx, write);
        requireInts(call, rows.total(), g.columns(), dx.columns());
        issuer.issue(
                call,
                new BackwardInput(
                        rows,
                        CudaOperand.of(g),
                        CudaOperand.of(w),
                        f,
                        CudaOperand.of(saved),
                        CudaOperand.of(dx),
                        write == Write.ADD));
    }

    /** dW = g^T x, db = column sums of g. */
    record BackwardWeights(Rows rows, CudaOperand x, CudaOperand g, CudaOperand dw, CudaOperand db, boolean add)
            implements CudaCommand {
        @Override
        public int onMain(int calls) {
            return 0;
        }

        @Override
        public List<CudaOperand> factors() {
            return List.of(x, g);
        }

        /** Issues g^T x into dW, on the second branch. */
        void product(CudaTape tape) {
            int in = (int) x.columns();
            int out = (int) g.columns();
            Shape shape = new Shape(false, true, in, out, (int) rows.total(), in, out, add);
            long a = tape.factor(x, rows, true);
            long b = tape.factor(g, rows, true);
            tape.fork();
            tape.product(shape, a, b, dw);
            tape.outputWithoutCopy(dw, false);
        }

        @Override
        public void issue(CudaTape tape) {
            product(tape);
            long blocks = rowBlocks(rows);
            boolean onePass = blocks <= MAX_BLOCKS_IN_ONE_PASS || blocks > MAX_GRID_Y;
            long partial = onePass ? 0 : tape.temporary(blocks * g.columns());
            tape.launch(
                    "linear_backward_weights_f32",
                    sumBlocks(g),
                    onePass ? 1 : (int) blocks,
                    SUM_COLUMNS,
                    SUM_THREADS,
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    g.columns(),
                    g.address(),
                    partial,
                    db.address(),
                    add ? 1 : 0);
            if (onePass) {
                tape.outputWithoutCopy(db, false);
            } else {
                finish(tape, partial, blocks);
            }
        }

        /** Issues the sum of the row blocks' sums into db. */
        void finish(CudaTape tape, long partial, long blocks) {
            tape.elements(
                    "linear_backward_weights_finish_f32",
                    g.columns(),
                    1,
                    partial,
                    blocks,
                    g.columns(),
                    db.address(),
                    add ? 1 : 0);
            tape.outputWithoutCopy(db, false);
        }
    }

    /** The gradient of an activation's input, and of the bias that was added to it, in one pass; then dW. */
    record BackwardInputWeights(BackwardInput input, BackwardWeights weights) implements CudaCommand {
        @Override
        public int onMain(int calls) {
            return 1;
        }

        @Override
        public List<CudaOperand> factors() {
            return Stream.of(input.factors(), weights.factors())
                    .flatMap(List::stream)
                    .toList();
        }

        @Override
        public void issue(CudaTape tape) {
            input.product(tape);
            CudaOperand dx = input.dx();
            long blocks = rowBlocks(input.rows());
            long partial = blocks == 1 ? 0 : tape.temporary(blocks * dx.columns());
            tape.launch(
                    "linear_backward_input_bias_f32",
                    sumBlocks(dx),
                    (int) blocks,
                    SUM_COLUMNS,
                    SUM_THREADS,
                    tape.active(),
                    input.rows().capacity(),
                    input.rows().fold(),
                    dx.columns(),
                    CudaCodes.of(input.f()),
                    input.saved().address(),
                    dx.address(),
                    tape.output(dx, true),
                    partial,
                    weights.db().address(),
                    weights.add() ? 1 : 0);
            weights.product(tape);
            if (blocks > 1) {
                weights.finish(tape, partial, blocks);
            } else {
                tape.outputWithoutCopy(weights.db(), false);
            }
        }
    }

    /** {@return the blocks of rows whose sums a bias gradient is made of} */
    private static long rowBlocks(Rows rows) {
        return Math.ceilDiv(rows.total(), (long) SUM_BLOCK);
    }

    /** {@return thread blocks that cover the columns} */
    private static int sumBlocks(CudaOperand g) {
        return (int) Math.ceilDiv(g.columns(), (long) SUM_COLUMNS);
    }

    /** {@return whether both can be one command: the second takes what the first gives, and overwrites nothing it reads} */
    static boolean mergeable(BackwardInput input, BackwardWeights weights) {
        return input.f() != Activation.IDENTITY
                && weights.g().equals(input.dx())
                && weights.rows().equals(input.rows())
                && rowBlocks(input.rows()) <= MAX_GRID_Y
                && !weights.db().region().overlaps(input.saved().region());
    }

    @Override
    public void linearBackwardWeights(Rows rows, Operand x, Operand g, Operand dw, Operand db, Write write) {
        KernelCall call = KernelCall.linearBackwardWeights(backend, rows, x, g, dw, db, write);
        requireInts(call, rows.total(), x.columns(), g.columns());
        issuer.issue(
                call,
                new BackwardWeights(
                        rows,
                        CudaOperand.of(x),
                        CudaOperand.of(g),
                        CudaOperand.of(dw),
                        CudaOperand.of(db),
                        write == Write.ADD));
    }

    private static void requireInts(KernelCall call, long... extents) {
        for (long extent : extents) {
            if (extent > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(call.kernel() + ": cuBLAS takes matrices of fewer than 2^31 rows"
                        + " and columns, and one has " + extent + "; use fewer rows or a smaller layer");
            }
        }
    }
}
