package io.github.elbo4j.benchmarks.peers;

import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import io.github.elbo4j.benchmarks.cpu.TrainingProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A whole training in libtorch, its rows drawn anew for every epoch, the last batch of an epoch smaller. */
public final class LibtorchBytedecoTraining {
    private LibtorchBytedecoTraining() {}

    /** Runs one job. */
    public static void main(String[] args) throws IOException {
        TrainingProcess.main(args, LibtorchBytedecoTraining::train);
    }

    private static List<Double> train(Job job, int epochs) throws IOException {
        List<Double> losses = new ArrayList<>();
        try (LibtorchBytedecoModel model = new LibtorchBytedecoModel(job)) {
            Tensor rows = LibtorchBytedecoModel.pixels(job.pixels());
            Tensor test = LibtorchBytedecoModel.pixels(job.testPixels());
            int batch = job.workload().batch();
            for (int epoch = 0; epoch < epochs; epoch++) {
                try (PointerScope _ = new PointerScope()) {
                    Tensor order = torch.randperm(rows.size(0));
                    for (long from = 0; from < rows.size(0); from += batch) {
                        try (PointerScope _ = new PointerScope()) {
                            Tensor ids = order.narrow(0, from, Math.min(batch, rows.size(0) - from));
                            model.train(torch.index_select(rows, 0, ids));
                        }
                    }
                }
                losses.add(evaluate(model, test, batch));
            }
        }
        return losses;
    }

    private static double evaluate(LibtorchBytedecoModel model, Tensor test, int batch) {
        double sum = 0;
        try (NoGradGuard _ = new NoGradGuard()) {
            for (long from = 0; from < test.size(0); from += batch) {
                try (PointerScope _ = new PointerScope()) {
                    sum += model.loss(test.narrow(0, from, Math.min(batch, test.size(0) - from)))
                            .item_float();
                }
            }
        }
        return sum / test.size(0);
    }
}
