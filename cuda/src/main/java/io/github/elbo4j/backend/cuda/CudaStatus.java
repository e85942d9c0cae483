package io.github.elbo4j.backend.cuda;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/**
 * A status code of the CUDA driver or of cuBLAS in words.
 *
 * @param code the number, as the call returned it
 * @param name the name in NVIDIA's headers
 * @param meaning what it says about the call
 * @param remedy what to do about it
 * @param lasting whether the process has lost its context: every later call fails as well
 */
record CudaStatus(int code, String name, String meaning, String remedy, boolean lasting) {
    private static final String REPORT = "report it with this line: it is an error of this library";
    private static final String RESTART = "restart the process";
    private static final String RESTART_AND_REPORT =
            "restart the process, and report it with the settings of the run: it is an error of a kernel";
    private static final String HARDWARE =
            "restart the process; if it comes back, look for Xid lines in the kernel's log: the hardware may be failing";
    private static final String UPDATE = "update the NVIDIA driver to 580 or newer";
    private static final String REINSTALL = "install the NVIDIA driver anew, to match the kernel module that is loaded";
    private static final String MPS = "ask who runs nvidia-cuda-mps-control on this machine, or leave MPS by unsetting"
            + " CUDA_MPS_PIPE_DIRECTORY";
    private static final String NO_PEER = "use one device only";
    private static final String NO_GRAPHICS = "keep graphics programs off this device";

    private static final Map<Integer, CudaStatus> DRIVER = driverCodes();
    private static final Map<Integer, CudaStatus> CUBLAS = cublasCodes();

    /** {@return what a code of the driver ({@code CUresult}) says; unknown codes too} */
    static CudaStatus driver(int code) {
        CudaStatus known = DRIVER.get(code);
        return known != null ? known : unknown(code, "CUresult " + code, "the CUDA driver");
    }

    /** {@return what a code of cuBLAS ({@code cublasStatus_t}) says; unknown codes too} */
    static CudaStatus cublas(int code) {
        CudaStatus known = CUBLAS.get(code);
        return known != null ? known : unknown(code, "cublasStatus_t " + code, "cuBLAS");
    }

    /** {@return the codes of the driver that have words here} */
    static Map<Integer, CudaStatus> driverCodesKnown() {
        return DRIVER;
    }

    /** {@return the codes of cuBLAS that have words here} */
    static Map<Integer, CudaStatus> cublasCodesKnown() {
        return CUBLAS;
    }

    /** {@return whether the call succeeded} */
    boolean success() {
        return code == 0;
    }

    /** {@return whether the call found too little memory, and changed nothing} */
    boolean shortOfMemory() {
        return this == DRIVER.get(2) || this == CUBLAS.get(3);
    }

    private static CudaStatus unknown(int code, String name, String library) {
        return new CudaStatus(
                code,
                name,
                "a status of " + library + " that this version does not know",
                "look it up in the documentation of the installed version, and " + REPORT,
                false);
    }

