package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.StepState;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** From operands to the memory behind them; kernels look it up when they are issued, so that a replay looks nothing up. */
public final class Operands {
    private Operands() {}

    /** {@return the memory behind an operand that a checked call takes} */
    public static Memory memory(Operand operand) {
        return switch (operand) {
            case EngineTensor tensor -> tensor.memory();
            case EngineView view -> view.tensor().memory();
            case EngineScratch scratch -> scratch.memory();
            default -> throw new IllegalArgumentException("'" + operand.name() + "' is of no engine");
        };
    }

    /** {@return the first element of an operand within its memory} */
    public static long offset(Operand operand) {
        return operand instanceof EngineView view ? view.offset() : 0;
    }

    /** {@return what the engine keeps for a state that a checked call takes} */
    public static StepMemory memory(StepState state) {
        return ((EngineStepState) state).memory();
    }

    /** {@return the tensors behind operands, views resolved} */
    static List<EngineTensor> tensors(List<Operand> operands) {
        List<EngineTensor> tensors = new ArrayList<>();
        for (Operand operand : operands) {
            switch (operand) {
                case EngineTensor tensor -> tensors.add(tensor);
                case EngineView view -> tensors.add(view.tensor());
                default ->
                    throw new IllegalStateException("'" + operand.name()
                            + "' is an intermediate of a recording; a kernel that runs at once takes tensors");
            }
        }
        return tensors;
    }

    /** {@return the tensors behind operands, views resolved and intermediates left out} */
    static List<EngineTensor> stored(List<Operand> operands) {
        return tensors(operands.stream()
                .filter(operand -> !(operand instanceof EngineScratch))
                .toList());
    }

    /** {@return the workspaces that a call writes to, that of its state included} */
    static Set<EngineWorkspace> written(KernelCall call) {
        Set<EngineWorkspace> workspaces = new LinkedHashSet<>();
        stored(call.outputs()).forEach(tensor -> workspaces.add(tensor.workspace()));
        if (call.state() != null) {
            workspaces.add(((EngineStepState) call.state()).workspace());
        }
        return workspaces;
    }
}
