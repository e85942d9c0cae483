package io.github.elbo4j.benchmarks.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/** Times of a training step as bars, a group for each model and number of threads, in a file that any browser shows. */
final class StepChart {
    private static final double WIDTH = 640;
    private static final double LEFT = 200;
    private static final double RIGHT = WIDTH - 80;
    private static final double BAR = 16;
    private static final double TITLE = 26;
    private static final double GAP = 14;
    private static final List<String> COLOURS = List.of("#0b6e99", "#c4782b", "#8a8a8a", "#5f8a3a", "#7a4f9a");

    private StepChart() {}

    /** {@return the drawing, or nothing where no step was measured} */
    static Optional<String> svg(Records records) {
        List<Result> steps = records.results().stream()
                .filter(result -> result.part().equals(StepsPart.PART)
                        && result.metric().equals(StepsPart.TIME)
                        && result.values() != null)
                .toList();
        if (steps.isEmpty()) {
            return Optional.empty();
        }
        List<String> shapes =
                List.copyOf(new TreeSet<>(steps.stream().map(Result::shape).toList()));
        List<String> names = new ArrayList<>();
        steps.forEach(result -> {
            if (!names.contains(result.backend())) {
                names.add(result.backend());
            }
        });
        StringBuilder body = new StringBuilder();
        double y = TITLE + GAP;
        for (String shape : shapes) {
            List<Result> group = steps.stream()
                    .filter(result -> result.shape().equals(shape))
                    .toList();
            // Each group has a scale of its own: the models differ by an order of magnitude.
            double longest = group.stream().mapToDouble(StepChart::millis).max().orElseThrow();
            text(body, "start", 10, y + BAR * 0.75, title(shape), true);
            y += BAR + 4;
            for (Result result : group) {
                double width = (RIGHT - LEFT) * millis(result) / longest;
                text(body, "end", LEFT - 8, y + BAR * 0.75, result.backend(), false);
                body.append(String.format(
                        Locale.ROOT,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                        LEFT,
                        y,
                        width,
                        BAR - 2,
                        COLOURS.get(names.indexOf(result.backend()) % COLOURS.size())));
                text(body, "start", LEFT + width + 6, y + BAR * 0.75, label(millis(result)), false);
                y += BAR;
            }
            y += GAP;
        }
        return Optional.of(frame(records, y, body));
    }

    private static String frame(Records records, double height, CharSequence body) {
        Facts facts = records.facts();
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\""
                        + " font-family=\"sans-serif\" font-size=\"11\">\n<title>Time of a training step</title>\n"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                WIDTH,
                height));
        text(
                svg,
                "start",
                10,
                TITLE - 8,
                "Milliseconds of a training step, less is better. " + facts.device() + ", "
                        + facts.date().substring(0, 10) + ", commit "
                        + facts.commit().substring(0, Math.min(7, facts.commit().length())),
                false);
        return svg.append(body).append("</svg>\n").toString();
    }

    private static double millis(Result result) {
        Quantiles values = result.values();
        if (values == null) {
            throw new IllegalArgumentException("a bar needs numbers: " + result);
        }
        return values.p50() / 1e3;
    }

    static String label(double millis) {
        return String.format(Locale.ROOT, millis < 10 ? "%.2f" : "%.1f", millis);
    }

    /** {@return M1-t2 as words} */
    static String title(String shape) {
        String[] parts = shape.split("-", 3);
        String threads = parts[1].substring(1);
        return parts[0] + ", " + threads + (threads.equals("1") ? " thread" : " threads")
                + (parts.length > 2 ? ", " + parts[2].replace('-', ' ') : "");
    }

    private static void text(StringBuilder out, String anchor, double x, double y, String text, boolean bold) {
        String escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
        out.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n",
                x,
                y,
                anchor,
                bold ? " font-weight=\"bold\"" : "",
                escaped));
    }
}
