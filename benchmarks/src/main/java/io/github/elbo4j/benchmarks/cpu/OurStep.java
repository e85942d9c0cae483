package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.data.Dataset;
import java.io.IOException;
import java.util.Map;

/** Our training step; the job's setting is the backend's name, with {@link #FULL_ROWS} behind it on rows without a zero. */
public final class OurStep implements StepRunner {
    static final String FULL_ROWS = ":full-rows";

    private final Backend backend;
    private final TrainingStep step;

    private OurStep(StepProcess.Job job) {
        boolean full = job.setting().endsWith(FULL_ROWS);
        String name = job.setting().replace(FULL_ROWS, "");
        backend = Backends.open(name, Map.of("threads", Integer.toString(job.threads())));
        if (!backend.info().name().equals(name)) {
            throw new IllegalStateException(
                    "asked for backend '" + name + "', got '" + backend.info().name() + "'");
        }
        Workload workload = job.workload();
        Dataset data = full ? workload.fullRows() : workload.data();
        step = new TrainingStep(backend, data, workload.batch(), workload.config(), job.seed());
    }

    /** Measures one job. */
    public static void main(String[] args) throws IOException {
        StepProcess.main(args, OurStep::new);
    }

    @Override
    public Map<String, String> facts() {
        return Map.of(
                "device", backend.info().device(),
                "numeric_profile", backend.info().numericProfile(),
                "threads", Integer.toString(backend.info().threads()));
    }

    @Override
    public double run(int steps) {
        step.scheduledRun(steps);
        return step.losses().loss();
    }

    @Override
    public void close() {
        step.close();
        backend.close();
    }
}
