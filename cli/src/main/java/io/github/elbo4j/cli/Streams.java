package io.github.elbo4j.cli;

import io.github.elbo4j.files.Json;
import java.io.PrintStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}.
 *
 * @param out standard output
 * @param err standard error
 */
record Streams(PrintStream out, PrintStream err) {
    /** Writes an object as one line of ASCII, so that no console encoding can damage it. */
    void json(Map<String, @Nullable Object> object) {
        StringBuilder line = new StringBuilder();
        String json = Json.write(object);
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            // Outside of strings JSON is ASCII anyway.
            line.append(c < 0x7f ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        out.println(line);
        // A program reads along: each line is there as soon as it is known.
        out.flush();
    }

    void warn(String message) {
        err.println("warning: " + Failures.oneLine(message));
    }
}
