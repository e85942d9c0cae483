package io.github.elbo4j.benchmarks.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A library whose training step is measured, each time in a process of its own.
 *
 * @param name of the results
 * @param mainClass of the process
 * @param module folder of its Maven module; null for ours, which is on this class path
 * @param settings that are tried before the rounds; the fastest is kept
 */
record Contender(String name, String mainClass, @Nullable Path module, List<Setting> settings) {
    /** The setting of a peer that chooses its kernels itself; it is only told that waiting threads sleep. */
    static final String AS_IT_COMES = "default-passive";

    private static final String PACKAGE = "io.github.elbo4j.benchmarks.peers.";

    /**
     * One way to run a library.
     *
     * @param name of the results
     * @param word what the process is told
     * @param environment what its process gets besides the number of threads
     */
    record Setting(String name, String word, Map<String, String> environment) {}

    /** {@return the step of a backend of ours} */
    static Contender ours(String backend) {
        return new Contender(
                backend, OurStep.class.getName(), null, List.of(new Setting("default", backend, Map.of())));
    }

    /** {@return the same on rows without a zero, which leave it nothing to leave out; peers compute with zeros as with others} */
    static Contender oursOnFullRows(String backend) {
        return new Contender(
                backend,
                OurStep.class.getName(),
                null,
                List.of(new Setting("full-rows", backend + OurStep.FULL_ROWS, Map.of())));
    }

    /** {@return every peer} */
    static List<Contender> peers(Path repository) {
        Path modules = repository.resolve("benchmarks/peers");
        return List.of(
                new Contender(
                        "libtorch-bytedeco",
                        PACKAGE + "LibtorchBytedecoStep",
                        modules.resolve("libtorch-bytedeco"),
                        settings("onednn", "plain")),
                new Contender(
                        "libtorch-djl",
                        PACKAGE + "LibtorchDjlStep",
                        modules.resolve("libtorch-djl"),
                        settings("default")),
                new Contender(
                        "deeplearning4j",
                        PACKAGE + "Deeplearning4jStep",
                        modules.resolve("deeplearning4j"),
                        withCoreTypes(settings("default"))));
    }

    /** {@return the same library's program for a whole training} */
    Contender training() {
        return new Contender(name, mainClass.replace("Step", "Training"), module, settings);
    }

    /** Each word once with waiting threads that sleep at once and once with threads that spin for a moment. */
    private static List<Setting> settings(String... words) {
        List<Setting> all = new ArrayList<>();
        for (String word : words) {
            all.add(new Setting(word + "-passive", word, Map.of("OMP_WAIT_POLICY", "PASSIVE")));
            all.add(new Setting(word + "-spinning", word, Map.of("GOMP_SPINCOUNT", "10000")));
        }
        return all;
    }

    /** The same, and each with kernels of OpenBLAS that the CPU has: an old one takes a CPU it does not know for the oldest. */
    private static List<Setting> withCoreTypes(List<Setting> settings) {
        List<Setting> all = new ArrayList<>(settings);
        addWithCoreType(all, settings, "avx2", "Haswell");
        addWithCoreType(all, settings, "avx512bw", "SkylakeX");
        return all;
    }

    private static void addWithCoreType(List<Setting> all, List<Setting> settings, String flag, String coreType) {
        if (Facts.cpuFlags().contains(flag)) {
            for (Setting setting : settings) {
                Map<String, String> environment = new LinkedHashMap<>(setting.environment);
                environment.put("OPENBLAS_CORETYPE", coreType);
                all.add(new Setting(setting.name + "-" + coreType, setting.word, environment));
            }
        }
    }

    /** {@return why it cannot run, or null} */
    @Nullable
    String problem() {
        return module == null || Files.isDirectory(module.resolve("target/lib"))
                ? null
                : "it is not built; run: mvn -Ppeers -DskipTests -pl :elbo4j-peer-" + name + " -am package";
    }

    /**
     * {@return the command of a process}
     *
     * @param words its arguments
     */
    List<String> command(List<String> words) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xms1g",
                "-Xmx4g"));
        if (module != null) {
            Path target = module.toAbsolutePath().resolve("target");
            // Libraries unpack into the build's folder, look for nothing elsewhere and do not call the collector.
            command.add("-Dorg.bytedeco.javacpp.cachedir=" + target.resolve("javacpp"));
            command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
            command.add("-Dai.djl.offline=true");
            command.add("-DDJL_CACHE_DIR=" + target.resolve("djl"));
            command.add("-DOPT_OUT_TRACKING=true");
        }
        command.addAll(List.of("-cp", classPath(), mainClass));
        command.addAll(words);
        return command;
    }

    private String classPath() throws IOException {
        if (module == null) {
            return System.getProperty("java.class.path");
        }
        Path target = module.toAbsolutePath().resolve("target");
        List<String> entries = new ArrayList<>();
        try (Stream<Path> jars = Files.list(target)) {
            jars.filter(file -> file.toString().endsWith(".jar"))
                    .map(Path::toString)
                    .forEach(entries::add);
        }
        entries.add(target.resolve("lib") + "/*");
        return String.join(java.io.File.pathSeparator, entries);
    }

    /** {@return the environment of a process} */
    static Map<String, String> environment(Setting setting, int threads) {
        Map<String, String> environment = new LinkedHashMap<>(setting.environment);
        String count = Integer.toString(threads);
        environment.put("OMP_NUM_THREADS", count);
        environment.put("MKL_NUM_THREADS", count);
        // OpenBLAS then says which of its kernels it took.
        environment.put("OPENBLAS_VERBOSE", "2");
        return environment;
    }
}
