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
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** For people: what is trained, a line an epoch, where the files are; on a terminal a bar for the running epoch. */
final class TextReport implements RunReport {
    private static final int REFRESH_MILLIS = 200;

    /** What the user types to start this program; the launcher knows. */
    private static final String COMMAND = System.getProperty("elbo4j.command", "elbo4j");

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
        line("backend   %s (%s)%s", backend.name(), backend.numericProfile(), place(backend));
        line("folder    %s", folder);
        if (finishedEpochs > 0) {
            line("resumed   after epoch %d", finishedEpochs);
        }
        line("");
        double beta = vae.config().beta();
        line(
                "Loss = reconstruction + %sKL, in nats an image; z is sampled once for each.",
                beta == 1 ? "" : beta + " * ");
        line("%-7s %-26s  %-26s %17s", "epoch", "train loss = rec. + KL", "test loss = rec. + KL", "images/s");
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
        shown.setExtraMessage(String.format(
                Locale.ROOT,
                " %.0f images/s, loss %.2f",
                progress.rows() / Math.max(1e-9, progress.seconds()),
                progress.running().loss()));
        shown.stepTo(progress.rows());
    }

    @Override
    public void onEpoch(EpochReport report) {
        close();
        Losses test = report.test();
        line(
                "%-7s %s  %26s %7.1f s %7.0f",
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
        line("  %-24s everything below on one page", RunPage.PAGE);
        if (pictures) {
            line("  %-24s test images above what z = mu decodes to", Pictures.RECONSTRUCTIONS);
            line("  %-24s images decoded from random z", Pictures.SAMPLES);
            line(
                    "  %-24s both after every epoch, with %s",
                    EpochFrames.Kind.RECONSTRUCTIONS.animation(), EpochFrames.Kind.SAMPLES.animation());
        }
        line("  %-24s weights, with %s", VaeFiles.WEIGHTS, VaeFiles.CONFIG);
        line("  %-24s losses of every epoch", RunFolder.HISTORY);
        line("  %-24s all that resuming needs", RunFolder.CHECKPOINT);
        if (result.cancelled()) {
            line("Go on where it stopped:  %s train --resume %s", COMMAND, Shell.quoted(folder));
        } else {
            line("Next:  %s evaluate %s --z mean", COMMAND, Shell.quoted(folder));
            line("       %s train --resume %s --epochs %d", COMMAND, Shell.quoted(folder), 2 * epochs);
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
        return new ProgressBarBuilder()
                .setTaskName("epoch " + progress.epoch() + "/" + progress.epochs())
                .setInitialMax(progress.rowsPerEpoch())
                .startsFrom(progress.rows(), java.time.Duration.ZERO)
                .hideEta()
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REFRESH_MILLIS)
                .setConsumer(new OneLine(out, barWidth))
                .build();
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
    private void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values).stripTrailing());
    }

    private static String text(Losses losses) {
        return String.format(Locale.ROOT, "%7.2f = %7.2f + %6.2f", losses.loss(), losses.reconstruction(), losses.kl());
    }

    /** Where it computes: threads, or a device among several. */
    private static String place(BackendInfo backend) {
        return switch (backend.threads()) {
            case 0 -> " on " + backend.device();
            case 1 -> ", 1 thread";
            default -> ", " + backend.threads() + " threads";
        };
    }

    /**
     * Draws over the last line, and leaves it blank.
     *
     * <p>The library's own consumers open the terminal for its width and cursor, and take over its signals.
     */
    private record OneLine(PrintStream out, int getMaxRenderedLength) implements ProgressBarConsumer {
        @Override
        public void accept(String bar) {
            out.print("\r" + bar);
            out.flush();
        }

        @Override
        public void clear() {
            accept(" ".repeat(getMaxRenderedLength) + "\r");
        }

        @Override
        public void close() {
            clear();
        }
    }
}
