package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.engine.Issuer;
import java.util.List;

/** Updates of the arena: {@code check_gradients.cu}, {@code adam.cu}, {@code sgd.cu}, {@code advance.cu}. */
final class CudaOptimizerKernels implements OptimizerKernels {
    private static final int WARP = 32;

    private final Backend backend;
    private final Issuer<CudaCommand> issuer;

    CudaOptimizerKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    /** The part of an arena tensor that belongs to a group; looked at, as parameters may be anybody's. */
    private static CudaOperand group(Parameters parameters, String group, Tensor tensor) {
        CudaOperand whole = CudaOperand.of(tensor);
        long offset = parameters.groupOffset(group);
        long size = parameters.groupSize(group);
        requireInside("group '" + group + "'", offset, size, tensor);
        return new CudaOperand(whole.memory(), offset, 1, size, whole.type());
    }

    private static void requireInside(String what, long offset, long size, Tensor tensor) {
        long unit = Tensor.VIEW_ALIGNMENT / tensor.type().bytes();
        if (size < 1 || offset < 0 || offset % unit != 0 || offset > tensor.size() - size) {
            throw new IllegalArgumentException("parameters: " + what + " of " + size + " elements at " + offset
                    + " does not lie in '" + tensor.name() + "' of " + tensor.size() + " elements at a multiple of "
                    + unit);
        }
    }

    @Override
    public void checkGradients(Parameters parameters, String group, StepState state) {
        KernelCall call = KernelCall.checkGradients(backend, parameters, group, state);
        CudaStepMemory own = CudaStepMemory.of(state);
        CudaOperand gradients = CudaOperand.of(parameters.gradients());
        long groupSize = parameters.groupSize(group);
        List<View> views = parameters.specs().stream()
                .filter(spec -> spec.trained() && spec.group().equals(group))
                .map(spec -> parameters.gradient(spec.name()))
                .toList();
        if (views.isEmpty()) {
            issuer.issue(call, tape -> {});
            return;
        }
        views.forEach(
                view -> requireInside("'" + view.name() + "'", view.offset(), view.size(), parameters.gradients()));
        long first = own.names(views.stream().map(View::name).toList());
        long[] ranges = views.stream()
                .flatMapToLong(view -> java.util.stream.LongStream.of(view.offset(), view.size()))
                .toArray();
        issuer.issue(
                call,
                tape -> tape.elements(
                        "check_gradients_f32",
                        groupSize,
                        4,
                        own.address(),
                        gradients.address(),
                        tape.constants(ranges),
                        views.size(),
                        first));
    }

    @Override
    public void adam(
            Parameters parameters,
            String group,
            StepState state,
            Scalar learningRate,
            Scalar correction1,
            Scalar correction2,
            double beta1,
            double beta2,
            double epsilon) {
        KernelCall call = KernelCall.adam(
                backend, parameters, group, state, learningRate, correction1, correction2, beta1, beta2, epsilon);
        long header = CudaStepMemory.of(state).address();
        CudaOperand w = group(parameters, group, parameters.values());
        CudaOperand g = group(parameters, group, parameters.gradients());
        CudaOperand m = group(parameters, group, parameters.moment(0));
        CudaOperand v = group(parameters, group, parameters.moment(1));
        issuer.issue(call, tape -> {
            tape.outputWithoutCopy(m, false);
            tape.outputWithoutCopy(v, false);
            tape.elements(
                    "adam_f32",
                    w.elements(),
                    4,
                    header,
                    w.address(),
                    g.address(),
                    m.address(),
                    v.address(),
                    tape.output(w, false),
                    w.elements(),
                    CudaStepMemory.constant(learningRate),
                    CudaStepMemory.slot(learningRate),
                    CudaStepMemory.constant(correction1),
                    CudaStepMemory.slot(correction1),
                    CudaStepMemory.constant(correction2),
                    CudaStepMemory.slot(correction2),
                    (float) beta1,
                    (float) (1 - beta1),
                    (float) beta2,
                    (float) (1 - beta2),
                    (float) epsilon);
        });
    }

    @Override
    public void sgd(Parameters parameters, String group, StepState state, Scalar learningRate) {
        KernelCall call = KernelCall.sgd(backend, parameters, group, state, learningRate);
        long header = CudaStepMemory.of(state).address();
        CudaOperand w = group(parameters, group, parameters.values());
        CudaOperand g = group(parameters, group, parameters.gradients());
        issuer.issue(
                call,
                tape -> tape.elements(
                        "sgd_f32",
                        w.elements(),
                        4,
                        header,
                        w.address(),
                        g.address(),
                        tape.output(w, false),
                        w.elements(),
                        CudaStepMemory.constant(learningRate),
                        CudaStepMemory.slot(learningRate)));
    }

    @Override
    public void advance(StepState state) {
        KernelCall call = KernelCall.advance(backend, state);
        long header = CudaStepMemory.of(state).address();
        issuer.issue(call, tape -> tape.launch("advance", 1, 1, WARP, 1, header));
    }
}
