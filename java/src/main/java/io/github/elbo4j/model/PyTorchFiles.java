package io.github.elbo4j.model;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import io.github.elbo4j.model.StateDict.Linear;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Models of PyTorch: the {@code state_dict} of a variational autoencoder of linear layers, stored as safetensors.
 *
 * <p>Widths come from the shapes. A {@code state_dict} does not say which activation stands between the layers, nor what its
 * second head means: the activation is taken from the {@link Options}, and the head is the log-variance
 * {@code log(sigma^2)}, as in pytorch/examples, not {@code log(sigma)}. The last layer gives logits; the sigmoid that
 * PyTorch's module applies to it has no weights and is part of the likelihood here.
 *
 * <p>Weights may be F32, F64, F16 or BF16; they become the backend's floating type, F64 by rounding to F32.
 */
public final class PyTorchFiles {
    private static final int MNIST = 28;

    /** How the files of {@code torch.save} begin: as a zip, or, before PyTorch 1.6, as a pickle. */
    private static final List<byte[]> PICKLES = List.of(new byte[] {'P', 'K', 3, 4}, new byte[] {(byte) 0x80, 2});

    private PyTorchFiles() {}

    /** {@return options with the defaults: names detected, 28x28 from 784 inputs, ReLU, beta 1} */
    public static Options options() {
        return new Options();
    }

    /**
     * {@return the model of a state_dict, on a backend, with the default options}
     *
     * @param file the safetensors file
     * @throws FormatException as {@link #load(Backend, Path, Options)} does
     */
    public static Vae load(Backend backend, Path file) throws IOException {
        return load(backend, file, options());
    }

    /**
     * {@return the model of a state_dict, on a backend}
     *
     * @param file the safetensors file; {@code module.} and {@code _orig_mod.} before all names are passed over
     * @param options what a state_dict does not say
     * @throws FormatException if it is no such file, a tensor is missing, unknown, misshapen or not finite, or the layers do
     *     not follow from one another
     */
    public static Vae load(Backend backend, Path file, Options options) throws IOException {
        try (Arena host = Arena.ofConfined()) {
            StateDict state = new StateDict(read(file, host));
            PyTorchNames names = options.names == null ? state.detect() : options.names;
            requireDepth(state, names);
            state.requireOnly(names);
            VaeConfig config = config(state, names, options);
            return VaeFiles.restore(backend, config, vae -> fill(state, names, vae));
        }
    }

    /**
     * Writes a model as a {@code state_dict} in F32 that {@code safetensors.torch.load_file} reads; the file is replaced
     * atomically. Weights of a binary64 backend are rounded.
     *
     * @param names of the layers in the PyTorch module
     * @throws IOException if the file cannot be written; what was there before stays
     * @throws IllegalArgumentException if the names are for another number of layers, or a weight is not finite as F32
     */
    public static void save(Vae vae, Path file, PyTorchNames names) throws IOException {
        VaeConfig config = vae.config();
        int encoder = config.encoder().size();
        int decoder = config.decoder().size() + 1;
        if (names.encoder().size() != encoder || names.decoder().size() != decoder) {
            throw new IllegalArgumentException(
                    names + " are for another model than " + config.summary() + ", which has " + encoder
                            + " hidden layers in its encoder and " + decoder + " layers in its decoder");
        }
        MemorySegment values = MemorySegment.ofArray(vae.parameters().values().downloadFloats());
        SafetensorsWriter writer = new SafetensorsWriter().metadata(StateDict.FORMAT, StateDict.PYTORCH);
        for (Place place : places(config, names)) {
            for (String part : List.of(StateDict.WEIGHT, StateDict.BIAS)) {
                add(writer, vae.parameters(), values, place, part);
            }
        }
        writer.write(file);
    }

    /** One layer of the model and the layers of the file that lie in it one after another. */
    private record Place(String layer, List<String> names) {}

