package io.github.elbo4j.cli.report;

import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.training.EpochReport;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes a report as one page that opens without a network: no script, no request, everything in the file.
 *
 * <p>The same report gives the same bytes.
 */
public final class HtmlReport {
    /** Says to the browser what the page is: it may show its own pictures and use its own style, and nothing else. */
    private static final String POLICY =
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

    private static final int MAX_TITLE = 160;
    private static final int MAX_TEXT = 2000;
    private static final int MAX_ROWS = 200;

    private final Report report;
    private final Writer page;

    private HtmlReport(Report report, Writer page) {
        this.report = report;
        this.page = page;
    }

    /**
     * Writes the page, replacing the file as a whole.
     *
     * @param report what it says
     * @param file where to
     * @throws IOException if it cannot be written; the file is then what it was
     */
    public static void write(Report report, Path file) throws IOException {
        AtomicFiles.write(file, out -> {
            Writer page = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
            new HtmlReport(report, page).write();
            page.flush();
        });
    }

    private void write() throws IOException {
        List<ScatterChart> scatters = new ArrayList<>();
        for (Scatter scatter : report.scatters()) {
            scatters.add(new ScatterChart("scatter" + scatters.size(), scatter));
        }
        head(scatters.stream().mapToInt(chart -> chart.labels().size()).max().orElse(0));
        page.append("<body>\n<main>\n<header>\n<p class=\"kicker\">elbo4j run</p>\n<h1 dir=\"auto\">");
        page.append(Html.escape(report.title(), MAX_TITLE)).append("</h1>\n");
        EpochReport best = report.best();
        if (best != null) {
            figures(best);
        }
        page.append("</header>\n");
        if (best != null) {
            losses(best);
        }
        pictures();
        for (int i = 0; i < scatters.size(); i++) {
            page.append(i == 0 ? "<section>\n<h2>Latent space</h2>\n" : "");
            scatter(report.scatters().get(i), scatters.get(i), i);
            page.append(i == scatters.size() - 1 ? "</section>\n" : "");
        }
        run();
        page.append("</main>\n</body>\n</html>\n");
    }

    private void head(int labels) throws IOException {
        page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.append("<meta http-equiv=\"Content-Security-Policy\" content=\"")
                .append(POLICY)
                .append("\">\n");
        page.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.append("<meta name=\"color-scheme\" content=\"light dark\">\n");
        page.append("<meta name=\"referrer\" content=\"no-referrer\">\n");
        // Without it a browser asks the server of the page for one.
        page.append("<link rel=\"icon\" href=\"data:,\">\n");
        page.append("<title>").append(Html.escape(report.title(), MAX_TITLE)).append("</title>\n");
        page.append("<style>\n").append(styleSheet());
        for (int i = 0; i < labels; i++) {
            // The label that the reader chose stands out from the others.
            page.append(".scatter:has(input[value=\"")
                    .append(Integer.toString(i))
                    .append("\"]:checked) .dots:not(.of");
            page.append(Integer.toString(i)).append("){opacity:.07}\n");
        }
        page.append("</style>\n</head>\n");
    }

