package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.BackendException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;
import org.junit.jupiter.api.Test;

class CudaStatusTest {
    /** JCuda's constants are an independent list of the codes and their names. */
    private static Map<Integer, String> constants(Class<?> type) throws IllegalAccessException {
        Map<Integer, String> constants = new TreeMap<>();
        for (Field field : type.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                constants.put(field.getInt(null), field.getName());
            }
        }
        return constants;
    }

    @Test
    void everyCodeThatJCudaNamesHasThatName() throws Exception {
        Map<Integer, String> driver = constants(CUresult.class);
        Map<Integer, String> cublas = constants(cublasStatus.class);
        assertThat(driver).hasSizeGreaterThan(80);
        assertThat(cublas).hasSizeGreaterThan(8);
        driver.forEach(
                (code, name) -> assertThat(CudaStatus.driver(code).name()).isEqualTo(name));
        cublas.forEach(
                (code, name) -> assertThat(CudaStatus.cublas(code).name()).isEqualTo(name));
    }

    @Test
    void codesNewerThanJCudaAreKnown() {
        assertThat(CudaStatus.driver(36).name()).isEqualTo("CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER");
        assertThat(CudaStatus.driver(226).name()).isEqualTo("CUDA_ERROR_CONTAINED");
        assertThat(CudaStatus.driver(721).name()).isEqualTo("CUDA_ERROR_TENSOR_MEMORY_LEAK");
        assertThat(CudaStatus.cublas(16).name()).isEqualTo("CUBLAS_STATUS_LICENSE_ERROR");
    }

    @Test
    void everyCodeHasWords() {
        List<CudaStatus> all = Stream.concat(
                        CudaStatus.driverCodesKnown().values().stream(),
                        CudaStatus.cublasCodesKnown().values().stream())
                .toList();
        assertThat(all).hasSizeGreaterThan(100).allSatisfy(status -> {
            assertThat(status.name()).matches("(CUDA|CUBLAS|JCUBLAS)_[A-Z_]+");
            assertThat(status.meaning()).hasSizeGreaterThan(12).doesNotEndWith(".");
            assertThat(status.remedy()).hasSizeGreaterThan(8).doesNotEndWith(".");
            assertThat(status.meaning()).isNotEqualTo(status.remedy());
            assertThat(status.success()).isEqualTo(status.code() == 0);
        });
        CudaStatus.driverCodesKnown()
                .forEach((code, status) -> assertThat(status.code()).isEqualTo(code));
        CudaStatus.cublasCodesKnown()
                .forEach((code, status) -> assertThat(status.code()).isEqualTo(code));
    }

    /** A copied line would show as the same words for two codes. */
    @Test
    void noTwoCodesOfALibraryMeanTheSame() {
        assertThat(CudaStatus.driverCodesKnown().values())
                .extracting(CudaStatus::meaning)
                .doesNotHaveDuplicates();
        assertThat(CudaStatus.cublasCodesKnown().values())
                .extracting(CudaStatus::meaning)
                .doesNotHaveDuplicates();
    }

    @Test
    void errorsThatTakeTheContextAlongAreLasting() {
        List<Integer> lasting = new ArrayList<>();
        CudaStatus.driverCodesKnown().forEach((code, status) -> {
            if (status.lasting()) {
                lasting.add(code);
            }
        });
        assertThat(lasting)
                .containsExactlyInAnyOrder(
                        4, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 805, 806, 810, 999);
        assertThat(CudaStatus.cublasCodesKnown().values()).noneMatch(CudaStatus::lasting);
    }

    @Test
    void unknownCodesAreSaidToBeUnknown() {
        for (int code : new int[] {-1, 9, 47, 998, 1000, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThat(CudaStatus.driver(code).name()).isEqualTo("CUresult " + code);
            assertThat(CudaStatus.driver(code).meaning())
                    .contains("the CUDA driver")
                    .contains("does not know");
            assertThat(CudaStatus.driver(code).lasting()).isFalse();
            assertThat(CudaStatus.driver(code).code()).isEqualTo(code);
        }
        assertThat(CudaStatus.cublas(2).name()).isEqualTo("cublasStatus_t 2");
        assertThat(CudaStatus.cublas(2).meaning()).contains("cuBLAS");
        assertThat(CudaStatus.cublas(2).remedy()).isNotBlank();
    }

    @Test
    void anExceptionNamesTheCallTheCodeItsMeaningAndTheRemedy() {
        CudaException failure = new CudaException("cuMemAlloc(1024 bytes)", CudaStatus.driver(700));
        assertThat(failure)
                .isInstanceOf(BackendException.class)
                .hasMessage(
                        "cuMemAlloc(1024 bytes) failed with CUDA_ERROR_ILLEGAL_ADDRESS (700): a kernel read or wrote"
                                + " memory that is not its own; restart the process, and report it with the settings of the run:"
                                + " it is an error of a kernel");
        assertThat(failure.status().lasting()).isTrue();
    }
}
