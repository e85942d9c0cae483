package io.github.elbo4j.cli.report;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * One quantity over the epochs, a line for each set of data, its name at its end.
 *
 * @param id tells it from other drawings of the page
 * @param title what is drawn
 * @param lines at least one; the last is the one to look at
 * @param best the epoch to mark, which the last line has
 */
record LineChart(String id, String title, List<Line> lines, int best) {
    private static final double WIDTH = 340;
    private static final double HEIGHT = 216;
    private static final double TOP = 22;
    private static final double BOTTOM = HEIGHT - 36;
    private static final double GAP = 6;
    private static final int MAX_TICKS = 5;

    /** Up to so many epochs, each is a dot; up to twice as many, each answers to the pointer. */
    private static final int MAX_DOTS = 40;

    /** More points than pixels say nothing: longer lines keep the extremes of each of so many parts. */
    private static final int PARTS = 250;

    /**
     * A line.
     *
     * @param name short, drawn beside its end
     * @param style a class of the page's style sheet
     * @param epochs ascending, at least one
     * @param values one for each epoch, finite
     */
    @SuppressWarnings("ArrayRecordComponent") // values to draw, never compared
    record Line(String name, String style, int[] epochs, double[] values) {
        int lastEpoch() {
            return epochs[epochs.length - 1];
        }
    }

    /** {@return the drawing} */
    String svg() {
        Axis up = vertical();
        int first = lines.stream().mapToInt(line -> line.epochs[0]).min().orElseThrow();
        int last = lines.stream().mapToInt(Line::lastEpoch).max().orElseThrow();
        double names = lines.stream()
                .mapToDouble(line -> Svg.textWidth(line.name))
                .max()
                .orElseThrow();
        double left = up.labelWidth() + GAP;
        double end = WIDTH - names - 2 * GAP;
        Axis right = Axis.ofIntegers(first, last, MAX_TICKS + 1);
        for (int ticks = MAX_TICKS; ticks > 1 && crowded(right, end - left); ticks--) {
            right = Axis.ofIntegers(first, last, ticks);
        }
        Frame frame = new Frame(right, up, left, end);
        Svg svg = new Svg(id, WIDTH, HEIGHT, title, description());
        for (Axis.Tick tick : up.ticks()) {
            double y = frame.y(tick.position());
            svg.line("grid", left, y, frame.end, y);
            svg.text("tick", "end", left - GAP, y + Svg.FONT_SIZE / 3, tick.label());
        }
        for (Axis.Tick tick : right.ticks()) {
            double x = frame.x(tick.position());
            svg.line("axis", x, BOTTOM, x, BOTTOM + 4);
            svg.text("tick", "middle", x, BOTTOM + 16, tick.label());
        }
        svg.line("axis", left, BOTTOM, frame.end, BOTTOM);
        svg.text("tick", "end", frame.end, HEIGHT - 6, "epoch");
        markBest(svg, frame);
        lines.forEach(line -> draw(svg, frame, line));
        nameLines(svg, frame);
        lines.forEach(line -> explain(svg, frame, line));
        return svg.end();
    }

    private static boolean crowded(Axis axis, double room) {
        return axis.ticks().size() * (axis.labelWidth() + GAP) > room;
    }

    /** {@return the axis of the values} */
    Axis vertical() {
        return Axis.around(values().min().orElseThrow(), values().max().orElseThrow(), MAX_TICKS);
    }

    private DoubleStream values() {
        return lines.stream().flatMapToDouble(line -> DoubleStream.of(line.values));
    }

    private String description() {
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            int end = line.values.length - 1;
            text.append(line.name).append(": from ").append(Numbers.loss(line.values[0]));
            text.append(" after epoch ").append(line.epochs[0]).append(" to ");
            text.append(Numbers.loss(line.values[end])).append(" after epoch ");
            text.append(line.epochs[end]).append(". ");
        }
        return text.append("Best epoch: ").append(best).append('.').toString();
    }

    private void markBest(Svg svg, Frame frame) {
        Line line = lines.getLast();
        int at = Arrays.binarySearch(line.epochs, best);
        double x = frame.x(frame.right.position(best));
        String text = "best: epoch " + Numbers.count(best);
        double half = Svg.textWidth(text) / 2;
        svg.line("best", x, TOP - 5, x, BOTTOM);
        svg.text("note", "middle", Math.clamp(x, half, WIDTH - half), TOP - 10, text);
        svg.dot("ring " + line.style, x, frame.y(frame.up.position(line.values[at])), 5);
    }

    private static void draw(Svg svg, Frame frame, Line line) {
        int[] kept = kept(line.values);
        StringBuilder path = new StringBuilder();
        for (int i : kept) {
            path.append(path.isEmpty() ? 'M' : 'L').append(Svg.number(frame.x(frame.right.position(line.epochs[i]))));
            path.append(' ').append(Svg.number(frame.y(frame.up.position(line.values[i]))));
        }
        svg.path("line " + line.style, path);
        if (line.values.length <= MAX_DOTS) {
            for (int i = 0; i < line.values.length; i++) {
                svg.dot("point " + line.style, frame.x(line, i), frame.y(line, i), 2);
            }
        }
    }

    private static void explain(Svg svg, Frame frame, Line line) {
        for (int i = 0; i < line.values.length && line.values.length <= 2 * MAX_DOTS; i++) {
            String hint = line.name + ", epoch " + line.epochs[i] + ": " + Numbers.loss(line.values[i]);
            svg.dot("target", frame.x(line, i), frame.y(line, i), 6, hint);
        }
    }

    private void nameLines(Svg svg, Frame frame) {
        double height = Svg.FONT_SIZE + 2;
        List<Line> ordered = lines.stream()
                .sorted(Comparator.comparingDouble(line -> frame.y(line, line.values.length - 1)))
                .toList();
        double lowest = BOTTOM - height * (ordered.size() - 1);
        double free = TOP;
        for (Line line : ordered) {
            double y = Math.clamp(frame.y(line, line.values.length - 1), free, Math.max(free, lowest));
            svg.text("name " + line.style, "start", frame.end + GAP, y + Svg.FONT_SIZE / 3, line.name);
            free = y + height;
            lowest += height;
        }
    }

    /** {@return which points are drawn: all, or the ends and extremes of equally many} */
    static int[] kept(double[] values) {
        if (values.length <= 4 * PARTS) {
            return IntStream.range(0, values.length).toArray();
        }
        IntStream.Builder kept = IntStream.builder();
        for (int part = 0; part < PARTS; part++) {
            int from = (int) ((long) values.length * part / PARTS);
            int to = (int) ((long) values.length * (part + 1) / PARTS);
            int least = from;
            int greatest = from;
            for (int i = from; i < to; i++) {
                least = values[i] < values[least] ? i : least;
                greatest = values[i] > values[greatest] ? i : greatest;
            }
            IntStream.of(from, least, greatest, to - 1).sorted().distinct().forEach(kept::add);
        }
        return kept.build().toArray();
    }

    /** The rectangle that the lines are in. */
    private record Frame(Axis right, Axis up, double left, double end) {
        double x(double position) {
            return left + GAP + position * (end - left - 2 * GAP);
        }

        double y(double position) {
            return BOTTOM - position * (BOTTOM - TOP);
        }

        double x(Line line, int i) {
            return x(right.position(line.epochs[i]));
        }

        double y(Line line, int i) {
            return y(up.position(line.values[i]));
        }
    }
}
