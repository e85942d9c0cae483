package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NativeModuleTest {
    private static final Path CLASSES = ChildJvm.folder(NativeProvider.class);

    @Test
    void theModuleShowsNothingAndProvidesTheBackend() throws IOException {
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            ModuleDescriptor descriptor = ModuleDescriptor.read(in);
            assertThat(descriptor.name()).isEqualTo("io.github.elbo4j.nativecpu");
            assertThat(descriptor.exports()).isEmpty();
            assertThat(descriptor.provides()).singleElement().satisfies(provides -> {
                assertThat(provides.service()).isEqualTo(BackendProvider.class.getName());
                assertThat(provides.providers()).containsExactly(NativeProvider.class.getName());
            });
            assertThat(descriptor.requires())
                    .extracting(ModuleDescriptor.Requires::name)
                    .containsExactlyInAnyOrder("java.base", "org.jspecify", "io.github.elbo4j");
        }
    }

    @Test
    void theClassPathHasTheSameProvider() throws IOException {
        Path file = CLASSES.resolve("META-INF/services/" + BackendProvider.class.getName());
        assertThat(Files.readString(file, StandardCharsets.UTF_8).strip()).isEqualTo(NativeProvider.class.getName());
    }
}
