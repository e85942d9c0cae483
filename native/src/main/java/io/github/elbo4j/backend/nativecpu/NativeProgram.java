package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.engine.Engine.Issued;
import io.github.elbo4j.backend.engine.Engine.Space;
import io.github.elbo4j.backend.engine.Memory;
import io.github.elbo4j.backend.engine.Program;
import io.github.elbo4j.backend.engine.Workers;
import java.lang.ref.Reference;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Calls as a program of the library, which runs all of them any number of times in one downcall. Other threads help from
 * within downcalls of their own; which pieces they take never shows in a result.
 */
final class NativeProgram implements Program {
    /** Of a run: the rows stay what the step state says, as for a call that runs at once. */
    static final long ROWS_OF_STATE = -1;

    private final long address;
    private final long capacity;
    // Holds the tensors, and so the memory behind their addresses.
    private final List<Issued<NativeCall>> calls;
    private final NativeValues[] written;
    // Made once, so that a run allocates nothing.
    private final Workers.Split split;
    private final String explanation;
    private long runs;
    private long wantedTimes;
    private long wantedRows;

    /**
     * Records a program.
     *
     * @param engine whose instruction set and threads it uses
     * @param capacity most batch rows
     * @param state address of the step state; 0 if no call takes one
     * @param calls in their order
     * @param space gives the working memory
     */
    NativeProgram(NativeEngine engine, long capacity, long state, List<Issued<NativeCall>> calls, Space space) {
        this.capacity = capacity;
        this.calls = calls;
        this.written = calls.stream()
                .flatMap(issued -> NativeOperands.valuesWrittenUncounted(issued.call()).stream())
                .distinct()
                .toArray(NativeValues[]::new);
        this.split = engine.workers().split(1, this::part, this::unblock);
        this.address = NativeLibrary.programCreate(
                engine.isa().number(), engine.workers().threads(), capacity, state);
        if (address == 0) {
            throw shortOfMemory();
        }
        try {
            for (Issued<NativeCall> issued : calls) {
                if (issued.command().append(address) != NativeLibrary.OK) {
                    throw shortOfMemory();
                }
            }
            long bytes = NativeLibrary.programPlan(address);
            if (bytes < 0) {
                throw shortOfMemory();
            }
            if (bytes > 0) {
                Memory workspace = space.allocate("working memory", DType.U8, bytes);
                NativeLibrary.programBind(address, ((NativeMemory) workspace).address());
            }
            // At once, as it may be asked for when the program is closed.
            this.explanation = NativeLibrary.programExplain(address)
                    .lines()
                    .map(this::explained)
                    .collect(Collectors.joining("\n"));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private BackendMemoryException shortOfMemory() {
        return new BackendMemoryException("the system has no memory for a program of " + calls.size()
                + " kernel calls; close what is not needed, or use a machine with more memory");
    }

    @Override
    public void run(long times) {
        start(times, capacity);
    }

    @Override
    public void runRows(long activeRows) {
        start(1, activeRows);
    }

    /** Runs the calls once without setting the active rows of the step state; all rows are active. */
    void runAtOnce() {
        start(1, ROWS_OF_STATE);
    }

    private void start(long times, long activeRows) {
        int threads = NativeLibrary.programThreads(address, activeRows == ROWS_OF_STATE ? capacity : activeRows);
        runs++;
        try {
            if (threads == 1) {
                NativeLibrary.programRun(address, times, activeRows, runs, false);
            } else {
                wantedTimes = times;
                wantedRows = activeRows;
                split.run(threads);
            }
            for (NativeValues each : written) {
                each.changed();
            }
        } finally {
            // The collector must not take staged memory of which only the address is in use.
            Reference.reachabilityFence(this);
        }
    }

    private void part(int part, int from, int to) {
        if (part == 0) {
            NativeLibrary.programRun(address, wantedTimes, wantedRows, runs, true);
        } else {
            NativeLibrary.programHelp(address, runs);
        }
    }

    /** Helpers wait in the library for a run that may fail before it begins; no run has the number 0. */
    private void unblock(boolean failed) {
        NativeLibrary.programEnd(address, failed ? runs : 0);
    }

    @Override
    public void await() {
        // Runs are finished when they return.
    }

    /** A line of the library: the number of the call that it begins with, a space, and how that runs. */
    private String explained(String line) {
        int space = line.indexOf(' ');
        String call =
                calls.get(Integer.parseInt(line.substring(0, space))).call().toString();
        String how = line.substring(space + 1);
        return how.isEmpty() ? call : call + ": " + how;
    }

    @Override
    public String explain() {
        return explanation;
    }

    @Override
    public void close() {
        NativeLibrary.programDestroy(address);
    }
}
