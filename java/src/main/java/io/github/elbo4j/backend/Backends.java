package io.github.elbo4j.backend;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Chooses and opens backends.
 *
 * <p>{@link #open} gives the backend that was asked for or throws; only {@link #best} may choose, and says what it took.
 * An opened backend has passed its self-test, and no call is ever handed to another backend afterwards.
 *
 * <p>Safe for any number of threads.
 */
public final class Backends {
    /** System property: makes {@link #best} behave like {@link #open} of that name. */
    public static final String PROPERTY = "elbo4j.backend";

    private static final System.Logger LOG = System.getLogger("io.github.elbo4j.backend");

    /**
     * One line of {@link #report}.
     *
     * @param name the backend
     * @param rank place in the choice of {@link #best}; the highest that opens wins
     * @param problems why it cannot be opened here; empty when it can
     * @param options the options it takes, each with its values in words
     * @param findings what it found on this machine
     */
    public record Report(
            String name, int rank, List<Problem> problems, Map<String, String> options, Map<String, String> findings) {
        /** {@return whether it can be opened here} */
        public boolean available() {
            return problems.isEmpty();
        }
    }

    private Backends() {}

    /** {@return the backend of a name, opened with its defaults} @see #open(String, Map) */
    public static Backend open(String name) {
        return open(name, Map.of());
    }

    /**
     * Opens the backend of a name and tests it on known numbers.
     *
     * @param name name of a provider
     * @param options values by name; see {@link #report} for what a backend takes
     * @throws BackendUnavailableException with every reason and what to do about each
     * @throws IllegalArgumentException if there is no such backend or option; the message lists the known ones
     */
    public static Backend open(String name, Map<String, String> options) {
        return open(BackendProviders.find(), name, options);
    }

    static Backend open(List<BackendProvider> providers, String name, Map<String, String> options) {
        for (BackendProvider provider : providers) {
            if (provider.name().equals(name)) {
                return open(provider, options);
            }
        }
        throw new IllegalArgumentException("unknown backend '" + name + "'; known are "
                + providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "))
                + ". A backend of another jar must be on the class path or module path");
    }

    /** {@return the best backend with its defaults} @see #best(Map) */
    public static Backend best() {
        return best(Map.of());
    }

    /**
     * Opens the backend of the highest rank that opens, and logs one line: what it took and why not the others. With the
     * system property {@value #PROPERTY} it is {@link #open} of that name.
     *
     * @param options values by name; a backend is given those that it takes
     * @throws BackendUnavailableException if none opens
     * @throws IllegalArgumentException if no backend takes one of the options
     */
    public static Backend best(Map<String, String> options) {
        return best(BackendProviders.find(), options);
    }

    static Backend best(List<BackendProvider> providers, Map<String, String> options) {
        String forced = System.getProperty(PROPERTY);
        if (forced != null) {
            return open(providers, forced, options);
        }
        for (String option : options.keySet()) {
            if (providers.stream().noneMatch(provider -> provider.options().containsKey(option))) {
                throw new IllegalArgumentException("no backend takes the option '" + option + "'");
            }
        }
        List<Problem> refused = new ArrayList<>();
        boolean misused = false;
        for (BackendProvider provider : providers) {
            try {
                Map<String, String> known = options.entrySet().stream()
                        .filter(option -> provider.options().containsKey(option.getKey()))
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
                Backend backend = open(provider, known);
                LOG.log(
                        System.Logger.Level.INFO,
                        "backend {0}{1}",
                        backend.info().numericProfile(),
                        because(refused));
                return backend;
            } catch (BackendUnavailableException e) {
                e.problems()
                        .forEach(problem ->
                                refused.add(new Problem(provider.name() + ": " + problem.reason(), problem.remedy())));
            } catch (IllegalArgumentException e) {
                // Another backend may take the value.
                misused = true;
                refused.add(new Problem(String.valueOf(e.getMessage()), "choose another value"));
            }
        }
        if (misused) {
            throw new IllegalArgumentException("no backend opens with " + options + because(refused));
        }
        throw new BackendUnavailableException("best", refused);
    }

    /** {@return what is known of every backend, the highest rank first; opens nothing} */
    public static List<Report> report() {
        return BackendProviders.find().stream()
                .map(provider -> new Report(
                        provider.name(), provider.rank(), problems(provider), provider.options(), findings(provider)))
                .toList();
    }

    private static Backend open(BackendProvider provider, Map<String, String> options) {
        List<Problem> problems = problems(provider);
        if (!problems.isEmpty()) {
            throw new BackendUnavailableException(provider.name(), problems);
        }
        for (String option : options.keySet()) {
            if (!provider.options().containsKey(option)) {
                throw new IllegalArgumentException("backend '" + provider.name() + "' has no option '" + option
                        + "'; it takes "
                        + provider.options().keySet().stream().sorted().collect(Collectors.joining(", ")));
            }
        }
        Backend backend = launch(provider, options);
        try {
            SelfTest.run(backend);
            return backend;
        } catch (BackendMemoryException e) {
            backend.close();
            throw unavailable(
                    provider,
                    "there is too little memory for its self-test: " + e.getMessage(),
                    "choose another backend until there is more",
                    e);
        } catch (RuntimeException | LinkageError e) {
            backend.close();
            throw unavailable(
                    provider,
                    "its self-test failed: " + e.getMessage(),
                    "its numbers cannot be trusted on this machine; choose another backend and report this",
                    e);
        }
    }

    private static Backend launch(BackendProvider provider, Map<String, String> options) {
        try {
            return provider.open(options);
        } catch (IllegalArgumentException | BackendUnavailableException e) {
            throw e;
        } catch (BackendException e) {
            throw unavailable(provider, String.valueOf(e.getMessage()), "or choose another backend", e);
        } catch (RuntimeException | LinkageError e) {
            throw unavailable(provider, "opening it failed: " + e, "choose another backend and report this", e);
        }
    }

    private static BackendUnavailableException unavailable(
            BackendProvider provider, String reason, String remedy, Throwable cause) {
        BackendUnavailableException failure =
                new BackendUnavailableException(provider.name(), List.of(new Problem(reason, remedy)));
        failure.initCause(cause);
        return failure;
    }

    private static List<Problem> problems(BackendProvider provider) {
        try {
            if (provider.seamVersion() == BackendProvider.SEAM_VERSION) {
                return provider.problems();
            }
            return List.of(new Problem(
                    "its jar was built for seam version " + provider.seamVersion() + ", this library has "
                            + BackendProvider.SEAM_VERSION,
                    "use jars of one elbo4j version"));
        } catch (LinkageError e) {
            // A jar that was built against other interfaces.
            return List.of(new Problem("its jar does not fit this library: " + e, "use jars of one elbo4j version"));
        } catch (RuntimeException e) {
            // One broken provider must not hide the others.
            return List.of(new Problem("looking for it failed: " + e, "choose another backend and report this"));
        }
    }

    private static Map<String, String> findings(BackendProvider provider) {
        try {
            return provider.findings();
        } catch (LinkageError | RuntimeException e) {
            // The problems say what is wrong with it.
            return Map.of();
        }
    }

    private static String because(List<Problem> refused) {
        return refused.isEmpty()
                ? ""
                : "; not " + refused.stream().map(Problem::toString).collect(Collectors.joining("; not "));
    }
}
