package io.github.elbo4j.model;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A PyTorch {@code state_dict} in a safetensors file: its linear layers, and their numbers whatever floating type they have.
 *
 * <p>Layers and tensors are named without the prefixes of wrappers; errors name them as the file does.
 */
final class StateDict {
    /** Metadata: what wrote the file. */
    static final String FORMAT = "format";

    /** The format that PyTorch's tools write. */
    static final String PYTORCH = "pt";

    static final String WEIGHT = ".weight";
    static final String BIAS = ".bias";

    private static final String OURS = "elbo4j-";

    /** What DataParallel and torch.compile put before every name. */
    private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.");

    private static final List<String> BATCH_NORM = List.of(".running_mean", ".running_var", ".num_batches_tracked");
    private static final int CHUNK = 1 << 16;

    /**
     * A linear layer, {@code y = x W^T + b}.
     *
     * @param name its name
     * @param in inputs
     * @param out outputs
     */
    record Linear(String name, int in, int out) {}

    /** The numbers of a tensor, each of them exact in binary64. */
    @FunctionalInterface
    private interface Elements {
        double at(long index);
    }

    private final SafetensorsFile file;
    private final String prefix;

    StateDict(SafetensorsFile file) {
        this.file = file;
        this.prefix = prefix(file.names());
    }

    /** {@return whether the metadata says that this library wrote the file} */
    static boolean isOurs(SafetensorsFile file) {
        return file.metadata().getOrDefault(FORMAT, "").startsWith(OURS);
    }

    /** {@return whether the file looks like a model of PyTorch; one with this library's names does not} */
    static boolean isOne(SafetensorsFile file) {
        return !isOurs(file)
                && !file.has("heads" + WEIGHT)
                && (PYTORCH.equals(file.metadata().get(FORMAT))
                        || PyTorchNames.detect(new StateDict(file).layers()) != null);
    }

    private static String prefix(List<String> names) {
        StringBuilder prefix = new StringBuilder();
        String wrapper = names.isEmpty() ? null : wrapper(names, 0);
        while (wrapper != null) {
            prefix.append(wrapper);
            wrapper = wrapper(names, prefix.length());
        }
        return prefix.toString();
    }

    private static @Nullable String wrapper(List<String> names, int at) {
        return WRAPPERS.stream()
                .filter(each -> names.stream().allMatch(name -> name.startsWith(each, at)))
                .findFirst()
                .orElse(null);
    }

    String source() {
        return file.source();
    }

    /** {@return the names of whatever has a weight or a bias} */
    private Set<String> layers() {
        Set<String> layers = new LinkedHashSet<>();
        for (String name : file.names()) {
            for (String part : List.of(WEIGHT, BIAS)) {
                if (name.endsWith(part) && name.length() >= prefix.length() + part.length()) {
                    layers.add(name.substring(prefix.length(), name.length() - part.length()));
                }
            }
        }
        return layers;
    }

    /** {@return the names of its layers, by the scheme that they follow} */
    PyTorchNames detect() throws FormatException {
        refuseBatchNorm();
        PyTorchNames names = PyTorchNames.detect(layers());
        if (names != null) {
            return names;
        }
        String remedy = "name its layers with PyTorchFiles.options().names(PyTorchNames)";
        if (file.names().isEmpty()) {
            throw new FormatException(source(), "has no tensors", "write the state_dict of a model again");
        }
        throw file.refusal(
                file.names().getFirst(),
                "and the others are named neither as in pytorch/examples nor as in encoder.0, fc_mu, fc_var, decoder.0",
                remedy);
    }

    private void refuseBatchNorm() throws FormatException {
        for (String name : file.names()) {
            if (BATCH_NORM.stream().anyMatch(name::endsWith)) {
                throw file.refusal(
                        name,
                        "belongs to a BatchNorm layer, a kind that this library does not have",
                        "fold it into the linear layer before it, or train without it");
            }
        }
    }

