package io.github.elbo4j.files;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Named arrays of a NumPy npz archive: a zip file whose entries are npy files, stored ({@code numpy.savez}) or deflated
 * ({@code numpy.savez_compressed}), zip64 included.
 *
 * <p>Every file is treated as hostile. At most {@value #MAX_ENTRIES} entries; encrypted entries and a name that occurs twice
 * are refused. An entry may claim at most {@value #MAX_EXPANSION} times its compressed bytes, the most that deflate can make
 * of one; its npy header must need exactly what it claims; memory grows as the data comes, and nothing after it is inflated.
 * Checksums are verified.
 *
 * <p>Stateless and safe for any number of threads. Archives must be in the default file system.
 */
public final class NpzFile {
    private static final int MAX_ENTRIES = 100_000;
    private static final int MAX_EXPANSION = 1032;
    private static final int NAMES_SHOWN = 10;
    private static final String SUFFIX = ".npy";
    private static final String REMEDY = "it is damaged or of another kind; save the arrays again with numpy.savez";

    private NpzFile() {}

    /**
     * Reads an array; its memory is freed by the garbage collector.
     *
     * @param file the archive
     * @param name the array's name, with or without {@code .npy}
     * @return the array
     * @throws FormatException if the file is missing, unreadable or not a valid npz file, if it has no such array, or for
     *     the reasons of {@link NpyFile#read(Path)}
     * @throws IOException if the thread is interrupted
     */
    public static NpyFile read(Path file, String name) throws IOException {
        return read(file, name, Arena.ofAuto());
    }

    /**
     * Reads an array into memory that the caller frees by closing the arena; using the data afterwards throws.
     *
     * @param file the archive
     * @param name the array's name, with or without {@code .npy}
     * @param arena what the data is allocated from; a confined one limits the data to its thread
     * @return the array
     * @throws FormatException if the file is missing, unreadable or not a valid npz file, if it has no such array, or for
     *     the reasons of {@link NpyFile#read(Path)}
     * @throws IOException if the thread is interrupted
     */
    public static NpyFile read(Path file, String name, Arena arena) throws IOException {
        return withZip(file, zip -> {
            List<String> names = entryNames(file.toString(), zip);
            ZipEntry entry = names.contains(name) ? zip.getEntry(name) : zip.getEntry(name + SUFFIX);
            if (entry == null) {
                throw new FormatException(
                        file.toString(), "has no array " + Texts.quote(name) + listed(names), "name one of its arrays");
            }
            return read(file + "#" + Texts.printable(name), zip, entry, arena);
        });
    }

    /**
     * {@return the names of an archive's arrays in its order, without {@code .npy}; entries that are no npy files are left
     * out}
     *
     * @param file the archive
     * @throws FormatException if the file is missing, unreadable or not a valid npz file
     * @throws IOException if the thread is interrupted
     */
    public static List<String> names(Path file) throws IOException {
        return withZip(file, zip -> arrays(entryNames(file.toString(), zip)));
    }

    @FunctionalInterface
    private interface Reading<T> {
        T read(ZipFile zip) throws IOException;
    }

    private static <T> T withZip(Path file, Reading<T> reading) throws IOException {
        String source = file.toString();
        // Opened first: the zip reader would wait for the writer of a pipe.
        try (FileChannel channel = InputFiles.open(file)) {
            try (ZipFile zip = open(source, channel, file)) {
                return reading.read(zip);
            }
        } catch (ZipException e) {
            throw new FormatException(
                    source,
                    "is no valid npz file (" + Texts.printable(String.valueOf(e.getMessage())) + ")",
                    REMEDY,
                    e);
        } catch (IOException e) {
            throw InputFiles.failure(source, e);
        }
    }

    private static ZipFile open(String source, FileChannel channel, Path file) throws IOException {
        if (!file.getFileSystem().equals(FileSystems.getDefault())) {
            throw new FormatException(source, "is not in the default file system", "copy it to a folder first");
        }
        try {
            return new ZipFile(file.toFile());
        } catch (OutOfMemoryError e) {
            // One array for the whole directory was refused; the program can go on.
            throw new FormatException(
                    source,
                    "has a directory that does not fit into memory, within " + channel.size() + " bytes",
                    "raise -Xmx, or save fewer arrays in one file",
                    e);
        }
    }

    private static List<String> entryNames(String source, ZipFile zip) throws FormatException {
        if (zip.size() > MAX_ENTRIES) {
            throw new FormatException(
                    source,
                    "has " + zip.size() + " entries, more than " + MAX_ENTRIES,
                    "save fewer arrays in one file");
        }
        List<String> names = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (ZipEntry entry : Collections.list(zip.entries())) {
            if (!seen.add(entry.getName())) {
                throw new FormatException(source, "has two entries named " + Texts.quote(entry.getName()), REMEDY);
            }
            names.add(entry.getName());
        }
        return names;
    }

    private static NpyFile read(String source, ZipFile zip, ZipEntry entry, Arena arena) throws IOException {
        long size = entry.getSize();
        if (size < 0 || entry.getCompressedSize() < 0 || size / MAX_EXPANSION > entry.getCompressedSize()) {
            throw new FormatException(
                    source,
                    "claims " + size + " bytes from " + entry.getCompressedSize()
                            + " compressed ones, more than deflate can make of them",
                    REMEDY);
        }
        CRC32 crc = new CRC32();
        try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
            NpyFile array = NpyFile.read(source, Channels.newChannel(in), size, false, arena);
            if (crc.getValue() != entry.getCrc()) {
                throw new FormatException(source, "does not have the checksum that the archive holds", REMEDY);
            }
            return array;
        }
    }

    private static List<String> arrays(List<String> entryNames) {
        return entryNames.stream()
                .filter(name -> name.endsWith(SUFFIX))
                .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                .toList();
    }

    private static String listed(List<String> entryNames) {
        List<String> arrays = arrays(entryNames);
        String some = arrays.stream().limit(NAMES_SHOWN).map(Texts::quote).collect(Collectors.joining(", "));
        return arrays.isEmpty()
                ? " and no others"
                : " but " + some
                        + (arrays.size() > NAMES_SHOWN ? " and " + (arrays.size() - NAMES_SHOWN) + " more" : "");
    }
}
