package io.github.elbo4j.benchmarks.peers;

import io.github.elbo4j.benchmarks.cpu.StepProcess;
import io.github.elbo4j.benchmarks.cpu.StepRunner;
import java.io.IOException;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The training step in libtorch; its rows lie there as floats, so that a batch costs nothing. */
public final class LibtorchBytedecoStep implements StepRunner {
    private final LibtorchBytedecoModel model;
    private final Tensor rows;
    private final int batch;
    private long position;

    private LibtorchBytedecoStep(StepProcess.Job job) throws IOException {
        model = new LibtorchBytedecoModel(job);
        rows = LibtorchBytedecoModel.pixels(job.pixels());
        batch = job.workload().batch();
    }

    /** Measures one job. */
    public static void main(String[] args) throws IOException {
        StepProcess.main(args, LibtorchBytedecoStep::new);
    }

    @Override
    public Map<String, String> facts() {
        return model.facts();
    }

    @Override
    public double run(int steps) {
        double sum = 0;
        for (int i = 0; i < steps; i++) {
            try (PointerScope _ = new PointerScope()) {
                sum += model.train(rows.narrow(0, position, batch));
            }
            position = (position + batch) % rows.size(0);
        }
        return sum / steps;
    }

    @Override
    public void close() {
        model.close();
    }
}