    private static Map<Integer, CudaStatus> driverCodes() {
        Table t = new Table("CUDA_ERROR_");
        t.codes.put(0, new CudaStatus(0, "CUDA_SUCCESS", "the call succeeded", "nothing to do", false));
        t.add(1, "INVALID_VALUE", "an argument lies outside of what the call accepts", REPORT);
        t.add(
                2,
                "OUT_OF_MEMORY",
                "the device has not enough free memory",
                "take a smaller model, batch or data set, or end other programs on the device (nvidia-smi lists"
                        + " them)");
        t.add(3, "NOT_INITIALIZED", "the driver was called before cuInit", REPORT);
        t.lasting(
                4,
                "DEINITIALIZED",
                "the driver is shutting down with the process",
                "close backends before the JVM ends");
        t.add(5, "PROFILER_DISABLED", "a profiler that runs outside has the profiling interface", "end the profiler");
        t.add(6, "PROFILER_NOT_INITIALIZED", "the profiling interface was not initialized", REPORT);
        t.add(7, "PROFILER_ALREADY_STARTED", "profiling has already begun", "start it once only");
        t.add(8, "PROFILER_ALREADY_STOPPED", "profiling has already ended", "stop it once only");
        t.add(
                34,
                "STUB_LIBRARY",
                "the libcuda.so.1 that was loaded is the toolkit's stub for linking, not the driver",
                "remove the toolkit's stubs folder from LD_LIBRARY_PATH");
        t.add(36, "CALL_REQUIRES_NEWER_DRIVER", "the installed driver is too old for this call", UPDATE);
        t.add(
                46,
                "DEVICE_UNAVAILABLE",
                "the device is taken: it is in exclusive mode and another process uses it, or it is being reset",
                "end the other process, or let an administrator allow sharing: nvidia-smi -c DEFAULT");
        t.add(
                100,
                "NO_DEVICE",
                "the driver sees no CUDA device",
                "see whether nvidia-smi lists one, whether CUDA_VISIBLE_DEVICES hides it, and whether a container was"
                        + " started with its GPUs (--gpus all)");
        t.add(
                101,
                "INVALID_DEVICE",
                "there is no device of this number, or it cannot be used as asked",
                "choose one that nvidia-smi -L lists; CUDA_VISIBLE_DEVICES changes the numbers");
        t.add(102, "DEVICE_NOT_LICENSED", "the virtual GPU has no licence", "let an administrator give it one");
        t.add(
                200,
                "INVALID_IMAGE",
                "the kernels' image cannot be read",
                "build or download the jar again: it is damaged");
        t.add(201, "INVALID_CONTEXT", "no context, or a destroyed one, is current on this thread", REPORT);
        t.add(202, "CONTEXT_ALREADY_CURRENT", "the context is current already", REPORT);
        t.add(205, "MAP_FAILED", "memory could not be mapped", "end other programs on the device and try again");
        t.add(206, "UNMAP_FAILED", "memory could not be unmapped", HARDWARE);
        t.add(207, "ARRAY_IS_MAPPED", "the array is mapped and cannot be destroyed", REPORT);
        t.add(208, "ALREADY_MAPPED", "the resource is mapped already", REPORT);
        t.add(
                209,
                "NO_BINARY_FOR_GPU",
                "the jar holds no kernels that this GPU can run",
                "use a GPU of compute capability 7.5 or higher, or a jar whose kernels were built for it");
        t.add(210, "ALREADY_ACQUIRED", "the resource is taken already", REPORT);
        t.add(211, "NOT_MAPPED", "the resource is not mapped", REPORT);
        t.add(212, "NOT_MAPPED_AS_ARRAY", "the resource is not mapped as an array", REPORT);
        t.add(213, "NOT_MAPPED_AS_POINTER", "the resource is not mapped as a pointer", REPORT);
        t.lasting(214, "ECC_UNCORRECTABLE", "the device's memory had an error that ECC could not correct", HARDWARE);
        t.add(215, "UNSUPPORTED_LIMIT", "the device does not have the limit that was asked for", REPORT);
        t.add(
                216,
                "CONTEXT_ALREADY_IN_USE",
                "another thread has the context",
                "use the primary context, as this library does; see which other CUDA user of the process does not");
        t.add(217, "PEER_ACCESS_UNSUPPORTED", "these devices cannot read each other's memory", NO_PEER);
        t.add(218, "INVALID_PTX", "the driver could not compile the kernels' PTX", UPDATE);
        t.add(219, "INVALID_GRAPHICS_CONTEXT", "the graphics context is not usable", NO_GRAPHICS);
        t.lasting(
                220,
                "NVLINK_UNCORRECTABLE",
                "a link between devices had an error that could not be corrected",
                HARDWARE);
        t.add(
                221,
                "JIT_COMPILER_NOT_FOUND",
                "the driver's PTX compiler (libnvidia-ptxjitcompiler) is missing",
                "install the whole driver; in a container, give it the capability 'compute'");
        t.add(222, "UNSUPPORTED_PTX_VERSION", "the kernels' PTX is newer than the driver understands", UPDATE);
        t.add(
                223,
                "JIT_COMPILATION_DISABLED",
                "PTX would have to be compiled, which is switched off",
                "unset CUDA_DISABLE_PTX_JIT");
        t.add(224, "UNSUPPORTED_EXEC_AFFINITY", "the device does not have this kind of affinity", REPORT);
        t.add(
                225,
                "UNSUPPORTED_DEVSIDE_SYNC",
                "a kernel waits on the device in a way that it does not support",
                REPORT);
        t.lasting(
                226, "CONTAINED", "a memory error of the device was contained; the process lost its context", HARDWARE);
        t.add(300, "INVALID_SOURCE", "the kernels' source cannot be compiled", REPORT);
        t.add(301, "FILE_NOT_FOUND", "a file was not found", "see that the file exists and can be read");
        t.add(302, "SHARED_OBJECT_SYMBOL_NOT_FOUND", "a shared library lacks a symbol that another needs", REINSTALL);
        t.add(303, "SHARED_OBJECT_INIT_FAILED", "a shared library of the driver could not be initialized", REINSTALL);
        t.add(
                304,
                "OPERATING_SYSTEM",
                "a call of the operating system failed",
                "see whether /dev/nvidia* may be opened, and the limits on open files and locked memory (ulimit -a)");
        t.add(400, "INVALID_HANDLE", "a handle does not belong to a living object", REPORT);
        t.add(401, "ILLEGAL_STATE", "an object is not in the state that the call needs", REPORT);
        t.add(402, "LOSSY_QUERY", "the answer would leave something out", REPORT);
        t.add(
                500,
                "NOT_FOUND",
                "the kernels' image has no function or variable of this name",
                "use jars of one version: the kernels were built for another");
        t.add(600, "NOT_READY", "work that was issued has not ended yet", "wait for it");
        t.lasting(700, "ILLEGAL_ADDRESS", "a kernel read or wrote memory that is not its own", RESTART_AND_REPORT);
        t.add(701, "LAUNCH_OUT_OF_RESOURCES", "a kernel needs more registers or threads than the device has", REPORT);
        t.lasting(
                702,
                "LAUNCH_TIMEOUT",
                "a kernel ran longer than the watchdog of a device with a display allows",
                "use a device without a display, or take a smaller batch; then restart the process");
        t.add(703, "LAUNCH_INCOMPATIBLE_TEXTURING", "a kernel uses textures in a way that the device lacks", REPORT);
        t.add(704, "PEER_ACCESS_ALREADY_ENABLED", "these devices can read each other's memory already", NO_PEER);
        t.add(705, "PEER_ACCESS_NOT_ENABLED", "these devices may not read each other's memory", NO_PEER);
        t.add(706, "PEER_MEMORY_ALREADY_REGISTERED", "memory of another device is registered already", NO_PEER);
        t.add(707, "PEER_MEMORY_NOT_REGISTERED", "memory of another device is not registered", NO_PEER);
        t.add(
                708,
                "PRIMARY_CONTEXT_ACTIVE",
                "the primary context is active, so its flags cannot be changed",
                "open this backend before other CUDA users of the process");
        t.lasting(
                709,
                "CONTEXT_IS_DESTROYED",
                "the context was destroyed, or has not been made",
                "see whether other code of the process resets the device; then restart it");
        t.lasting(710, "ASSERT", "an assertion in a kernel failed", RESTART_AND_REPORT);
        t.add(711, "TOO_MANY_PEERS", "the device has no room for another peer", NO_PEER);
        t.add(712, "HOST_MEMORY_ALREADY_REGISTERED", "the host memory is pinned already", REPORT);
        t.add(713, "HOST_MEMORY_NOT_REGISTERED", "the host memory is not pinned", REPORT);
        t.lasting(714, "HARDWARE_STACK_ERROR", "a kernel's call stack is damaged or overflowed", RESTART_AND_REPORT);
        t.lasting(715, "ILLEGAL_INSTRUCTION", "a kernel came to an instruction that is none", RESTART_AND_REPORT);
        t.lasting(716, "MISALIGNED_ADDRESS", "a kernel used an address that is not aligned", RESTART_AND_REPORT);
        t.lasting(717, "INVALID_ADDRESS_SPACE", "a kernel used an address of the wrong kind", RESTART_AND_REPORT);
        t.lasting(718, "INVALID_PC", "a kernel jumped to where no code is", RESTART_AND_REPORT);
        t.lasting(719, "LAUNCH_FAILED", "a kernel ended by an error that has no name of its own", RESTART_AND_REPORT);
        t.add(
                720,
                "COOPERATIVE_LAUNCH_TOO_LARGE",
                "a cooperative launch has more blocks than fit on the device at once",
                REPORT);
        t.lasting(721, "TENSOR_MEMORY_LEAK", "a kernel ended without freeing its tensor memory", RESTART_AND_REPORT);
        t.add(
                800,
                "NOT_PERMITTED",
                "the call is not allowed here",
                "see the permissions of the user and the container");
        t.add(801, "NOT_SUPPORTED", "the device or the driver does not have this call", UPDATE);
        t.add(
                802,
                "SYSTEM_NOT_READY",
                "the machine's GPUs are not ready",
                "start nvidia-fabricmanager on machines with NVSwitch, and wait until nvidia-smi answers");
        t.add(
                803,
                "SYSTEM_DRIVER_MISMATCH",
                "libcuda.so.1 and the loaded kernel module are of different versions",
                "restart the machine after an update of the driver; in a container, remove its own libcuda.so.1");
        t.add(
                804,
                "COMPAT_NOT_SUPPORTED_ON_DEVICE",
                "a compatibility package (cuda-compat) was loaded, which this GPU does not support",
                "remove cuda-compat from LD_LIBRARY_PATH or update the NVIDIA driver itself");
        t.lasting(805, "MPS_CONNECTION_FAILED", "the MPS control daemon or server cannot be reached", MPS);
        t.lasting(806, "MPS_RPC_FAILURE", "a call to the MPS server failed", MPS);
        t.add(807, "MPS_SERVER_NOT_READY", "the MPS server does not accept clients yet", "try again; else " + MPS);
        t.add(808, "MPS_MAX_CLIENTS_REACHED", "the MPS server has as many clients as it can", "end some of them");
        t.add(
                809,
                "MPS_MAX_CONNECTIONS_REACHED",
                "the MPS server has as many connections as it can",
                "end some of them");
        t.lasting(810, "MPS_CLIENT_TERMINATED", "the MPS server ended this client", RESTART);
        t.add(811, "CDP_NOT_SUPPORTED", "a kernel starts kernels, which the device does not support", REPORT);
        t.add(812, "CDP_VERSION_MISMATCH", "parts of the kernels start kernels in different ways", REPORT);
        t.add(900, "STREAM_CAPTURE_UNSUPPORTED", "the call is not allowed while a stream is captured", REPORT);
        t.add(901, "STREAM_CAPTURE_INVALIDATED", "an earlier error has spoilt the capture of the stream", REPORT);
        t.add(902, "STREAM_CAPTURE_MERGE", "two captures would have been merged", REPORT);
        t.add(903, "STREAM_CAPTURE_UNMATCHED", "the stream does not belong to this capture", REPORT);
        t.add(904, "STREAM_CAPTURE_UNJOINED", "a branch of the capture was not joined before its end", REPORT);
        t.add(905, "STREAM_CAPTURE_ISOLATION", "captured work would depend on work outside of the capture", REPORT);
        t.add(
                906,
                "STREAM_CAPTURE_IMPLICIT",
                "the legacy stream was used while another was captured",
                "keep other CUDA users of the process off the legacy stream while a backend records; else report it");
        t.add(907, "CAPTURED_EVENT", "an event of a capture was used outside of it", REPORT);
        t.add(908, "STREAM_CAPTURE_WRONG_THREAD", "a capture was ended by another thread than began it", REPORT);
        t.add(
                909,
                "TIMEOUT",
                "a wait took longer than it was allowed to",
                "see whether the device is busy (nvidia-smi)");
        t.add(910, "GRAPH_EXEC_UPDATE_FAILURE", "the change does not fit the instantiated graph", REPORT);
        t.add(911, "EXTERNAL_DEVICE", "a device outside of CUDA failed", HARDWARE);
        t.add(912, "INVALID_CLUSTER_SIZE", "a launch asks for clusters that cannot be", REPORT);
        t.add(913, "FUNCTION_NOT_LOADED", "a kernel was used before it was loaded", REPORT);
        t.add(914, "INVALID_RESOURCE_TYPE", "a resource is of the wrong kind", REPORT);
        t.add(915, "INVALID_RESOURCE_CONFIGURATION", "resources do not suffice or do not go together", REPORT);
        t.add(916, "KEY_ROTATION", "the device's keys are being exchanged", "try again later");
        t.lasting(999, "UNKNOWN", "the driver failed without saying why", HARDWARE);
        return t.done();
    }

