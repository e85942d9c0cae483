package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Philox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Hand-drawn looking digits, made on the spot: a labelled set of 28 x 28 grey images that needs no download.
 *
 * <p>An image is a pure function of (seed, image number): strokes of a digit, bent, slanted, turned, scaled and shifted
 * at random, drawn with a round pen and smoothed edges. All randomness is {@link Philox}, all arithmetic is exact IEEE
 * or {@link StrictMath}, so the bytes are the same on every machine and for every way of splitting the work. Like the
 * MNIST images they resemble, digits stand in a box of about 20 x 20 pixels and cover about a fifth of the image.
 *
 * <p>Stateless and safe for any number of threads.
 */
public final class Digits {
    /** Training images of {@link #split} that a spec without a number asks for. */
    public static final int DEFAULT_TRAIN_IMAGES = 12_000;

    /** Most training images of {@link #split}. */
    public static final int MAX_TRAIN_IMAGES = 1_000_000;

    /** Extents of every image. */
    public static final ImageShape SHAPE = new ImageShape(28, 28, 1);

    private static final int SIDE = 28;
    private static final long TRAIN_SEED = 1;
    private static final long TEST_SEED = 2;

    // Keeps these numbers apart from those that a model draws under the same seed.
    private static final long KEY_MASK = 0x456C626F44696769L;

    private static final int STEPS_PER_CURVE = 5;
    private static final double POINT_JITTER = 0.034;
    private static final double MAX_ANGLE = 0.26;
    private static final double MAX_SLANT = 0.4;
    private static final double MAX_BEND = 0.24;

    private Digits() {}

    /**
     * {@return images {@code firstImage .. firstImage + count - 1} of a seed's endless stream, labelled 0 to 9}
     *
     * @param seed number of the stream
     * @param firstImage number of the first image, zero or more
     * @param count images to draw, at least one
     * @throws IllegalArgumentException if a number is out of range
     */
    public static Dataset generate(long seed, long firstImage, int count) {
        if (count < 1 || firstImage < 0 || firstImage > Long.MAX_VALUE - count) {
            throw new IllegalArgumentException(
                    count + " digits from number " + firstImage + ": both must be positive and their sum a long");
        }
        MemorySegment pixels = Arena.ofAuto().allocate((long) count * SIDE * SIDE, 64);
        int[] labels = new int[count];
        Painter painter = new Painter(seed);
        for (int i = 0; i < count; i++) {
            labels[i] = painter.paint(firstImage + i);
            MemorySegment.copy(
                    painter.bytes, 0, pixels, ValueLayout.JAVA_BYTE, (long) i * SIDE * SIDE, painter.bytes.length);
        }
        return Dataset.of(pixels, DType.U8, SHAPE).withLabels(labels);
    }

    /**
     * {@return the training and test images that the spec {@code digits:N} names; the two come from different streams}
     *
     * @param trainImages training images, 1 to {@link #MAX_TRAIN_IMAGES}; a sixth as many test images are drawn, at
     *     least one
     * @throws IllegalArgumentException if the number is out of range
     */
    public static DataSplit split(int trainImages) {
        if (trainImages < 1 || trainImages > MAX_TRAIN_IMAGES) {
            throw new IllegalArgumentException(trainImages + " training images: must be 1 to " + MAX_TRAIN_IMAGES);
        }
        return new DataSplit(
                generate(TRAIN_SEED, 0, trainImages),
                generate(TEST_SEED, 0, Math.max(1, trainImages / 6)),
                "digits:" + trainImages);
    }

    /** Draws one image after the other into buffers of its own. */
    private static final class Painter {
        private final long key;
        private final int[] block = new int[4];
        private final double[] ink = new double[SIDE * SIDE];
        private final byte[] bytes = new byte[SIDE * SIDE];

        // Way points of all strokes: x, y and pen radius; a stroke ends where lifted is set.
        private double[] xs = new double[256];
        private double[] ys = new double[256];
        private double[] radii = new double[256];
        private boolean[] lifted = new boolean[256];
        private int points;

