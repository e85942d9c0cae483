package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.cli.report.HtmlReport;
import io.github.elbo4j.cli.report.Picture;
import io.github.elbo4j.cli.report.Report;
import io.github.elbo4j.cli.report.Scatter;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.inference.LatentCodes.Interpolation;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.Optimizer;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of a run: what it was, how its losses went, and what its model has learned, as one page. */
final class RunPage {
    /** Name of the page in the folder of a run. */
    static final String PAGE = "report.html";

    /** Name of the file that remembers what no checkpoint needs. */
    static final String FACTS = "run.json";

    private static final int ROWS = 256;
    private static final int MOST_POINTS = 5_000;
    private static final int PATHS = 6;
    private static final int GRID = 11;
    private static final float SPREAD = 3;

    /**
     * A run, as far as its report tells of it.
     *
     * @param model architecture and objective
     * @param training how it is trained
     * @param profile numeric profile of the backend that trains it
     * @param facts where and by what
     * @param history finished epochs
     */
    record Run(VaeConfig model, TrainingConfig training, String profile, Facts facts, List<EpochReport> history) {}

    private final Run run;
    private final FrozenModel frozen;
    private final DataSplit data;
    private final Path folder;

    private RunPage(Run run, FrozenModel frozen, DataSplit data, Path folder) {
        this.run = run;
        this.frozen = frozen;
        this.data = data;
        this.folder = folder;
    }

    /**
     * What the page tells and no checkpoint needs.
     *
     * @param device where the run is trained, in words
     * @param version of the program that trains it
     */
    record Facts(String device, String version) {
        private static final String UNKNOWN = "not noted";

        /** {@return those of a run that is trained now} */
        static Facts of(Backend backend) {
            return new Facts(backend.info().device(), Version.number());
        }

        /** Notes them in the folder of the run, for later pages. */
        void note(Path folder) throws IOException {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("device", device);
            json.put("version", version);
            AtomicFiles.writeString(folder.resolve(FACTS), Json.writePretty(json));
        }

        /** {@return those that were noted in the folder of a run} */
        static Facts read(Path folder) throws IOException {
            if (!Files.exists(folder.resolve(FACTS))) {
                return new Facts(UNKNOWN, UNKNOWN);
            }
            try {
                JsonObject json = JsonObject.read(folder.resolve(FACTS));
                return new Facts(json.string("device"), json.string("version"));
            } catch (FormatException e) {
                // It is told on the page and needed for nothing.
                return new Facts(UNKNOWN + " (" + FACTS + " is damaged)", UNKNOWN);
            }
        }
    }

    /**
     * Writes the page, and the animations beside it.
     *
     * @param run what is told
     * @param frozen its model
     * @param data its data
     * @param folder where the page goes, and where frames of the animations are
     */
    static void write(Run run, FrozenModel frozen, DataSplit data, Path folder) throws IOException {
        HtmlReport.write(new RunPage(run, frozen, data, folder).report(), folder.resolve(PAGE));
    }

    private Report report() throws IOException {
        List<Picture> pictures = new ArrayList<>();
        List<Scatter> scatters = new ArrayList<>();
        try (InferenceSession session = frozen.session(ROWS)) {
            Means means = Means.of(session, data.test());
            if (Pictures.drawable(run.model.input())) {
                draw(session, means, pictures);
            }
            if (means.latent > 1) {
                scatters.add(scatter(means));
            }
        }
        return new Report(
                run.model.summary() + " on " + data.spec(),
                table(),
                ReproducingCommand.of(data.spec(), run.model, run.training, run.profile),
                run.history,
                pictures,
                scatters);
    }

    private List<Report.Row> table() {
        double train =
                run.history.stream().mapToDouble(EpochReport::trainSeconds).sum();
        double test = run.history.stream().mapToDouble(EpochReport::testSeconds).sum();
        Optimizer optimizer = run.training.optimizer();
        return List.of(
                new Report.Row(
                        "Data",
                        String.format(
                                Locale.ROOT,
                                "%s: %,d rows to train on, %,d to test on",
                                data.spec(),
                                data.train().rows(),
                                data.test().rows())),
                new Report.Row("Rows", extents(run.model.input())),
                new Report.Row(
                        "Model", "VAE " + run.model.summary() + ", Bernoulli likelihood, beta " + run.model.beta()),
                new Report.Row(
                        "Training",
                        String.format(
                                Locale.ROOT,
                                "%s, learning rate %s, batch %,d, %,d of %,d epochs",
                                optimizer instanceof Optimizer.Adam ? "Adam" : "gradient descent",
                                optimizer.learningRate(),
                                run.training.batch(),
                                run.history.size(),
                                run.training.epochs())),
                new Report.Row("Backend", run.profile),
                new Report.Row("Device", run.facts.device()),
                new Report.Row("Seed", String.valueOf(run.training.seed())),
                new Report.Row("Seconds", String.format(Locale.ROOT, "%.1f training, %.1f evaluation", train, test)),
                new Report.Row("Version", run.facts.version()));
    }

    private static String extents(ImageShape shape) {
        return shape.height() + " x " + shape.width() + (shape.channels() == 1 ? "" : " x " + shape.channels());
    }

