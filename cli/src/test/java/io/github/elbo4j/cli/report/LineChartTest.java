package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LineChartTest {
    private static final Pattern POINT = Pattern.compile("[ML](\\S+?) ([0-9.-]+)");

    private static LineChart.Line line(String name, double... values) {
        return new LineChart.Line(
                name, name, IntStream.rangeClosed(1, values.length).toArray(), values);
    }

    /** {@return the points of a line as drawn} */
    private static double[][] points(String svg, String name) {
        MatchResult path = Pattern.compile("<path class=\"line " + name + "\" d=\"([^\"]*)\"/>")
                .matcher(svg)
                .results()
                .findFirst()
                .orElseThrow();
        return POINT.matcher(path.group(1))
                .results()
                .map(point -> new double[] {Double.parseDouble(point.group(1)), Double.parseDouble(point.group(2))})
                .toArray(double[][]::new);
    }

    private static double attribute(String element, String name) {
        return Pattern.compile(name + "=\"([^\"]*)\"")
                .matcher(element)
                .results()
                .map(match -> Double.parseDouble(match.group(1)))
                .findFirst()
                .orElseThrow();
    }

    private static String element(String svg, String start) {
        return svg.lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
    }

    @Test
    void equalStepsAreEquallyFarApart() {
        double[][] points =
                points(new LineChart("c", "Loss", List.of(line("train", 40, 30, 20, 10)), 4).svg(), "train");
        assertThat(points).hasNumberOfRows(4);
        for (int i = 1; i < 3; i++) {
            assertThat(points[i + 1][0] - points[i][0]).isCloseTo(points[1][0] - points[0][0], within(0.11));
            assertThat(points[i + 1][1] - points[i][1]).isCloseTo(points[1][1] - points[0][1], within(0.11));
        }
        // The page's y goes down.
        assertThat(points[3][1]).isGreaterThan(points[0][1]);
    }

    @Test
    void linesShareTheirAxes() {
        LineChart chart = new LineChart("c", "Loss", List.of(line("train", 5, 1), line("test", 1, 5)), 1);
        double[][] train = points(chart.svg(), "train");
        double[][] test = points(chart.svg(), "test");
        assertThat(train[0][1]).isEqualTo(test[1][1]);
        assertThat(train[1][1]).isEqualTo(test[0][1]);
        assertThat(train[0][0]).isEqualTo(test[0][0]);
    }

    @Test
    void theBestEpochIsMarkedOnTheLastLine() {
        String svg = new LineChart("c", "Loss", List.of(line("train", 9, 8, 7), line("test", 9, 5, 6)), 2).svg();
        double[] best = points(svg, "test")[1];
        String ring = element(svg, "<circle class=\"ring test\"");
        assertThat(attribute(ring, "cx")).isEqualTo(best[0]);
        assertThat(attribute(ring, "cy")).isEqualTo(best[1]);
        assertThat(svg).contains("best: epoch 2");
    }

    @Test
    void namesOfLinesKeepApartAndStayInside() {
        for (double end : new double[] {1, 1.001, 2, 9}) {
            String svg = new LineChart("c", "KL", List.of(line("train", 9, 1), line("test", 1, end)), 1).svg();
            double train = attribute(element(svg, "<text class=\"name train\""), " y");
            double test = attribute(element(svg, "<text class=\"name test\""), " y");
            assertThat(Math.abs(train - test)).as("%s", end).isGreaterThanOrEqualTo(Svg.FONT_SIZE);
            assertThat(Math.max(train, test)).as("%s", end).isLessThan(190);
        }
    }

    @Test
    void everyPointOfAShortLineSaysWhatItIs() {
        String svg = new LineChart("c", "Loss", List.of(line("train", 3, 2), line("test", 4, 1.5)), 2).svg();
        assertThat(svg)
                .contains("<title>train, epoch 1: 3.00</title>", "<title>test, epoch 2: 1.50</title>")
                .contains("train: from 3.00 after epoch 1 to 2.00 after epoch 2.", "Best epoch: 2.");
    }

    @Test
    void longLinesKeepTheirEndsAndExtremes() {
        double[] values = new double[100_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sin(i * 0.37);
        }
        values[0] = 0.5;
        values[77_777] = 50;
        values[33_333] = -60;
        values[99_999] = 0.25;
        int[] kept = LineChart.kept(values);
        assertThat(kept).hasSizeLessThanOrEqualTo(1000).isSorted().doesNotHaveDuplicates();
        assertThat(kept).contains(0, 33_333, 77_777, 99_999);
        // No part is without its extremes.
        for (int part = 0; part < 250; part++) {
            int from = part * 400;
            double most = Arrays.stream(values, from, from + 400).max().orElseThrow();
            assertThat(Arrays.stream(kept)
                            .filter(i -> i >= from && i < from + 400)
                            .mapToDouble(i -> values[i])
                            .max())
                    .hasValue(most);
        }
        String svg = new LineChart("c", "Loss", List.of(line("test", values)), 33_334).svg();
        assertThat(svg).hasSizeLessThan(20_000);
        assertThat(points(svg, "test")).hasNumberOfRows(kept.length);
    }

    @Test
    void shortLinesKeepEveryPoint() {
        assertThat(LineChart.kept(new double[1000])).hasSize(1000);
        assertThat(LineChart.kept(new double[1])).containsExactly(0);
    }

    @Test
    void aLineMayLackEpochs() {
        LineChart.Line test = new LineChart.Line("test", "test", new int[] {2, 4}, new double[] {1, 2});
        String svg = new LineChart("c", "Loss", List.of(line("train", 4, 3, 2, 1), test), 2).svg();
        double[][] train = points(svg, "train");
        assertThat(points(svg, "test")[0][0]).isEqualTo(train[1][0]);
        assertThat(points(svg, "test")[1][0]).isEqualTo(train[3][0]);
    }
}