    private static Map<Integer, CudaStatus> cublasCodes() {
        Table t = new Table("CUBLAS_STATUS_");
        t.add(0, "SUCCESS", "the call succeeded", "nothing to do");
        t.add(
                1,
                "NOT_INITIALIZED",
                "cuBLAS could not be initialized, or the handle is none",
                "see that the driver is new enough for this cuBLAS and that device memory is free; else " + REPORT);
        t.add(
                3,
                "ALLOC_FAILED",
                "cuBLAS could not get memory for itself",
                "take a smaller model, batch or data set, or end other programs on the device (nvidia-smi lists"
                        + " them)");
        t.add(7, "INVALID_VALUE", "an argument lies outside of what the call accepts", REPORT);
        t.add(
                8,
                "ARCH_MISMATCH",
                "the GPU lacks what the call needs",
                "choose precision fp32, or use a GPU of compute capability 7.5 or higher (8.0 for bf16)");
        t.add(11, "MAPPING_ERROR", "cuBLAS could not reach memory of the device", HARDWARE);
        t.add(
                13,
                "EXECUTION_FAILED",
                "a kernel of cuBLAS could not be run",
                "look at the first error of the device: an earlier kernel may have failed; else report it");
        t.add(
                14,
                "INTERNAL_ERROR",
                "cuBLAS failed inside",
                "see that libcublas and libcublasLt are of one version and that device memory is free");
        t.add(
                15,
                "NOT_SUPPORTED",
                "this cuBLAS does not have the function, or not for these types",
                "install a cuBLAS 12.6 or newer; docs/gpu.md says where it is looked for");
        t.add(16, "LICENSE_ERROR", "cuBLAS asks for a licence", "see NVIDIA_LICENSE_FILE");
        t.codes.put(
                0x10000001,
                new CudaStatus(
                        0x10000001,
                        "JCUBLAS_STATUS_INTERNAL_ERROR",
                        "JCublas failed before it called cuBLAS",
                        REPORT,
                        false));
        return t.done();
    }

    private static final class Table {
        private final String prefix;
        private final Map<Integer, CudaStatus> codes = new HashMap<>();

        Table(String prefix) {
            this.prefix = prefix;
        }

        void add(int code, String name, String meaning, String remedy) {
            codes.put(code, new CudaStatus(code, prefix + name, meaning, remedy, false));
        }

        /** An error after which the process has no context. */
        void lasting(int code, String name, String meaning, String remedy) {
            codes.put(code, new CudaStatus(code, prefix + name, meaning, remedy, true));
        }

        Map<Integer, CudaStatus> done() {
            return Collections.unmodifiableMap(codes);
        }
    }
}
