package io.github.elbo4j.cli.report;

import java.util.List;

/**
 * Points of a plane of the latent space.
 *
 * @param title a heading
 * @param caption how to read it; may be empty
 * @param xAxis name of the axis to the right
 * @param yAxis name of the axis upwards
 * @param points any number; those with a coordinate that is not finite are left out and counted
 */
public record Scatter(String title, String caption, String xAxis, String yAxis, List<Point> points) {
    /** The label of a point that has none. */
    public static final int NO_LABEL = -1;

    /** Copies the points. */
    public Scatter {
        points = List.copyOf(points);
    }

    /**
     * A point.
     *
     * @param x to the right
     * @param y upwards
     * @param label its class, or {@link #NO_LABEL}
     */
    public record Point(float x, float y, int label) {
        boolean finite() {
            return Float.isFinite(x) && Float.isFinite(y);
        }
    }
}