        private long image;
        private int drawn;

        Painter(long seed) {
            key = seed ^ KEY_MASK;
        }

        /** Overwrites {@link #bytes} with an image and returns its label. */
        int paint(long number) {
            image = number;
            drawn = 0;
            points = 0;
            int digit = (int) (uniform() * 10);
            int variant = (int) (uniform() * DigitStrokes.variants(digit));
            double radius = between(0.85, 1.75);
            for (double[] stroke : DigitStrokes.strokes(digit, variant)) {
                trace(jittered(stroke), radius);
            }
            deform();
            place(radius);
            rasterize(between(0.5, 0.7));
            return digit;
        }

        private double[] jittered(double[] stroke) {
            double[] moved = stroke.clone();
            for (int i = 0; i < stroke.length; i += 2) {
                // Both points of a corner move together.
                boolean corner = i > 0 && stroke[i] == stroke[i - 2] && stroke[i + 1] == stroke[i - 1];
                moved[i] = corner ? moved[i - 2] : stroke[i] + centred(POINT_JITTER);
                moved[i + 1] = corner ? moved[i - 1] : stroke[i + 1] + centred(POINT_JITTER);
            }
            return moved;
        }

        /** Appends way points along the Catmull-Rom curve through a stroke, with a pressure that drifts. */
        private void trace(double[] stroke, double radius) {
            int count = stroke.length / 2;
            double from = radius * between(0.85, 1.1);
            double to = radius * between(0.75, 1.1);
            add(stroke[0], stroke[1], from);
            for (int i = 0; i + 1 < count; i++) {
                int before = Math.max(i - 1, 0);
                int after = Math.min(i + 2, count - 1);
                if (stroke[2 * i] == stroke[2 * i + 2] && stroke[2 * i + 1] == stroke[2 * i + 3]) {
                    continue;
                }
                for (int step = 1; step <= STEPS_PER_CURVE; step++) {
                    double t = (double) step / STEPS_PER_CURVE;
                    double x = spline(stroke[2 * before], stroke[2 * i], stroke[2 * i + 2], stroke[2 * after], t);
                    double y = spline(
                            stroke[2 * before + 1], stroke[2 * i + 1], stroke[2 * i + 3], stroke[2 * after + 1], t);
                    add(x, y, from + (to - from) * (i + t) / (count - 1));
                }
            }
            lifted[points - 1] = true;
        }

        private static double spline(double before, double p, double q, double after, double t) {
            double slopeP = (q - before) / 2;
            double slopeQ = (after - p) / 2;
            double a = 2 * (p - q) + slopeP + slopeQ;
            double b = 3 * (q - p) - 2 * slopeP - slopeQ;
            return ((a * t + b) * t + slopeP) * t + p;
        }

        private void add(double x, double y, double radius) {
            if (points == xs.length) {
                xs = Arrays.copyOf(xs, 2 * points);
                ys = Arrays.copyOf(ys, 2 * points);
                radii = Arrays.copyOf(radii, 2 * points);
                lifted = Arrays.copyOf(lifted, 2 * points);
            }
            xs[points] = x;
            ys[points] = y;
            radii[points] = radius;
            lifted[points] = false;
            points++;
        }

        /** Bends the way points smoothly, then slants, stretches and turns them about the centre of the unit square. */
        private void deform() {
            double bendXx = centred(MAX_BEND);
            double bendXy = centred(MAX_BEND);
            double bendYy = centred(MAX_BEND);
            double bendYx = centred(MAX_BEND);
            double width = between(0.75, 1.35);
            double slant = centred(MAX_SLANT) + 0.08;
            double angle = centred(MAX_ANGLE);
            double cos = StrictMath.cos(angle);
            double sin = StrictMath.sin(angle);
            for (int i = 0; i < points; i++) {
                double u = 2 * xs[i] - 1;
                double v = 2 * ys[i] - 1;
                double x = (u + bendXx * (1 - v * v) + bendXy * u * v) * width;
                double y = v + bendYy * (1 - u * u) + bendYx * u * v;
                x -= slant * y;
                xs[i] = cos * x - sin * y;
                ys[i] = sin * x + cos * y;
            }
        }

