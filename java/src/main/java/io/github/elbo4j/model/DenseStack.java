package io.github.elbo4j.model;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scratch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Dense layers one after another, as they stand in the parameter arena; issues their forward and backward kernels. */
final class DenseStack {
    /**
     * One layer.
     *
     * @param name prefix of its parameters
     * @param in inputs
     * @param out outputs
     * @param activation of its outputs
     */
    record Layer(String name, int in, int out, Activation activation) {
        List<Parameters.Spec> specs(String group) {
            return List.of(
                    Parameters.Spec.trained(name + ".weight", group, out, in),
                    Parameters.Spec.trained(name + ".bias", group, out));
        }
    }

    /**
     * What a layer leaves for its backward pass.
     *
     * @param input what it read
     * @param output what it wrote
     * @param pre its pre-activation, where the activation's derivative needs it
     */
    private record Trace(
            Operand input, Operand output, @Nullable Operand pre) {
        Operand saved() {
            return pre == null ? output : pre;
        }
    }

    private final List<Layer> layers;

    DenseStack(List<Layer> layers) {
        this.layers = List.copyOf(layers);
    }

    List<Layer> layers() {
        return layers;
    }

    /** Issues all layers. */
    Pass forward(Recording step, Parameters parameters, Rows rows, Operand x) {
        List<Trace> traces = new ArrayList<>();
        Operand input = x;
        for (Layer layer : layers) {
            Scratch output = step.scratch(layer.name() + ".output", rows, layer.out());
            Scratch pre =
                    layer.activation().needsInput() ? step.scratch(layer.name() + ".pre", rows, layer.out()) : null;
            step.linear()
                    .linearForward(
                            rows,
                            input,
                            parameters.value(layer.name() + ".weight"),
                            parameters.value(layer.name() + ".bias"),
                            layer.activation(),
                            output,
                            pre);
            traces.add(new Trace(input, output, pre));
            input = output;
        }
        return new Pass(step, parameters, rows, traces);
    }

    /** A forward pass that was issued, ready for its gradients. */
    final class Pass {
        private final Recording step;
        private final Parameters parameters;
        private final Rows rows;
        private final List<Trace> traces;

        private Pass(Recording step, Parameters parameters, Rows rows, List<Trace> traces) {
            this.step = step;
            this.parameters = parameters;
            this.rows = rows;
            this.traces = traces;
        }

        Operand output() {
            return traces.getLast().output();
        }

        /**
         * Issues the gradients of all layers.
         *
         * @param gradient with respect to the last layer's pre-activation
         * @param dInput receives the gradient with respect to the first layer's input; null when it is not needed
         */
        void backward(Operand gradient, @Nullable Operand dInput) {
            Operand g = gradient;
            for (int i = layers.size() - 1; i >= 0; i--) {
                Layer layer = layers.get(i);
                Trace trace = traces.get(i);
                step.linear()
                        .linearBackwardWeights(
                                rows,
                                trace.input(),
                                g,
                                parameters.gradient(layer.name() + ".weight"),
                                parameters.gradient(layer.name() + ".bias"),
                                Write.OVERWRITE);
                Operand weight = parameters.value(layer.name() + ".weight");
                if (i > 0) {
                    Layer below = layers.get(i - 1);
                    Scratch dx = step.scratch(layer.name() + ".dInput", rows, layer.in());
                    step.linear()
                            .linearBackwardInput(
                                    rows,
                                    g,
                                    weight,
                                    below.activation(),
                                    traces.get(i - 1).saved(),
                                    dx,
                                    Write.OVERWRITE);
                    g = dx;
                } else if (dInput != null) {
                    step.linear()
                            .linearBackwardInput(
                                    rows, g, weight, Activation.IDENTITY, trace.input(), dInput, Write.OVERWRITE);
                }
            }
        }
    }
}
