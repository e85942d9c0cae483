package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.model.VaeConfig;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** The training steps that are compared: Bernoulli likelihood from logits, analytic KL, Adam with 1e-3, float32. */
public enum Workload {
    /** 784-400-(20|20)-20-400-784, batch 128: thin products count. */
    M1(128, 20),
    /** 784-512-256-(32|32)-32-256-512-784, batch 512: wide products count. */
    M2(512, 32),
    /** A model for tests of the benchmarks themselves. */
    TINY(16, 4);

    /** A multiple of every batch, so that each step has as many rows. */
    private static final int ROWS = 12_800;

    private static final int TINY_ROWS = 128;

    private final int batch;
    private final int latent;

    Workload(int batch, int latent) {
        this.batch = batch;
        this.latent = latent;
    }

    /** {@return rows of a step} */
    public int batch() {
        return batch;
    }

    /** {@return dimensions of z} */
    public int latent() {
        return latent;
    }

    /** {@return the encoder's hidden widths, first to last; the decoder mirrors them} */
    public List<Integer> hidden() {
        return switch (this) {
            case M1 -> List.of(400);
            case M2 -> List.of(512, 256);
            case TINY -> List.of(16);
        };
    }

    /** {@return the model} */
    public VaeConfig config() {
        return VaeConfig.builder()
                .hidden(hidden().stream().mapToInt(Integer::intValue).toArray())
                .latent(latent)
                .build();
    }

    /** {@return the names of the dense layers, input to logits, as in the files of weights} */
    public List<String> layers() {
        List<Integer> hidden = hidden();
        String[] names = new String[2 * hidden.size() + 2];
        for (int i = 0; i < hidden.size(); i++) {
            names[i] = "encoder." + i;
            names[hidden.size() + 1 + i] = "decoder." + i;
        }
        names[hidden.size()] = "heads";
        names[names.length - 1] = "logits";
        return List.of(names);
    }

    /** {@return drawn digits, u8, in the order in which every library takes them} */
    public Dataset data() {
        return Digits.generate(TrainingStep.SEED, 0, this == TINY ? TINY_ROWS : ROWS);
    }

    /** {@return the same with ones for zeros} */
    public Dataset fullRows() {
        Dataset digits = data();
        byte[] pixels = digits.values().toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = pixels[i] == 0 ? 1 : pixels[i];
        }
        return Dataset.ofBytes(pixels, digits.shape());
    }

    /** {@return operations of a step's products, those with zeros included; the first layer has no input gradient} */
    public double flops() {
        List<Integer> hidden = hidden();
        double first = (double) TrainingStep.INPUT * hidden.getFirst();
        double between = 0;
        for (int i = 1; i < hidden.size(); i++) {
            between += (double) hidden.get(i - 1) * hidden.get(i);
        }
        double heads = 2.0 * latent * hidden.getLast();
        double weights = first + between + heads + heads / 2 + between + first;
        return 2.0 * batch * (3 * weights - first);
    }

    /** {@return bytes of the encoder's weights and biases in float32: what encoding one row reads at least} */
    public long encoderBytes() {
        long count = 0;
        int in = TrainingStep.INPUT;
        for (int out : hidden()) {
            count += (long) in * out + out;
            in = out;
        }
        return Float.BYTES * (count + 2L * latent * in + 2L * latent);
    }

    static Workload of(String name) {
        return Arrays.stream(values())
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "unknown workload '" + name + "'; known are " + List.of(values())));
    }
}
