package io.github.elbo4j.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The names that a PyTorch module gives to the layers of a variational autoencoder: what stands before {@code .weight} and
 * {@code .bias} in its {@code state_dict}, without the {@code module.} and {@code _orig_mod.} of wrappers.
 *
 * @param encoder the encoder's hidden layers, first to last; at least one
 * @param heads the layer of mu and the layer of the log-variance, or one layer that gives mu and behind it the log-variance
 * @param decoder the decoder's layers, first to last; at least two, the last one gives the logits
 */
public record PyTorchNames(List<String> encoder, List<String> heads, List<String> decoder) {
    /** The names of {@code vae} in pytorch/examples. */
    public static final PyTorchNames EXAMPLE =
            new PyTorchNames(List.of("fc1"), List.of("fc21", "fc22"), List.of("fc3", "fc4"));

    private static final List<String> MU = List.of("fc_mu", "mu", "mean", "fc_mean");
    private static final List<String> LOG_VAR = List.of("fc_var", "fc_logvar", "logvar", "log_var");
    private static final Pattern NUMBERED = Pattern.compile("(encoder|decoder)\\.(0|[1-9][0-9]{0,8})");

    /** Checks the numbers of layers, and that each has a name of its own. */
    public PyTorchNames {
        encoder = List.copyOf(encoder);
        heads = List.copyOf(heads);
        decoder = List.copyOf(decoder);
        if (encoder.isEmpty() || heads.isEmpty() || heads.size() > 2 || decoder.size() < 2) {
            throw new IllegalArgumentException(
                    encoder.size() + " names of encoder layers, " + heads.size() + " of heads and " + decoder.size()
                            + " of decoder layers; give at least 1, then 1 or 2, then at least 2, the last for the logits");
        }
        Set<String> seen = new HashSet<>();
        for (String name : layers(encoder, heads, decoder)) {
            if (!seen.add(name)) {
                throw new IllegalArgumentException("layer '" + name + "' is named twice; each layer has its own name");
            }
        }
    }

    /**
     * {@return the names of an encoder and a decoder that are each an {@code nn.Sequential} of linear layers with activations
     * between them, which take the odd numbers: {@code encoder.0}, {@code encoder.2}, ..., {@code fc_mu}, {@code fc_var},
     * {@code decoder.0}, {@code decoder.2}, ...}
     *
     * @param config architecture whose layers are to be named
     */
    public static PyTorchNames sequential(VaeConfig config) {
        return new PyTorchNames(
                numbered("encoder", config.encoder().size()),
                List.of(MU.getFirst(), LOG_VAR.getFirst()),
                numbered("decoder", config.decoder().size() + 1));
    }

    private static List<String> numbered(String stack, int layers) {
        return IntStream.range(0, layers).mapToObj(i -> stack + "." + 2 * i).toList();
    }

    /** {@return a builder for any other names} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return all layers in the order of a forward pass} */
    List<String> layers() {
        return layers(encoder, heads, decoder);
    }

    private static List<String> layers(List<String> encoder, List<String> heads, List<String> decoder) {
        return Stream.of(encoder, heads, decoder).flatMap(List::stream).toList();
    }

    /** {@return the names of which some are among the layers, null if no known scheme fits} */
    static @Nullable PyTorchNames detect(Collection<String> layers) {
        if (EXAMPLE.heads.stream().anyMatch(layers::contains)) {
            return EXAMPLE;
        }
        List<String> encoder = numbered("encoder", layers);
        List<String> decoder = numbered("decoder", layers);
        List<String> heads = Stream.of(MU, LOG_VAR)
                .flatMap(names -> names.stream().filter(layers::contains).limit(1))
                .toList();
        boolean merged = heads.isEmpty() && encoder.size() + decoder.size() == layers.size();
        if (merged && encoder.size() > 1) {
            heads = List.of(encoder.getLast());
            encoder = encoder.subList(0, encoder.size() - 1);
        }
        boolean complete = !encoder.isEmpty() && heads.size() == (merged ? 1 : 2) && decoder.size() > 1;
        return complete ? new PyTorchNames(encoder, heads, decoder) : null;
    }

    /** {@return the numbered layers of one stack in the order of their numbers} */
    private static List<String> numbered(String stack, Collection<String> layers) {
        Map<Integer, String> byNumber = new TreeMap<>();
        for (String layer : layers) {
            Matcher name = NUMBERED.matcher(layer);
            if (name.matches() && name.group(1).equals(stack)) {
                byNumber.put(Integer.valueOf(name.group(2)), layer);
            }
        }
        return new ArrayList<>(byNumber.values());
    }

    /** Collects names; not safe for several threads. */
    public static final class Builder {
        private List<String> encoder = List.of();
        private List<String> heads = List.of();
        private List<String> decoder = List.of();

        private Builder() {}

        /** Names the encoder's hidden layers, first to last. */
        public Builder encoder(String... layers) {
            encoder = List.of(layers);
            return this;
        }

        /** Names the layers of mu and of the log-variance. */
        public Builder heads(String mu, String logVar) {
            heads = List.of(mu, logVar);
            return this;
        }

        /** Names the one layer that gives mu and behind it the log-variance. */
        public Builder heads(String muLogVar) {
            heads = List.of(muLogVar);
            return this;
        }

        /** Names the decoder's layers, first to last; the last one gives the logits. */
        public Builder decoder(String... layers) {
            decoder = List.of(layers);
            return this;
        }

        /**
         * {@return the names}
         *
         * @throws IllegalArgumentException if layers are missing or two have one name
         */
        public PyTorchNames build() {
            return new PyTorchNames(encoder, heads, decoder);
        }
    }
}
