package io.github.elbo4j.backend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds the providers of the class path and the module path. */
final class BackendProviders {
    /** Known by name, so that there is one backend even where repackaging lost the service files. */
    private static final String REFERENCE = "io.github.elbo4j.backend.java.JavaProvider";

    /** Broken service entries that are passed over before the search gives up. */
    private static final int MOST_FAILURES = 100;

    private static final System.Logger LOG = System.getLogger("io.github.elbo4j.backend");

    private BackendProviders() {}

    /** {@return one provider of each name, the highest rank first} */
    static List<BackendProvider> find() {
        List<BackendProvider> found = new ArrayList<>();
        ClassLoader own = BackendProvider.class.getClassLoader();
        addAll(ServiceLoader.load(BackendProvider.class, own), found);
        // A container may hold this library in a parent of the loader that has the backends' jars.
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        if (context != null && context != own) {
            addAll(ServiceLoader.load(BackendProvider.class, context), found);
        }
        addReference(found);
        found.sort(Comparator.comparingInt(BackendProvider::rank).reversed().thenComparing(BackendProvider::name));
        return found;
    }

    private static void addAll(ServiceLoader<BackendProvider> loader, List<BackendProvider> found) {
        Iterator<BackendProvider> services = loader.iterator();
        int failures = 0;
        while (failures < MOST_FAILURES) {
            try {
                if (!services.hasNext()) {
                    return;
                }
                add(services.next(), found);
            } catch (ServiceConfigurationError | LinkageError e) {
                failures++;
                LOG.log(System.Logger.Level.WARNING, "a backend provider cannot be loaded and is passed over", e);
            }
        }
    }

    private static void addReference(List<BackendProvider> found) {
        try {
            Class<? extends BackendProvider> reference =
                    Class.forName(REFERENCE).asSubclass(BackendProvider.class);
            add(reference.getConstructor().newInstance(), found);
        } catch (ReflectiveOperationException | LinkageError e) {
            LOG.log(System.Logger.Level.WARNING, "the Java reference is not in this build of the library", e);
        }
    }

    private static void add(BackendProvider provider, List<BackendProvider> found) {
        // Asked here, where a jar built against other interfaces is passed over.
        provider.rank();
        provider.options();
        if (found.stream().noneMatch(known -> known.name().equals(provider.name()))) {
            found.add(provider);
        }
    }
}