    /** Checks that the file has every tensor of the layers and no other. */
    void requireOnly(PyTorchNames names) throws FormatException {
        refuseBatchNorm();
        Set<String> wanted = new LinkedHashSet<>();
        for (String layer : names.layers()) {
            wanted.add(prefix + layer + WEIGHT);
            wanted.add(prefix + layer + BIAS);
        }
        String missing = wanted.stream()
                .filter(name -> !file.has(name))
                .map(name -> "'" + name + "'")
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw new FormatException(
                    source(),
                    "lacks " + missing + " of the layers " + names.layers(),
                    "give the names of its own layers; for a layer without bias, save zeros");
        }
        for (String name : file.names()) {
            if (!wanted.contains(name)) {
                throw file.refusal(
                        name,
                        "is none of the layers " + names.layers(),
                        "name it if it is a layer of the encoder, the heads or the decoder, and use no other layers");
            }
        }
    }

    /** {@return a layer whose tensors have the types and shapes of a linear one} */
    Linear linear(String layer) throws FormatException {
        String weight = prefix + layer + WEIGHT;
        String bias = prefix + layer + BIAS;
        long[] shape = file.shape(weight);
        if (shape.length != 2) {
            throw file.refusal(
                    weight,
                    "has not the two dimensions [out, in] of a linear layer",
                    "use models of linear layers only; convolutions and normalizations are not supported");
        }
        for (long width : shape) {
            if (width < 1 || width > VaeConfig.MAX_WIDTH) {
                throw file.refusal(weight, "has the width " + width, "use widths from 1 to " + VaeConfig.MAX_WIDTH);
            }
        }
        long[] outputs = file.shape(bias);
        if (outputs.length != 1 || outputs[0] != shape[0]) {
            throw file.refusal(
                    bias,
                    "is no bias for the " + shape[0] + " outputs of the weight beside it",
                    "write the state_dict again");
        }
        elements(weight);
        elements(bias);
        return new Linear(layer, (int) shape[1], (int) shape[0]);
    }

    private Elements elements(String tensor) throws FormatException {
        MemorySegment bytes = file.bytes(tensor);
        return switch (file.typeText(tensor)) {
            case "F32" -> i -> bytes.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
            case "F64" -> i -> bytes.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
            case "F16" -> i -> Float.float16ToFloat(bytes.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
            case "BF16" -> i -> Float.intBitsToFloat(bytes.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
            default ->
                throw file.refusal(
                        tensor, "has a type that weights cannot have", "convert it to F32, F64, F16 or BF16");
        };
    }

    /**
     * Copies a tensor into an arena of weights, converted to its type in parts.
     *
     * @param name the tensor, without prefix
     * @param offset where its first element goes
     * @return where the next tensor would begin
     * @throws FormatException if a number is not finite, or is not when rounded
     */
    long copy(String name, Tensor arena, long offset) throws FormatException {
        String tensor = prefix + name;
        Elements elements = elements(tensor);
        long size = 1;
        for (long extent : file.shape(tensor)) {
            size *= extent;
        }
        DType type = arena.type();
        try (Arena host = Arena.ofConfined()) {
            MemorySegment part = host.allocate(Math.min(CHUNK, size) * type.bytes(), Tensor.VIEW_ALIGNMENT);
            for (long at = 0; at < size; at += CHUNK) {
                long count = Math.min(CHUNK, size - at);
                for (long i = 0; i < count; i++) {
                    double number = elements.at(at + i);
                    if (!Double.isFinite(type == DType.F64 ? number : (float) number)) {
                        throw file.refusal(
                                tensor,
                                "holds " + number + " at element " + (at + i) + ", no finite number as " + type,
                                "save a model from before its training failed");
                    }
                    if (type == DType.F64) {
                        part.setAtIndex(ValueLayout.JAVA_DOUBLE, i, number);
                    } else {
                        part.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) number);
                    }
                }
                arena.upload(part.asSlice(0, count * type.bytes()), offset + at);
            }
        }
        return offset + size;
    }
}
