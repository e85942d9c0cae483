package io.github.elbo4j.model;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model on disk: {@value #WEIGHTS}, one tensor a parameter under its name, and {@value #CONFIG} beside it.
 *
 * <p>Weights have the backend's floating type; a backend of another type refuses them.
 */
public final class VaeFiles {
    /** Name of the weights' file. */
    public static final String WEIGHTS = "model.safetensors";

    /** Name of the configuration's file. */
    public static final String CONFIG = "config.json";

    private VaeFiles() {}

    /** Fills a model that was just made. */
    @FunctionalInterface
    public interface Filler {
        /** Fills it. */
        void fill(Vae vae) throws IOException;
    }

    /**
     * Writes a model into a folder, made if it does not exist; each file is replaced atomically, the configuration first.
     *
     * @throws IOException if a file cannot be written; what was there before stays
     */
    public static void save(Vae vae, Path folder) throws IOException {
        Files.createDirectories(folder);
        AtomicFiles.writeString(
                folder.resolve(CONFIG), Json.writePretty(vae.config().toJson()));
        try (Arena host = Arena.ofConfined()) {
            SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "elbo4j-model-1");
            add(writer, host, "", vae.parameters(), vae.parameters().values());
            writer.write(folder.resolve(WEIGHTS));
        }
    }

    /**
     * {@return the model of a folder, on a backend}
     *
     * @param path a folder with both files, or the weights' file with the configuration beside it
     * @throws FormatException if a file is missing, malformed, or does not fit the other
     */
    public static Vae load(Backend backend, Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new FormatException(path.toString(), "there is no such file or folder", "name the folder of a model");
        }
        Path weights = Files.isDirectory(path) ? path.resolve(WEIGHTS) : path;
        SafetensorsFile file = SafetensorsFile.read(weights);
        if (StateDict.isOne(file)) {
            throw new FormatException(
                    file.source(),
                    "is a state_dict of PyTorch, not a model of this library",
                    "load it with PyTorchFiles.load");
        }
        VaeConfig config = VaeConfig.fromJson(JsonObject.read(weights.resolveSibling(CONFIG)));
        requireFits(file, "", config, backend.real());
        Set<String> known =
                VaeGraph.specs(config).stream().map(Parameters.Spec::name).collect(Collectors.toSet());
        for (String name : file.names()) {
            if (!known.contains(name)) {
                throw new FormatException(
                        file.source(),
                        "tensor '" + name + "' is no parameter of " + config.summary(),
                        "put the '" + CONFIG + "' of this model beside it");
            }
        }
        return restore(
                backend,
                config,
                vae -> fill(file, "", vae.parameters(), vae.parameters().values()));
    }

    /**
     * {@return a model of an architecture, filled by the caller; closed again if filling fails}
     *
     * @param filler fills every parameter
     */
    public static Vae restore(Backend backend, VaeConfig config, Filler filler) throws IOException {
        Vae vae = Vae.blank(backend, config);
        try {
            filler.fill(vae);
            return vae;
        } catch (IOException | RuntimeException | Error e) {
            vae.close();
            throw e;
        }
    }

    /**
     * Checks that a file has every parameter of an architecture; done before the backend is asked for memory, so that a
     * configuration cannot claim more than the file holds.
     *
     * @param prefix what stands before each name
     * @param type of the backend that is to hold them
     * @throws FormatException if one is missing, or has another type or shape
     */
    public static void requireFits(SafetensorsFile file, String prefix, VaeConfig config, DType type)
            throws FormatException {
        for (Parameters.Spec spec : VaeGraph.specs(config)) {
            String name = prefix + spec.name();
            if (file.has(name) && file.typeText(name).equals((type == DType.F32 ? DType.F64 : DType.F32).name())) {
                throw file.refusal(
                        name,
                        "is " + file.typeText(name) + ", but the backend computes in " + type,
                        "open the backend in the other precision (precision " + (type == DType.F32 ? "fp64" : "fp32")
                                + ")");
            }
            file.data(
                    prefix + spec.name(),
                    type,
                    spec.shape().stream().mapToLong(Long::longValue).toArray());
        }
    }

    /** Adds one tensor of an arena to a file, parameter by parameter; the memory must live until the file is written. */
    public static void add(SafetensorsWriter writer, Arena memory, String prefix, Parameters parameters, Tensor arena) {
        DType type = arena.type();
        MemorySegment host = memory.allocate(arena.size() * type.bytes(), Tensor.VIEW_ALIGNMENT);
        arena.download(host, 0);
        for (Parameters.Spec spec : parameters.specs()) {
            View view = parameters.value(spec.name());
            writer.add(
                    prefix + spec.name(),
                    type,
                    view.shape(),
                    host.asSlice(view.offset() * type.bytes(), view.size() * type.bytes()));
        }
    }

    /**
     * Fills one tensor of an arena from a file, parameter by parameter.
     *
     * @throws FormatException if one is missing, or has another type or shape
     */
    public static void fill(SafetensorsFile file, String prefix, Parameters parameters, Tensor arena)
            throws FormatException {
        for (Parameters.Spec spec : parameters.specs()) {
            View view = parameters.value(spec.name());
            arena.upload(file.data(prefix + spec.name(), arena.type(), view.shape()), view.offset());
        }
    }
}
