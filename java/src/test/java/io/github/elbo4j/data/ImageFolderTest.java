package io.github.elbo4j.data;

import static io.github.elbo4j.data.ImageFiles.GREY;
import static io.github.elbo4j.data.ImageFiles.GREY_ALPHA;
import static io.github.elbo4j.data.ImageFiles.PALETTE;
import static io.github.elbo4j.data.ImageFiles.RGB;
import static io.github.elbo4j.data.ImageFiles.RGB_ALPHA;
import static io.github.elbo4j.data.ImageFiles.chunk;
import static io.github.elbo4j.data.ImageFiles.concat;
import static io.github.elbo4j.data.ImageFiles.deflated;
import static io.github.elbo4j.data.ImageFiles.gradient;
import static io.github.elbo4j.data.ImageFiles.grey;
import static io.github.elbo4j.data.ImageFiles.header;
import static io.github.elbo4j.data.ImageFiles.png;
import static io.github.elbo4j.data.ImageFiles.rgb;
import static io.github.elbo4j.data.ImageFiles.scanlines;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ImageFolderTest {
    @TempDir
    Path folder;

    @Test
    void greyImagesAreRowsInTheOrderOfTheirNames() throws IOException {
        write("b.PNG", grey(3, 2, 11, 12, 13, 14, 15, 16));
        write("a10.png", grey(3, 2, 1, 2, 3, 4, 5, 6));
        write("a9.png", grey(3, 2, 255, 254, 253, 252, 251, 0));
        write(".hidden.png", "no image".getBytes(StandardCharsets.UTF_8));
        write("notes.txt", "no image".getBytes(StandardCharsets.UTF_8));
        Files.createDirectories(folder.resolve("deeper"));

        Dataset set = ImageFolder.read(folder);

        assertThat(set.shape()).isEqualTo(new ImageShape(2, 3, 1));
        assertThat(set.type()).isEqualTo(DType.U8);
        assertThat(set.hasLabels()).isFalse();
        assertThat(pixels(set)).containsExactly(1, 2, 3, 4, 5, 6, 255, 254, 253, 252, 251, 0, 11, 12, 13, 14, 15, 16);
        assertThat(ImageFolder.classNames(folder)).isEmpty();
    }

    @Test
    void theOrderIsThatOfCodePoints() throws IOException {
        // Without a UTF-8 locale the JVM cannot name such files.
        assumeTrue(Charset.forName(System.getProperty("sun.jnu.encoding")).equals(StandardCharsets.UTF_8));
        // U+FB01 comes before U+1F600, whose first surrogate is smaller; capitals come before small letters.
        String[] names = {"B.png", "a.png", "\u00e4.png", "\uFB01.png", "\uD83D\uDE00.png"};
        for (int i = names.length - 1; i >= 0; i--) {
            write(names[i], grey(1, 1, i));
        }
        assertThat(pixels(ImageFolder.read(folder))).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void foldersAreClasses() throws IOException {
        for (String name : new String[] {"dog", "cat", ".cache"}) {
            Files.createDirectories(folder.resolve(name));
        }
        write("readme.txt", new byte[1]);
        write("dog/1.png", grey(1, 1, 30));
        write("cat/2.png", grey(1, 1, 20));
        write("cat/1.jpg", grey(1, 1, 10));
        write("cat/labels.csv", new byte[1]);

        Dataset set = ImageFolder.read(folder);

        assertThat(pixels(set)).containsExactly(10, 20, 30);
        assertThat(set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT)).containsExactly(0, 0, 1);
        assertThat(ImageFolder.classNames(folder)).containsExactly("cat", "dog");

        // A class without images would move the labels of those after it.
        Files.createDirectories(folder.resolve("cow"));
        refused().hasMessageStartingWith(folder.resolve("cow") + ": holds no file that ends in .png, .jpg");
    }

    @Test
    void oneColourImageMakesTheSetColour() throws IOException {
        write("a.png", grey(2, 1, 7, 8));
        write("b.png", rgb(2, 1, 1, 2, 3, 4, 5, 6));
        Dataset set = ImageFolder.read(folder);
        assertThat(set.shape()).isEqualTo(new ImageShape(1, 2, 3));
        assertThat(pixels(set)).containsExactly(7, 7, 7, 8, 8, 8, 1, 2, 3, 4, 5, 6);
        // 0.299 r + 0.587 g + 0.114 b: 1.815 and 4.815.
        assertThat(pixels(ImageFolder.read(folder, new ImageShape(1, 2, 1)))).containsExactly(7, 8, 2, 5);
    }

    @Test
    void coloursWeighAsInBt601() throws IOException {
        write("a.png", rgb(4, 1, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255));
        // 76.2, 149.7, 29.1.
        assertThat(pixels(ImageFolder.read(folder, new ImageShape(1, 4, 1)))).containsExactly(76, 150, 29, 255);
    }

    @Test
    void everyKindOfPngIsRead() throws IOException {
        one(1, png(8, 1, 1, GREY, new byte[] {0, (byte) 0xa5}), 255, 0, 255, 0, 0, 255, 0, 255);
        one(1, png(4, 1, 2, GREY, new byte[] {0, 0x1b}), 0, 85, 170, 255);
        one(1, png(2, 1, 4, GREY, new byte[] {0, 0x1b}), 17, 187);
        // 65535 is 255: 0x6407 / 257 = 99.6, 0x01c8 / 257 = 1.77.
        one(1, png(2, 1, 16, GREY, new byte[] {0, 0x64, 7, 1, (byte) 200}), 100, 2);
        one(3, png(1, 1, 16, RGB, new byte[] {0, 100, (byte) 200, 7, 7, 50, 0}), 100, 7, 50);
        // What is wholly transparent keeps its colour.
        one(1, png(2, 1, 8, GREY_ALPHA, new byte[] {0, 100, 0, 50, -1}), 100, 50);
        one(3, png(1, 1, 8, RGB_ALPHA, new byte[] {0, 100, 7, 50, 0}), 100, 7, 50);
        one(3, palette(new byte[] {1, 2, 3, 9, 9, 8}), 9, 9, 8, 1, 2, 3);
        one(1, palette(new byte[] {1, 1, 1, 9, 9, 9}), 9, 1);
    }

    private static byte[] palette(byte... colours) {
        return concat(
                ImageFiles.SIGNATURE,
                header(2, 1, 1, PALETTE),
                chunk("gAMA", new byte[] {0, 0, 0, 1}),
                chunk("PLTE", colours),
                chunk("tRNS", new byte[] {0, 0}),
                chunk("IDAT", deflated(new byte[] {0, (byte) 0x80})),
                chunk("IEND"));
    }

    @Test
    void gifAndJpegAreRead() throws IOException {
        Dataset gif = one(1, gradient("gif", 30, 20, true, false));
        assertThat(pixels(gif)).startsWith(0, 6, 12, 18).hasSize(600);
        BufferedImage noise = new BufferedImage(200, 100, BufferedImage.TYPE_BYTE_GRAY);
        int[] samples = new Random(1).ints(20_000, 0, 256).toArray();
        noise.getRaster().setPixels(0, 0, 200, 100, samples);
        // More codes than a table of LZW holds.
        assertThat(pixels(one(1, ImageFiles.written("gif", noise, false)))).isEqualTo(samples);
        for (boolean progressive : new boolean[] {false, true}) {
            int[] colour = pixels(one(3, gradient("jpg", 32, 24, false, progressive)));
            int[] exact = pixels(one(3, gradient("png", 32, 24, false, false)));
            double difference = 0;
            for (int i = 0; i < exact.length; i++) {
                difference += Math.abs(exact[i] - colour[i]);
            }
            assertThat(difference / exact.length).isLessThan(6);
            assertThat(one(1, gradient("jpg", 9, 9, true, progressive)).rows()).isEqualTo(1);
        }
    }

    @Test
    void theContentsTellTheFormat() throws IOException {
        // All are named a.png.
        one(1, gradient("gif", 2, 5, true, false), 0, 6, 0, 6, 0, 6, 0, 6, 0, 6);
        one(1, gradient("jpg", 8, 8, true, false));
    }

    @Test
    void interlacedImagesAreRead() throws IOException {
        write("a.png", grey(1, 1, 1));
        for (int height = 1; height < 20; height++) {
            int[] exact = pixels(one(3, gradient("png", 7, height, false, false)));
            assertThat(pixels(one(3, gradient("png", 7, height, false, true)))).isEqualTo(exact);
            byte[] gif = gradient("gif", 7, height, false, true);
            if (height < 5) {
                damaged(gif).hasMessageContaining("is an interlaced GIF file of " + height + " rows");
            } else {
                // Few enough colours for a palette that is exact.
                assertThat(pixels(one(3, gif))).as(height + " rows").isEqualTo(exact);
            }
        }
    }

    @Test
    void sizesMustBeOneUnlessOneIsGiven() throws IOException {
        write("a.png", grey(2, 2, 10, 20, 30, 40));
        write("b.png", grey(2, 2, 1, 1, 1, 1));
        write("c.png", grey(4, 2, 9, 1, 2, 9, 9, 3, 4, 9));
        refused()
                .hasMessage(folder.resolve("c.png") + ": is 4 x 2 pixels, but " + folder.resolve("a.png")
                        + " is 2 x 2; give a size to resize all to, as in #2x2");
        // The sides of the third are cut off.
        assertThat(pixels(ImageFolder.read(folder, 2, 2))).containsExactly(10, 20, 30, 40, 1, 1, 1, 1, 1, 2, 3, 4);
        assertThat(pixels(ImageFolder.read(folder, 1, 1))).containsExactly(25, 1, 3);
        assertThat(ImageFolder.read(folder, 3, 5).shape()).isEqualTo(new ImageShape(5, 3, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> ImageFolder.read(folder, 0, 5));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageFolder.read(folder, new ImageShape(1, 1, 2)))
                .withMessageContaining("1 or 3 channels, not 2");
    }

    @Test
    void aSpecNamesTheFolderAndTheSize() throws IOException {
        for (int i = 0; i < 5; i++) {
            write(i + ".png", grey(4, 2, i, i, i, i, i, i, i, i));
        }
        DataSplit split = DataSpec.parse("images:" + folder + "#2x1x3@test=0.4").open();
        assertThat(split.spec()).isEqualTo("images:" + folder + "#2x1x3@test=0.4");
        assertThat(split.train().shape()).isEqualTo(new ImageShape(1, 2, 3));
        assertThat(split.test().rows()).isEqualTo(2);
        assertThat(DataSpec.parse("images:" + folder + "#2x1").open().train().shape())
                .isEqualTo(new ImageShape(1, 2, 1));
        assertThat(DataSpec.parse("images:" + folder).open().train().shape()).isEqualTo(new ImageShape(2, 4, 1));
    }

    @Test
    void aFolderMustHoldImages() throws IOException {
        refused().hasMessageStartingWith(folder + ": holds no file that ends in .png, .jpg, .jpeg, .gif, but 0 other");
        write("a.bmp", new byte[9]);
        refused().hasMessageContaining("but 1 other files");
        assertThatThrownBy(() -> ImageFolder.read(folder.resolve("absent")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("there is no such folder; check the path");
        assertThatThrownBy(() -> ImageFolder.read(folder.resolve("a.bmp")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a file, not a folder");
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        write("a.png", grey(2, 1, 1, 2));
        damaged("not a picture".getBytes(StandardCharsets.UTF_8))
                .hasMessageContaining("is no PNG, JPEG or GIF image: it starts with 0x6e6f742061207069; convert it");
        damaged(new byte[0]).hasMessageContaining("it is empty");
        byte[] good = grey(2, 1, 1, 2);
        for (int length = 0; length < good.length; length++) {
            damaged(Arrays.copyOf(good, length));
        }
        for (int i = 8; i < good.length; i++) {
            byte[] flipped = good.clone();
            flipped[i] ^= 4;
            damaged(flipped).hasMessageContaining("is damaged");
        }
        damaged(png(2, 1, 8, GREY, new byte[] {0, 1})).hasMessageContaining("is damaged");
        damaged(png(2, 1, 8, GREY, new byte[] {7, 1, 2})).hasMessageContaining("is damaged");
        damaged(png(2, 1, 3, GREY, new byte[] {0, 1})).hasMessageContaining("colour type 0 with 3 bits");
        damaged(png(2, 1, 8, PALETTE, new byte[] {0, 1, 1})).hasMessageContaining("has no palette");
        damaged(concat(ImageFiles.SIGNATURE, chunk("IEND"))).hasMessageContaining("where one IHDR must be");
        damaged(concat(ImageFiles.SIGNATURE, header(1, 1, 8, 0), header(1, 1, 8, 0)))
                .hasMessageContaining("where one IHDR must be");
        damaged(concat(ImageFiles.SIGNATURE, header(1, 1, 8, 0), chunk("\u001b[2J")))
                .hasMessageContaining("chunk '??" + "?J' is unknown");
    }

    @Test
    void aTruncatedJpegOrGifIsRefused() throws IOException {
        for (String format : new String[] {"jpg", "gif"}) {
            byte[] whole = gradient(format, 32, 24, false, false);
            write("a.png", whole);
            for (int length = whole.length - (format.equals("gif") ? 2 : 1); length > 0; length -= 37) {
                damaged(Arrays.copyOf(whole, length));
            }
        }
    }

    @Test
    void aGifWithTooFewCodesIsRefused() throws IOException {
        // 2 x 2 pixels of two colours: clear (4), 0, 1, end (5), three bits each.
        byte[] header = {'G', 'I', 'F', '8', '9', 'a', 2, 0, 2, 0, (byte) 0x80, 0, 0, 0, 0, 0, 9, 9, 9};
        byte[] picture = {0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2};
        write("a.png", grey(2, 2, 1, 2, 3, 4));
        damaged(concat(header, picture, new byte[] {2, (byte) 0b01_000_100, (byte) 0b1010, 0, 0x3b}))
                .hasMessageContaining("its codes make 2 of 4 pixels");
        // Clear, 0, 1, 0, 1, of which the last has four bits as the table then holds 8: 4, 0, 1, 0, 0001.
        write("b.png", concat(header, picture, new byte[] {2, (byte) 0b01_000_100, 0b0001_000_0, 0, 0x3b}));
        assertThat(pixels(ImageFolder.read(folder))).containsExactly(1, 2, 3, 4, 0, 9, 0, 9);
    }

    @Test
    void aHeaderThatPromisesTooMuchIsRefusedBeforeMemoryIsAllocated() throws IOException {
        write("a.png", grey(2, 1, 1, 2));
        int most = Integer.MAX_VALUE;
        damaged(png(most, most, 8, RGB, new byte[9]))
                .hasMessageContaining(
                        "is 2147483647 x 2147483647 pixels; an image has at least one and at most 67108864");
        damaged(png(-1, 1, 8, RGB, new byte[9])).hasMessageContaining("is 4294967295 x 1 pixels");
        damaged(png(0, 1, 8, RGB, new byte[9])).hasMessageContaining("is 0 x 1 pixels");
        damaged(png(8193, 8192, 8, RGB, new byte[9])).hasMessageContaining("is 8193 x 8192 pixels");
        damaged(png(8192, 8192, 8, RGB, new byte[9])).hasMessageContaining("more than its 11 bytes of them can hold");
        byte[] jpeg = gradient("jpg", 32, 24, false, false);
        int frame = indexOf(jpeg, (byte) 0xc0);
        ByteBuffer.wrap(jpeg).putShort(frame + 4, (short) 8192).putShort(frame + 6, (short) 8192);
        damaged(jpeg).hasMessageContaining("its header says 8192 x 8192 pixels, more than its");
        byte[] gif = gradient("gif", 32, 24, false, false);
        int picture = 13 + 3 * (2 << (gif[10] & 7));
        while (gif[picture] != 0x2c) {
            picture++;
        }
        gif[picture + 6] = 30;
        gif[picture + 8] = 30;
        damaged(gif).hasMessageContaining("its codes make");
    }

    /** {@return the place of a marker's second byte} */
    private static int indexOf(byte[] jpeg, byte marker) {
        int at = 1;
        while (jpeg[at - 1] != -1 || jpeg[at] != marker) {
            at++;
        }
        return at;
    }

    @Test
    void theSizeOfTheWholeSetIsKnownBeforeItIsDecoded() throws IOException {
        write("a.png", grey(1, 1, 1));
        write("b.png", png(1, 1, 8, GREY, new byte[] {7, 1}));
        // Both headers pass; decoding the second would fail with another message.
        ImageShape large = new ImageShape(4096, 4096, 1);
        long enough = Runtime.getRuntime().maxMemory() / large.size() + 2;
        for (int i = 0; i < enough; i++) {
            write("c" + i + ".png", grey(1, 1, 1));
        }
        assertThatThrownBy(() -> ImageFolder.read(folder, large))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(folder + ": needs ")
                .hasMessageContaining("MaxDirectMemorySize");
    }

    @Test
    void aRowCannotHaveMoreValuesThanAShape() throws IOException {
        byte[] lines = new byte[4096 * 4097 / 8 + 4096];
        write("a.png", png(4097, 4096, 1, GREY, Arrays.copyOf(lines, 4096 * (1 + 513))));
        refused()
                .hasMessageContaining("would be a row of 4097 x 4096 pixels in 1 channels, more than 2^24 values")
                .hasMessageContaining("as in #256x256");
        assertThat(pixels(ImageFolder.read(folder, 2, 2))).containsExactly(0, 0, 0, 0);
    }

    @Test
    void kindsOfJpegThatAreNotReadAreNamed() throws IOException {
        write("a.png", grey(1, 1, 1));
        byte[] jpeg = gradient("jpg", 32, 24, false, false);
        int frame = indexOf(jpeg, (byte) 0xc0);
        byte[] cmyk = jpeg.clone();
        cmyk[frame + 8] = 4;
        damaged(cmyk).hasMessageContaining("is a CMYK image, which is not supported; convert it to RGB or grey");
        byte[] lossless = jpeg.clone();
        lossless[frame] = (byte) 0xc3;
        damaged(lossless).hasMessageContaining("is a lossless");
        byte[] deep = jpeg.clone();
        deep[frame + 3] = 12;
        damaged(deep).hasMessageContaining("12-bit");
    }

    @Test
    void aJpegOfEndlessScansIsRefused() throws IOException {
        write("a.png", grey(1, 1, 1));
        byte[] jpeg = gradient("jpg", 32, 24, false, true);
        int scan = indexOf(jpeg, (byte) 0xda) - 1;
        byte[] many = Arrays.copyOf(jpeg, scan);
        for (int i = 0; i < 30; i++) {
            many = concat(many, Arrays.copyOfRange(jpeg, scan, jpeg.length - 2));
        }
        damaged(many).hasMessageContaining("scans, more than 100");
    }

    @Test
    void whatHoldsNoPixelsReachesNoDecoder() throws IOException {
        byte[] jpeg = gradient("jpg", 32, 24, false, false);
        byte[] profile = new byte[500];
        new Random(1).nextBytes(profile);
        byte[] app = concat(
                new byte[] {-1, (byte) 0xe2, 2, 0},
                Arrays.copyOf("ICC_PROFILE\0".getBytes(StandardCharsets.ISO_8859_1), 510));
        System.arraycopy(profile, 0, app, 16, 490);
        Path with = write("a.jpg", concat(Arrays.copyOf(jpeg, 2), app, Arrays.copyOfRange(jpeg, 2, jpeg.length)));
        EncodedImage encoded = EncodedImage.read(with);
        assertThat(encoded.open().readAllBytes()).isEqualTo(jpeg);
        assertThat(ImageFolder.read(folder).rows()).isEqualTo(1);

        Path text = write(
                "a.png",
                concat(
                        ImageFiles.SIGNATURE,
                        header(1, 1, 8, GREY),
                        chunk("zTXt", new byte[5000]),
                        chunk("iCCP", profile),
                        chunk("IDAT", deflated(scanlines(1, 9))),
                        chunk("IEND"),
                        new byte[100]));
        assertThat(EncodedImage.read(text).open().readAllBytes()).isEqualTo(grey(1, 1, 9));
    }

    @Test
    void linksAreFollowedButNotForEver() throws IOException {
        Path elsewhere = Files.createDirectories(folder.resolve("data/cat"));
        Files.write(elsewhere.resolve("a.png"), grey(1, 1, 5));
        Path links = Files.createDirectories(folder.resolve("links"));
        Files.createSymbolicLink(links.resolve("linked"), elsewhere);
        assertThat(pixels(ImageFolder.read(links))).containsExactly(5);
        // Back to the top, which has no images of its own.
        Path loop = Files.createSymbolicLink(links.resolve("loop"), links);
        assertThatThrownBy(() -> ImageFolder.read(links))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(loop + ": holds no file that ends in");
        Files.delete(loop);
        Path itself = links.resolve("itself.png");
        Files.createSymbolicLink(itself, itself);
        assertThatThrownBy(() -> ImageFolder.read(links))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(itself + ": ");
    }

    @Test
    void whatMayNotBeReadIsNamed() throws IOException {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
        Path file = write("a.png", grey(1, 1, 1));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        // Root reads everything.
        assumeTrue(!Files.isReadable(file));
        refused().hasMessageContaining("a.png: may not be read; change its permissions");
    }

    @Test
    void noGlobalSettingIsChanged() throws IOException {
        write("a.png", gradient("png", 9, 9, false, false));
        for (boolean cache : new boolean[] {true, false, true}) {
            ImageIO.setUseCache(cache);
            assertThat(ImageFolder.read(folder).rows()).isEqualTo(1);
            assertThat(ImageIO.getUseCache()).isEqualTo(cache);
        }
    }

    @Test
    void aRuntimeWithoutTheModuleIsToldHowToGetIt() throws Exception {
        write("a.png", grey(1, 1, 1));
        assertThat(inModules("java.base"))
                .isEqualTo(folder + ": this runtime has no module java.desktop, which decodes images; start it with"
                        + " --add-modules java.desktop, or use a JDK that is not cut down");
        assertThat(inModules("java.base,java.desktop")).isEqualTo("1 rows of 1 x 1 x 1 U8");
    }

    private String inModules(String modules) throws IOException, InterruptedException, URISyntaxException {
        String classPath = location(ImageFolder.class) + File.pathSeparator + location(Reading.class);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.awt.headless=true",
                        "--limit-modules",
                        modules,
                        "-cp",
                        classPath,
                        Reading.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output.strip();
    }

    private static Path location(Class<?> type) throws URISyntaxException {
        String name = "/" + type.getName().replace('.', '/') + ".class";
        String place = Objects.requireNonNull(type.getResource(name)).toURI().toString();
        return Path.of(URI.create(place.substring(0, place.length() - name.length() + 1)));
    }

    /** Reads a folder in a process of its own. */
    static final class Reading {
        private Reading() {}

        public static void main(String[] args) {
            try {
                System.out.println(ImageFolder.read(Path.of(args[0])));
            } catch (IOException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** Reads a file alone in its folder, whose pixels are to be these, if any are given. */
    private Dataset one(int channels, byte[] file, int... expected) throws IOException {
        Path alone = Files.createTempDirectory(folder, "one");
        Files.write(alone.resolve("a.png"), file);
        Dataset set = ImageFolder.read(alone);
        assertThat(set.shape().channels()).isEqualTo(channels);
        if (expected.length > 0) {
            assertThat(pixels(set)).containsExactly(expected);
        }
        return set;
    }

    /** Adds a file beside a good one; it is to be refused by its name, and is deleted. */
    private AbstractThrowableAssert<?, ? extends Throwable> damaged(byte[] file) throws IOException {
        Path path = write("z.png", file);
        try {
            return refused().hasMessageStartingWith(path + ": ");
        } finally {
            Files.delete(path);
        }
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused() {
        return assertThatThrownBy(() -> ImageFolder.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("; ");
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private static int[] pixels(Dataset set) {
        byte[] bytes = set.values().toArray(ValueLayout.JAVA_BYTE);
        int[] values = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i] & 0xff;
        }
        return values;
    }
}
