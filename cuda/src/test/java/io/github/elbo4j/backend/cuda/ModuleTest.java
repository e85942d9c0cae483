package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendProvider;
import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ModuleTest {
    private static final Path CLASSES = ChildJvm.folder(CudaStatus.class, "CudaStatus.class");

    @Test
    void theModuleShowsNothingAndProvidesTheBackend() throws IOException {
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            ModuleDescriptor descriptor = ModuleDescriptor.read(in);
            assertThat(descriptor.name()).isEqualTo("io.github.elbo4j.cuda");
            assertThat(descriptor.exports()).isEmpty();
            assertThat(descriptor.provides()).singleElement().satisfies(provides -> {
                assertThat(provides.service()).isEqualTo(BackendProvider.class.getName());
                assertThat(provides.providers()).containsExactly(CudaProvider.class.getName());
            });
            assertThat(descriptor.requires())
                    .extracting(ModuleDescriptor.Requires::name)
                    .containsExactlyInAnyOrder("java.base", "org.jspecify", "io.github.elbo4j", "jcuda", "jcublas");
        }
    }

    @Test
    void theClassPathHasTheSameProvider() throws IOException {
        Path file = CLASSES.resolve("META-INF/services/" + BackendProvider.class.getName());
        assertThat(Files.readString(file, StandardCharsets.UTF_8).strip()).isEqualTo(CudaProvider.class.getName());
    }

    @Test
    void theBackendIsOfferedBeforeTheReference() {
        EmulatedDevice.load();
        assertThat(Backends.report()).extracting(Backends.Report::name).containsSubsequence("cuda", "java");
    }
}
