package io.github.elbo4j.backend.nativecpu;

import static io.github.elbo4j.backend.nativecpu.NativeOperands.address;
import static io.github.elbo4j.backend.nativecpu.NativeOperands.scalar;
import static io.github.elbo4j.backend.nativecpu.NativeOperands.version;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.engine.Issuer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Updates over the arena. */
final class NativeOptimizerKernels implements OptimizerKernels {
    private final Backend backend;
    private final Issuer<NativeCall> issuer;

    NativeOptimizerKernels(Backend backend, Issuer<NativeCall> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void checkGradients(Parameters parameters, String group, StepState state) {
        KernelCall call = KernelCall.checkGradients(backend, parameters, group, state);
        NativeStepMemory own = NativeStepMemory.of(state);
        long gradients = address(parameters.gradients());
        List<View> views = parameters.specs().stream()
                .filter(spec -> spec.trained() && spec.group().equals(group))
                .map(spec -> parameters.gradient(spec.name()))
                .toList();
        long[] offsets = views.stream().mapToLong(View::offset).toArray();
        long[] sizes = views.stream().mapToLong(View::size).toArray();
        long[] haltNames =
                views.stream().mapToLong(view -> own.haltName(view.name())).toArray();
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.checkGradients(
                        program,
                        gradients,
                        views.size(),
                        array(arena, offsets),
                        array(arena, sizes),
                        array(arena, haltNames));
            }
        });
    }

    private static long array(Arena arena, long[] numbers) {
        MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, numbers);
        return memory.address();
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
        long values = address(parameters.values());
        long gradients = address(parameters.gradients());
        long moment0 = address(parameters.moment(0));
        long moment1 = address(parameters.moment(1));
        long offset = parameters.groupOffset(group);
        long size = parameters.groupSize(group);
        long version = version(parameters.values());
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.adam(
                        program,
                        values,
                        gradients,
                        moment0,
                        moment1,
                        offset,
                        size,
                        version,
                        scalar(arena, learningRate),
                        scalar(arena, correction1),
                        scalar(arena, correction2),
                        beta1,
                        beta2,
                        epsilon);
            }
        });
    }

    @Override
    public void sgd(Parameters parameters, String group, StepState state, Scalar learningRate) {
        KernelCall call = KernelCall.sgd(backend, parameters, group, state, learningRate);
        long values = address(parameters.values());
        long gradients = address(parameters.gradients());
        long offset = parameters.groupOffset(group);
        long size = parameters.groupSize(group);
        long version = version(parameters.values());
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.sgd(
                        program, values, gradients, offset, size, version, scalar(arena, learningRate));
            }
        });
    }

    @Override
    public void advance(StepState state) {
        KernelCall call = KernelCall.advance(backend, state);
        issuer.issue(call, NativeLibrary::advance);
    }
}
