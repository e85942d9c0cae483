package io.github.elbo4j.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Runs one part of the kit.
 *
 * <p>Exit status: 0 when every row of the part is there, 1 when a row failed, 2 for wrong usage, 3 when time ran out
 * and another call goes on where this one stopped.
 */
public final class GpuKit {
    private static final Map<String, Part> PARTS = Map.of(
            "smoke", new SmokePart(),
            "contract", new ContractPart(),
            "kernels", new KernelsPart(),
            "steps", new StepsPart(),
            "latency", new LatencyPart(),
            "mnist", new MnistPart(),
            "sanitize", new SanitizePart(),
            "peers", new PeersPart(),
            "report", new ReportPart());

    private GpuKit() {}

    /** Runs a part and exits with its status. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(run(args));
    }

    private static int run(String[] args) {
        List<String> words = Arrays.asList(args);
        String name = words.isEmpty() ? "" : words.getFirst();
        Part part = PARTS.get(name);
        if (part == null) {
            return usage(name.isEmpty() ? "no part given" : "unknown part '" + name + "'");
        }
        KitOptions options;
        try {
            options = KitOptions.parse(words.subList(1, words.size()));
        } catch (IllegalArgumentException e) {
            return usage(String.valueOf(e.getMessage()));
        }
        try {
            Kit kit = new Kit(name, options);
            part.run(kit);
            return kit.finish();
        } catch (IOException e) {
            System.err.println("gpu-kit " + name + ": " + e.getMessage());
            return 1;
        }
    }

    private static int usage(String problem) {
        System.err.println("gpu-kit: " + problem + "\nusage: GpuKit " + String.join("|", new TreeSet<>(PARTS.keySet()))
                + " " + KitOptions.USAGE);
        return 2;
    }
}
