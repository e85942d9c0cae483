package io.github.elbo4j.cli.report;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnimatedGifTest {
    private static BufferedImage noise(int type, int width, int height, long seed) {
        BufferedImage image = new BufferedImage(width, height, type);
        Random random = new Random(seed);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int band = 0; band < image.getRaster().getNumBands(); band++) {
                    image.getRaster().setSample(x, y, band, random.nextInt(256));
                }
            }
        }
        return image;
    }

    private static byte[] film(List<BufferedImage> frames) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (AnimatedGif gif = new AnimatedGif(file, 80, 1500)) {
            for (BufferedImage frame : frames) {
                gif.add(frame);
            }
        }
        return file.toByteArray();
    }

    private static List<BufferedImage> noises(int type, int count) {
        List<BufferedImage> frames = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            frames.add(noise(type, 30, 20, i));
        }
        return frames;
    }

    private static ImageReader reader(byte[] file) {
        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(file)));
        return reader;
    }

    private static IIOMetadataNode metadata(ImageReader reader, int frame, String part) throws IOException {
        IIOMetadataNode root =
                (IIOMetadataNode) reader.getImageMetadata(frame).getAsTree("javax_imageio_gif_image_1.0");
        return (IIOMetadataNode) root.getElementsByTagName(part).item(0);
    }

    @Test
    void greyFramesComeBackAsTheyWere() throws IOException {
        List<BufferedImage> frames = noises(BufferedImage.TYPE_BYTE_GRAY, 5);
        ImageReader reader = reader(film(frames));
        assertThat(reader.getNumImages(true)).isEqualTo(5);
        for (int i = 0; i < 5; i++) {
            BufferedImage read = reader.read(i);
            for (int y = 0; y < 20; y++) {
                for (int x = 0; x < 30; x++) {
                    int grey = frames.get(i).getRaster().getSample(x, y, 0);
                    assertThat(read.getRGB(x, y) & 0xffffff).isEqualTo(grey * 0x10101);
                }
            }
        }
    }

    @Test
    void framesHaveTheirTimesAndTheFilmRepeatsForever() throws IOException {
        byte[] file = film(noises(BufferedImage.TYPE_BYTE_GRAY, 3));
        ImageReader reader = reader(file);
        for (int i = 0; i < 3; i++) {
            assertThat(metadata(reader, i, "GraphicControlExtension").getAttribute("delayTime"))
                    .isEqualTo(i < 2 ? "8" : "150");
        }
        IIOMetadataNode loop = metadata(reader, 0, "ApplicationExtension");
        assertThat(loop.getAttribute("applicationID") + loop.getAttribute("authenticationCode"))
                .isEqualTo("NETSCAPE2.0");
        assertThat((byte[]) loop.getUserObject()).containsExactly(1, 0, 0);
        assertThat(new String(file, ISO_8859_1).split("NETSCAPE", -1)).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_INT_RGB})
    void allFramesShareOnePalette(int type) throws IOException {
        byte[] file = film(noises(type, 3));
        assertThat(new String(file, 0, 6, US_ASCII)).isEqualTo("GIF89a");
        // The screen's flags: a palette of 2^8 colours.
        assertThat(file[10] & 0x87).isEqualTo(0x87);
        ImageReader reader = reader(file);
        for (int i = 0; i < 3; i++) {
            assertThat(metadata(reader, i, "LocalColorTable")).as("frame %s", i).isNull();
        }
    }

    @Test
    void coloursAreRightOnAverage() throws IOException {
        for (int colour : new int[] {0x000000, 0xffffff, 0xff0000, 0x3366cc, 0x808080, 0x0a64a5, 0xfefefe}) {
            BufferedImage frame = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
            for (int i = 0; i < 64 * 64; i++) {
                frame.setRGB(i % 64, i / 64, colour);
            }
            BufferedImage read = reader(film(List.of(frame))).read(0);
            for (int shift : new int[] {0, 8, 16}) {
                double sum = 0;
                for (int i = 0; i < 64 * 64; i++) {
                    int seen = (read.getRGB(i % 64, i / 64) >> shift) & 0xff;
                    int wanted = (colour >> shift) & 0xff;
                    // Of the two levels around the colour, one.
                    assertThat(Math.abs(seen - wanted)).isLessThanOrEqualTo(51);
                    sum += seen;
                }
                assertThat(sum / (64 * 64))
                        .isBetween(((colour >> shift) & 0xff) - 1.0, ((colour >> shift) & 0xff) + 1.0);
            }
        }
    }

    @Test
    void whatStandsStillDoesNotFlicker() throws IOException {
        BufferedImage before = noise(BufferedImage.TYPE_INT_RGB, 30, 20, 1);
        BufferedImage after = noise(BufferedImage.TYPE_INT_RGB, 30, 20, 1);
        after.setRGB(5, 5, ~before.getRGB(5, 5));
        ImageReader reader = reader(film(List.of(before, after)));
        BufferedImage first = reader.read(0);
        BufferedImage second = reader.read(1);
        for (int i = 0; i < 600; i++) {
            if (i != 5 * 30 + 5) {
                assertThat(second.getRGB(i % 30, i / 30)).isEqualTo(first.getRGB(i % 30, i / 30));
            }
        }
        assertThat(second.getRGB(5, 5)).isNotEqualTo(first.getRGB(5, 5));
    }

    @Test
    void framesLeaveMemoryAsTheyAreAdded() throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (AnimatedGif gif = new AnimatedGif(file, 40, 40)) {
            int before = 0;
            for (int i = 0; i < 10; i++) {
                gif.add(noise(BufferedImage.TYPE_BYTE_GRAY, 100, 100, i));
                // All but the last frame, whose time is not known yet; noise does not compress.
                assertThat(file.size()).isGreaterThanOrEqualTo(i * 10_000);
                assertThat(file.size()).isGreaterThanOrEqualTo(before);
                before = file.size();
            }
        }
    }

    @Test
    void aFrameIsCopied() throws IOException {
        BufferedImage frame = noise(BufferedImage.TYPE_BYTE_GRAY, 30, 20, 1);
        int first = frame.getRaster().getSample(0, 0, 0);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (AnimatedGif gif = new AnimatedGif(file, 80, 80)) {
            gif.add(frame);
            frame.getRaster().setSample(0, 0, 0, 255 - first);
        }
        assertThat(reader(file.toByteArray()).read(0).getRGB(0, 0) & 0xff).isEqualTo(first);
    }

    @Test
    void theStreamStaysOpen() throws IOException {
        boolean[] closed = new boolean[1];
        ByteArrayOutputStream file = new ByteArrayOutputStream() {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        AnimatedGif gif = new AnimatedGif(file, 80, 80);
        gif.add(noise(BufferedImage.TYPE_BYTE_GRAY, 3, 3, 0));
        gif.close();
        gif.close();
        assertThat(closed[0]).isFalse();
        assertThat(file.toByteArray()).endsWith(';');
        assertThatIllegalStateException().isThrownBy(() -> gif.add(noise(BufferedImage.TYPE_BYTE_GRAY, 3, 3, 0)));
    }

    @Test
    void wrongFramesAndTimesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> film(List.of(
                        noise(BufferedImage.TYPE_BYTE_GRAY, 3, 3, 0), noise(BufferedImage.TYPE_BYTE_GRAY, 3, 4, 0))))
                .withMessageContaining("3 x 3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> film(List.of(
                        noise(BufferedImage.TYPE_BYTE_GRAY, 3, 3, 0), noise(BufferedImage.TYPE_INT_RGB, 3, 3, 0))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> film(List.of(noise(BufferedImage.TYPE_INT_ARGB, 3, 3, 0))));
        assertThatIllegalStateException().isThrownBy(() -> film(List.of()));
        for (int millis : new int[] {-1, 19, 600_001}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new AnimatedGif(new ByteArrayOutputStream(), millis, 80));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new AnimatedGif(new ByteArrayOutputStream(), 80, millis));
        }
    }

    @Test
    void aDiskThatIsFullIsAnIoException() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("no space left");
            }
        };
        assertThatIOException()
                .isThrownBy(() -> {
                    try (AnimatedGif gif = new AnimatedGif(full, 80, 80)) {
                        gif.add(noise(BufferedImage.TYPE_BYTE_GRAY, 30, 30, 0));
                        gif.add(noise(BufferedImage.TYPE_BYTE_GRAY, 30, 30, 1));
                    }
                })
                .withMessageContaining("no space left");
    }
}
