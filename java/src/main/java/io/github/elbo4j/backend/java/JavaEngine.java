package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.engine.Engine;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Memory;
import io.github.elbo4j.backend.engine.Program;
import io.github.elbo4j.backend.engine.StepMemory;
import io.github.elbo4j.backend.engine.Workers;
import java.util.List;

/** The reference: arrays, plain loops, and a recording that is a list of them. */
final class JavaEngine implements Engine<JavaStep> {
    private final DType real;
    private final Workers workers;

    JavaEngine(DType real, int threads) {
        this.real = real;
        this.workers = new Workers(threads, "elbo4j-java-worker");
    }

    @Override
    public BackendInfo info(long bytesInUse, long bytesPeak) {
        return new BackendInfo(
                "java",
                "JVM on " + System.getProperty("os.arch") + ", " + workers.threads() + " threads",
                real == DType.F32 ? "java-fp32" : "java-fp64",
                0,
                0,
                workers.threads(),
                bytesInUse,
                bytesPeak,
                bytesInUse);
    }

    @Override
    public DType real() {
        return real;
    }

    @Override
    public Kernels kernels(Backend backend, Issuer<JavaStep> issuer) {
        return new JavaKernels(backend, workers, issuer);
    }

    @Override
    public Memory allocate(String what, DType type, long elements, Use use) {
        return new JavaMemory(type, elements, what);
    }

    @Override
    public StepMemory stepMemory(long seed, int slots, int tableSteps, List<String> metrics) {
        return new JavaStepMemory(seed, slots, tableSteps, metrics);
    }

    @Override
    public void run(KernelCall call, JavaStep command) {
        Rows rows = call.rows();
        command.run(rows == null ? 0 : Math.toIntExact(rows.capacity()));
    }

    @Override
    public Program program(StepMemory state, Rows rows, List<Issued<JavaStep>> calls, Space space) {
        return new JavaProgram((JavaStepMemory) state, Math.toIntExact(rows.capacity()), calls);
    }

    @Override
    public void close() {
        workers.close();
    }
}
