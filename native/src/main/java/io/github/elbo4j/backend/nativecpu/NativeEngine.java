package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Engine;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Memory;
import io.github.elbo4j.backend.engine.Program;
import io.github.elbo4j.backend.engine.StepMemory;
import io.github.elbo4j.backend.engine.Workers;
import java.util.ArrayList;
import java.util.List;

/** Programs of the library on one instruction set and a fixed number of threads. */
final class NativeEngine implements Engine<NativeCall> {
    private static final String WORKER_NAME = "elbo4j-native-worker";

    private final NativeIsas.Isa isa;
    private final Workers workers;
    private final NativeStagingPool staging = new NativeStagingPool();

    NativeEngine(NativeIsas.Isa isa, int threads) {
        this.isa = isa;
        this.workers = new Workers(threads, WORKER_NAME);
    }

    NativeIsas.Isa isa() {
        return isa;
    }

    Workers workers() {
        return workers;
    }

    @Override
    public BackendInfo info(long bytesInUse, long bytesPeak) {
        return new BackendInfo(
                "native",
                isa.name() + " on " + CpuModel.name() + ", " + workers.threads()
                        + (workers.threads() == 1 ? " thread" : " threads"),
                "native-fp32-1",
                0,
                0,
                workers.threads(),
                bytesInUse,
                bytesPeak,
                bytesInUse + staging.idleBytes());
    }

    @Override
    public DType real() {
        return DType.F32;
    }

    @Override
    public Kernels kernels(Backend backend, Issuer<NativeCall> issuer) {
        return new NativeKernels(backend, issuer);
    }

    @Override
    public long bytes(DType type, long elements, Use use) {
        long bytes = Math.multiplyExact(elements, (long) type.bytes());
        return use == Use.VALUES ? NativeValues.bytes(bytes) : bytes;
    }

    @Override
    public Memory allocate(String what, DType type, long elements, Use use) {
        long bytes = Math.multiplyExact(elements, (long) type.bytes());
        String described = what + ", " + elements + " elements of " + type;
        return switch (use) {
            case PLAIN -> NativeMemory.allocate(described, bytes);
            case VALUES -> NativeValues.allocate(described, bytes);
            case STAGING -> NativeStaging.allocate(described, staging, bytes);
        };
    }

    @Override
    public StepMemory stepMemory(long seed, int slots, int tableSteps, List<String> metrics) {
        return new NativeStepMemory(seed, slots, tableSteps, metrics);
    }

    @Override
    public void run(KernelCall call, NativeCall command) {
        Rows rows = call.rows();
        StepState state = call.state();
        List<Memory> temporaries = new ArrayList<>();
        try {
            NativeProgram program = new NativeProgram(
                    this,
                    rows == null ? 1 : rows.capacity(),
                    state == null ? 0 : NativeStepMemory.of(state).address(),
                    List.of(new Issued<>(call, command)),
                    (what, type, elements) -> {
                        Memory memory = allocate(what, type, elements, Use.PLAIN);
                        temporaries.add(memory);
                        return memory;
                    });
            try {
                program.runAtOnce();
            } finally {
                program.close();
            }
        } finally {
            temporaries.forEach(Memory::free);
        }
    }

    @Override
    public Program program(StepMemory state, Rows rows, List<Issued<NativeCall>> calls, Space space) {
        return new NativeProgram(this, rows.capacity(), ((NativeStepMemory) state).address(), calls, space);
    }

    @Override
    public void close() {
        workers.close();
    }
}
