package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** An application that is deployed again brings its classes in a new loader, and finds the library again. */
class NativeClassLoaderTest {
    private static URL url(String place) {
        try {
            return Path.of(place).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void theBackendOpensInOneLoaderAfterAnotherAndInTwoAtOnce() throws Exception {
        NativeFixture.assumeAvailable();
        URL[] places =
                ChildJvm.places().stream().map(NativeClassLoaderTest::url).toArray(URL[]::new);
        for (int deployment = 0; deployment < 3; deployment++) {
            // No parent: that of the platform knows the modules of this process.
            try (URLClassLoader one = new URLClassLoader(places, null);
                    URLClassLoader other = new URLClassLoader(places, null);
                    AutoCloseable first = open(one);
                    AutoCloseable second = open(other)) {
                assertThat(first.getClass().getClassLoader()).isSameAs(one);
                assertThat(List.of(first, second))
                        .allSatisfy(backend -> assertThat(info(backend)).startsWith("BackendInfo[name=native, "));
            }
        }
    }

    /** Opening runs every kernel once, in the self-test. */
    private static AutoCloseable open(ClassLoader loader) throws ReflectiveOperationException {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            Class<?> backends = Class.forName("io.github.elbo4j.backend.Backends", true, loader);
            Method open = backends.getMethod("open", String.class, Map.class);
            return (AutoCloseable) open.invoke(null, "native", Map.of());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static String info(Object backend) throws ReflectiveOperationException {
        return backend.getClass().getMethod("info").invoke(backend).toString();
    }
}