    private void draw(InferenceSession session, Means means, List<Picture> pictures) throws IOException {
        ImageShape shape = run.model.input();
        int columns = Pictures.columns(shape);
        pictures.add(Picture.of(
                "Reconstructions",
                "Test images in rows, and under each row what the model makes of them.",
                "Test images above their reconstructions through the mean of the posterior.",
                Pictures.reconstructions(session, data.test(), Pictures.BANDS)));
        pictures.add(Picture.of(
                "Samples of the prior",
                "A grid of images that the model draws from random latent codes.",
                "Decoded draws from the prior, with the seed of the run.",
                Pictures.samples(session, run.training.seed(), Pictures.SAMPLE_ROWS)));
        int paths = Math.min(PATHS, means.rows / 2);
        if (paths > 0) {
            pictures.add(Picture.of(
                    "Interpolations",
                    "Rows of images that change step by step from one test image's reconstruction into another's.",
                    "From the posterior mean of one test image, left, to that of another, right, in a straight line.",
                    Pictures.decoded(session, interpolated(means, paths, columns), columns)));
        }
        int[] dims = means.widest();
        int steps = Math.min(GRID, columns + 1);
        float[] origin = new float[means.latent];
        boolean plane = means.latent > 1;
        pictures.add(Picture.of(
                plane ? "A plane of the latent space" : "The latent dimension",
                "Images decoded from evenly spaced latent codes, changing gradually across the grid.",
                plane
                        ? "Latent dimensions " + dims[0] + " (down) and " + dims[1]
                                + " (across), whose posterior means vary"
                                + " most, each from -3 to 3; all others are zero."
                        : "The latent dimension from -3 to 3.",
                Pictures.decoded(
                        session,
                        plane
                                ? LatentCodes.traverse(origin, dims[0], dims[1], -SPREAD, SPREAD, steps)
                                : LatentCodes.traverse(origin, 0, -SPREAD, SPREAD, steps),
                        steps)));
        EpochFrames.animate(
                        folder,
                        EpochFrames.Kind.RECONSTRUCTIONS,
                        "Reconstructions, epoch by epoch",
                        "An animation: test images, and under them their reconstructions, which become sharper.",
                        "The same test images after the epochs of the run.")
                .ifPresent(pictures::add);
        EpochFrames.animate(
                        folder,
                        EpochFrames.Kind.SAMPLES,
                        "Samples, epoch by epoch",
                        "An animation: images drawn from the same latent codes, which take shape.",
                        "The same latent codes, decoded after the epochs of the run.")
                .ifPresent(pictures::add);
    }

    private static float[] interpolated(Means means, int paths, int columns) {
        float[] codes = new float[paths * columns * means.latent];
        for (int path = 0; path < paths; path++) {
            float[] between = LatentCodes.interpolate(
                    means.row(2 * path), means.row(2 * path + 1), columns, Interpolation.LINEAR);
            System.arraycopy(between, 0, codes, path * columns * means.latent, between.length);
        }
        return codes;
    }

    private Scatter scatter(Means means) {
        int[] dims = means.widest();
        Dataset test = data.test();
        List<Scatter.Point> points = new ArrayList<>();
        for (int row = 0; row < means.rows; row++) {
            points.add(new Scatter.Point(
                    means.mu[row * means.latent + dims[1]],
                    means.mu[row * means.latent + dims[0]],
                    test.hasLabels() ? test.label(row) : Scatter.NO_LABEL));
        }
        return new Scatter(
                "Posterior means of test rows",
                String.format(
                        Locale.ROOT,
                        "The first %,d test rows in the two latent dimensions whose means vary most.",
                        means.rows),
                "latent " + dims[1],
                "latent " + dims[0],
                points);
    }

    /** Posterior means of the first rows of a data set. */
    @SuppressWarnings("ArrayRecordComponent") // numbers to be read, never compared
    private record Means(float[] mu, int rows, int latent) {
        static Means of(InferenceSession session, Dataset test) {
            int latent = session.config().latent();
            int rows = (int) Math.min(test.rows(), Math.max(1, Math.min(MOST_POINTS, (1 << 24) / latent)));
            float[] mu = new float[rows * latent];
            float[] logVar = new float[Math.min(rows, ROWS) * latent];
            for (int from = 0; from < rows; from += ROWS) {
                session.encode(
                        HostRows.of(test.values(), test.type(), (long) from * test.columns(), 0),
                        Math.min(ROWS, rows - from),
                        HostRows.of(mu, (long) from * latent, 0),
                        HostRows.of(logVar));
            }
            return new Means(mu, rows, latent);
        }

        float[] row(int row) {
            return java.util.Arrays.copyOfRange(mu, row * latent, (row + 1) * latent);
        }

        /** {@return the two dimensions of largest variance, the larger first; the first twice if there is only one} */
        int[] widest() {
            int first = 0;
            int second = latent > 1 ? 1 : 0;
            double[] variance = new double[latent];
            for (int d = 0; d < latent; d++) {
                variance[d] = variance(d);
            }
            if (variance[second] > variance[first]) {
                first = 1;
                second = 0;
            }
            for (int d = 2; d < latent; d++) {
                if (variance[d] > variance[first]) {
                    second = first;
                    first = d;
                } else if (variance[d] > variance[second]) {
                    second = d;
                }
            }
            return new int[] {first, second};
        }

        private double variance(int dimension) {
            double sum = 0;
            double squares = 0;
            for (int row = 0; row < rows; row++) {
                double value = mu[row * latent + dimension];
                sum += value;
                squares += value * value;
            }
            return squares / rows - sum / rows * (sum / rows);
        }
    }
}
