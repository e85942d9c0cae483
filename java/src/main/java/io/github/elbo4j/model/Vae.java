package io.github.elbo4j.model;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.model.DenseStack.Layer;

/**
 * A variational autoencoder of dense layers on a backend: its weights.
 *
 * <p>Owns its parameters and frees them with {@link #close}; trainers and evaluators made for it must be closed first.
 * Used by one thread at a time.
 */
public final class Vae implements AutoCloseable {
    /** Moments kept for each parameter: two, as Adam needs. */
    private static final int MOMENTS = 2;

    private final Backend backend;
    private final VaeConfig config;
    private final Workspace workspace;
    private final Parameters parameters;
    private final VaeGraph graph;

    private Vae(Backend backend, VaeConfig config) {
        this.backend = backend;
        this.config = config;
        this.workspace = backend.workspace("model " + config.summary());
        try {
            this.parameters = workspace.parameters(VaeGraph.specs(config), MOMENTS);
            this.graph = new VaeGraph(config, parameters);
        } catch (RuntimeException | Error e) {
            workspace.close();
            throw e;
        }
    }

    /**
     * {@return a model with weights drawn from a seed}
     *
     * @param backend where it lives
     * @param config architecture and objective
     * @param seed key of the initial weights
     */
    public static Vae create(Backend backend, VaeConfig config, long seed) {
        Vae vae = new Vae(backend, config);
        try {
            vae.initialize(seed);
            return vae;
        } catch (RuntimeException | Error e) {
            vae.close();
            throw e;
        }
    }

    /** {@return a model with all weights zero, to be filled} */
    static Vae blank(Backend backend, VaeConfig config) {
        return new Vae(backend, config);
    }

    private void initialize(long seed) {
        double[] values = new double[Math.toIntExact(parameters.values().size())];
        int tensor = 0;
        for (Layer layer : VaeGraph.layers(config)) {
            // Each head counts as a layer of its own, as it would if it stood alone.
            int fanOut = layer.name().equals("heads") ? layer.out() / 2 : layer.out();
            fill(
                    seed,
                    tensor++,
                    layer.name() + ".weight",
                    config.initialization().weightBound(layer.in(), fanOut),
                    values);
            fill(seed, tensor++, layer.name() + ".bias", config.initialization().biasBound(layer.in()), values);
        }
        parameters.values().uploadDoubles(values);
    }

    private void fill(long seed, int tensor, String name, double bound, double[] values) {
        int from = Math.toIntExact(parameters.value(name).offset());
        int to = from + Math.toIntExact(parameters.value(name).size());
        Initialization.uniform(seed, tensor, bound, values, from, to);
    }

    /** {@return the backend it lives on} */
    public Backend backend() {
        return backend;
    }

    /** {@return architecture and objective} */
    public VaeConfig config() {
        return config;
    }

    /** {@return the layers over its weights, which issue steps} */
    public VaeGraph graph() {
        return graph;
    }

    /** {@return the arena of weights, gradients and moments} */
    public Parameters parameters() {
        return parameters;
    }

    /** {@return the number of weights and biases} */
    public long parameterCount() {
        return parameters.specs().stream().mapToLong(Parameters.Spec::size).sum();
    }

    /**
     * Frees the weights; closing twice does nothing.
     *
     * @throws IllegalStateException while a trainer or an evaluator of this model is open; nothing is freed then
     */
    @Override
    public void close() {
        workspace.close();
    }

    /** {@return architecture, parameters and backend in one line} */
    @Override
    public String toString() {
        return "VAE " + config.summary() + ", " + parameterCount() + " parameters on "
                + backend.info().numericProfile();
    }
}
