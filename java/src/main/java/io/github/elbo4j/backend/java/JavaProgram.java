package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.engine.Engine.Issued;
import io.github.elbo4j.backend.engine.Program;
import java.util.List;
import java.util.stream.Collectors;

/** The pre-bound list of a recorded step; runs on the caller's thread and the engine's workers. */
final class JavaProgram implements Program {
    private final JavaStepMemory state;
    private final int capacity;
    private final JavaStep[] steps;
    private final boolean selectsRows;
    private final String explanation;

    JavaProgram(JavaStepMemory state, int capacity, List<Issued<JavaStep>> calls) {
        this.state = state;
        this.capacity = capacity;
        this.steps = calls.stream().map(Issued::command).toArray(JavaStep[]::new);
        this.selectsRows = calls.stream().anyMatch(issued -> issued.call().selectsRows());
        this.explanation =
                calls.stream().map(issued -> issued.call().toString()).collect(Collectors.joining("\n"));
    }

    @Override
    public void run(long times) {
        for (long i = 0; i < times; i++) {
            once(capacity);
        }
    }

    @Override
    public void runRows(long activeRows) {
        once((int) activeRows);
    }

    private void once(int activeRows) {
        state.activate(activeRows, 0);
        for (JavaStep step : steps) {
            step.run(selectsRows ? state.activeRows() : activeRows);
        }
    }

    @Override
    public void await() {
        // Runs are finished when they return.
    }

    @Override
    public String explain() {
        return explanation;
    }

    @Override
    public void close() {
        // Nothing but heap memory.
    }
}
