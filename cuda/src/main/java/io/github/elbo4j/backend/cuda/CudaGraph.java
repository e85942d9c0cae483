package io.github.elbo4j.backend.cuda;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/** Work that was recorded once and runs with one launch. What it uses must outlive it. */
final class CudaGraph implements AutoCloseable {
    private final CudaContext context;
    private final CUgraphExec handle;
    private final IntSupplier launch;
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaGraph(CudaContext context, CUgraphExec handle, CudaStream target) {
        this.context = context;
        this.handle = handle;
        this.launch = () -> JCudaDriver.cuGraphLaunch(handle, target.handle());
    }

    /**
     * Records what is issued on a stream. If anything fails, the capture is over and the stream can be used.
     *
     * @param stream where it is recorded
     * @param target where it will run
     * @param issue issues the work, on a thread of its own: it must not need a lock that the caller holds
     */
    static CudaGraph capture(CudaContext context, CudaStream stream, CudaStream target, Runnable issue) {
        context.requireUsable();
        // A capture belongs to a thread of the operating system, which a virtual thread may change.
        FutureTask<CudaGraph> task = new FutureTask<>(() -> record(context, stream, target, issue));
        Thread.ofPlatform().name("elbo4j-cuda-capture").daemon().start(task);
        return result(task);
    }

    /** A capture is short and cannot be stopped halfway, so an interrupt is kept for later. */
    private static CudaGraph result(FutureTask<CudaGraph> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw rethrown(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException rethrown(ExecutionException e) {
        Throwable cause = e.getCause();
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(cause);
    }

    private static CudaGraph record(CudaContext context, CudaStream stream, CudaStream target, Runnable issue) {
        CUgraph graph = issued(context, stream, issue);
        CUgraphExec handle = new CUgraphExec();
        try {
            context.run("cuGraphInstantiate", () -> JCudaDriver.cuGraphInstantiate(handle, graph, 0));
        } finally {
            context.release("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
        }
        CudaGraph executable = new CudaGraph(context, handle, target);
        try {
            context.run("cuGraphUpload", () -> JCudaDriver.cuGraphUpload(handle, stream.handle()));
            return executable;
        } catch (RuntimeException e) {
            executable.close();
            throw e;
        }
    }

    private static CUgraph issued(CudaContext context, CudaStream stream, Runnable issue) {
        CUgraph graph = new CUgraph();
        context.run(
                "cuStreamBeginCapture",
                () -> JCudaDriver.cuStreamBeginCapture(
                        stream.handle(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        try {
            issue.run();
        } catch (RuntimeException | Error e) {
            context.release("cuStreamEndCapture", () -> JCudaDriver.cuStreamEndCapture(stream.handle(), graph));
            destroy(context, graph);
            throw e;
        }
        try {
            context.run("cuStreamEndCapture", () -> JCudaDriver.cuStreamEndCapture(stream.handle(), graph));
            return graph;
        } catch (RuntimeException e) {
            destroy(context, graph);
            throw e;
        }
    }

    /** A capture that failed leaves no graph. */
    private static void destroy(CudaContext context, CUgraph graph) {
        if (!graph.equals(new CUgraph())) {
            context.release("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
        }
    }

    /** Runs it once, in the order of its target. */
    void launch() {
        if (closed.get()) {
            throw new IllegalStateException("the recorded work is closed");
        }
        context.run("cuGraphLaunch", launch);
    }

    /** Destroys it; never throws. Launches that have been issued still run. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            context.release("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(handle));
        }
    }
}