    private static List<Place> places(VaeConfig config, PyTorchNames names) {
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < names.encoder().size(); i++) {
            places.add(new Place("encoder." + i, List.of(names.encoder().get(i))));
        }
        places.add(new Place("heads", names.heads()));
        for (int i = 0; i < config.decoder().size(); i++) {
            places.add(new Place("decoder." + i, List.of(names.decoder().get(i))));
        }
        places.add(new Place("logits", List.of(names.decoder().getLast())));
        return places;
    }

    private static void add(
            SafetensorsWriter writer, Parameters parameters, MemorySegment values, Place place, String part) {
        View view = parameters.value(place.layer + part);
        // Rows of one layer follow each other, so each head is a slice.
        long size = view.size() / place.names.size();
        long[] shape = view.shape().clone();
        shape[0] /= place.names.size();
        for (int i = 0; i < place.names.size(); i++) {
            MemorySegment slice = values.asSlice((view.offset() + i * size) * Float.BYTES, size * Float.BYTES);
            requireFinite(place.layer + part, slice);
            writer.add(place.names.get(i) + part, DType.F32, shape, slice);
        }
    }

    private static void requireFinite(String parameter, MemorySegment values) {
        for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
            float number = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (!Float.isFinite(number)) {
                throw new IllegalArgumentException(
                        "parameter '" + parameter + "' holds " + number + " as F32; a file of it could not be loaded");
            }
        }
    }

    private static void fill(StateDict state, PyTorchNames names, Vae vae) throws IOException {
        Tensor values = vae.parameters().values();
        for (Place place : places(vae.config(), names)) {
            for (String part : List.of(StateDict.WEIGHT, StateDict.BIAS)) {
                long at = vae.parameters().value(place.layer + part).offset();
                for (String name : place.names) {
                    at = state.copy(name + part, values, at);
                }
            }
        }
    }

    private static SafetensorsFile read(Path path, Arena host) throws IOException {
        SafetensorsFile file;
        try {
            file = SafetensorsFile.read(path, host);
        } catch (FormatException e) {
            if (isPickle(path)) {
                throw new FormatException(
                        path.toString(),
                        "was written by torch.save, as a pickle, which can run code when it is read",
                        "write it with safetensors.torch.save_file(model.state_dict(), ...)",
                        e);
            }
            throw e;
        }
        if (StateDict.isOurs(file)) {
            throw new FormatException(
                    file.source(),
                    "was written by this library and is no state_dict of PyTorch",
                    "load the folder of a model with VaeFiles.load");
        }
        return file;
    }

    private static boolean isPickle(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] start = in.readNBytes(4);
            return PICKLES.stream().anyMatch(pickle -> Arrays.equals(Arrays.copyOf(start, pickle.length), pickle));
        } catch (IOException _) {
            return false;
        }
    }

    private static void requireDepth(StateDict state, PyTorchNames names) throws FormatException {
        int encoder = names.encoder().size();
        int decoder = names.decoder().size() - 1;
        if (Math.max(encoder, decoder) > VaeConfig.MAX_LAYERS) {
            throw new FormatException(
                    state.source(),
                    "has " + encoder + " hidden layers in its encoder and " + decoder + " in its decoder",
                    "use models with at most " + VaeConfig.MAX_LAYERS + " on either side");
        }
    }

    private static VaeConfig config(StateDict state, PyTorchNames names, Options options) throws FormatException {
        List<Linear> encoder = chain(state, null, names.encoder());
        List<Linear> heads = new ArrayList<>();
        for (String head : names.heads()) {
            heads.addAll(chain(state, encoder.getLast(), List.of(head)));
        }
        Linear latent = latent(state, heads);
        List<Linear> decoder = chain(state, latent, names.decoder());
        Linear first = encoder.getFirst();
        if (decoder.getLast().out() != first.in()) {
            throw mismatch(
                    state,
                    "takes",
                    first,
                    first.in(),
                    decoder.getLast(),
                    decoder.getLast().out());
        }
        return new VaeConfig(
                input(state, first, options.input),
                encoder.stream().map(Linear::out).toList(),
                latent.out(),
                decoder.subList(0, decoder.size() - 1).stream().map(Linear::out).toList(),
                options.activation,
                Initialization.PYTORCH,
                options.beta,
                options.logVarClamp);
    }

    /** {@return layers of which each takes what the one before it gives} */
    private static List<Linear> chain(StateDict state, @Nullable Linear before, List<String> names)
            throws FormatException {
        List<Linear> layers = new ArrayList<>();
        Linear last = before;
        for (String name : names) {
            Linear layer = state.linear(name);
            if (last != null && layer.in() != last.out()) {
                throw mismatch(state, "takes", layer, layer.in(), last, last.out());
            }
            layers.add(layer);
            last = layer;
        }
        return layers;
    }

    /** {@return a head as the decoder sees it, with as many outputs as there are latent dimensions} */
    private static Linear latent(StateDict state, List<Linear> heads) throws FormatException {
        Linear mu = heads.getFirst();
        if (heads.size() == 1) {
            if (mu.out() % 2 != 0) {
                throw new FormatException(
                        state.source(),
                        "layer '" + mu.name() + "' gives " + mu.out()
                                + " outputs, which are not as many of mu as of the" + " log-variance",
                        "name two layers if the heads are two");
            }
            return new Linear("mu of " + mu.name(), mu.in(), mu.out() / 2);
        }
        if (heads.getLast().out() != mu.out()) {
            throw mismatch(
                    state,
                    "gives",
                    mu,
                    mu.out(),
                    heads.getLast(),
                    heads.getLast().out());
        }
        return mu;
    }

    private static FormatException mismatch(
            StateDict state, String verb, Linear layer, int width, Linear other, int otherWidth) {
        return new FormatException(
                state.source(),
                "layer '" + layer.name() + "' " + verb + " " + width + " values but '" + other.name() + "' gives "
                        + otherWidth,
                "check that the layers are named in the order of the forward pass");
    }

    private static ImageShape input(StateDict state, Linear first, @Nullable ImageShape given) throws FormatException {
        ImageShape shape = given == null ? new ImageShape(MNIST, MNIST, 1) : given;
        if (shape.size() != first.in()) {
            throw new FormatException(
                    state.source(),
                    "layer '" + first.name() + "' takes " + first.in() + " values, which are no image of "
                            + shape.height() + " x " + shape.width() + " x " + shape.channels(),
                    "give the extents of an input with PyTorchFiles.options().input(ImageShape)");
        }
        return shape;
    }

    /** What a state_dict does not say; not safe for several threads. */
    public static final class Options {
        private @Nullable PyTorchNames names;
        private @Nullable ImageShape input;
        private Activation activation = Activation.RELU;
        private double beta = 1;
        private Clamp logVarClamp = Clamp.DEFAULT;

        private Options() {}

        /** Names the layers; without it they are detected. */
        public Options names(PyTorchNames layers) {
            names = layers;
            return this;
        }

        /** Sets the extents of one input; without it, it must have 28 x 28 values. */
        public Options input(ImageShape shape) {
            input = shape;
            return this;
        }

        /** Sets the activation of every hidden layer. */
        public Options activation(Activation f) {
            activation = f;
            return this;
        }

        /** Sets the weight of the KL divergence, for losses and further training. */
        public Options beta(double weight) {
            beta = weight;
            return this;
        }

        /** Sets the range of the log-variance. */
        public Options logVarClamp(Clamp range) {
            logVarClamp = range;
            return this;
        }
    }
}
