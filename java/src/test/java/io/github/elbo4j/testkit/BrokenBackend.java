package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A backend one of whose kernels is wrong: every call goes to another backend, and a fault is worked around it. */
final class BrokenBackend implements Backend {
    private final Backend inner;
    private final String kernel;
    private final BrokenFault fault;

    BrokenBackend(Backend inner, String kernel, BrokenFault fault) {
        this.inner = inner;
        this.kernel = kernel;
        this.fault = fault;
    }

    /** The families of {@code kernels}; calls of the broken kernel are handed to {@code broken} in place of being issued. */
    private <T> T family(Class<T> type, T family, Consumer<BrokenCall> broken) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            BrokenCall call = new BrokenCall(method, arguments);
            if (method.getName().equals(kernel)) {
                broken.accept(call);
            }
            Object result = invoke(family, method, arguments);
            if (method.getName().equals(kernel)) {
                call.issued();
            }
            return result;
        };
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static @Nullable Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** At once: the fault stands before and after the call. */
    private <T> T eager(Class<T> type, T family) {
        return family(type, family, call -> {
            fault.before(call);
            call.onIssued(() -> fault.after(call));
        });
    }

    @Override
    public DataKernels data() {
        return eager(DataKernels.class, inner.data());
    }

    @Override
    public LinearKernels linear() {
        return eager(LinearKernels.class, inner.linear());
    }

    @Override
    public LatentKernels latent() {
        return eager(LatentKernels.class, inner.latent());
    }

    @Override
    public LossKernels loss() {
        return eager(LossKernels.class, inner.loss());
    }

    @Override
    public OptimizerKernels optimizer() {
        return eager(OptimizerKernels.class, inner.optimizer());
    }

    @Override
    public BackendInfo info() {
        return inner.info();
    }

    @Override
    public DType real() {
        return inner.real();
    }

    @Override
    public Workspace workspace(String name, long byteBudget) {
        Workspace workspace = inner.workspace(name, byteBudget);
        InvocationHandler handler = (proxy, method, arguments) -> {
            if (!method.getName().equals("record")) {
                return invoke(workspace, method, arguments == null ? new Object[0] : arguments);
            }
            @SuppressWarnings("unchecked")
            Consumer<Recording> step = (Consumer<Recording>) arguments[2];
            List<BrokenCall> calls = new ArrayList<>();
            Rows rows = (Rows) arguments[1];
            Replay replay =
                    workspace.record((StepState) arguments[0], rows, made -> step.accept(recording(made, calls)));
            return replay(replay, rows.capacity(), calls);
        };
        return (Workspace)
                Proxy.newProxyInstance(Workspace.class.getClassLoader(), new Class<?>[] {Workspace.class}, handler);
    }

    private Recording recording(Recording made, List<BrokenCall> calls) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            Object result = invoke(made, method, arguments == null ? new Object[0] : arguments);
            return method.getDeclaringClass() == Kernels.class
                    ? familyOf(method.getReturnType(), result, calls)
                    : result;
        };
        return (Recording)
                Proxy.newProxyInstance(Recording.class.getClassLoader(), new Class<?>[] {Recording.class}, handler);
    }

    private <T> @Nullable Object familyOf(Class<T> type, @Nullable Object result, List<BrokenCall> calls) {
        return result == null ? null : family(type, Objects.requireNonNull(type.cast(result)), calls::add);
    }

    /** Recorded: the fault stands before and after each run. */
    private Replay replay(Replay replay, long capacity, List<BrokenCall> calls) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            boolean runs = method.getName().startsWith("run");
            if (runs) {
                calls.forEach(fault::before);
            }
            Object[] given = arguments == null ? new Object[0] : arguments.clone();
            if (method.getName().equals("runRows") && fault == BrokenFault.COUNTS_PADDING && !calls.isEmpty()) {
                given[0] = capacity;
            }
            Object result = invoke(replay, method, given);
            if (runs) {
                calls.forEach(fault::after);
            }
            return result;
        };
        return (Replay) Proxy.newProxyInstance(Replay.class.getClassLoader(), new Class<?>[] {Replay.class}, handler);
    }

    @Override
    public void close() {
        inner.close();
    }
}
