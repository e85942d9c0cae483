package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds cuBLAS and loads it, then JCublas2 on top; once per process, and the first cause of a failure is kept. */
final class CublasLoader {
    /**
     * What loading gave.
     *
     * @param library the cuBLAS that was found, if any
     * @param problem why it cannot be used; empty when JCublas2 can be called
     * @param lacking functions of JCublas2 that this cuBLAS does not have
     */
    record Loaded(Optional<CublasLibrary> library, Optional<Problem> problem, List<String> lacking) {}

    private static final Object LOCK = new Object();
    private static @Nullable Loaded outcome;

    private CublasLoader() {}

    /** {@return what loading gave, the first time that it was tried} */
    static Loaded load() {
        synchronized (LOCK) {
            Loaded known = outcome;
            if (known == null) {
                known = tryToLoad();
                outcome = known;
            }
            return known;
        }
    }

    private static Loaded tryToLoad() {
        Optional<Problem> platform = Obstacles.platform();
        if (platform.isPresent()) {
            return new Loaded(Optional.empty(), platform, List.of());
        }
        try {
            DynamicLoader loader = new DynamicLoader();
            CublasSearch.Host host = new CublasSearch.Host(
                    Path.of("/"),
                    System.getenv(),
                    System.getProperty(CublasSearch.PROPERTY),
                    name -> Optional.of(loader.open(name))
                            .filter(opened -> !opened.failed())
                            .flatMap(loader::file));
            return switch (new CublasSearch(host).run()) {
                case CublasSearch.Outcome.None none ->
                    new Loaded(Optional.empty(), Optional.of(none.problem()), List.of());
                case CublasSearch.Outcome.Found found -> load(loader, found.library());
            };
        } catch (IllegalCallerException e) {
            return new Loaded(Optional.empty(), Optional.of(Obstacles.nativeAccess()), List.of());
        }
    }

    private static Loaded load(DynamicLoader loader, CublasLibrary library) {
        // A library asks for another by its name; one that is loaded under that name will do, wherever it lies.
        library.lt().ifPresent(lt -> loader.open(lt.toString()));
        DynamicLoader.Opened cublas = loader.open(library.file().toString());
        if (cublas.failed()) {
            return new Loaded(
                    Optional.of(library),
                    Optional.of(new Problem(
                            library + " cannot be loaded: " + cublas.message(),
                            "install it whole, with its libcublasLt, or name another: -D" + CublasSearch.PROPERTY
                                    + "=FILE_OR_FOLDER")),
                    List.of());
        }
        List<String> lacking = List.of();
        if (library.needsForwarding()) {
            CublasForward.Loaded forward = CublasForward.load(loader, cublas);
            if (forward.problem().isPresent()) {
                return new Loaded(Optional.of(library), forward.problem(), List.of());
            }
            lacking = forward.lacking();
        } else {
            lacking = CublasForward.functions().stream()
                    .filter(name -> loader.find(cublas, name).isEmpty())
                    .toList();
            // JCublas2 binds to it without anything between: a call of a missing function would end the process.
            if (!lacking.isEmpty()) {
                return new Loaded(Optional.of(library), Optional.of(tooOld(library, lacking)), lacking);
            }
        }
        return new Loaded(Optional.of(library), JCudaNatives.load(JCudaNatives.Part.CUBLAS), lacking);
    }

    private static Problem tooOld(CublasLibrary library, List<String> lacking) {
        return new Problem(
                library + " lacks " + lacking.size() + " functions that JCublas2 asks for, " + lacking.get(0)
                        + " for one",
                "install cuBLAS 12.6 or newer, or name another: -D" + CublasSearch.PROPERTY + "=FILE_OR_FOLDER");
    }
}
