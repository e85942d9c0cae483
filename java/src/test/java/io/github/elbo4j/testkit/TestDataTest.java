package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestDataTest {
    @TempDir
    Path root;

    @Test
    void aConfiguredFolderIsTheOnlyOneSearched() throws IOException {
        Path configured = root.resolve("mine");
        Files.createDirectories(configured.resolve("mnist"));
        Files.createDirectories(root.resolve("shared/data/omniglot"));
        Path checkout = Files.createDirectories(root.resolve("checkout"));

        assertThat(TestData.find(configured.toString(), checkout, "mnist")).contains(configured.resolve("mnist"));
        assertThat(TestData.find(configured.toString(), checkout, "omniglot")).isEmpty();
    }

    @Test
    void sharedDataBesideTheCheckoutIsTheDefaultFromRootAndModule() throws IOException {
        Path mnist = Files.createDirectories(root.resolve("shared/data/mnist"));
        Path checkout = root.resolve("checkout");
        Path module = Files.createDirectories(checkout.resolve("java"));

        assertThat(TestData.find(null, module, "mnist")).contains(mnist);
        assertThat(TestData.find(null, checkout, "mnist")).contains(mnist);
        assertThat(TestData.find(" ", module, "mnist")).contains(mnist);
        assertThat(TestData.find(null, module, "cifar10")).isEmpty();
    }

    @Test
    void theListOfRequiredPartsIsReadWordByWord() {
        assertThat(TestData.lists("cuda, data", "data")).isTrue();
        assertThat(TestData.lists("database,cuda", "data")).isFalse();
        assertThat(TestData.lists("", "data")).isFalse();
    }

    @Test
    void aSeedIsANumberOrRandom() {
        assertThat(TestSeed.of("42")).isEqualTo(42);
        assertThat(TestSeed.of("random")).isNotEqualTo(TestSeed.of("random"));
        assertThatThrownBy(() -> TestSeed.of("x")).isInstanceOf(NumberFormatException.class);
    }
}
