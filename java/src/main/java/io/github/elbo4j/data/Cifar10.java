package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reader of CIFAR-10 (Krizhevsky 2009) in its binary version: colour images of 32 x 32 pixels, labelled 0 to 9.
 *
 * <p>A file is records of 3,073 bytes: the label, then the red, the green and the blue plane, each row by row. Rows are
 * read with the channels last, as everywhere here. A file may be compressed with gzip, which its first two bytes tell,
 * whatever its name.
 *
 * <p>Every file is taken to be hostile: all of them are measured, by unpacking if need be, before memory is allocated,
 * and whatever is not exactly as it should be is a {@link FormatException}. Stateless and safe for any number of
 * threads.
 */
public final class Cifar10 {
    /** Extents of every image. */
    public static final ImageShape SHAPE = new ImageShape(32, 32, 3);

    private static final int PIXELS = 32 * 32;
    private static final int RECORD = 1 + 3 * PIXELS;
    private static final int MAX_LABEL = 9;

    private static final List<String> TRAIN =
            List.of("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin");
    private static final String TEST = "test_batch.bin";
    private static final String REMEDY = "name .bin files of the binary version of CIFAR-10, plain or gzip";

    private Cifar10() {}

    /**
     * {@return the images and labels of a folder}
     *
     * @param folder holds {@code data_batch_1.bin} to {@code data_batch_5.bin} and {@code test_batch.bin}, each plain or
     *     with {@code .gz} at its end
     * @throws FormatException if a file is missing or damaged
     */
    public static DataSplit read(Path folder) throws FormatException {
        List<Path> train = new ArrayList<>();
        for (String name : TRAIN) {
            train.add(require(folder, name));
        }
        return split(train, require(folder, TEST), "cifar10:" + folder);
    }

    /**
     * {@return the images and labels of files, one file after the other, as {@link DType#U8}}
     *
     * <p>The pixels are read into memory that is freed when the set is no longer reachable; its size counts towards the
     * JVM's limit of direct memory.
     *
     * @param files at least one file, plain or gzip
     * @throws FormatException if a file is missing, damaged, or holds something else
     * @throws IllegalArgumentException if no file is given
     */
    public static Dataset readFiles(List<Path> files) throws FormatException {
        if (files.isEmpty()) {
            throw new IllegalArgumentException("a data set needs at least one file");
        }
        long[] records = new long[files.size()];
        long total = 0;
        for (int i = 0; i < records.length; i++) {
            records[i] = records(files.get(i));
            total += records[i];
        }
        Path first = files.getFirst();
        MemorySegment pixels = DataFiles.allocate(first, total * SHAPE.size());
        MemorySegment labels = DataFiles.allocate(first, total * Integer.BYTES);
        long row = 0;
        for (int i = 0; i < records.length; i++) {
            readFile(files.get(i), records[i], row, pixels, labels);
            row += records[i];
        }
        return Dataset.of(pixels, DType.U8, SHAPE).withLabels(labels);
    }

    /** {@return whether a file's name says that it holds the published test images} */
    static boolean isTest(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.equals(TEST) || name.equals(TEST + ".gz");
    }

    static DataSplit split(List<Path> train, Path test, String spec) throws FormatException {
        return new DataSplit(readFiles(train), readFiles(List.of(test)), spec);
    }

    private static Path require(Path folder, String name) throws FormatException {
        Optional<Path> found = List.of(name, name + ".gz").stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst();
        if (found.isEmpty()) {
            throw new FormatException(
                    folder.toString(),
                    "has no file " + name + " or " + name + ".gz",
                    "put it there, or name the files to read");
        }
        return found.get();
    }

    /** {@return how many records a file holds, counted by unpacking it if it is compressed} */
    private static long records(Path file) throws FormatException {
        DataFiles.require(file, "a .bin file");
        long bytes;
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = DataFiles.unpacked(raw)) {
            bytes = in instanceof GzipInput ? in.transferTo(OutputStream.nullOutputStream()) : Files.size(file);
        } catch (IOException e) {
            throw DataFiles.failure(file, e);
        }
        if (bytes == 0 || bytes % RECORD != 0) {
            throw new FormatException(
                    file.toString(),
                    "holds " + bytes + " bytes, not records of " + RECORD + " bytes, at least one",
                    REMEDY);
        }
        return bytes / RECORD;
    }

    private static void readFile(Path file, long records, long firstRow, MemorySegment pixels, MemorySegment labels)
            throws FormatException {
        byte[] record = new byte[RECORD];
        byte[] row = new byte[SHAPE.size()];
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = DataFiles.unpacked(raw)) {
            for (long i = 0; i < records; i++) {
                if (in.readNBytes(record, 0, RECORD) < RECORD) {
                    throw changed(file, records);
                }
                labels.setAtIndex(ValueLayout.JAVA_INT, firstRow + i, label(file, i, record[0] & 0xff));
                for (int pixel = 0; pixel < PIXELS; pixel++) {
                    row[3 * pixel] = record[1 + pixel];
                    row[3 * pixel + 1] = record[1 + PIXELS + pixel];
                    row[3 * pixel + 2] = record[1 + 2 * PIXELS + pixel];
                }
                MemorySegment.copy(row, 0, pixels, ValueLayout.JAVA_BYTE, (firstRow + i) * SHAPE.size(), SHAPE.size());
            }
            if (in.read() >= 0) {
                throw changed(file, records);
            }
        } catch (IOException e) {
            throw DataFiles.failure(file, e);
        }
    }

    private static int label(Path file, long record, int label) throws FormatException {
        if (label > MAX_LABEL) {
            throw new FormatException(
                    file.toString(), "record " + record + " has label " + label + ", more than " + MAX_LABEL, REMEDY);
        }
        return label;
    }

    private static FormatException changed(Path file, long records) {
        return new FormatException(
                file.toString(),
                "no longer holds the " + records + " records that it was opened with",
                "wait until its writer has finished and read it again");
    }
}
