package io.github.elbo4j.cli;

import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.cli.report.AnimatedGif;
import io.github.elbo4j.cli.report.Picture;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.TrainingListener;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * What a model made of the same inputs and the same latent codes after its epochs: small pictures in a folder of the run,
 * so that a run that was stopped goes on with them, and the animations made of them.
 */
final class EpochFrames implements TrainingListener {
    /** Folder of the pictures in the folder of a run. */
    static final String FOLDER = "frames";

    /** Most pictures of a kind, and so most frames of an animation: about ten seconds. */
    static final int MOST = 64;

    private static final int ROWS = 4;
    private static final int FRAME_MILLIS = 150;
    private static final int LAST_MILLIS = 2_000;
    private static final Pattern NAME = Pattern.compile("(reconstructions|samples)-([0-9]{7})\\.png");

    /** What is drawn. */
    enum Kind {
        RECONSTRUCTIONS,
        SAMPLES;

        private String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        private Path file(Path run, int epoch) {
            return run.resolve(FOLDER).resolve(String.format(Locale.ROOT, "%s-%07d.png", label(), epoch));
        }

        /** {@return the animation's name in the folder of a run} */
        String animation() {
            return label() + ".gif";
        }
    }

    private final Path run;
    private final Vae vae;
    private final Dataset inputs;
    private final long seed;
    private final Streams streams;
    private final Map<Kind, BufferedImage> before = new EnumMap<>(Kind.class);
    private boolean failed;

    /**
     * Frames of a run.
     *
     * @param run its folder
     * @param vae the model that is trained
     * @param inputs rows of which the first are reconstructed
     * @param seed key of the initial weights and of the latent codes
     * @param streams where a failure is told, once: a run does not end for its pictures
     */
    EpochFrames(Path run, Vae vae, Dataset inputs, long seed, Streams streams) {
        this.run = run;
        this.vae = vae;
        this.inputs = inputs;
        this.seed = seed;
        this.streams = streams;
    }

    /** Deletes the frames of an earlier run. */
    static void clear(Path run) throws IOException {
        for (Kind kind : Kind.values()) {
            for (Path frame : frames(run, kind).values()) {
                Files.deleteIfExists(frame);
            }
        }
    }

    /** Draws what the model makes before its first epoch; kept on disk with the frames of that. */
    void begin() {
        attempt(0, () -> {
            // The weights that the seed gives, also for a run that was stopped within its first epoch.
            try (Vae initial = Vae.create(vae.backend(), vae.config(), seed)) {
                before.putAll(drawn(initial));
            }
        });
    }

    @Override
    public void onEpoch(EpochReport report) {
        attempt(report.epoch(), () -> {
            if (Files.isSymbolicLink(run.resolve(FOLDER))) {
                throw new IOException("the folder '" + FOLDER + "' is a link");
            }
            Files.createDirectories(run.resolve(FOLDER));
            save(0, before);
            before.clear();
            save(report.epoch(), drawn(vae));
            thin(report.epoch());
        });
    }

    /** A part of the work. */
    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private void attempt(int epoch, Work work) {
        if (failed) {
            return;
        }
        try {
            work.run();
        } catch (IOException | BackendException e) {
            failed = true;
            streams.warn("the frames of epoch " + epoch + " could not be drawn (" + e.getMessage()
                    + "); the run goes on without further ones");
        }
    }

    private Map<Kind, BufferedImage> drawn(Vae drawn) {
        try (FrozenModel model = FrozenModel.of(drawn);
                InferenceSession session = model.session(Pictures.COLUMNS * ROWS)) {
            return Map.of(
                    Kind.RECONSTRUCTIONS,
                    Pictures.reconstructions(session, inputs, 1),
                    Kind.SAMPLES,
                    Pictures.samples(session, seed, ROWS));
        }
    }

    private void save(int epoch, Map<Kind, BufferedImage> pictures) throws IOException {
        for (Map.Entry<Kind, BufferedImage> picture : pictures.entrySet()) {
            Pictures.save(picture.getValue(), picture.getKey().file(run, epoch));
        }
    }

    private void thin(int last) throws IOException {
        for (Kind kind : Kind.values()) {
            for (Map.Entry<Integer, Path> frame : frames(run, kind).entrySet()) {
                // Later ones are those of a run that was continued otherwise.
                if (!kept(frame.getKey(), last)) {
                    Files.deleteIfExists(frame.getValue());
                }
            }
        }
    }

    /** {@return whether an epoch's frame is kept after some epochs: all of the first ones, then every 2nd, 4th and so on} */
    static boolean kept(int epoch, int last) {
        int stride = 1;
        while (last / stride >= MOST) {
            stride *= 2;
        }
        return epoch == last || (epoch < last && epoch % stride == 0);
    }

    private static SortedMap<Integer, Path> frames(Path run, Kind kind) throws IOException {
        SortedMap<Integer, Path> frames = new TreeMap<>();
        Path folder = run.resolve(FOLDER);
        // What a link leads to is not the run's to delete.
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            try (Stream<Path> files = Files.list(folder)) {
                files.forEach(file -> {
                    Matcher name = NAME.matcher(String.valueOf(file.getFileName()));
                    // A pipe would wait for its writer.
                    if (name.matches()
                            && name.group(1).equals(kind.label())
                            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                        frames.put(Integer.parseInt(name.group(2)), file);
                    }
                });
            }
        }
        return frames;
    }

    /**
     * Makes the animation of one kind, and its file in the folder of the run.
     *
     * @param run the folder
     * @param title of the picture
     * @param alt what it shows
     * @param caption how to read it
     * @return the animation; empty without frames
     */
    static Optional<Picture> animate(Path run, Kind kind, String title, String alt, String caption) throws IOException {
        List<BufferedImage> readable = new ArrayList<>();
        for (Path file : frames(run, kind).values()) {
            BufferedImage frame = read(file);
            if (frame != null && (readable.isEmpty() || alike(frame, readable.getLast()))) {
                readable.add(frame);
            }
        }
        if (readable.isEmpty()) {
            return Optional.empty();
        }
        ByteArrayOutputStream gif = new ByteArrayOutputStream();
        try (AnimatedGif animation = new AnimatedGif(gif, FRAME_MILLIS, LAST_MILLIS)) {
            for (BufferedImage frame : readable) {
                animation.add(frame);
            }
        }
        byte[] bytes = gif.toByteArray();
        AtomicFiles.write(run.resolve(kind.animation()), out -> out.write(bytes));
        return Optional.of(Picture.animation(title, alt, caption, bytes, readable.getLast()));
    }

    /** {@return a frame; null if the file is none any more, which costs the animation a frame and no more} */
    private static @Nullable BufferedImage read(Path file) {
        try {
            BufferedImage read = ImageIO.read(file.toFile());
            if (read == null || read.getType() == BufferedImage.TYPE_BYTE_GRAY) {
                return read;
            }
            BufferedImage colours = new BufferedImage(read.getWidth(), read.getHeight(), BufferedImage.TYPE_INT_RGB);
            int[] pixels = read.getRGB(0, 0, read.getWidth(), read.getHeight(), null, 0, read.getWidth());
            colours.setRGB(0, 0, read.getWidth(), read.getHeight(), pixels, 0, read.getWidth());
            return colours;
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    private static boolean alike(BufferedImage a, BufferedImage b) {
        return a.getType() == b.getType() && a.getWidth() == b.getWidth() && a.getHeight() == b.getHeight();
    }
}
