package io.github.elbo4j.backend.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Calls of the emulated device since a moment: what was made must have been given back. */
final class DeviceLedger {
    /** What gives back what a call has made. */
    static final Map<String, String> RELEASES = releases();

    private static final String[] LISTS = {"emulator/driver_symbols.txt", "emulator/cublas_symbols.txt"};

    private final Map<String, Long> before;
    private final long allocations = EmulatorControl.counter("live_allocations");

    private DeviceLedger() {
        before = counts();
    }

    /** {@return a ledger that begins now} */
    static DeviceLedger open() {
        return new DeviceLedger();
    }

    private static Map<String, String> releases() {
        Map<String, String> pairs = new LinkedHashMap<>();
        pairs.put("cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2");
        pairs.put("cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2");
        pairs.put("cuStreamCreate", "cuStreamDestroy_v2");
        pairs.put("cuEventCreate", "cuEventDestroy_v2");
        pairs.put("cuMemAlloc_v2", "cuMemFree_v2");
        pairs.put("cuMemHostAlloc", "cuMemFreeHost");
        pairs.put("cuModuleLoadData", "cuModuleUnload");
        pairs.put("cuStreamBeginCapture_v2", "cuStreamEndCapture");
        pairs.put("cuGraphInstantiateWithFlags", "cuGraphExecDestroy");
        pairs.put("cublasCreate_v2", "cublasDestroy_v2");
        return pairs;
    }

    private static Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        try {
            for (String list : LISTS) {
                for (String function : Files.readAllLines(Path.of(list))) {
                    long count = EmulatorControl.callCount(function.strip());
                    if (count > 0) {
                        counts.put(function.strip(), count);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return counts;
    }

    /** {@return how often each function was called since the beginning} */
    Map<String, Long> calls() {
        Map<String, Long> calls = counts();
        calls.replaceAll((function, count) -> count - before.getOrDefault(function, 0L));
        calls.values().removeIf(count -> count == 0);
        return calls;
    }

    /**
     * {@return what was made and not given back, by the call that made it; empty if nothing was left}
     *
     * @param failed a function of which one call was made to fail, empty for none: a failed call makes nothing
     */
    Map<String, Long> left(String failed) {
        Map<String, Long> calls = calls();
        Map<String, Long> left = new TreeMap<>();
        RELEASES.forEach((make, release) -> {
            long made = calls.getOrDefault(make, 0L) - (make.equals(failed) ? 1 : 0);
            long open = made - calls.getOrDefault(release, 0L);
            if (open != 0) {
                left.put(make, open);
            }
        });
        long allocated = EmulatorControl.counter("live_allocations") - allocations;
        if (allocated != 0 && !failed.equals("cuMemFree_v2")) {
            left.put("live allocations", allocated);
        }
        return left;
    }
}
