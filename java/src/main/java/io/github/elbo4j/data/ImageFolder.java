package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Reader of folders of PNG, JPEG and GIF images.
 *
 * <p>An image is a file whose name ends in {@code .png}, {@code .jpg}, {@code .jpeg} or {@code .gif}, in either case;
 * its contents may be of any of the three formats. Rows come in the order of the names' code points, whatever the
 * locale. If the folder holds no image but folders, these are classes, as torchvision's {@code ImageFolder} has them:
 * their images come folder by folder, labelled with the folder's number in the order of names. Deeper folders are not
 * entered, and beside images no folder is. Names that begin with a dot, and files of other names, are left out; links
 * are followed.
 *
 * <p>Pixels are what {@code convert("RGB")} of Pillow makes of a file: alpha is dropped, colour profiles, gamma and the
 * orientation of a camera (EXIF) are ignored. Samples of 16 bits are rounded to 8. Of a GIF the first frame is taken. A
 * set is grey only if every file is, by its format or its palette; colour becomes grey, where that is asked for, by the
 * weights of ITU-R BT.601.
 *
 * <p>Images have one size, or are given one: each is cropped about its centre to the wanted aspect ratio, then
 * shrunk by averaging areas or enlarged by bilinear interpolation, in exact arithmetic. PNG and GIF files so make the
 * same bytes on every machine; JPEG files do with the same build of the JDK.
 *
 * <p>Every file is taken to be hostile: all headers are read and checked before memory is allocated or a pixel is
 * decoded. A file may have 2^27 bytes and 2^26 pixels. What is not exactly as it should be, or what a decoder merely
 * warns of, is a {@link FormatException} that names the file. Needs the module {@code java.desktop}, but no display.
 * Stateless and safe for any number of threads.
 */
public final class ImageFolder {
    /** Stands for the channels that the images have: 1 if all are grey, else 3. */
    static final int CHANNELS_OF_IMAGES = 0;

    private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg", ".gif");
    private static final Comparator<Path> BY_CODE_POINTS =
            // UTF-8 sorts as code points do; a String's own order does not.
            Comparator.comparing(ImageFolder::utf8, Arrays::compareUnsigned);

    private ImageFolder() {}

    /**
     * {@return the images of a folder in the size that they have, which must be one, as {@link DType#U8}}
     *
     * @param folder holds images, or a folder of images for every class
     * @throws FormatException if the folder or an image is missing or damaged, if there is none, if sizes differ, or if
     *     this runtime has no module {@code java.desktop}
     */
    public static Dataset read(Path folder) throws FormatException {
        return read(folder, new Wanted(0, 0, CHANNELS_OF_IMAGES));
    }

    /**
     * {@return the images of a folder, cropped and resized to one size, as {@link DType#U8}}
     *
     * @param folder holds images, or a folder of images for every class
     * @param width pixel columns of every row
     * @param height pixel rows of every row
     * @throws FormatException if the folder or an image is missing or damaged, if there is none, or if this runtime has
     *     no module {@code java.desktop}
     * @throws IllegalArgumentException if no {@link ImageShape} has the size
     */
    public static Dataset read(Path folder, int width, int height) throws FormatException {
        return read(folder, width, height, CHANNELS_OF_IMAGES);
    }

    /**
     * {@return the images of a folder, cropped and resized to one size, in grey or colour, as {@link DType#U8}}
     *
     * @param folder holds images, or a folder of images for every class
     * @param shape extents of every row, of 1 or 3 channels
     * @throws FormatException if the folder or an image is missing or damaged, if there is none, or if this runtime has
     *     no module {@code java.desktop}
     * @throws IllegalArgumentException if the shape has other channels
     */
    public static Dataset read(Path folder, ImageShape shape) throws FormatException {
        if (shape.channels() != 1 && shape.channels() != 3) {
            throw new IllegalArgumentException("images have 1 or 3 channels, not " + shape.channels());
        }
        return read(folder, shape.width(), shape.height(), shape.channels());
    }

    /**
     * {@return the names of the classes in the order of their labels; none if the folder holds images itself}
     *
     * @param folder holds images, or a folder of images for every class
     * @throws FormatException if the folder cannot be read or holds neither
     */
    public static List<String> classNames(Path folder) throws FormatException {
        return list(folder).classes;
    }

    static Dataset read(Path folder, int width, int height, int channels) throws FormatException {
        requireSize(width, height, channels);
        return read(folder, new Wanted(width, height, channels));
    }

    static void requireSize(int width, int height, int channels) {
        var _ = new ImageShape(height, width, channels == CHANNELS_OF_IMAGES ? 1 : channels);
    }

    /** What rows are to be; 0 for what the images have. */
    private record Wanted(int width, int height, int channels) {
        boolean resized() {
            return width > 0;
        }
    }

    /** The images of a folder in order, and the names of its classes, if there are any, with their numbers of images. */
    private record Listing(List<Path> images, List<String> classes, List<Integer> counts) {
        int[] labels() {
            int[] labels = new int[images.size()];
            int at = 0;
            for (int label = 0; label < counts.size(); label++) {
                int end = at + counts.get(label);
                Arrays.fill(labels, at, end, label);
                at = end;
            }
            return labels;
        }
    }