    private static String styleSheet() throws IOException {
        try (InputStream sheet = HtmlReport.class.getResourceAsStream("report.css")) {
            if (sheet == null) {
                throw new IOException("report.css is not in the jar of the command; build it again");
            }
            return new String(sheet.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The numbers that a reader came for. */
    private void figures(EpochReport best) throws IOException {
        Losses losses = Report.judged(best);
        String data = report.tested() ? "test" : "training";
        page.append("<dl class=\"figures\">\n");
        figure("Best " + data + " loss", Numbers.loss(losses.loss()), "nats, epoch " + Numbers.count(best.epoch()));
        figure("Reconstruction", Numbers.loss(losses.reconstruction()), "nats, same epoch");
        figure("KL divergence", Numbers.loss(losses.kl()), "nats, same epoch");
        figure("Epochs", Numbers.count(report.history().size()), "");
        page.append("</dl>\n");
    }

    private void figure(String name, String value, String unit) throws IOException {
        page.append("<div><dt>")
                .append(name)
                .append("</dt><dd><b>")
                .append(value)
                .append("</b>");
        page.append(unit.isEmpty() ? "" : " <span>" + unit + "</span>").append("</dd></div>\n");
    }

    private void losses(EpochReport best) throws IOException {
        page.append("<section>\n<h2>Losses</h2>\n<p>Means over the rows, in nats. ");
        page.append("<span class=\"train\">Training</span> is the mean over an epoch&#39;s steps");
        page.append(
                report.tested()
                        ? ", <span class=\"test\">test</span> is measured with the weights after it. "
                        : "; there were no test data. ");
        page.append("The loss is reconstruction + β · KL.</p>\n<div class=\"charts\">\n");
        chart("loss", "Loss", Losses::loss, best);
        chart("reconstruction", "Reconstruction", Losses::reconstruction, best);
        chart("kl", "KL divergence", Losses::kl, best);
        page.append("</div>\n");
        table(best);
        page.append("</section>\n");
    }

    private void chart(String id, String title, ToDoubleFunction<Losses> part, EpochReport best) throws IOException {
        List<LineChart.Line> lines = new ArrayList<>();
        lines.add(new LineChart.Line(
                "train",
                "train",
                report.history().stream().mapToInt(EpochReport::epoch).toArray(),
                report.history().stream()
                        .map(EpochReport::train)
                        .mapToDouble(part)
                        .toArray()));
        List<EpochReport> tested =
                report.history().stream().filter(epoch -> epoch.test() != null).toList();
        if (!tested.isEmpty()) {
            lines.add(new LineChart.Line(
                    "test",
                    "test",
                    tested.stream().mapToInt(EpochReport::epoch).toArray(),
                    tested.stream().map(Report::judged).mapToDouble(part).toArray()));
        }
        LineChart chart = new LineChart(id, title, lines, best.epoch());
        page.append("<figure>\n<h3>").append(title).append(" <small>nats");
        page.append(chart.vertical().logarithmic() ? ", logarithmic" : "").append("</small></h3>\n");
        page.append(chart.svg()).append("</figure>\n");
    }

    /** Every epoch, or the first, the best, the last and some between them. */
    private void table(EpochReport best) throws IOException {
        List<EpochReport> history = report.history();
        int stride = Math.ceilDiv(history.size(), MAX_ROWS);
        page.append("<details>\n<summary>").append(stride == 1 ? "Every epoch" : "Every " + ordinal(stride) + " epoch");
        page.append(" in numbers</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" ");
        page.append(
                "aria-label=\"Losses of epochs\">\n<table class=\"numbers\">\n<thead><tr><th scope=\"col\">Epoch</th>");
        for (String data : report.tested() ? List.of("Test", "Training") : List.of("Training")) {
            for (String part : List.of("loss", "reconstruction", "KL")) {
                page.append("<th scope=\"col\">")
                        .append(data)
                        .append(' ')
                        .append(part)
                        .append("</th>");
            }
        }
        page.append("</tr></thead>\n<tbody>\n");
        for (int i = 0; i < history.size(); i++) {
            EpochReport epoch = history.get(i);
            if (i % stride == 0 || epoch == best || i == history.size() - 1) {
                page.append(epoch == best ? "<tr class=\"chosen\">" : "<tr>").append("<th scope=\"row\">");
                page.append(Numbers.count(epoch.epoch()))
                        .append(epoch == best ? " best" : "")
                        .append("</th>");
                if (report.tested()) {
                    cells(epoch.test());
                }
                cells(epoch.train());
                page.append("</tr>\n");
            }
        }
        page.append("</tbody>\n</table>\n</div>\n</details>\n");
    }

    private static String ordinal(int number) {
        int last = number % 10;
        boolean teen = number / 10 % 10 == 1;
        return number + (teen ? "th" : last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
    }

    private void cells(@Nullable Losses losses) throws IOException {
        if (losses == null) {
            page.append("<td>-</td><td>-</td><td>-</td>");
            return;
        }
        for (double value : new double[] {losses.loss(), losses.reconstruction(), losses.kl()}) {
            page.append("<td>").append(Numbers.loss(value)).append("</td>");
        }
    }

    private void pictures() throws IOException {
        if (report.pictures().isEmpty()) {
            return;
        }
        page.append("<section>\n<h2>Pictures</h2>\n<div class=\"pictures\">\n");
        for (Picture picture : report.pictures()) {
            page.append("<figure>\n<h3 dir=\"auto\">").append(Html.escape(picture.title(), MAX_TITLE));
            page.append("</h3>\n<picture>");
            InlineImage still = picture.still();
            if (still != null) {
                page.append("<source media=\"print, (prefers-reduced-motion: reduce)\" srcset=\"");
                page.append(still.dataUri()).append("\">");
            }
            page.append("<img alt=\"")
                    .append(Html.escape(picture.alt(), MAX_TEXT))
                    .append("\" width=\"");
            page.append(Integer.toString(picture.image().width())).append("\" height=\"");
            page.append(Integer.toString(picture.image().height())).append("\" src=\"");
            page.append(picture.image().dataUri()).append("\"></picture>\n");
            caption(picture.caption());
            page.append("</figure>\n");
        }
        page.append("</div>\n</section>\n");
    }

    private void caption(String text) throws IOException {
        if (!text.isBlank()) {
            page.append("<figcaption><p dir=\"auto\">").append(Html.escape(text, MAX_TEXT));
            page.append("</p></figcaption>\n");
        }
    }

    private void scatter(Scatter scatter, ScatterChart chart, int number) throws IOException {
        page.append("<figure class=\"scatter\">\n<figcaption>\n<h3 dir=\"auto\">");
        page.append(Html.escape(scatter.title(), MAX_TITLE)).append("</h3>\n");
        String text = (scatter.caption() + ' ' + chart.omissions()).strip();
        page.append("<p dir=\"auto\">").append(Html.escape(text, MAX_TEXT)).append("</p>\n");
        chooser(chart, number);
        page.append("</figcaption>\n<div class=\"plot\">\n");
        String svg = chart.svg();
        if (svg == null) {
            page.append("<p>There is no point to draw.</p>\n");
        } else {
            // Names of axes are lines of the page, not of the drawing: there they wrap, whatever their length.
            page.append("<p class=\"up\"><bdi>").append(Html.escape(scatter.yAxis(), MAX_TITLE));
            page.append("</bdi> ↑</p>\n").append(svg).append("<p class=\"right\"><bdi>");
            page.append(Html.escape(scatter.xAxis(), MAX_TITLE)).append("</bdi> →</p>\n");
        }
        page.append("</div>\n</figure>\n");
    }

    /** Buttons that bring out the points of one label; the style sheet does the rest. */
    private void chooser(ScatterChart chart, int number) throws IOException {
        List<Integer> labels = chart.labels();
        if (labels.size() < 2) {
            return;
        }
        page.append("<fieldset>\n<legend>Show label</legend>\n");
        for (int i = -1; i < labels.size(); i++) {
            page.append("<label><input type=\"radio\" name=\"label").append(Integer.toString(number));
            page.append(i < 0 ? "\" value=\"all\" checked>" : "\" value=\"" + i + "\">");
            if (i >= 0) {
                page.append("<svg class=\"key\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path class=\"");
                page.append(ScatterChart.style(i)).append("\" d=\"M5 5h0\"/></svg>");
            }
            page.append(i < 0 ? "all" : labels.get(i).toString()).append("</label>\n");
        }
        page.append("</fieldset>\n");
    }

    private void run() throws IOException {
        if (report.table().isEmpty() && report.command().isBlank()) {
            return;
        }
        page.append("<section>\n<h2>How it was made</h2>\n");
        if (!report.table().isEmpty()) {
            page.append("<table class=\"run\">\n<tbody>\n");
            for (Report.Row row : report.table()) {
                page.append("<tr><th scope=\"row\" dir=\"auto\">").append(Html.escape(row.name(), MAX_TITLE));
                page.append("</th><td dir=\"auto\">").append(Html.escape(row.value(), MAX_TEXT));
                page.append("</td></tr>\n");
            }
            page.append("</tbody>\n</table>\n");
        }
        if (!report.command().isBlank()) {
            page.append("<h3>The same run again</h3>\n<pre dir=\"ltr\" tabindex=\"0\"><code>");
            page.append(Html.escape(report.command())).append("</code></pre>\n");
        }
        page.append("</section>\n");
    }
}
