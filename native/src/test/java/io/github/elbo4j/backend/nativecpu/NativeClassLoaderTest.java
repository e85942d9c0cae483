package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.testkit.WorkerThreads;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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
    void theBackendTrainsInOneLoaderAfterAnotherAndInTwoAtOnce() throws Exception {
        NativeFixture.assumeAvailable();
        List<WeakReference<ClassLoader>> closed = new ArrayList<>();
        closed.addAll(deployTwo());
        closed.addAll(deployTwo());
        // The last one may stay until memory is short: a cache of the JDK holds it softly.
        deployTwo();
        for (int i = 0; i < 100 && closed.stream().anyMatch(loader -> !loader.refersTo(null)); i++) {
            System.gc();
            // Its workers may still be ending.
            Thread.sleep(20);
        }
        assertThat(closed).as("loaders of closed applications").allMatch(loader -> loader.refersTo(null));
    }

    /** A method of its own, whose variables hold nothing once it has returned. */
    private static List<WeakReference<ClassLoader>> deployTwo() throws Exception {
        List<String> places = new ArrayList<>(ChildJvm.places());
        places.add(ChildJvm.folder(Deployment.class).toString());
        URL[] urls = places.stream().map(NativeClassLoaderTest::url).toArray(URL[]::new);
        WorkerThreads before = WorkerThreads.named("elbo4j-native-worker");
        // No parent: that of the platform knows the modules of this process.
        try (URLClassLoader one = new URLClassLoader(urls, null);
                URLClassLoader other = new URLClassLoader(urls, null);
                AutoCloseable first = deploy(one);
                AutoCloseable second = deploy(other)) {
            for (AutoCloseable each : List.of(first, second)) {
                assertThat(((Callable<?>) each).call()).isEqualTo("native 1");
            }
            assertThat(first.getClass().getClassLoader()).isSameAs(one);
            assertThat(second.getClass().getClassLoader()).isSameAs(other);
            assertThat(WorkerThreads.named("elbo4j-native-worker")
                            .without(before)
                            .threads())
                    .as("a worker each")
                    .hasSizeGreaterThanOrEqualTo(2);
            return List.of(new WeakReference<>(one), new WeakReference<>(other));
        }
    }

    private static AutoCloseable deploy(ClassLoader loader) throws ReflectiveOperationException {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            return Class.forName(Deployment.class.getName(), true, loader)
                    .asSubclass(AutoCloseable.class)
                    .getConstructor()
                    .newInstance();
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
