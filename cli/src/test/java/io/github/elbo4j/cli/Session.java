package io.github.elbo4j.cli;

import java.util.ArrayList;
import java.util.List;

/** Commands one after another in one JVM; their status and lines, each marked, on standard output. */
final class Session {
    /** Between two commands. */
    static final String THEN = "--then";

    private Session() {}

    public static void main(String[] args) {
        List<Object> command = new ArrayList<>();
        for (String arg : args) {
            if (arg.equals(THEN)) {
                run(command);
                command.clear();
            } else {
                command.add(arg);
            }
        }
        run(command);
    }

    private static void run(List<Object> command) {
        Cli.Result result = Cli.run(command.toArray());
        result.out().forEach(line -> System.out.println("out " + line));
        result.err().forEach(line -> System.out.println("err " + line));
        System.out.println("status " + result.status());
    }
}
