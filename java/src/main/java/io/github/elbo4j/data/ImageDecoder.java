package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Decodes images with the JDK's own readers, whatever others an application has registered; the only class that needs
 * the module {@code java.desktop}. Changes no setting of {@link ImageIO}. Stateless and safe for any number of threads.
 */
final class ImageDecoder {
    private static final String WHOLE_JDK = "use a JDK that is not cut down";

    private ImageDecoder() {}

    /**
     * {@return the pixels of an image in 1 or 3 channels of 0 to 255}
     *
     * <p>Alpha is dropped, as {@code convert("RGB")} of Pillow does. Samples of 16 bits are rounded to 8. Colour becomes
     * grey as ITU-R BT.601 weighs it, in Pillow's integers.
     *
     * @throws FormatException if the decoder fails or merely warns: a picture with a grey lower half is no picture
     */
    static ImageRows decode(String source, EncodedImage encoded, int channels) throws FormatException {
        BufferedImage image;
        List<String> warnings = new ArrayList<>();
        ImageReader reader = reader(source, encoded.format());
        try (ImageInputStream in = new MemoryCacheImageInputStream(encoded.open())) {
            reader.setInput(in, true, true);
            reader.addIIOReadWarningListener((_, warning) -> warnings.add(warning));
            image = reader.read(0);
        } catch (IOException | RuntimeException e) {
            // The JDK's readers throw whatever comes of what they believed: an index out of bounds, a negative size.
            throw new FormatException(source, damage(e.getMessage()), DataFiles.FETCH_AGAIN, e);
        } catch (LinkageError e) {
            throw new FormatException(
                    source,
                    "cannot be decoded: the native part of the module java.desktop is not there (" + e.getMessage()
                            + ")",
                    WHOLE_JDK,
                    e);
        } catch (OutOfMemoryError e) {
            throw new FormatException(
                    source,
                    "its " + encoded.width() + " x " + encoded.height() + " pixels need more memory than the JVM has",
                    "raise -Xmx, or make the image smaller",
                    e);
        } finally {
            reader.dispose();
        }
        if (!warnings.isEmpty()) {
            throw new FormatException(source, damage(warnings.getFirst()), DataFiles.FETCH_AGAIN);
        }
        if (image.getWidth() != encoded.width() || image.getHeight() != encoded.height()) {
            throw new FormatException(
                    source,
                    damage("its header says " + encoded.width() + " x " + encoded.height() + " pixels, its contents "
                            + image.getWidth() + " x " + image.getHeight()),
                    DataFiles.FETCH_AGAIN);
        }
        return new Pixels(image, channels);
    }

    private static String damage(@Nullable String reason) {
        // Messages of the JDK may have line breaks.
        return "is damaged: " + String.valueOf(reason).replaceAll("\\s+", " ").strip();
    }

    private static ImageReader reader(String source, String format) throws FormatException {
        Iterator<ImageReaderSpi> providers =
                IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
        try {
            while (providers.hasNext()) {
                ImageReaderSpi provider = providers.next();
                if (provider.getClass().getModule() == ImageIO.class.getModule()
                        && Arrays.asList(provider.getFormatNames()).contains(format)) {
                    return provider.createReaderInstance();
                }
            }
        } catch (IOException | LinkageError e) {
            throw new FormatException(
                    source, "this runtime's reader of " + format + " images does not start (" + e + ")", WHOLE_JDK, e);
        }
        throw new FormatException(source, "this runtime has no reader of " + format + " images", WHOLE_JDK);
    }

    /** Samples of a decoded image, taken as they are stored: a colour model would bend grey values. */
    private static final class Pixels implements ImageRows {
        private final Raster raster;
        private final int bands;
        private final int maximum;
        private final int @Nullable [] palette;
        private final int channels;
        private final int[] samples;

        Pixels(BufferedImage image, int channels) {
            raster = image.getRaster();
            bands = raster.getNumBands();
            maximum = (1 << image.getColorModel().getComponentSize(0)) - 1;
            palette = image.getColorModel() instanceof IndexColorModel model ? palette(model) : null;
            this.channels = channels;
            samples = new int[image.getWidth() * bands];
        }

        /** {@return the colours of all indices that a sample can be} */
        private static int[] palette(IndexColorModel model) {
            int[] colours = new int[1 << 16];
            model.getRGBs(colours);
            return colours;
        }

        @Override
        public int width() {
            return raster.getWidth();
        }

        @Override
        public int height() {
            return raster.getHeight();
        }

        @Override
        public void read(int y, int[] row) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width(), 1, samples);
            for (int x = 0; x < width(); x++) {
                int red;
                int green;
                int blue;
                if (palette != null) {
                    int colour = palette[samples[x]];
                    red = colour >> 16 & 0xff;
                    green = colour >> 8 & 0xff;
                    blue = colour & 0xff;
                } else {
                    red = eightBits(samples[x * bands]);
                    // Grey has one band, or two with alpha.
                    green = bands < 3 ? red : eightBits(samples[x * bands + 1]);
                    blue = bands < 3 ? red : eightBits(samples[x * bands + 2]);
                }
                if (channels == 1) {
                    row[x] = (19595 * red + 38470 * green + 7471 * blue + (1 << 15)) >> 16;
                } else {
                    row[3 * x] = red;
                    row[3 * x + 1] = green;
                    row[3 * x + 2] = blue;
                }
            }
        }

        private int eightBits(int sample) {
            return maximum == 255 ? sample : (int) ((sample * 255L + maximum / 2) / maximum);
        }
    }
}
