package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import jcuda.jcublas.JCublas2;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CudaBlasTest extends DeviceTest {
    private static final int M = 5;
    private static final int N = 7;
    private static final int K = 11;

    @BeforeEach
    void cublas() {
        assertThat(CublasLoader.load().problem()).isEmpty();
    }

    private static float[] numbers(int seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    /** Column-major, rows padded by one so that leading dimensions count. */
    private static int at(int row, int column, int rows) {
        return column * (rows + 1) + row;
    }

    private CudaPool.Block factors(CudaPool pool, CudaStaging staging, Precision precision, float[] values) {
        if (precision != Precision.BF16) {
            return floats(pool, staging, values);
        }
        short[] halves = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            halves[i] = (short) (Float.floatToRawIntBits(values[i]) >>> 16);
        }
        CudaPool.Block block = pool.allocate("factors", halves.length * 2L);
        staging.upload(MemorySegment.ofArray(halves), block.address());
        return block;
    }

    @ParameterizedTest
    @EnumSource
    void productsAreRightInEveryLayout(Precision precision) {
        try (CudaPool pool = new CudaPool(context, stream, false);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaBlas blas = new CudaBlas(context, pool, stream, precision)) {
            for (int variant = 0; variant < 8; variant++) {
                boolean transposeA = (variant & 1) != 0;
                boolean transposeB = (variant & 2) != 0;
                boolean add = (variant & 4) != 0;
                int rowsA = transposeA ? K : M;
                int rowsB = transposeB ? N : K;
                float[] a = numbers(1, (rowsA + 1) * (transposeA ? M : K));
                float[] b = numbers(2, (rowsB + 1) * (transposeB ? K : N));
                float[] c = numbers(3, (M + 1) * N);
                CudaPool.Block blockC = floats(pool, staging, c);
                blas.gemm(
                        transposeA,
                        transposeB,
                        M,
                        N,
                        K,
                        factors(pool, staging, precision, a).address(),
                        rowsA + 1,
                        factors(pool, staging, precision, b).address(),
                        rowsB + 1,
                        add,
                        blockC.address(),
                        M + 1);
                float[] product = read(staging, blockC);
                for (int column = 0; column < N; column++) {
                    for (int row = 0; row < M; row++) {
                        double sum = add ? c[at(row, column, M)] : 0;
                        double size = Math.abs(sum);
                        for (int k = 0; k < K; k++) {
                            double term = (double) a[transposeA ? at(k, row, K) : at(row, k, M)]
                                    * b[transposeB ? at(column, k, N) : at(k, column, K)];
                            sum += term;
                            size += Math.abs(term);
                        }
                        // A bfloat16 factor is cut off here, not rounded: twice the error.
                        double allowed = size * (2 * precision.productError() + K * 0x1p-23);
                        assertThat((double) product[at(row, column, M)])
                                .as(precision + " " + variant)
                                .isBetween(sum - allowed, sum + allowed);
                    }
                    assertThat(product[at(M, column, M)]).as("padding").isEqualTo(c[at(M, column, M)]);
                }
            }
        }
    }

    /** Factors whose low bits matter: each precision loses what it says, and no more. */
    @ParameterizedTest
    @EnumSource
    void factorsAreRoundedAsThePrecisionSays(Precision precision) {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaBlas blas = new CudaBlas(context, pool, stream, precision)) {
            float fine = 1 + 0x1p-20f;
            CudaPool.Block a = factors(pool, staging, precision, new float[] {fine});
            CudaPool.Block b = factors(pool, staging, precision, new float[] {1});
            CudaPool.Block c = pool.allocate("product", 4);
            blas.gemm(false, false, 1, 1, 1, a.address(), 1, b.address(), 1, false, c.address(), 1);
            assertThat(read(staging, c)).containsExactly(precision == Precision.FP32 ? fine : 1f);
        }
    }

    @Test
    void aCaptureOnAnotherStreamHasTheWorkspace() {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaStream other = CudaStream.open(context);
                CudaBlas blas = new CudaBlas(context, pool, stream, Precision.TF32)) {
            CudaPool.Block two = floats(pool, staging, 2);
            CudaPool.Block sum = floats(pool, staging, 1);
            stream.synchronize();
            blas.bind(other);
            long allocations = EmulatorControl.counter("live_allocations");
            try (CudaGraph graph = CudaGraph.capture(
                    context,
                    other,
                    other,
                    () -> blas.gemm(
                            false, false, 1, 1, 1, two.address(), 1, two.address(), 1, true, sum.address(), 1))) {
                graph.launch();
                graph.launch();
                other.synchronize();
                assertThat(read(staging, sum)).containsExactly(9f);
                assertThat(EmulatorControl.counter("live_allocations")).isEqualTo(allocations);
            }
            assertThat(EmulatorControl.counter("violations")).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void failuresAreOurs(boolean exceptions) {
        JCublas2.setExceptionsEnabled(exceptions);
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaBlas blas = new CudaBlas(context, pool, stream, Precision.FP32)) {
            long x = pool.allocate("numbers", 4).address();
            EmulatorControl.failNth("cublasGemmEx", 1, 14);
            assertThatThrownBy(() -> blas.gemm(false, false, 1, 1, 1, x, 1, x, 1, false, x, 1))
                    .isInstanceOf(CudaException.class)
                    .hasMessageContaining("cublasGemmEx failed with CUBLAS_STATUS_INTERNAL_ERROR (14)");
            assertThat(context.lost()).isFalse();
        } finally {
            JCublas2.setExceptionsEnabled(false);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2"})
    void aFailureToOpenLeavesNothing(String call) {
        try (CudaPool pool = new CudaPool(context, stream, false)) {
            EmulatorControl.failNth(call, 1, 1);
            assertThatThrownBy(() -> new CudaBlas(context, pool, stream, Precision.FP32))
                    .isInstanceOf(CudaException.class);
            assertThat(pool.reservedBytes()).isZero();
        }
    }

    /** An asynchronous failure of a product comes out at the next wait and is lasting. */
    @Test
    void aProductThatFaultsEndsTheContext() {
        CudaPool pool = new CudaPool(context, stream, true);
        CudaBlas blas = new CudaBlas(context, pool, stream, Precision.FP32);
        long x = pool.allocate("numbers", 4).address();
        EmulatorControl.failNth("gemm", 1, 700);
        blas.gemm(false, false, 1, 1, 1, x, 1, x, 1, false, x, 1);
        assertThatThrownBy(stream::synchronize).hasMessageContaining("700");
        assertThat(context.lost()).isTrue();
        blas.close();
        pool.close();
    }
}
