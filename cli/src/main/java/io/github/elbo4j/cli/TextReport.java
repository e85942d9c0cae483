package io.github.elbo4j.cli;

import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.Optimizer;
import io.github.elbo4j.training.Progress;
import io.github.elbo4j.training.RunFolder;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** For people: what is trained, a line an epoch, where the files are; on a terminal a bar for the running epoch. */
final class TextReport implements RunReport {
    private static final int REFRESH_MILLIS = 200;

    private final PrintStream out;
    private final int barWidth;
    private final long start = System.nanoTime();
    private long trainRows = 1;
    private int epochs;
    private @Nullable ProgressBar bar;

    /**
     * A report in plain text.
     *
     * @param out where to
     * @param barWidth columns of the terminal; 0 where there is none, and so no bar
     */
    TextReport(PrintStream out, int barWidth) {
        this.out = out;
        this.barWidth = barWidth;
    }

    @Override
    public void begin(Vae vae, TrainingConfig training, DataSplit data, Path folder, int finishedEpochs) {
        trainRows = data.train().rows();
        epochs = training.epochs();
        ImageShape shape = data.train().shape();
        BackendInfo backend = vae.backend().info();
        Optimizer optimizer = training.optimizer();
        line(
                "data      %s: %,d training and %,d test images of %dx%d%s%s",
                data.spec(),
                data.train().rows(),
                data.test().rows(),
                shape.height(),
                shape.width(),
                shape.channels() == 1 ? "" : "x" + shape.channels(),
                training.pixels() == Pixels.BERNOULLI ? ", binarized" : "");
        line("model     %s, %,d parameters", vae.config().summary(), vae.parameterCount());
        line(
                "training  %d epochs of batch %d, %s with learning rate %s, beta %s, seed %d",
                training.epochs(),
                training.batch(),
                optimizer instanceof Optimizer.Adam ? "adam" : "sgd",
                optimizer.learningRate(),
                vae.config().beta(),
                training.seed());
        line("backend   %s (%s)%s", backend.name(), backend.numericProfile(), threads(backend.threads()));
        line("folder    %s", folder);
        if (finishedEpochs > 0) {
            line("resumed   after epoch %d", finishedEpochs);
        }
        line("");
        line("Losses are means over images, in nats; z is sampled once for each image.");
        line("%-9s %-38s %-38s", "epoch", "train loss = reconstruction + KL", "test loss = reconstruction + KL");
    }

    @Override
    public void onProgress(Progress progress) {
        if (barWidth == 0) {
            return;
        }
        ProgressBar shown = bar;
        if (shown == null) {
            shown = newBar(progress);
            bar = shown;
        }
        shown.setExtraMessage(
                String.format(Locale.ROOT, "loss %.2f", progress.running().loss()));
        shown.stepTo(progress.rows());
    }

    @Override
    public void onEpoch(EpochReport report) {
        close();
        Losses test = report.test();
        line(
                "%-9s %-38s %-38s %6.1f s  %,.0f images/s",
                report.epoch() + "/" + epochs,
                text(report.train()),
                test == null ? "" : text(test),
                report.trainSeconds() + report.testSeconds(),
                trainRows / Math.max(1e-9, report.trainSeconds()));
    }

    @Override
    public void end(Vae vae, TrainingResult result, Path folder, boolean pictures) {
        close();
        line("");
        line(
                "%s after %,d steps, %.1f s. In %s:",
                result.cancelled() ? "Cancelled" : "Done", result.steps(), (System.nanoTime() - start) / 1e9, folder);
        if (pictures) {
            line("  %-24s test images, each above its reconstruction through z = mu", Pictures.RECONSTRUCTIONS);
            line("  %-24s images decoded from random z", Pictures.SAMPLES);
        }
        line("  %-24s weights, with %s", VaeFiles.WEIGHTS, VaeFiles.CONFIG);
        line("  %-24s losses of every epoch", RunFolder.HISTORY);
        line("  %-24s all that resuming needs", RunFolder.CHECKPOINT);
        if (result.cancelled()) {
            line("Go on where it stopped:  elbo4j train --resume %s", folder);
        } else {
            line("Next:  elbo4j evaluate %s --z mean", folder);
            line("       elbo4j train --resume %s --epochs %d", folder, 2 * epochs);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    private ProgressBar newBar(Progress progress) {
        // A consumer of known width: otherwise the library opens the terminal and takes over its signals.
        return new ProgressBarBuilder()
                .setTaskName("epoch " + progress.epoch() + "/" + progress.epochs())
                .setInitialMax(progress.rowsPerEpoch())
                .startsFrom(progress.rows(), java.time.Duration.ZERO)
                .setUnit(" images", 1)
                .showSpeed()
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REFRESH_MILLIS)
                .clearDisplayOnFinish()
                .setConsumer(new ConsoleProgressBarConsumer(out, barWidth))
                .build();
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
    private void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values).stripTrailing());
    }

    private static String text(Losses losses) {
        return String.format(Locale.ROOT, "%8.3f = %8.3f + %7.3f", losses.loss(), losses.reconstruction(), losses.kl());
    }

    private static String threads(int count) {
        return count == 0 ? "" : count == 1 ? ", 1 thread" : ", " + count + " threads";
    }
}