    private static Dataset read(Path folder, Wanted wanted) throws FormatException {
        requireDesktop(folder);
        Listing listing = list(folder);
        ImageShape shape = shape(listing.images, wanted);
        MemorySegment pixels = DataFiles.allocate(folder, (long) listing.images.size() * shape.size());
        byte[] row = new byte[shape.size()];
        long at = 0;
        for (Path path : listing.images) {
            EncodedImage image = EncodedImage.read(path);
            if (!wanted.resized()) {
                // The file may be another by now.
                requireSameSize(path, image, listing.images.getFirst(), shape);
            }
            ImageResizer.resize(ImageDecoder.decode(path.toString(), image, shape.channels()), shape, row);
            MemorySegment.copy(row, 0, pixels, ValueLayout.JAVA_BYTE, at, row.length);
            at += row.length;
        }
        Dataset set = Dataset.of(pixels, DType.U8, shape);
        return listing.classes.isEmpty() ? set : set.withLabels(listing.labels());
    }

    private static void requireDesktop(Path folder) throws FormatException {
        if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
            throw new FormatException(
                    folder.toString(),
                    "this runtime has no module java.desktop, which decodes images",
                    "start it with --add-modules java.desktop, or use a JDK that is not cut down");
        }
    }

    /** Reads every header, so that all sizes are known before memory is allocated. */
    private static ImageShape shape(List<Path> images, Wanted wanted) throws FormatException {
        Path first = images.getFirst();
        EncodedImage image = EncodedImage.read(first);
        int width = wanted.resized() ? wanted.width : image.width();
        int height = wanted.resized() ? wanted.height : image.height();
        boolean grey = image.grey();
        ImageShape shape = shape(first, width, height, 1);
        for (Path path : images.subList(1, images.size())) {
            EncodedImage next = EncodedImage.read(path);
            if (!wanted.resized()) {
                requireSameSize(path, next, first, shape);
            }
            grey &= next.grey();
        }
        int ofImages = grey ? 1 : 3;
        return shape(first, width, height, wanted.channels == CHANNELS_OF_IMAGES ? ofImages : wanted.channels);
    }

    private static ImageShape shape(Path first, int width, int height, int channels) throws FormatException {
        try {
            return new ImageShape(height, width, channels);
        } catch (IllegalArgumentException e) {
            throw new FormatException(
                    first.toString(),
                    "would be a row of " + width + " x " + height + " pixels in " + channels
                            + " channels, more than 2^24 values",
                    "give a smaller size to resize to, as in #256x256",
                    e);
        }
    }

    private static void requireSameSize(Path path, EncodedImage image, Path first, ImageShape shape)
            throws FormatException {
        if (image.width() != shape.width() || image.height() != shape.height()) {
            throw new FormatException(
                    path.toString(),
                    "is " + image.width() + " x " + image.height() + " pixels, but " + first + " is " + shape.width()
                            + " x " + shape.height(),
                    "give a size to resize all to, as in #" + shape.width() + "x" + shape.height());
        }
    }

    private static Listing list(Path folder) throws FormatException {
        List<Path> images = new ArrayList<>();
        List<Path> folders = new ArrayList<>();
        int others = split(folder, images, folders);
        if (!images.isEmpty()) {
            return new Listing(images, List.of(), List.of());
        }
        if (folders.isEmpty()) {
            throw noImage(folder, others);
        }
        List<String> classes = new ArrayList<>();
        List<Integer> counts = new ArrayList<>();
        for (Path one : folders) {
            int before = images.size();
            int othersOfClass = split(one, images, new ArrayList<>());
            if (images.size() == before) {
                throw noImage(one, othersOfClass);
            }
            classes.add(String.valueOf(one.getFileName()));
            counts.add(images.size() - before);
        }
        return new Listing(images, List.copyOf(classes), counts);
    }

    private static FormatException noImage(Path folder, int others) {
        return new FormatException(
                folder.toString(),
                "holds no file that ends in " + String.join(", ", ENDINGS) + ", but " + others + " other files",
                "name a folder of images, or one that holds a folder of images for every class and no other");
    }

    /** Appends a folder's images and folders, each in order, and returns how many other files it holds. */
    private static int split(Path folder, List<Path> images, List<Path> folders) throws FormatException {
        if (!Files.exists(folder)) {
            throw new FormatException(folder.toString(), "there is no such folder", "check the path");
        }
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            stream.forEach(entries::add);
        } catch (NotDirectoryException e) {
            throw new FormatException(folder.toString(), "is a file, not a folder", "name the folder that it is in", e);
        } catch (DirectoryIteratorException e) {
            throw DataFiles.failure(folder, Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw DataFiles.failure(folder, e);
        }
        entries.sort(BY_CODE_POINTS);
        int others = 0;
        for (Path entry : entries) {
            String name = String.valueOf(entry.getFileName());
            if (name.startsWith(".")) {
                continue;
            }
            if (Files.isDirectory(entry)) {
                folders.add(entry);
            } else if (ENDINGS.stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith)) {
                images.add(entry);
            } else {
                others++;
            }
        }
        return others;
    }

    private static byte[] utf8(Path path) {
        return String.valueOf(path.getFileName()).getBytes(StandardCharsets.UTF_8);
    }
}
