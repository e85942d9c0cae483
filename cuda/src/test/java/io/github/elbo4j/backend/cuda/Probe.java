package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;

/** Runs in a JVM of its own and prints what it sees, a property a line. */
final class Probe {
    private Probe() {}

    /**
     * {@code open LIBRARY}, {@code driver [LIBRARY]}, {@code threads}, {@code cublas} or {@code probe [LIBRARY]}: opens the
     * library first, if any.
     */
    public static void main(String[] arguments) throws Exception {
        print("module", String.valueOf(Probe.class.getModule().getName()));
        switch (arguments[0]) {
            case "open" -> open(arguments[1]);
            case "driver" -> driver(arguments);
            case "threads" -> threads();
            case "cublas" -> cublas();
            case "probe" -> probe(arguments);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        print("tmpdir", System.getProperty("java.io.tmpdir"));
        print("left", left());
    }

    private static void open(String library) {
        DynamicLoader.Opened opened = new DynamicLoader().open(library);
        print("opened", opened.failed() ? opened.message() : "");
    }

    private static void driver(String[] arguments) {
        if (arguments.length > 1) {
            open(arguments[1]);
        }
        Optional<Problem> outcome = JCudaNatives.load(JCudaNatives.Part.DRIVER);
        problem(outcome);
        int again = System.identityHashCode(JCudaNatives.load(JCudaNatives.Part.DRIVER));
        print("kept", String.valueOf(System.identityHashCode(outcome) == again));
        if (arguments.length > 1) {
            int[] version = new int[1];
            print("status", String.valueOf(JCudaDriver.cuDriverGetVersion(version)));
            print("version", String.valueOf(version[0]));
        }
    }

    private static void threads() throws InterruptedException {
        Set<Optional<?>> outcomes = ConcurrentHashMap.newKeySet();
        Set<Integer> identities = ConcurrentHashMap.newKeySet();
        CountDownLatch start = new CountDownLatch(1);
        Thread[] threads = new Thread[32];
        for (int i = 0; i < threads.length; i++) {
            Runnable load = () -> {
                try {
                    start.await();
                } catch (InterruptedException e) {
                    return;
                }
                Optional<?> outcome = JCudaNatives.load(JCudaNatives.Part.DRIVER);
                outcomes.add(outcome);
                identities.add(System.identityHashCode(outcome));
            };
            threads[i] = i % 2 == 0
                    ? Thread.startVirtualThread(load)
                    : Thread.ofPlatform().start(load);
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        print("outcomes", outcomes.size() + " " + identities.size());
    }

    private static void probe(String[] arguments) {
        if (arguments.length > 1) {
            System.load(arguments[1]);
        }
        CudaProvider provider = new CudaProvider();
        List<Problem> problems = provider.problems();
        print("kept", String.valueOf(problems == new CudaProvider().problems()));
        print("problems", String.valueOf(problems.size()));
        for (int i = 0; i < problems.size(); i++) {
            print("problem." + i, problems.get(i).toString());
        }
        print("findings", String.join(",", provider.findings().keySet()));
        provider.findings().forEach((name, value) -> print("finding." + name.replace(' ', '.'), value));
        try {
            Backends.open("cuda", Map.of("device", "7"));
            print("open", "opened");
        } catch (BackendException | IllegalArgumentException e) {
            print("open", e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private static void cublas() {
        CublasLoader.Loaded loaded = CublasLoader.load();
        print("kept", String.valueOf(loaded == CublasLoader.load()));
        print("library", loaded.library().map(CublasLibrary::toString).orElse(""));
        print(
                "lt",
                loaded.library().flatMap(CublasLibrary::lt).map(Path::toString).orElse(""));
        print("lacking", String.join(" ", loaded.lacking()));
        problem(loaded.problem());
        if (loaded.problem().isPresent()) {
            return;
        }
        cublasHandle handle = new cublasHandle();
        print("create", String.valueOf(JCublas2.cublasCreate(handle)));
        int[] version = new int[1];
        print("getVersion", String.valueOf(JCublas2.cublasGetVersion(handle, version)));
        print("version", String.valueOf(version[0]));
        Pointer alpha = Pointer.to(new float[] {2.5f});
        Pointer beta = Pointer.to(new float[] {-0.5f});
        Pointer none = new Pointer();
        print(
                "sgemm",
                String.valueOf(
                        JCublas2.cublasSgemm(handle, 0, 1, 11, 22, 33, alpha, none, 44, none, 55, beta, none, 66)));
        print("destroy", String.valueOf(JCublas2.cublasDestroy(handle)));
        print("statusName", JCublas2.cublasGetStatusName(7));
        print("statusString", JCublas2.cublasGetStatusString(7));
    }

    private static void problem(Optional<Problem> problem) {
        print("reason", problem.map(Problem::reason).orElse(""));
        print("remedy", problem.map(Problem::remedy).orElse(""));
    }

    private static String left() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        if (!Files.isDirectory(temporary)) {
            return "";
        }
        try (Stream<Path> files = Files.list(temporary)) {
            return files.map(each -> String.valueOf(each.getFileName()))
                    .filter(name -> !name.startsWith("hsperfdata"))
                    .sorted()
                    .collect(Collectors.joining(" "));
        }
    }

    private static void print(String name, String value) {
        System.out.println("probe." + name + "=" + value.replace('\n', ' '));
    }
}
