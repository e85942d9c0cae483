package io.github.elbo4j.backend;

import java.io.Serial;
import java.util.List;
import java.util.stream.Collectors;

/** A backend that was asked for by name and cannot be opened here: holds every reason and what to do about each. */
public final class BackendUnavailableException extends BackendException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient List<BackendProvider.Problem> problems;

    /**
     * A backend that cannot be opened.
     *
     * @param name the backend
     * @param problems every reason, with its remedy
     */
    public BackendUnavailableException(String name, List<BackendProvider.Problem> problems) {
        super("backend '" + name + "' is not available: "
                + problems.stream().map(BackendProvider.Problem::toString).collect(Collectors.joining(" | ")));
        this.problems = List.copyOf(problems);
    }

    /** {@return every reason, with its remedy} */
    public List<BackendProvider.Problem> problems() {
        return problems;
    }
}
