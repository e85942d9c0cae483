package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider;
import java.io.File;
import java.io.StringReader;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;

/** A JVM of its own for {@link Probe}: a library name can be loaded once per process. */
final class ChildJvm {
    /** How classes are found. */
    enum Mode {
        CLASS_PATH,
        MODULE_PATH
    }

    private final Mode mode;
    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final Set<String> without = new LinkedHashSet<>();
    private final Map<String, String> environment = new HashMap<>();
    private Path classes = folder(CudaStatus.class, "CudaStatus.class");
    private boolean nativeAccess = true;

    ChildJvm(Mode mode) {
        this.mode = mode;
    }

    /** Whether this machine has a driver; asked outside of this process, which may hold the emulated one. */
    static boolean driverInstalled() throws Exception {
        return ""
                .equals(new ChildJvm(Mode.CLASS_PATH)
                        .probe("open", "libcuda.so.1")
                        .get("opened"));
    }

    ChildJvm option(String option) {
        options.add(option);
        return this;
    }

    ChildJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** Leaves out jars whose names begin so. */
    ChildJvm without(String jars) {
        without.add(jars);
        return this;
    }

    /** Starts it through another command, which ends by running its arguments. */
    ChildJvm through(List<String> prefix) {
        before.addAll(prefix);
        return this;
    }

    ChildJvm withoutNativeAccess() {
        nativeAccess = false;
        return this;
    }

    /** Other classes of the module than those that were built. */
    ChildJvm classes(Path folder) {
        classes = folder;
        return this;
    }

    /** Runs the probe and gives what it printed; fails if the JVM did not end by itself with status 0. */
    Map<String, String> probe(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx128m");
        command.add("-Xcheck:jni");
        command.add("--illegal-native-access=deny");
        command.addAll(options);
        Path tests = folder(Probe.class, "Probe.class");
        List<String> path = jars();
        path.add(0, classes.toString());
        if (mode == Mode.CLASS_PATH) {
            if (nativeAccess) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            path.add(0, tests.toString());
            command.addAll(List.of("-cp", String.join(File.pathSeparator, path), Probe.class.getName()));
        } else {
            String module = "io.github.elbo4j.cuda";
            if (nativeAccess) {
                command.add("--enable-native-access=" + module + ",jcuda,jcublas");
            }
            command.addAll(List.of("--patch-module", module + "=" + tests));
            command.addAll(List.of("-p", String.join(File.pathSeparator, path)));
            command.addAll(List.of("-m", module + "/" + Probe.class.getName()));
        }
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeAll(Set.of("LD_LIBRARY_PATH", "LD_PRELOAD", "JAVA_TOOL_OPTIONS"));
        builder.environment().putAll(environment);
        Tools.Result result = Tools.run(builder);
        assertThat(result.status()).as(result.output()).isZero();
        Properties printed = new Properties();
        printed.load(new StringReader(result.output()
                .lines()
                .filter(line -> line.startsWith("probe."))
                .map(line -> line.substring("probe.".length()).replace("\\", "\\\\"))
                .collect(Collectors.joining("\n"))));
        return printed.stringPropertyNames().stream().collect(Collectors.toMap(name -> name, printed::getProperty));
    }

    private List<String> jars() throws Exception {
        List<URL> places = new ArrayList<>();
        // Named, not initialised: that would load native libraries here.
        for (String name : List.of(
                BackendProvider.class.getName(),
                "de.siegmar.fastcsv.reader.CsvReader",
                "tools.jackson.core.JsonParser",
                "jcuda.driver.JCudaDriver",
                "jcuda.jcublas.JCublas2")) {
            places.add(Class.forName(name, false, ChildJvm.class.getClassLoader())
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation());
        }
        for (JCudaNatives.Part part : JCudaNatives.Part.values()) {
            String resource = Objects.requireNonNull(
                            ChildJvm.class.getClassLoader().getResource("lib/" + part.fileName()))
                    .getPath();
            places.add(URI.create(resource.substring(0, resource.indexOf('!'))).toURL());
        }
        List<String> jars = new ArrayList<>();
        for (URL place : places) {
            Path jar = Path.of(place.toURI());
            if (without.stream()
                    .noneMatch(each -> String.valueOf(jar.getFileName()).startsWith(each))) {
                jars.add(jar.toString());
            }
        }
        return jars;
    }

    /** The folder of classes that holds this one, which a patched module does not tell. */
    static Path folder(Class<?> type, String file) {
        Path found = Path.of(
                URI.create(Objects.requireNonNull(type.getResource(file)).toString()));
        for (int i = type.getName().split("\\.", -1).length; i > 0; i--) {
            found = Objects.requireNonNull(found.getParent());
        }
        return found;
    }
}
