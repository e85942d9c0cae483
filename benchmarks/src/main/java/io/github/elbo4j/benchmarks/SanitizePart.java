package io.github.elbo4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** NVIDIA's compute-sanitizer on the kernels alone, then on a JVM that trains; a machine without it is a skip. */
final class SanitizePart implements Part {
    private static final List<String> TOOLS = List.of("memcheck", "racecheck", "synccheck");

    /** Status of the sanitizer when it found something; no program of the kit ends with it. */
    private static final int FOUND = 99;

    @Override
    public void run(Kit kit) throws IOException {
        Path home = kit.options().home();
        Path check = home.resolve("bin/kernel_check");
        for (String tool : TOOLS) {
            run(
                    kit,
                    "kernels/" + tool,
                    tool,
                    check,
                    List.of(check.toString(), home.resolve("kernels").toString()));
        }
        for (String tool : TOOLS) {
            run(kit, "jvm/" + tool, tool, Path.of(System.getProperty("java.home")), jvm(kit));
        }
    }

    /** Every kernel of a quick training in a JVM; one precision, as the kernels differ in the products only. */
    private static List<String> jvm(Kit kit) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return List.of(
                java,
                // The JVM's own compiler threads are no business of the sanitizer and slow under it.
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                GpuKit.class.getName(),
                "smoke",
                "--quick",
                "--backend",
                kit.options().backend(),
                "--precisions",
                "fp32",
                "--home",
                kit.options().home().toString(),
                "--results",
                Files.createTempDirectory("sanitize").toString());
    }

    private static void run(Kit kit, String name, String tool, Path needed, List<String> program) throws IOException {
        if (!kit.wanted(name)) {
            return;
        }
        Row row = new Row().put("tool", tool);
        if (!Files.exists(needed)) {
            kit.write(name, null, "none", row.put("skipped", "the kit has no " + needed.getFileName()));
            return;
        }
        List<String> command = new ArrayList<>(List.of(
                "compute-sanitizer",
                "--tool",
                tool,
                "--error-exitcode",
                Integer.toString(FOUND),
                "--print-limit",
                "20"));
        command.addAll(program);
        try {
            Child.Outcome outcome = Child.run(command, Map.of(), line -> {});
            row.put("status", outcome.status()).put("output", outcome.tail());
            if (outcome.tail().contains("Device not supported")) {
                row.put("skipped", "compute-sanitizer does not support this device");
            } else if (outcome.status() == FOUND) {
                row.put("error", tool + " found errors");
            } else if (outcome.status() != 0) {
                row.put("error", "ended with " + outcome.status());
            }
        } catch (IOException e) {
            row.put("skipped", "compute-sanitizer cannot be started: " + e.getMessage());
        }
        kit.write(name, null, "none", row);
    }
}
