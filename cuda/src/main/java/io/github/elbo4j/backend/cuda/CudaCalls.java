package io.github.elbo4j.backend.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;

/**
 * Calls of JCuda, whose failures come as a status here. Whether JCuda throws or returns is a switch of the whole process
 * that other users of JCuda may flip at any time, so both are understood.
 */
final class CudaCalls {
    private static final Pattern NUMBER = Pattern.compile("(-?\\d+)\\D*$");

    private static final Names DRIVER =
            new Names(CUresult::stringFor, CudaStatus.driverCodesKnown().keySet(), CUresult.CUDA_ERROR_UNKNOWN);
    private static final Names CUBLAS = new Names(
            cublasStatus::stringFor, CudaStatus.cublasCodesKnown().keySet(), cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR);

    private CudaCalls() {}

    /** {@return the status of a call of the driver} */
    static int driver(IntSupplier call) {
        try {
            return call.getAsInt();
        } catch (jcuda.CudaException e) {
            return DRIVER.code(e);
        }
    }

    /** {@return the status of a call of cuBLAS} */
    static int cublas(IntSupplier call) {
        try {
            return call.getAsInt();
        } catch (jcuda.CudaException e) {
            return CUBLAS.code(e);
        }
    }

    /**
     * Calls the driver where no context is needed.
     *
     * @throws CudaException if it fails
     */
    static void require(String name, IntSupplier call) {
        int code = driver(call);
        if (code != 0) {
            throw new CudaException(name, CudaStatus.driver(code));
        }
    }

    /** Codes by the texts that JCuda throws in their place. */
    private static final class Names {
        private final Map<String, Integer> codes = new HashMap<>();
        private final int other;

        Names(IntFunction<String> text, Iterable<Integer> known, int other) {
            for (int code : known) {
                codes.put(text.apply(code), code);
            }
            this.other = other;
        }

        int code(jcuda.CudaException e) {
            String message = String.valueOf(e.getMessage());
            Integer code = codes.get(message);
            if (code != null) {
                return code;
            }
            // JCuda writes the number of a code that it has no name for.
            Matcher number = NUMBER.matcher(message);
            return number.find() ? Integer.parseInt(number.group(1)) : other;
        }
    }
}
