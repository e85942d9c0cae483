package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.cli.report.Scatter.Point;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScatterChartTest {
    private static final Pattern DOT = Pattern.compile("M(\\S+) ([0-9.-]+)h0");

    private static ScatterChart chart(Point... points) {
        return chart(List.of(points));
    }

    private static ScatterChart chart(List<Point> points) {
        return new ScatterChart("c", new Scatter("Latents", "", "latent 3", "latent 7", points));
    }

    private static double[][] dots(ScatterChart chart) {
        return DOT.matcher(String.valueOf(chart.svg()))
                .results()
                .map(ScatterChartTest::numbers)
                .toArray(double[][]::new);
    }

    private static double[] numbers(MatchResult dot) {
        return new double[] {Double.parseDouble(dot.group(1)), Double.parseDouble(dot.group(2))};
    }

    @Test
    void aUnitIsAsLongUpwardsAsToTheRight() {
        double[][] dots = dots(chart(new Point(0, 0, 1), new Point(3, 0, 1), new Point(0, 1, 1)));
        double right = dots[1][0] - dots[0][0];
        double up = dots[0][1] - dots[2][1];
        assertThat(right).isPositive();
        assertThat(up).isCloseTo(right / 3, within(0.2));
    }

    @Test
    void axesOfOtherMagnitudesAreScaledApart() {
        double[][] dots = dots(chart(new Point(0, 0, 1), new Point(1e20f, 1e-20f, 1)));
        assertThat(dots[1][0] - dots[0][0]).isGreaterThan(200);
        assertThat(dots[0][1] - dots[1][1]).isGreaterThan(200);
    }

    @Test
    void aLabelIsOnePathAndStandsAtItsMedian() {
        ScatterChart chart = chart(Reports.latent(300, 3).points());
        String svg = String.valueOf(chart.svg());
        assertThat(chart.labels()).containsExactly(0, 1, 2);
        assertThat(Pattern.compile("class=\"dots colour\\d of\\d").matcher(svg).results())
                .hasSize(3);
        double[] xs = DOT.matcher(svg.lines()
                        .filter(line -> line.contains("dots colour1 "))
                        .findFirst()
                        .orElseThrow())
                .results()
                .mapToDouble(dot -> numbers(dot)[0])
                .sorted()
                .toArray();
        assertThat(xs).hasSize(100);
        assertThat(svg).contains("<text class=\"label of1\" text-anchor=\"middle\" x=\"" + Svg.number(xs[50]) + '"');
    }

    @Test
    void aFewPointsAreNotHiddenByTheirLabel() {
        ScatterChart chart = chart(new Point(0, 0, 4), new Point(1, 1, 5));
        double[][] dots = dots(chart);
        List<Double> labels = Pattern.compile("<text class=\"label of\\d\".* y=\"([^\"]*)\"")
                .matcher(String.valueOf(chart.svg()))
                .results()
                .map(match -> Double.parseDouble(match.group(1)) - Svg.FONT_SIZE / 3)
                .toList();
        assertThat(labels).hasSize(2);
        for (double y : labels) {
            assertThat(y).isPositive();
            assertThat(List.of(dots))
                    .allSatisfy(dot -> assertThat(Math.abs(dot[1] - y)).isGreaterThan(8));
        }
    }

    @Test
    void pointsBeyondTheLimitAreThinnedOutEvenlyAndCounted() {
        List<Point> points = IntStream.range(0, 25_000)
                .mapToObj(i -> new Point(i, -i, Scatter.NO_LABEL))
                .toList();
        ScatterChart chart = chart(points);
        double[][] dots = dots(chart);
        assertThat(dots).hasNumberOfRows(10_000);
        assertThat(dots[5000][0] - dots[0][0]).isCloseTo(dots[9999][0] - dots[5000][0], within(1.0));
        // The last points are drawn like the first.
        assertThat(chart.svg()).contains(">20,000<");
        assertThat(chart.omissions()).isEqualTo("10,000 of 25,000 points are drawn.");
        assertThat(String.valueOf(chart.svg())).hasSizeLessThan(200_000);
    }

    @Test
    void coordinatesThatAreNoNumbersAreLeftOutAndCounted() {
        ScatterChart chart =
                chart(new Point(Float.NaN, 0, 1), new Point(0, Float.POSITIVE_INFINITY, 1), new Point(1, 2, 1));
        assertThat(dots(chart)).hasNumberOfRows(1);
        assertThat(chart.omissions()).isEqualTo("2 of 3 points have a coordinate that is not finite.");
        assertThat(chart(new Point(Float.NaN, 0, 1)).svg()).isNull();
        assertThat(chart().svg()).isNull();
        assertThat(chart().omissions()).isEmpty();
    }

    @Test
    void tooManyLabelsAreNotToldApart() {
        assertThat(chart(Reports.latent(400, 40).points()).labels()).hasSize(40);
        ScatterChart chart = chart(Reports.latent(410, 41).points());
        assertThat(chart.labels()).isEmpty();
        assertThat(chart.omissions()).isEqualTo("41 labels are too many to be told apart.");
        assertThat(dots(chart)).hasNumberOfRows(410);
    }

    @Test
    void labelsOfOneColourHaveOtherShapes() {
        assertThat(ScatterChart.style(3)).isEqualTo("dots colour3");
        assertThat(ScatterChart.style(13)).isEqualTo("dots colour3 square");
    }
}