        /** Scales the longer side of the drawing to about 20 pixels, pen included, and puts it near the middle. */
        private void place(double radius) {
            double left = Double.MAX_VALUE;
            double right = -Double.MAX_VALUE;
            double top = Double.MAX_VALUE;
            double bottom = -Double.MAX_VALUE;
            for (int i = 0; i < points; i++) {
                left = Math.min(left, xs[i]);
                right = Math.max(right, xs[i]);
                top = Math.min(top, ys[i]);
                bottom = Math.max(bottom, ys[i]);
            }
            double scale = (between(18.0, 20.5) - 2 * radius) / Math.max(right - left, bottom - top);
            double shiftX = SIDE / 2.0 + centred(1.8) - scale * (left + right) / 2;
            double shiftY = SIDE / 2.0 + centred(1.8) - scale * (top + bottom) / 2;
            for (int i = 0; i < points; i++) {
                xs[i] = scale * xs[i] + shiftX;
                ys[i] = scale * ys[i] + shiftY;
            }
        }

        /** Overwrites the image: full ink inside the pen, fading over {@code 2 * softness} pixels across its edge. */
        private void rasterize(double softness) {
            Arrays.fill(ink, 0);
            for (int i = 0; i + 1 < points; i++) {
                if (!lifted[i]) {
                    segment(i, softness);
                }
            }
            for (int i = 0; i < ink.length; i++) {
                bytes[i] = (byte) (int) (255 * ink[i] + 0.5);
            }
        }

        private void segment(int i, double softness) {
            double reach = Math.max(radii[i], radii[i + 1]) + softness;
            double dx = xs[i + 1] - xs[i];
            double dy = ys[i + 1] - ys[i];
            double squaredLength = Math.max(dx * dx + dy * dy, 1e-12);
            // Pixel (row, column) has its centre at (column + 0.5, row + 0.5).
            int firstColumn = Math.max(0, (int) (Math.min(xs[i], xs[i + 1]) - reach));
            int lastColumn = Math.min(SIDE - 1, (int) (Math.max(xs[i], xs[i + 1]) + reach));
            int firstRow = Math.max(0, (int) (Math.min(ys[i], ys[i + 1]) - reach));
            int lastRow = Math.min(SIDE - 1, (int) (Math.max(ys[i], ys[i + 1]) + reach));
            for (int row = firstRow; row <= lastRow; row++) {
                for (int column = firstColumn; column <= lastColumn; column++) {
                    double px = column + 0.5 - xs[i];
                    double py = row + 0.5 - ys[i];
                    double along = Math.clamp((px * dx + py * dy) / squaredLength, 0.0, 1.0);
                    double ex = px - along * dx;
                    double ey = py - along * dy;
                    double squaredDistance = ex * ex + ey * ey;
                    if (squaredDistance >= reach * reach) {
                        continue;
                    }
                    double radius = radii[i] + along * (radii[i + 1] - radii[i]);
                    double cover = (radius + softness - Math.sqrt(squaredDistance)) / (2 * softness);
                    int pixel = row * SIDE + column;
                    ink[pixel] = Math.max(ink[pixel], Math.clamp(cover, 0.0, 1.0));
                }
            }
        }

        /** {@return the next number of this image, in (0, 1)} */
        private double uniform() {
            if (drawn % 4 == 0) {
                Philox.block(
                        key,
                        drawn / 4,
                        (int) image,
                        (int) (image >>> 32),
                        Philox.stream(Noise.Purpose.SAMPLE, 0),
                        block);
            }
            return Philox.uniform(block[drawn++ % 4]);
        }

        private double between(double low, double high) {
            return low + (high - low) * uniform();
        }

        /** {@return a number in (-most, most), small ones more often: the sum of two uniform ones} */
        private double centred(double most) {
            return (uniform() + uniform() - 1) * most;
        }
    }
}
