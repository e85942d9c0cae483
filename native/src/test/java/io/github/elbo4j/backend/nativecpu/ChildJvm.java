package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider;
import java.io.File;
import java.io.StringReader;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;

/** A JVM of its own: a process looks for the library once, and has one heap. */
final class ChildJvm {
    /** How classes are found. */
    enum Mode {
        CLASS_PATH,
        MODULE_PATH
    }

    private static final String MODULE = "io.github.elbo4j.nativecpu";

    private final Mode mode;
    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();
    private boolean nativeAccess = true;
    private int limitSeconds = 120;

    ChildJvm(Mode mode) {
        this.mode = mode;
    }

    ChildJvm option(String option) {
        options.add(option);
        return this;
    }

    ChildJvm environment(String name, String value) {
        environment.put(name, value);
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

    ChildJvm limitSeconds(int seconds) {
        limitSeconds = seconds;
        return this;
    }

    /** Runs {@link Probe} and gives what it printed. */
    Map<String, String> probe() throws Exception {
        return run(Probe.class);
    }

    /** Runs a class and gives the properties it printed; fails if the JVM did not end by itself with status 0. */
    Map<String, String> run(Class<?> main, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx128m", "--illegal-native-access=deny"));
        command.addAll(options);
        Path tests = folder(main);
        List<String> path = new ArrayList<>(places());
        if (mode == Mode.CLASS_PATH) {
            if (nativeAccess) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            path.addFirst(tests.toString());
            command.addAll(List.of("-cp", String.join(File.pathSeparator, path), main.getName()));
        } else {
            if (nativeAccess) {
                command.add("--enable-native-access=" + MODULE);
            }
            command.addAll(List.of("--patch-module", MODULE + "=" + tests));
            command.addAll(List.of("-p", String.join(File.pathSeparator, path)));
            command.addAll(List.of("-m", MODULE + "/" + main.getName()));
        }
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeAll(Set.of(NativeIsas.CAP_VARIABLE, "JAVA_TOOL_OPTIONS"));
        builder.environment().putAll(environment);
        Tools.Result result = Tools.run(builder, limitSeconds);
        assertThat(result.status()).as(result.output()).isZero();
        Properties printed = new Properties();
        printed.load(new StringReader(result.output()
                .lines()
                .filter(line -> line.startsWith("probe."))
                .map(line -> line.substring("probe.".length()).replace("\\", "\\\\"))
                .collect(Collectors.joining("\n"))));
        return printed.stringPropertyNames().stream().collect(Collectors.toMap(name -> name, printed::getProperty));
    }

    /** {@return the jars and folders of the backend and what it depends on, tests left out} */
    static List<String> places() throws Exception {
        List<String> places = new ArrayList<>();
        places.add(folder(NativeProvider.class).toString());
        for (String name : List.of(
                BackendProvider.class.getName(),
                "de.siegmar.fastcsv.reader.CsvReader",
                "tools.jackson.core.JsonParser")) {
            URL place = Class.forName(name, false, ChildJvm.class.getClassLoader())
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation();
            places.add(Path.of(place.toURI()).toString());
        }
        return places;
    }

    /** The folder of classes that holds one, which a patched module does not tell. */
    static Path folder(Class<?> type) {
        URL found = Objects.requireNonNull(type.getResource(type.getSimpleName() + ".class"));
        Path folder = Path.of(URI.create(found.toString()));
        for (int i = type.getName().split("\\.", -1).length; i > 0; i--) {
            folder = Objects.requireNonNull(folder.getParent());
        }
        return folder;
    }
}
