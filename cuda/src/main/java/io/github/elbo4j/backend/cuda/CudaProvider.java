package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.BackendProvider;
import io.github.elbo4j.backend.BackendUnavailableException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Provides the backend on NVIDIA GPUs. */
public final class CudaProvider implements BackendProvider {
    private static final String NAME = "cuda";
    private static final int DEFAULT_STEPS = 16;
    private static final int MAX_STEPS = 256;

    /** {@code off} gives each tensor an allocation of its own, for tools that look for overruns. */
    private static final String POOL_PROPERTY = "elbo4j.cuda.pool";

    /** For the service loader. */
    public CudaProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int rank() {
        return 200;
    }

    @Override
    public int seamVersion() {
        return SEAM_VERSION;
    }

    @Override
    public List<Problem> problems() {
        return CudaProbe.result().problems();
    }

    @Override
    public Map<String, String> findings() {
        return CudaProbe.result().findings();
    }

    @Override
    public Map<String, String> options() {
        return Map.of(
                "precision",
                "fp32 (default), tf32 or bf16: what factors of matrix products are rounded to",
                "device",
                "index or UUID (GPU-...), as nvidia-smi -L lists them; default: the first that can be used",
                "steps",
                "1 to " + MAX_STEPS + ": training steps in one launch; default " + DEFAULT_STEPS);
    }

    @Override
    public Backend open(Map<String, String> options) {
        Precision precision = Precision.of(options.getOrDefault("precision", Precision.FP32.label()));
        int steps = steps(options.get("steps"));
        boolean pooled = pooled(System.getProperty(POOL_PROPERTY));
        List<Problem> problems = problems();
        if (!problems.isEmpty()) {
            throw new BackendUnavailableException(NAME, problems);
        }
        CudaDevice device = device(options.get("device"), precision);
        requireCapability(device, precision);
        try {
            return CudaBackends.open(device, precision, steps, pooled);
        } catch (CudaException | BackendMemoryException e) {
            BackendUnavailableException refused = new BackendUnavailableException(NAME, List.of(refusal(e)));
            refused.initCause(e);
            throw refused;
        }
    }

    /** Cause and remedy of a message, which stand in this order. */
    private static Problem refusal(RuntimeException failure) {
        String message = String.valueOf(failure.getMessage());
        int end = message.lastIndexOf("; ");
        return end < 0
                ? new Problem("opening it failed: " + message, "choose another backend")
                : new Problem("opening it failed: " + message.substring(0, end), message.substring(end + 2));
    }

    private static int steps(@Nullable String value) {
        if (value == null) {
            return DEFAULT_STEPS;
        }
        try {
            int steps = Integer.parseInt(value);
            if (steps >= 1 && steps <= MAX_STEPS) {
                return steps;
            }
        } catch (NumberFormatException e) {
            // Reported below, with the range.
        }
        throw new IllegalArgumentException(
                "backend 'cuda': steps '" + value + "' is not a number from 1 to " + MAX_STEPS);
    }

    private static boolean pooled(@Nullable String value) {
        return switch (value == null ? "on" : value) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException("-D" + POOL_PROPERTY + "=" + value + " is not on or off");
        };
    }

    private static CudaDevice device(@Nullable String wish, Precision precision) {
        List<CudaDevice> devices = CudaDevice.list();
        return wish == null
                ? devices.stream()
                        .filter(each -> each.capability() >= precision.lowestCapability())
                        .findFirst()
                        .orElseGet(devices::getFirst)
                : CudaDevice.select(wish, devices);
    }

    private static void requireCapability(CudaDevice device, Precision precision) {
        if (device.capability() < CudaDevice.LOWEST_CAPABILITY) {
            throw new IllegalArgumentException(
                    "backend 'cuda': the kernels need compute capability 7.5, and device is " + device);
        }
        if (device.capability() < precision.lowestCapability()) {
            throw new IllegalArgumentException("backend 'cuda': precision " + precision.label()
                    + " needs compute capability " + precision.lowestCapability() / 10 + "."
                    + precision.lowestCapability() % 10 + ", and device is " + device);
        }
    }
}
