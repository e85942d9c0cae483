package io.github.elbo4j.cli.report;

import io.github.elbo4j.cli.Required;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A browser without a window, with a profile of its own, told what to do over the DevTools protocol; ended by closing it.
 *
 * <p>It is the program that the system property {@value #PROGRAM} names, or else a Chromium on the PATH.
 */
public final class Chromium implements AutoCloseable {
    private static final String PROGRAM = "elbo4j.test.chromium";
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");

    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** What is longer is a file in a message: it says nothing about the page and would exceed the limit of {@link Json}. */
    private static final Pattern FILE = Pattern.compile("[A-Za-z0-9+/=]{2000,}+");

    private final Path profile;
    private final Process process;
    private final HttpClient http = HttpClient.newBuilder()
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(LIMIT)
            .build();
    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private final List<JsonObject> events = new ArrayList<>();
    private @Nullable WebSocket socket;
    private String session = "";
    private String lastFile = "";
    private int calls;

    private Chromium(Path program) throws IOException {
        profile = Files.createTempDirectory("elbo4j-chromium");
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "--headless",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-gpu",
                "--disable-sync",
                "--hide-scrollbars",
                "--no-default-browser-check",
                "--no-first-run",
                "--no-proxy-server"));
        if (System.getProperty("user.name", "").equals("root")) {
            // Chromium's sandbox refuses to be set up by root.
            command.add("--no-sandbox");
        }
        command.add("about:blank");
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(profile.resolve("chromium.log").toFile())
                .start();
    }

    /** {@return a browser with an empty page; the calling test is skipped, or fails if it is required, where there is none} */
    public static Chromium start() throws Exception {
        Optional<Path> program = find();
        if (program.isEmpty()) {
            String line = "no Chromium on the PATH; install it, or name it with -D" + PROGRAM + "=PATH";
            Required.missing("chromium", line);
        }
        Chromium chromium = new Chromium(program.orElseThrow());
        try {
            chromium.connect();
            return chromium;
        } catch (Throwable t) {
            chromium.close();
            throw t;
        }
    }

    private static Optional<Path> find() {
        String named = System.getProperty(PROGRAM);
        if (named != null) {
            // A wrong name is a mistake, not an absence.
            return Optional.of(Path.of(named));
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return NAMES.stream()
                .flatMap(name -> Arrays.stream(path.split(File.pathSeparator, -1))
                        .filter(folder -> !folder.isEmpty())
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private void connect() throws Exception {
        Path port = profile.resolve("DevToolsActivePort");
        long end = System.nanoTime() + LIMIT.toNanos();
        List<String> lines = List.of();
        while (lines.size() < 2) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IOException("Chromium does not start: " + Files.readString(profile.resolve("chromium.log")));
            }
            Thread.sleep(20);
            lines = Files.exists(port) ? Files.readAllLines(port) : List.of();
        }
        socket = http.newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)), new Receiver())
                .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        String page = call("Target.createTarget", Map.of("url", "about:blank")).string("targetId");
        session = call("Target.attachToTarget", Map.of("targetId", page, "flatten", true))
                .string("sessionId");
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            call(domain + ".enable", Map.of());
        }
    }

    /** Opens a page and waits until it has loaded; forgets what was seen before. */
    void open(Path file) throws Exception {
        events.clear();
        call("Page.navigate", Map.of("url", file.toUri().toString()));
        long end = System.nanoTime() + LIMIT.toNanos();
        while (seen("Page.loadEventFired").isEmpty()) {
            receive(end);
        }
    }

    /** Sets the window's extents, in pixels of the page. */
    public void window(int width, int height) throws Exception {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    }

    /** Sets what the reader prefers, for one {@code prefers-color-scheme: dark}. */
    public void prefer(String medium, Map<String, String> features) throws Exception {
        List<Object> list = new ArrayList<>();
        features.forEach((name, value) -> list.add(Map.of("name", name, "value", value)));
        call("Emulation.setEmulatedMedia", Map.of("media", medium, "features", list));
    }

    /** {@return what a JavaScript expression gives, awaited if it is a promise} */
    @Nullable
    public Object evaluate(String expression) throws Exception {
        JsonObject reply = call(
                "Runtime.evaluate",
                Map.of("expression", expression, "returnByValue", true, "awaitPromise", true, "timeout", 10_000));
        if (reply.has("exceptionDetails")) {
            throw new AssertionError(expression + ": "
                    + Json.write(reply.object("exceptionDetails")
                            .object("exception")
                            .optionalString("description")
                            .orElse("it failed")));
        }
        JsonObject result = reply.object("result");
        if (!result.has("value")) {
            return null;
        }
        return switch (result.string("type")) {
            case "string" -> result.string("value");
            case "boolean" -> result.flag("value");
            case "number" -> result.number("value");
            default -> result.list("value");
        };
    }

    /** Writes what the page looks like from top to bottom. */
    public void screenshot(Path png) throws Exception {
        call("Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true));
        Files.createDirectories(png.toAbsolutePath().getParent());
        Files.write(png, Base64.getDecoder().decode(lastFile));
    }

    /** {@return what the page's console, its scripts and its policy complained about} */
    List<String> complaints() throws Exception {
        settle();
        List<String> complaints = new ArrayList<>();
        for (JsonObject event : seen("Runtime.exceptionThrown")) {
            complaints.add("exception: " + event.object("exceptionDetails").string("text"));
        }
        for (JsonObject event : seen("Runtime.consoleAPICalled")) {
            complaints.add("console: " + event.string("type"));
        }
        for (JsonObject event : seen("Log.entryAdded")) {
            complaints.add("log: " + event.object("entry").string("text"));
        }
        return complaints;
    }

    /** {@return what the page asked for: its own address too, but not what is in it} */
    public List<String> requests() throws Exception {
        settle();
        List<String> requests = new ArrayList<>();
        for (JsonObject event : seen("Network.requestWillBeSent")) {
            String url = event.object("request").string("url");
            if (!url.startsWith("data:")) {
                requests.add(url);
            }
        }
        return requests;
    }

    /** Waits until the page has painted twice: what it had to say before has then been said. */
    private void settle() throws Exception {
        evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    private List<JsonObject> seen(String method) throws IOException {
        List<JsonObject> parameters = new ArrayList<>();
        for (JsonObject event : events) {
            if (event.string("method").equals(method)) {
                parameters.add(event.object("params"));
            }
        }
        return parameters;
    }

    private JsonObject call(String method, Map<String, ?> parameters) throws Exception {
        int id = ++calls;
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("id", id);
        message.put("method", method);
        message.put("params", parameters);
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        WebSocket open = socket;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        open.sendText(Json.write(message), true).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            JsonObject reply = receive(end);
            if (reply.has("id") && reply.integer("id", 0, Integer.MAX_VALUE) == id) {
                if (reply.has("error")) {
                    throw new IOException(method + ": " + reply.object("error").string("message"));
                }
                return reply.object("result");
            }
        }
    }

    /** {@return the next message; events are kept too} */
    private JsonObject receive(long end) throws Exception {
        String text = received.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        if (text == null) {
            throw new TimeoutException("Chromium does not answer within " + LIMIT);
        }
        Matcher file = FILE.matcher(text);
        if (file.find()) {
            lastFile = file.group();
        }
        JsonObject message = JsonObject.parse("Chromium", file.reset().replaceAll("(a file)"));
        if (message.has("method")) {
            events.add(message);
        }
        return message;
    }

    @Override
    public void close() throws IOException {
        if (socket != null) {
            socket.abort();
        }
        http.shutdownNow();
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle each : all) {
            each.onExit().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
        }
        Files.walkFileTree(profile, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Puts the parts of a message together. */
    private final class Receiver implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                received.add(message.toString());
                message.setLength(0);
            }
            from.request(1);
            return null;
        }
    }
}
