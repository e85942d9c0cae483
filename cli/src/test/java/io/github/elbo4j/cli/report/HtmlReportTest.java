package io.github.elbo4j.cli.report;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.elbo4j.model.Losses;
import io.github.elbo4j.training.EpochReport;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {
    @TempDir
    Path folder;

    private String page(Report report) throws IOException {
        Path file = folder.resolve("report.html");
        HtmlReport.write(report, file);
        return Files.readString(file);
    }

    private static Report ofHistory(List<EpochReport> history) {
        return new Report("run", List.of(), "", history, List.of(), List.of());
    }

    private static EpochReport epoch(int number, double train, double... test) {
        return new EpochReport(
                number,
                new Losses(train, 1, train + 1),
                test.length == 0 ? null : new Losses(test[0], 2, test[0] + 2),
                0,
                0);
    }

    @Test
    void thePageNeedsNothingButItself() throws IOException {
        String page = page(Reports.full());
        assertThat(page)
                .startsWith("<!DOCTYPE html>\n<html lang=\"en\">")
                .endsWith("</html>\n")
                .contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline';")
                .contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
                .doesNotContain("<script", "http:", "https:", "url(", "@import", "@font-face");
        List<String> links = Pattern.compile("(?:src|srcset|href)=\"([^\"]{1,20})")
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(links).hasSize(1 + 6 + 2).allMatch(link -> link.startsWith("data:"));
    }

    @Test
    void aReportOfMnistsSizeIsSmallAndAlwaysTheSame() throws IOException {
        String page = page(Reports.full());
        assertThat(page.length()).isLessThan(3_000_000);
        assertThat(page(Reports.full())).isEqualTo(page);
        // Not a small report: twenty epochs, six pictures, ten thousand points.
        assertThat(page.split("h0", -1)).hasSizeGreaterThan(10_000);
    }

    @Test
    void picturesComeBackWithoutLoss() throws IOException {
        Picture picture = Reports.pictures().getFirst();
        String page = page(new Report("run", List.of(), "", List.of(), List.of(picture), List.of()));
        Matcher match = Pattern.compile("width=\"(\\d+)\" height=\"(\\d+)\" src=\"data:image/png;base64,([^\"]*)\"")
                .matcher(page);
        assertThat(match.find()).isTrue();
        BufferedImage read =
                ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(match.group(3))));
        assertThat(match.group(1) + ' ' + match.group(2)).isEqualTo(read.getWidth() + " " + read.getHeight());
        assertThat(picture.image().dataUri()).endsWith(match.group(3));
    }

    @Test
    void theBestEpochIsThatOfTheLowestTestLoss() throws IOException {
        String page = page(ofHistory(List.of(epoch(1, 9, 8), epoch(2, 7, 5), epoch(3, 3, 6))));
        assertThat(page)
                .contains("<dt>Best test loss</dt><dd><b>7.00</b> <span>nats, epoch 2</span>")
                .contains("<dt>Reconstruction</dt><dd><b>5.00</b>", "<dt>KL divergence</dt><dd><b>2.00</b>")
                .contains("<tr class=\"chosen\"><th scope=\"row\">2 best</th><td>7.00</td><td>5.00</td><td>2.00</td>");
    }

    @Test
    void withoutTestDataTheTrainingLossDecides() throws IOException {
        String page = page(ofHistory(List.of(epoch(1, 9), epoch(2, 3), epoch(3, 4))));
        assertThat(page)
                .contains("<dt>Best training loss</dt><dd><b>4.00</b> <span>nats, epoch 2</span>")
                .contains("there were no test data")
                .doesNotContain("line test");
    }

    @Test
    void anEpochThatWasNotTestedIsNeverTheBest() throws IOException {
        String page = page(ofHistory(List.of(epoch(1, 1), epoch(2, 9, 8), epoch(3, 9, 7))));
        assertThat(page).contains("nats, epoch 3").contains("<td>-</td><td>-</td><td>-</td><td>2.00</td>");
    }

    @Test
    void ofManyEpochsTheTableHasSomeAndTheBest() throws IOException {
        List<EpochReport> history = new ArrayList<>();
        for (int i = 1; i <= 1000; i++) {
            history.add(epoch(i, 5, i == 444 ? 1 : 2));
        }
        String page = page(ofHistory(history));
        assertThat(page)
                .contains("Every 5th epoch")
                .contains(
                        "<th scope=\"row\">1</th>", "<th scope=\"row\">444 best</th>", "<th scope=\"row\">1,000</th>");
        assertThat(page.split("<th scope=\"row\">", -1)).hasSize(1 + 202);
    }

    @Test
    void whatIsMissingLeavesNoEmptyPlace() throws IOException {
        String page = page(ofHistory(List.of()));
        assertThat(page).contains("<h1 dir=\"auto\">run</h1>").doesNotContain("<h2>", "<section>", "<figure", "<dl");
    }

    @Test
    void theCommandIsNeverCut() throws IOException {
        String command = "elbo4j train --data '" + "x".repeat(50_000) + "'";
        String page = page(new Report("run", List.of(), command, List.of(), List.of(), List.of()));
        assertThat(page).contains("<code>" + Html.escape(command) + "</code>");
    }

    @Test
    void aReportThatCannotBeWrittenLeavesTheOldOne() throws IOException {
        Path file = Files.writeString(folder.resolve("report.html"), "old");
        Path inside = file.resolve("report.html");
        assertThatIOException().isThrownBy(() -> HtmlReport.write(Reports.full(), inside));
        assertThat(file).hasContent("old");
        assertThatIOException()
                .isThrownBy(() -> HtmlReport.write(Reports.full(), folder.resolve("missing/report.html")))
                .withMessageContaining("create the folder");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void wrongReportsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofHistory(List.of(epoch(2, 1), epoch(2, 1))))
                .withMessage("epoch 2 stands after epoch 2");
        for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -2e300}) {
            assertThatIllegalArgumentException().isThrownBy(() -> ofHistory(List.of(epoch(1, wrong))));
            assertThatIllegalArgumentException().isThrownBy(() -> ofHistory(List.of(epoch(1, 1, wrong))));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> picture("title", " "));
        assertThatIllegalArgumentException().isThrownBy(() -> picture("", "words"));
        for (byte[] file :
                List.of(new byte[0], new byte[100], "GIF89a".getBytes(US_ASCII), "BM00".getBytes(US_ASCII))) {
            assertThatIllegalArgumentException().isThrownBy(() -> InlineImage.of(file));
        }
    }

    private static Picture picture(String title, String alt) {
        return Picture.of(title, alt, "", new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY));
    }
}
