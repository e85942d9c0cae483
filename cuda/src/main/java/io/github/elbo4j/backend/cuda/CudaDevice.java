package io.github.elbo4j.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import io.github.elbo4j.backend.BackendException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import jcuda.driver.CUdevice;
import jcuda.driver.CUuuid;
import jcuda.driver.JCudaDriver;

/**
 * A device that the driver shows to this process.
 *
 * @param ordinal its index here; {@code CUDA_VISIBLE_DEVICES} changes it
 * @param uuid {@code GPU-...}, as nvidia-smi writes it
 * @param name its name
 * @param major of its compute capability
 * @param minor of its compute capability
 * @param totalBytes its memory
 * @param limits what it can run at once
 */
record CudaDevice(
        int ordinal, String uuid, String name, int major, int minor, long totalBytes, CudaLaunch.Device limits) {
    /** The lowest compute capability that the kernels are built for, times ten. */
    static final int LOWEST_CAPABILITY = 75;

    private static final int MAX_NAME = 256;

    /**
     * {@return every device of this process}
     *
     * @throws BackendException if the driver cannot be used
     */
    static List<CudaDevice> list() {
        JCudaNatives.load(JCudaNatives.Part.DRIVER).ifPresent(problem -> {
            throw new BackendException(problem.toString());
        });
        CudaCalls.require("cuInit", () -> JCudaDriver.cuInit(0));
        int[] count = new int[1];
        CudaCalls.require("cuDeviceGetCount", () -> JCudaDriver.cuDeviceGetCount(count));
        List<CudaDevice> devices = new ArrayList<>();
        for (int ordinal = 0; ordinal < count[0]; ordinal++) {
            devices.add(describe(ordinal));
        }
        return List.copyOf(devices);
    }

    /**
     * {@return the device that a wish names}
     *
     * @param wish an index, or a UUID or what it begins with
     * @throws IllegalArgumentException if it names none, or several; the message lists what there is
     */
    static CudaDevice select(String wish) {
        return select(wish, list());
    }

    static CudaDevice select(String wish, List<CudaDevice> devices) {
        String text = wish.strip();
        boolean index = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        Predicate<CudaDevice> named = index
                ? device -> String.valueOf(device.ordinal).equals(text)
                : device ->
                        text.length() > "GPU-".length() && device.uuid.regionMatches(true, 0, text, 0, text.length());
        List<CudaDevice> found = devices.stream().filter(named).toList();
        if (found.size() == 1) {
            return found.get(0);
        }
        throw new IllegalArgumentException("device '" + wish + "' names "
                + (found.isEmpty() ? "no device" : found.size() + " devices") + "; name one by index or UUID: "
                + devices.stream()
                        .map(device -> device.ordinal + " = " + device.uuid + " " + device.name)
                        .collect(Collectors.joining(", ", "", devices.isEmpty() ? "there is none" : "")));
    }

    /** {@return the compute capability times ten: 90 for 9.0} */
    int capability() {
        return 10 * major + minor;
    }

    /** {@return the driver's handle} */
    CUdevice handle() {
        return handle(ordinal);
    }

    /** {@return name, compute capability, memory and UUID in words} */
    String words() {
        return name + ", " + abilities() + ", " + uuid;
    }

    /** {@return name, index, compute capability and memory in words} */
    @Override
    public String toString() {
        return name + " (device " + ordinal + ", " + abilities() + ")";
    }

    private String abilities() {
        return String.format(
                Locale.ROOT, "compute capability %d.%d, %.1f GiB", major, minor, totalBytes / (double) (1L << 30));
    }

    private static CUdevice handle(int ordinal) {
        CUdevice device = new CUdevice();
        CudaCalls.require("cuDeviceGet(" + ordinal + ")", () -> JCudaDriver.cuDeviceGet(device, ordinal));
        return device;
    }

    private static CudaDevice describe(int ordinal) {
        CUdevice device = handle(ordinal);
        byte[] name = new byte[MAX_NAME];
        CudaCalls.require("cuDeviceGetName", () -> JCudaDriver.cuDeviceGetName(name, name.length, device));
        CUuuid uuid = new CUuuid();
        CudaCalls.require("cuDeviceGetUuid", () -> JCudaDriver.cuDeviceGetUuid(uuid, device));
        long[] total = new long[1];
        CudaCalls.require("cuDeviceTotalMem", () -> JCudaDriver.cuDeviceTotalMem(total, device));
        CudaLaunch.Device limits = new CudaLaunch.Device(
                attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                attribute(device, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR),
                attribute(device, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
                attribute(device, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X));
        return new CudaDevice(
                ordinal,
                text(uuid.bytes),
                text(name, 0),
                attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                total[0],
                limits);
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        CudaCalls.require(
                "cuDeviceGetAttribute(" + attribute + ")",
                () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
        return value[0];
    }

    /** Up to the first zero, as C writes texts. */
    private static String text(byte[] bytes, int from) {
        int end = from;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.UTF_8).strip();
    }

    private static String text(byte[] uuid) {
        String hex = HexFormat.of().formatHex(uuid);
        return "GPU-" + hex.substring(0, 8) + '-' + hex.substring(8, 12) + '-' + hex.substring(12, 16) + '-'
                + hex.substring(16, 20) + '-' + hex.substring(20);
    }
}
