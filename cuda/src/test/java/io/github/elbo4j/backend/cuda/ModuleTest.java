package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ModuleTest {
    @Test
    void theModuleShowsNothingAndPromisesNothing() throws IOException {
        Path classes = ChildJvm.folder(CudaStatus.class, "CudaStatus.class");
        try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
            ModuleDescriptor descriptor = ModuleDescriptor.read(in);
            assertThat(descriptor.name()).isEqualTo("io.github.elbo4j.cuda");
            assertThat(descriptor.exports()).isEmpty();
            assertThat(descriptor.provides()).isEmpty();
            assertThat(descriptor.requires())
                    .extracting(ModuleDescriptor.Requires::name)
                    .containsExactlyInAnyOrder("java.base", "org.jspecify", "io.github.elbo4j", "jcuda", "jcublas");
        }
    }

    /** No kernel exists, so nobody may be offered a backend of this name. */
    @Test
    void noCudaBackendIsOffered() {
        assertThat(Backends.report())
                .extracting(Backends.Report::name)
                .contains("java")
                .doesNotContain("cuda");
    }
}
