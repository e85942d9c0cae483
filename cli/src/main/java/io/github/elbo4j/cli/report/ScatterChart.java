package io.github.elbo4j.cli.report;

import io.github.elbo4j.cli.report.Scatter.Point;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Points of a plane, coloured by their label; each label is written once, at the median of its points.
 *
 * <p>The points of a label are one path of strokes without length, whose round ends are dots: a dozen bytes a point.
 */
final class ScatterChart {
    /** More points are thinned out evenly: they would hide one another. */
    static final int MAX_POINTS = 10_000;

    /** More labels cannot be told apart, so none is. */
    static final int MAX_LABELS = 40;

    /** Colours of the style sheet; labels beyond them are squares. */
    static final int COLOURS = 10;

    private static final int FEW = 8;
    private static final double ASIDE = 10;
    private static final double SIDE = 340;
    private static final double TOP = 6;
    private static final double GAP = 6;
    private static final int MAX_TICKS = 6;

    /** Axes whose lengths differ by more are drawn each to its own scale. */
    private static final double MAX_ASPECT = 4;

    private final String id;
    private final Scatter scatter;
    private final SortedMap<Integer, List<Point>> groups = new TreeMap<>();
    private final int finite;
    private final int drawn;
    private final int labels;

    /**
     * A drawing of points.
     *
     * @param id tells it from other drawings of the page
     * @param scatter the points
     */
    ScatterChart(String id, Scatter scatter) {
        this.id = id;
        this.scatter = scatter;
        List<Point> points = scatter.points().stream().filter(Point::finite).toList();
        finite = points.size();
        drawn = Math.min(finite, MAX_POINTS);
        labels = (int) points.stream().mapToInt(Point::label).distinct().count();
        for (int i = 0; i < drawn; i++) {
            Point point = points.get((int) ((long) finite * i / drawn));
            int label = labels > MAX_LABELS ? Scatter.NO_LABEL : point.label();
            groups.computeIfAbsent(label, _ -> new ArrayList<>()).add(point);
        }
    }

    /** {@return the labels that are told apart, ascending; empty if there are none} */
    List<Integer> labels() {
        return groups.keySet().stream().filter(label -> label >= 0).toList();
    }

    /** {@return what the reader cannot see: points left out, labels not told apart; may be empty} */
    String omissions() {
        List<String> sentences = new ArrayList<>();
        if (drawn < finite) {
            sentences.add(Numbers.count(drawn) + " of " + Numbers.count(finite) + " points are drawn.");
        }
        int wrong = scatter.points().size() - finite;
        if (wrong > 0) {
            sentences.add(Numbers.count(wrong) + " of "
                    + Numbers.count(scatter.points().size()) + " points have a coordinate that is not finite.");
        }
        if (labels > MAX_LABELS) {
            sentences.add(Numbers.count(labels) + " labels are too many to be told apart.");
        }
        return String.join(" ", sentences);
    }

    /** {@return the drawing; null if there is no point} */
    @Nullable
    String svg() {
        if (drawn == 0) {
            return null;
        }
        List<Point> points = groups.values().stream().flatMap(List::stream).toList();
        Axis right = axis(points, Comparator.comparingDouble(Point::x), true);
        Axis up = axis(points, Comparator.comparingDouble(Point::y), false);
        double longest = Math.max(right.span(), up.span());
        if (longest <= MAX_ASPECT * Math.min(right.span(), up.span())) {
            right = right.widenedTo(longest, MAX_TICKS);
            up = up.widenedTo(longest, MAX_TICKS);
        }
        double left = up.labelWidth() + GAP;
        double end = SIDE - Math.max(GAP, right.labelWidth() / 2);
        double bottom = TOP + end - left;
        Svg svg = new Svg(id, SIDE, bottom + 22, scatter.title(), description());
        for (Axis.Tick tick : up.ticks()) {
            double y = bottom - tick.position() * (bottom - TOP);
            svg.line("grid", left, y, end, y);
            svg.text("tick", "end", left - GAP, y + Svg.FONT_SIZE / 3, tick.label());
        }
        for (Axis.Tick tick : right.ticks()) {
            double x = left + tick.position() * (end - left);
            svg.line("grid", x, TOP, x, bottom);
            svg.text("tick", "middle", x, bottom + 16, tick.label());
        }
        String size = drawn <= 300 ? "large" : drawn <= 3000 ? "medium" : "small";
        List<Name> names = new ArrayList<>();
        int index = 0;
        for (Map.Entry<Integer, List<Point>> group : groups.entrySet()) {
            StringBuilder path = new StringBuilder();
            double[] xs = new double[group.getValue().size()];
            double[] ys = new double[xs.length];
            for (int i = 0; i < xs.length; i++) {
                Point point = group.getValue().get(i);
                xs[i] = left + right.position(point.x()) * (end - left);
                ys[i] = bottom - up.position(point.y()) * (bottom - TOP);
                path.append('M')
                        .append(Svg.number(xs[i]))
                        .append(' ')
                        .append(Svg.number(ys[i]))
                        .append("h0");
            }
            if (group.getKey() < 0) {
                svg.path("dots none " + size, path);
            } else {
                svg.path(style(index) + " of" + index + ' ' + size, path);
                double y = median(ys);
                // A few points would vanish under their label.
                double aside = xs.length > FEW ? 0 : y < TOP + 2 * ASIDE ? ASIDE : -ASIDE;
                names.add(new Name(group.getKey(), index++, median(xs), y + aside));
            }
        }
        write(svg, names);
        return svg.end();
    }

    /** {@return the classes of the dots of a label} */
    static String style(int index) {
        return "dots colour" + index % COLOURS + (index / COLOURS % 2 == 0 ? "" : " square");
    }

    private static Axis axis(List<Point> points, Comparator<Point> order, boolean x) {
        Point least = points.stream().min(order).orElseThrow();
        Point greatest = points.stream().max(order).orElseThrow();
        return x ? Axis.linear(least.x(), greatest.x(), MAX_TICKS) : Axis.linear(least.y(), greatest.y(), MAX_TICKS);
    }

    private String description() {
        String of = labels().isEmpty() ? "" : ", of " + labels().size() + " labels";
        return Numbers.count(drawn) + (drawn == 1 ? " point" : " points") + of + "; to the right: " + scatter.xAxis()
                + ", upwards: " + scatter.yAxis() + '.';
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** A label's place. */
    private record Name(int label, int index, double x, double y) {}

    /** Writes the labels from top to bottom, each below those that it would cover. */
    private static void write(Svg svg, List<Name> names) {
        List<Name> written = new ArrayList<>();
        names.sort(Comparator.comparingDouble(Name::y));
        for (Name name : names) {
            double y = name.y;
            double width = Svg.textWidth(Integer.toString(name.label));
            for (Name other : written) {
                if (Math.abs(other.x - name.x) < width && y - other.y < Svg.FONT_SIZE) {
                    y = other.y + Svg.FONT_SIZE;
                }
            }
            written.add(new Name(name.label, name.index, name.x, y));
            svg.text("label of" + name.index, "middle", name.x, y + Svg.FONT_SIZE / 3, Integer.toString(name.label));
        }
    }
}
