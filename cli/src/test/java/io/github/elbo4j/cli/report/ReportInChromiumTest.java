package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.Json;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.training.EpochReport;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What readers get: the page in a browser, on phones and desks, by day and night. */
class ReportInChromiumTest {
    /** For people to look at. */
    private static final Path SCREENSHOTS = Path.of("target", "report-screenshots");

    private static final int PHONE = 360;
    private static final int DESK = 1280;

    @TempDir
    static Path folder;

    private static Path full;
    private static Chromium chromium;

    @BeforeAll
    static void start() throws Exception {
        full = folder.resolve("report.html");
        HtmlReport.write(Reports.full(), full);
        chromium = Chromium.start();
    }

    @AfterAll
    static void stop() throws Exception {
        if (chromium != null) {
            chromium.close();
        }
    }

    @BeforeEach
    void preferNothing() throws Exception {
        chromium.window(PHONE, 800);
        chromium.prefer("", Map.of());
    }

    @ParameterizedTest
    @CsvSource({"360, 800, light", "360, 800, dark", "768, 1024, light", "1280, 900, light", "1280, 900, dark"})
    void aReportHasNoFaults(int width, int height, String scheme) throws Exception {
        chromium.window(width, height);
        chromium.prefer("", Map.of("prefers-color-scheme", scheme));
        assertThat(Page.faults(chromium, full)).isEmpty();
        assertThat(chromium.requests()).containsExactly(full.toUri().toString());
        assertThat(chromium.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"))
                .isEqualTo(scheme.equals("dark"));
        assertThat(chromium.evaluate("document.images.length")).isEqualTo(6.0);
        chromium.screenshot(SCREENSHOTS.resolve(width + "-" + scheme + ".png"));
    }

    @Test
    void dayAndNightDiffer() throws Exception {
        chromium.open(full);
        String ground = "getComputedStyle(document.body).backgroundColor";
        chromium.prefer("", Map.of("prefers-color-scheme", "light"));
        Object day = chromium.evaluate(ground);
        chromium.prefer("", Map.of("prefers-color-scheme", "dark"));
        assertThat(chromium.evaluate(ground)).isNotEqualTo(day);
    }

    @Test
    void onADeskFiguresStandSideBySide() throws Exception {
        String rows = "new Set([...document.querySelectorAll('.charts figure')].map(f => f.offsetTop)).size";
        chromium.open(full);
        assertThat(chromium.evaluate(rows)).isEqualTo(3.0);
        chromium.window(DESK, 900);
        assertThat(chromium.evaluate(rows)).isEqualTo(1.0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"DejaVu Sans", "monospace", "serif"})
    void anyFontFits(String font) throws Exception {
        chromium.open(full);
        for (int width : new int[] {320, PHONE, DESK}) {
            chromium.window(width, 800);
            chromium.evaluate("document.body.style.fontFamily = '\"" + font + "\"'");
            // Bold is wider.
            chromium.evaluate("document.querySelectorAll('svg text').forEach(e => e.style.fontWeight = 700)");
            assertThat(Page.layoutFaults(chromium)).as("%s pixels", width).isEmpty();
        }
    }

    @Test
    void animationsStandStillForThoseWhoAskForLessMotion() throws Exception {
        chromium.open(full);
        String kinds = "[...document.images].filter(i => i.src.startsWith('data:image/gif'))"
                + ".map(i => i.currentSrc.slice(0, 14))";
        assertThat(chromium.evaluate(kinds)).isEqualTo(List.of("data:image/gif", "data:image/gif"));
        chromium.prefer("", Map.of("prefers-reduced-motion", "reduce"));
        assertThat(Page.faults(chromium, full)).isEmpty();
        assertThat(chromium.evaluate(kinds)).isEqualTo(List.of("data:image/png", "data:image/png"));
    }

    @Test
    void aLabelCanBeBroughtOut() throws Exception {
        chromium.prefer("", Map.of("prefers-reduced-motion", "reduce"));
        chromium.open(full);
        String opacities = "[0, 3].map(i => getComputedStyle(document.querySelector('.plot .of' + i)).opacity)";
        assertThat(chromium.evaluate(opacities)).isEqualTo(List.of("0.75", "0.75"));
        chromium.evaluate("document.querySelector('input[value=\"3\"]').closest('label').click()");
        assertThat(chromium.evaluate(opacities)).isEqualTo(List.of("0.07", "0.75"));
        chromium.evaluate("document.querySelector('input[value=all]').closest('label').click()");
        assertThat(chromium.evaluate(opacities)).isEqualTo(List.of("0.75", "0.75"));
    }

    @Test
    void theTableOfEpochsScrollsInItsOwnBox() throws Exception {
        chromium.open(full);
        chromium.evaluate("document.querySelector('details').open = true");
        assertThat(Page.layoutFaults(chromium)).isEmpty();
        assertThat(chromium.evaluate("(e => e.scrollWidth > e.clientWidth)(document.querySelector('.scroll'))"))
                .isEqualTo(true);
        assertThat(chromium.evaluate("document.querySelectorAll('tr.chosen').length"))
                .isEqualTo(1.0);
    }

    @Test
    void onPaperItIsBlackOnWhite() throws Exception {
        chromium.prefer("print", Map.of("prefers-color-scheme", "dark"));
        assertThat(Page.faults(chromium, full)).isEmpty();
        assertThat(chromium.evaluate("getComputedStyle(document.body).backgroundColor"))
                .isEqualTo("rgb(255, 255, 255)");
        chromium.screenshot(SCREENSHOTS.resolve("print.png"));
    }

    static Stream<Arguments> extremes() {
        return Stream.of(
                extreme("nothing", List.of()),
                extreme("one epoch", Reports.history(1, true)),
                extreme("two epochs", Reports.history(2, true)),
                extreme("no test data", Reports.history(8, false)),
                extreme("100,000 epochs", Reports.history(100_000, true)),
                extreme("one value", losses(12, _ -> 100)),
                extreme("zero", losses(12, _ -> 0)),
                extreme("negative", losses(12, i -> -1234.5 + i)),
                extreme("least difference", losses(12, i -> 100_000 + i * 1e-9)),
                extreme("magnitudes", losses(61, i -> Math.pow(10, i - 30))),
                extreme("both signs of magnitudes", losses(61, i -> (i % 2 == 0 ? 1 : -1) * Math.pow(10, i - 30))),
                extreme("largest", losses(5, i -> (i % 2 == 0 ? 1 : -1) * Axis.LARGEST)),
                extreme("least", losses(5, i -> i * Double.MIN_VALUE)));
    }

    private static Arguments extreme(String name, List<EpochReport> history) {
        return argumentSet(name, name, history);
    }

    private static List<EpochReport> losses(int epochs, IntToDoubleFunction value) {
        return IntStream.range(0, epochs)
                .mapToObj(i -> {
                    double v = value.applyAsDouble(i);
                    return new EpochReport(i + 1, new Losses(v, v, v), new Losses(v, v, v), 0, 0);
                })
                .toList();
    }

    @ParameterizedTest
    @MethodSource("extremes")
    void extremeLossesHaveNoFaults(String name, List<EpochReport> history) throws Exception {
        Path file = folder.resolve("extreme.html");
        HtmlReport.write(new Report(name, List.of(), "", history, List.of(), List.of()), file);
        for (int width : new int[] {PHONE, DESK}) {
            chromium.window(width, 800);
            assertThat(Page.faults(chromium, file)).as("%s pixels", width).isEmpty();
            chromium.screenshot(SCREENSHOTS.resolve(name.replace(' ', '-') + "-" + width + ".png"));
        }
        assertThat(Files.readString(file)).doesNotContain("NaN", "Infinity");
    }

    static Stream<Arguments> clouds() {
        return Stream.of(
                cloud("one point", List.of(new Scatter.Point(0, 0, Scatter.NO_LABEL))),
                cloud("no number", List.of(new Scatter.Point(Float.NaN, 0, 1), new Scatter.Point(0, 1 / 0f, 2))),
                cloud("without labels", unlabelled(Reports.latent(500, 1).points())),
                cloud("forty labels", Reports.latent(4000, 40).points()),
                cloud("a thousand labels", Reports.latent(4000, 1000).points()),
                cloud("a thin line", List.of(new Scatter.Point(-1e30f, 1e-30f, 0), new Scatter.Point(1e30f, 0, 1))),
                cloud("one place", List.of(new Scatter.Point(5, 5, 123_456_789), new Scatter.Point(5, 5, 1))));
    }

    private static List<Scatter.Point> unlabelled(List<Scatter.Point> points) {
        return points.stream()
                .map(point -> new Scatter.Point(point.x(), point.y(), Scatter.NO_LABEL))
                .toList();
    }

    private static Arguments cloud(String name, List<Scatter.Point> points) {
        return argumentSet(name, name, points);
    }

    @ParameterizedTest
    @MethodSource("clouds")
    void extremePointsHaveNoFaults(String name, List<Scatter.Point> points) throws Exception {
        Path file = folder.resolve("cloud.html");
        Scatter scatter = new Scatter(name, "", "latent 3", "latent 7", points);
        HtmlReport.write(new Report(name, List.of(), "", List.of(), List.of(), List.of(scatter, scatter)), file);
        for (int width : new int[] {PHONE, DESK}) {
            chromium.window(width, 800);
            assertThat(Page.faults(chromium, file)).as("%s pixels", width).isEmpty();
            chromium.screenshot(SCREENSHOTS.resolve(name.replace(' ', '-') + "-" + width + ".png"));
        }
    }

    static List<String> hostileTexts() {
        return List.of(
                "<script>document.title = 'owned'</script>",
                "\"><img src=x onerror=alert(1)>",
                "'\" onmouseover='alert(1)' </title></style></svg>--> ]]> &lt; &#x27; {{7*7}}",
                "\u202Eevil\u202C \u2066x \u200Fשלום\u200F مرحبا",
                "\uD800 a \uDC00 \uDBFF",
                "\0\u0001\u001B[31m\u007F\u0085\uFFFE",
                "javascript:alert(1)",
                "x".repeat(10_000),
                "long words ".repeat(1000),
                "😀".repeat(5000));
    }

    @ParameterizedTest
    @MethodSource("hostileTexts")
    void textsAreShownAndNeverInterpreted(String text) throws Exception {
        Path file = folder.resolve("hostile.html");
        BufferedImage image = new ImageGrid(new ImageShape(2, 2, 1), 1, 1).image();
        List<Report.Row> rows = List.of(new Report.Row(text, text), new Report.Row("data", text));
        HtmlReport.write(
                new Report(
                        text,
                        rows,
                        text,
                        Reports.history(3, true),
                        List.of(Picture.of(text, text, text, image)),
                        List.of(new Scatter(
                                text, text, text, text, Reports.latent(30, 3).points()))),
                file);
        for (int width : new int[] {PHONE, DESK}) {
            chromium.window(width, 800);
            assertThat(Page.faults(chromium, file)).as("%s pixels", width).isEmpty();
        }
        assertThat(chromium.evaluate("document.scripts.length + document.images.length"))
                .isEqualTo(1.0);
        assertThat(chromium.evaluate("[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
                        + ".filter(a => a.name.startsWith('on')).length"))
                .isEqualTo(0.0);
        // A text as a page can hold it comes back as it was given.
        if (text.codePoints().noneMatch(c -> Html.escape(Character.toString(c)).equals("\uFFFD"))) {
            assertThat(chromium.evaluate("document.querySelector('code').textContent === " + Json.write(text)))
                    .isEqualTo(true);
        }
    }

    static Stream<Arguments> faultyPages() {
        String policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">";
        return Stream.of(
                faulty("broken image", "<img alt=x src='data:image/png;base64,AAAA'>", "broken image: x"),
                faulty("image without words", "<img alt=' ' src='data:,'>", "image without words"),
                faulty("request", "<img alt=x src='http://127.0.0.1:9/x.png'>", "request: http://127.0.0.1:9/x.png"),
                faulty("style sheet", "<link rel=stylesheet href='other.css'>", "request: file:"),
                faulty("console", "<script>console.error('oh')</script>", "console: error"),
                faulty("exception", "<script>throw new Error('oh')</script>", "exception: Uncaught"),
                faulty("policy", policy + "<script>1</script>", "log: "),
                faulty("too wide", "<div style='width:3000px'>x</div>", "wider than the window"),
                faulty(
                        "hidden overflow",
                        "<div style='overflow:hidden'><p style='width:3000px'>x",
                        "out of the window: P"),
                faulty("cut off", "<p style='width:20px;white-space:nowrap'>long text", "cut off: P"),
                faulty("cut off below", "<p style='height:5px;overflow:hidden'>x</p>", "cut off below: P"),
                faulty("contrast", "<p style='color:#999'>x</p>", "contrast 2.8"),
                faulty("drawing", "<svg width=50 height=20><text x=30 y=10>xxxxxx</text></svg>", "leaves its drawing"),
                faulty(
                        "text over text",
                        "<svg width=99 height=20><text y=15>xx</text><text x=3 y=15>yy</text></svg>",
                        "covers text: xx / yy"),
                faulty("second heading", "<h1>x</h1>", "not one main heading"),
                faulty("skipped heading", "<h3>x</h3>", "heading skipped before h3"),
                faulty("wordless drawing", "<svg role=img></svg>", "drawing without words"));
    }

    private static Arguments faulty(String name, String body, String fault) {
        return argumentSet(name, body, fault);
    }

    @ParameterizedTest
    @MethodSource("faultyPages")
    void faultsAreFound(String body, String fault) throws Exception {
        Path file = folder.resolve("faulty.html");
        String frame = "<!DOCTYPE html><html lang=en><meta charset=utf-8>"
                + "<meta name=viewport content='width=device-width'><link rel=icon href='data:,'><h1>x</h1>";
        Files.writeString(file, frame);
        assertThat(Page.faults(chromium, file)).isEmpty();
        Files.writeString(file, frame + body);
        assertThat(Page.faults(chromium, file))
                .anySatisfy(found -> assertThat(found).startsWith(fault));
    }
}
