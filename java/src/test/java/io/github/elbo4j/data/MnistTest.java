package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestData;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MnistTest {
    private static final RemoteFile.Patience PATIENCE =
            new RemoteFile.Patience(Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(10));

    @TempDir
    Path root;

    @Test
    void theRealFilesAreTheSixtyAndTenThousand() throws IOException {
        Path folder = TestData.folder("mnist");
        DataSplit split = Mnist.read(folder);
        assertThat(split.train().rows()).isEqualTo(60_000);
        assertThat(split.test().rows()).isEqualTo(10_000);
        assertThat(split.train().shape()).isEqualTo(new ImageShape(28, 28, 1));
        assertThat(split.spec()).isEqualTo("mnist:" + folder);
        int[] first = new int[10];
        for (int i = 0; i < 10; i++) {
            first[i] = split.train().label(i);
        }
        assertThat(first).containsExactly(5, 0, 4, 1, 9, 2, 1, 3, 1, 4);
        assertThat(split.test().label(0)).isEqualTo(7);
        // The published mean of the training pixels.
        long sum = 0;
        for (long i = 0; i < split.train().values().byteSize(); i++) {
            sum += split.train().values().get(ValueLayout.JAVA_BYTE, i) & 0xff;
        }
        assertThat(sum / 255.0 / (60_000 * 784)).isBetween(0.13065, 0.13067);
    }

    @Test
    void theRealFilesHaveThePublishedChecksums() {
        Path folder = TestData.folder("mnist");
        assertThat(Mnist.PUBLISHED).allMatch(file -> file.isIn(folder));
    }

    @Test
    void fourFilesPlainOrCompressedAreRead() throws IOException {
        Path folder = small(root.resolve("data"));
        byte[] labels = Files.readAllBytes(folder.resolve("t10k-labels-idx1-ubyte"));
        Files.delete(folder.resolve("t10k-labels-idx1-ubyte"));
        Files.write(folder.resolve("t10k-labels-idx1-ubyte.gz"), IdxFiles.gzip(labels));

        DataSplit split = Mnist.read(folder);

        assertThat(split.train().rows()).isEqualTo(3);
        assertThat(split.train().label(2)).isEqualTo(3);
        assertThat(split.test().rows()).isEqualTo(2);
        assertThat(split.test().label(1)).isEqualTo(2);
    }

    @Test
    void aMissingFileIsNamedWithARemedy() throws IOException {
        Path folder = small(root.resolve("data"));
        Files.delete(folder.resolve("t10k-images-idx3-ubyte"));
        assertThatThrownBy(() -> Mnist.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(folder + ": ")
                .hasMessageContaining("t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz")
                .hasMessageContaining("put it there");
        assertThatThrownBy(() -> Mnist.read(root.resolve("absent")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("train-images-idx3-ubyte");
    }

    @Test
    void imagesOfDifferentShapesAreRefused() throws IOException {
        Path folder = small(root.resolve("data"));
        Files.write(folder.resolve("t10k-images-idx3-ubyte"), IdxFiles.images(2, 3, 3));
        assertThatThrownBy(() -> Mnist.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("belong together");
    }

    @Test
    void theDataFolderItselfOrItsPartIsTakenFirst() throws IOException {
        Path part = small(root.resolve("all/mnist"));
        for (Path folder : List.of(part, part.getParent())) {
            DataSplit split = Mnist.find(places(Optional.of(folder), List.of(), List.of()));
            assertThat(split.train().rows()).isEqualTo(3);
            assertThat(split.spec()).isEqualTo("mnist");
        }
        assertThat(root.resolve("cache")).doesNotExist();
    }

    @Test
    void aDataFolderThatIsNotThereIsSaid() {
        assertThatThrownBy(() -> Mnist.find(places(Optional.of(root.resolve("absent")), List.of(), List.of())))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("ELBO4J_DATA names it");
    }

    @Test
    void filesAreDownloadedOnceAndKept() throws IOException {
        Path source = small(root.resolve("source"));
        Map<String, byte[]> pages = pages(source);
        List<RemoteFile> files = published(pages);
        Path empty = Files.createDirectories(root.resolve("empty"));
        try (TestServer server = new TestServer(pages)) {
            Mnist.Places places = places(Optional.of(empty), files, List.of(server.base()));
            assertThat(Mnist.find(places).train().rows()).isEqualTo(3);
            assertThat(server.requests()).isEqualTo(4);
            assertThat(Mnist.find(places).test().rows()).isEqualTo(2);
            assertThat(server.requests()).isEqualTo(4);

            // A kept file that was damaged is fetched again.
            Path kept = places.cache().resolve("train-labels-idx1-ubyte");
            byte[] damaged = Files.readAllBytes(kept);
            damaged[9] ^= 1;
            Files.write(kept, damaged);
            assertThat(Mnist.find(places).train().label(1)).isEqualTo(2);
            assertThat(server.requests()).isEqualTo(5);
        }
        assertThat(namesIn(root.resolve("cache"))).hasSize(4);
    }

    @Test
    void theSecondMirrorServesWhenTheFirstDoesNot() throws IOException {
        Path source = small(root.resolve("source"));
        List<RemoteFile> files = published(pages(source));
        try (TestServer server = new TestServer(Map.of())) {
            Mnist.Places places = places(Optional.empty(), files, List.of(server.base(), source.toUri()));
            assertThat(Mnist.find(places).train().rows()).isEqualTo(3);
            assertThat(server.requests()).isEqualTo(4);
        }
    }

    @Test
    void whenNoMirrorServesOneLineSaysWhatWasTriedAndWhatToDo() throws IOException {
        List<RemoteFile> files = published(pages(small(root.resolve("source"))));
        try (RefusingPort refusing = new RefusingPort();
                TestServer server = new TestServer(Map.of())) {
            URI closed = refusing.base();
            assertThatThrownBy(() -> Mnist.find(places(Optional.empty(), files, List.of(closed, server.base()))))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining(closed + "train-images-idx3-ubyte (ConnectException")
                    .hasMessageContaining(server.base() + "train-images-idx3-ubyte (FileNotFoundException")
                    .hasMessageContaining(root.resolve("cache").toString())
                    .hasMessageContaining("put the four files")
                    .hasMessageContaining("mnist:DIR")
                    .hasMessageContaining("ELBO4J_DATA")
                    .hasMessageNotContaining("\n");
        }
        assertThat(namesIn(root.resolve("cache"))).isEmpty();
    }

    @Test
    void aCacheFolderThatCannotBeMadeIsSaid() throws IOException {
        Files.write(root.resolve("cache"), new byte[1]);
        List<RemoteFile> files = published(pages(small(root.resolve("source"))));
        assertThatThrownBy(() -> Mnist.find(places(Optional.empty(), files, List.of())))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("cache folder cannot be made")
                .hasMessageContaining("mnist:DIR");
    }

    @Test
    void theCacheFollowsThePlatform() {
        Path home = Path.of("home");
        assertThat(Mnist.cacheFolder("Linux", name -> null, home))
                .isEqualTo(home.resolve(".cache").resolve("elbo4j").resolve("mnist"));
        assertThat(Mnist.cacheFolder("Linux", name -> "XDG_CACHE_HOME".equals(name) ? "xdg" : null, home))
                .isEqualTo(Path.of("xdg", "elbo4j", "mnist"));
        assertThat(Mnist.cacheFolder("Windows 11", name -> "LOCALAPPDATA".equals(name) ? "local" : null, home))
                .isEqualTo(Path.of("local", "elbo4j", "mnist"));
        assertThat(Mnist.cacheFolder("Windows 11", name -> null, home))
                .isEqualTo(home.resolve("AppData")
                        .resolve("Local")
                        .resolve("elbo4j")
                        .resolve("mnist"));
    }

    private Mnist.Places places(Optional<Path> folder, List<RemoteFile> files, List<URI> mirrors) {
        return new Mnist.Places(folder, root.resolve("cache"), files, mirrors, PATIENCE);
    }

    private static Path small(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("train-images-idx3-ubyte"), IdxFiles.images(3, 2, 2));
        Files.write(folder.resolve("train-labels-idx1-ubyte"), IdxFiles.labels(3));
        Files.write(folder.resolve("t10k-images-idx3-ubyte"), IdxFiles.images(2, 2, 2));
        Files.write(folder.resolve("t10k-labels-idx1-ubyte"), IdxFiles.labels(2));
        return folder;
    }

    private static Map<String, byte[]> pages(Path folder) throws IOException {
        Map<String, byte[]> pages = new TreeMap<>();
        for (String name : namesIn(folder)) {
            pages.put(name, Files.readAllBytes(folder.resolve(name)));
        }
        return pages;
    }

    private static List<RemoteFile> published(Map<String, byte[]> pages) {
        return List.of(
                        "train-images-idx3-ubyte",
                        "train-labels-idx1-ubyte",
                        "t10k-images-idx3-ubyte",
                        "t10k-labels-idx1-ubyte")
                .stream()
                .map(name -> RemoteFileTest.describe(name, pages.getOrDefault(name, new byte[0])))
                .toList();
    }

    private static List<String> namesIn(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
