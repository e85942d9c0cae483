package io.github.elbo4j.cli.report;

import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.training.EpochReport;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Reports of runs that never were: losses as MNIST gives them, drawn digits, a latent space of blobs. */
final class Reports {
    static final int EPOCHS = 20;

    private static final int SIZE = 28 * 28;

    private Reports() {}

    /** {@return a report with everything in it} */
    static Report full() throws IOException {
        return new Report(
                "mnist, 784-400-20-400-784 relu",
                List.of(
                        new Report.Row("Data", "mnist: 60,000 training and 10,000 test images of 28x28"),
                        new Report.Row("Model", "784-400-20-400-784 relu, 652,824 parameters"),
                        new Report.Row("Training", "20 epochs of batch 128, adam with learning rate 0.001"),
                        new Report.Row("Seed", "1"),
                        new Report.Row("Backend", "cuda (cuda-sm_90-tf32)"),
                        new Report.Row("Weights", "runs/0001-mnist/model.safetensors"),
                        new Report.Row(
                                "SHA-256 of the training images",
                                "f9e4a2b1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f")),
                "./elbo4j train --data mnist --hidden 400 --latent 20 --epochs 20 --batch 128 --lr 0.001 --seed 1"
                        + " --backend cuda --precision tf32 --out runs/0001-mnist",
                history(EPOCHS, true),
                pictures(),
                List.of(latent(10_000, 10)));
    }

    /** {@return losses that fall, and rise again on the test data} */
    static List<EpochReport> history(int epochs, boolean tested) {
        List<EpochReport> history = new ArrayList<>();
        Random random = new Random(5);
        for (int epoch = 1; epoch <= epochs; epoch++) {
            double fall = Math.exp(-epoch / (0.18 * epochs));
            double kl = 25.6 - 11 * fall + 0.1 * random.nextGaussian();
            double train = 76.5 + 62 * fall + 0.2 * random.nextGaussian();
            double test = 78.1 + 50 * fall + 3.5 * epoch / epochs + 0.2 * random.nextGaussian();
            history.add(new EpochReport(
                    epoch,
                    new Losses(train, kl, train + kl),
                    tested ? new Losses(test, kl - 0.3, test + kl - 0.3) : null,
                    1,
                    0.1));
        }
        return history;
    }

    static List<Picture> pictures() throws IOException {
        Dataset digits = Digits.split(600).test();
        ImageGrid pairs = new ImageGrid(Digits.SHAPE, 6, 10, 2);
        ImageGrid samples = new ImageGrid(Digits.SHAPE, 8, 10);
        ImageGrid plane = new ImageGrid(Digits.SHAPE, 10, 10);
        ImageGrid between = new ImageGrid(Digits.SHAPE, 5, 10);
        for (int i = 0; i < 100; i++) {
            float[] image = image(digits, i);
            if (i < 30) {
                pairs.put(2 * (i / 10), i % 10, image, 0);
                pairs.put(2 * (i / 10) + 1, i % 10, blurred(image), 0);
            }
            if (i < 80) {
                samples.put(i / 10, i % 10, blurred(image), 0);
            }
            plane.put(i / 10, i % 10, mixed(image(digits, i / 30), image(digits, i % 10 / 3), i % 10 / 9f), 0);
            if (i < 50) {
                between.put(i / 10, i % 10, mixed(image(digits, i / 10), image(digits, i / 10 + 5), i % 10 / 9f), 0);
            }
        }
        return List.of(
                Picture.of(
                        "Reconstructions",
                        "Thirty test digits, each above its reconstruction, which is a little softer",
                        "Test images, each above what the mean of its posterior decodes to.",
                        pairs.image()),
                Picture.of("Samples", "Eighty digits", "Images decoded from draws of the prior.", samples.image()),
                Picture.of(
                        "Interpolations",
                        "Five rows; in each, one digit turns into another in ten steps",
                        "From one test image to another, on a great circle between their latents.",
                        between.image()),
                Picture.of(
                        "A plane of the latent space",
                        "A square of a hundred digits that change from place to place",
                        "Latents 3 and 7 from -3 to 3, the others zero.",
                        plane.image()),
                walk("Walk through the latent space", digits, 4),
                walk("Training", digits, 40));
    }

    private static Picture walk(String title, Dataset digits, int first) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        BufferedImage still = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
        try (AnimatedGif gif = new AnimatedGif(file, 80, 1500)) {
            for (int step = 0; step <= 20; step++) {
                ImageGrid grid = new ImageGrid(Digits.SHAPE, 2, 5);
                for (int i = 0; i < 10; i++) {
                    float[] image = mixed(image(digits, first + i), image(digits, first + i + 10), step / 20f);
                    grid.put(i / 5, i % 5, image, 0);
                }
                gif.add(grid.image());
                still = grid.image();
            }
        }
        return Picture.animation(title, "Ten digits turn into ten others", "Twenty steps.", file.toByteArray(), still);
    }

    /** {@return blobs around a circle, as many points in each} */
    static Scatter latent(int count, int labels) {
        Random random = new Random(7);
        List<Scatter.Point> points = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int label = i % labels;
            double angle = 2 * Math.PI * label / labels;
            double radius = label % 2 == 0 ? 1.9 : 1.1;
            points.add(new Scatter.Point(
                    (float) (radius * Math.cos(angle) + 0.4 * random.nextGaussian()),
                    (float) (radius * Math.sin(angle) + 0.4 * random.nextGaussian()),
                    label));
        }
        return new Scatter(
                "Posterior means of the test images",
                "The plane in which they vary most; it holds 31% of their variance.",
                "principal axis 1",
                "principal axis 2",
                points);
    }

    private static float[] image(Dataset data, int row) {
        float[] image = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            image[i] = (data.values().get(ValueLayout.JAVA_BYTE, (long) row * SIZE + i) & 0xff) / 255f;
        }
        return image;
    }

    private static float[] mixed(float[] a, float[] b, float share) {
        float[] mixed = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            mixed[i] = a[i] * (1 - share) + b[i] * share;
        }
        return mixed;
    }

    private static float[] blurred(float[] image) {
        float[] blurred = new float[SIZE];
        for (int i = 29; i < SIZE - 29; i++) {
            blurred[i] = (2 * image[i] + image[i - 1] + image[i + 1] + image[i - 28] + image[i + 28]) / 6;
        }
        return blurred;
    }
}
