package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this process has of what the backend needs. Asked once; it never throws.
 *
 * @param problems what is missing, with remedies; empty when the backend can be opened
 * @param findings what was found, by name, in the order of looking
 * @param isas the library's instruction sets; none if there are problems
 */
record NativeProbe(List<Problem> problems, Map<String, String> findings, NativeIsas isas) {
    /** Made at the first use, by the loader of classes: one for all threads. */
    private static final class Once {
        static final NativeProbe RESULT = look(NativeLoader.outcome(), System.getenv(NativeIsas.CAP_VARIABLE));
    }

    /** {@return what was found when it was first asked} */
    static NativeProbe result() {
        return Once.RESULT;
    }

    private static NativeProbe look(NativeLoader.Outcome outcome, @Nullable String cap) {
        List<Problem> problems = new ArrayList<>();
        Map<String, String> findings = new LinkedHashMap<>();
        NativeIsas isas = new NativeIsas(List.of());
        switch (outcome) {
            case NativeLoader.Failed failed -> problems.add(failed.problem());
            case NativeLoader.Loaded loaded -> {
                findings.put(
                        "library",
                        NativePlatform.current().fileName() + " for " + NativePlatform.current() + " of "
                                + loaded.origin());
                findings.put("ABI version", String.valueOf(NativeLibrary.ABI_VERSION));
                try {
                    isas = NativeIsas.ofLibrary();
                    describe(isas, cap, findings);
                } catch (IllegalArgumentException e) {
                    problems.add(new Problem(
                            "the environment variable " + e.getMessage(), "set it to one of these, or leave it out"));
                } catch (LinkageError e) {
                    Throwable cause = e.getCause() == null ? e : e.getCause();
                    problems.add(NativeObstacles.noFunction(loaded.origin(), String.valueOf(cause.getMessage())));
                }
            }
        }
        return new NativeProbe(List.copyOf(problems), Collections.unmodifiableMap(findings), isas);
    }

    private static void describe(NativeIsas isas, @Nullable String cap, Map<String, String> findings) {
        findings.put("CPU", CpuModel.name());
        findings.put("instruction sets", isas.names());
        findings.put(NativeIsas.CAP_VARIABLE, cap == null ? "not set" : cap);
        findings.put("in use", isas.best(cap).name());
    }
}
