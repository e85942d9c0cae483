package io.github.elbo4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * The contract tests of a backend on this machine's own device. The folder {@code tests} of the kit holds their jars,
 * which are on the class path too; {@code elbo4j.test.*} comes from the command line of the JVM.
 */
final class ContractPart implements Part {
    private static final int MOST_FAILURES = 40;
    private static final int MOST_WORDS = 400;

    @Override
    public void run(Kit kit) throws IOException {
        Path tests = kit.options().home().resolve("tests");
        kit.row("tests", null, "none", row -> {
            LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(DiscoverySelectors.selectClasspathRoots(new java.util.LinkedHashSet<>(jars(tests))))
                    .filters(ClassNameFilter.includeClassNamePatterns(
                            kit.options().tests()))
                    .build();
            Launcher launcher = LauncherFactory.create();
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            launcher.execute(request, listener);
            TestExecutionSummary summary = listener.getSummary();
            row.put("pattern", kit.options().tests())
                    .put("found", summary.getTestsFoundCount())
                    .put("passed", summary.getTestsSucceededCount())
                    .put("failed", summary.getTotalFailureCount())
                    .put("aborted", summary.getTestsAbortedCount())
                    .put("skipped_tests", summary.getTestsSkippedCount())
                    .put("seconds", (summary.getTimeFinished() - summary.getTimeStarted()) / 1e3);
            if (summary.getTotalFailureCount() > 0) {
                row.put("failures", failures(summary));
                row.put("error", summary.getTotalFailureCount() + " failures");
            } else if (summary.getTestsSucceededCount() == 0) {
                row.put("error", "no test ran");
            }
        });
    }

    private static List<Path> jars(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".jar")).toList();
        }
    }

    private static List<Object> failures(TestExecutionSummary summary) {
        List<Object> texts = new ArrayList<>();
        for (TestExecutionSummary.Failure failure : summary.getFailures()) {
            String text = failure.getTestIdentifier().getUniqueId() + ": "
                    + String.valueOf(failure.getException()).replaceAll("\\s+", " ");
            texts.add(text.length() > MOST_WORDS ? text.substring(0, MOST_WORDS) : text);
            if (texts.size() == MOST_FAILURES) {
                break;
            }
        }
        return texts;
    }
}
