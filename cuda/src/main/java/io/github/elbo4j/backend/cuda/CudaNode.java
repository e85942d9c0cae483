package io.github.elbo4j.backend.cuda;

import java.util.List;

/** One operation of a recorded step, with everything it needs. */
sealed interface CudaNode {
    /** Issues it on a stream of its branch. */
    void issue(CudaLanes lanes);

    /**
     * A kernel.
     *
     * @param kernel what runs
     * @param gridX blocks along x
     * @param gridY blocks along y
     * @param blockX threads of a block along x
     * @param blockY threads of a block along y
     * @param side whether it goes to the second branch
     * @param arguments as the kernel declares them
     */
    record Launch(
            CudaModule.Kernel kernel,
            int gridX,
            int gridY,
            int blockX,
            int blockY,
            boolean side,
            List<Object> arguments)
            implements CudaNode {
        @Override
        public void issue(CudaLanes lanes) {
            kernel.launch(lanes.of(side).stream(), gridX, gridY, blockX, blockY, arguments.toArray());
        }
    }

    /**
     * A matrix product by cuBLAS, column-major: {@code C = op(A) op(B)}, or added to C.
     *
     * @param shape extents and readings
     * @param a address of A
     * @param b address of B
     * @param c address of C
     * @param side whether it goes to the second branch
     */
    record Product(Shape shape, long a, long b, long c, boolean side) implements CudaNode {
        /**
         * What a product does, apart from where.
         *
         * @param transposeA whether A is read transposed
         * @param transposeB whether B is read transposed
         * @param m rows of C
         * @param n columns of C
         * @param k terms of an element of C
         * @param lda leading extent of A
         * @param ldb leading extent of B
         * @param add whether C is added to
         */
        record Shape(boolean transposeA, boolean transposeB, int m, int n, int k, int lda, int ldb, boolean add) {}

        @Override
        public void issue(CudaLanes lanes) {
            issue(lanes.of(side), c);
        }

        /** Issues it with another C, so that cuBLAS loads what it needs before a capture and no result changes. */
        void issue(CudaLane lane, long target) {
            lane.blas()
                    .gemm(
                            shape.transposeA,
                            shape.transposeB,
                            shape.m,
                            shape.n,
                            shape.k,
                            a,
                            shape.lda,
                            b,
                            shape.ldb,
                            shape.add,
                            target,
                            shape.m);
        }
    }

    /** What follows on the second branch waits for what was issued on the first. */
    record Fork() implements CudaNode {
        @Override
        public void issue(CudaLanes lanes) {
            lanes.fork().record(lanes.main().stream());
            lanes.side().stream().waitFor(lanes.fork());
        }
    }

    /** What follows on the first branch waits for what was issued on the second. */
    record Join() implements CudaNode {
        @Override
        public void issue(CudaLanes lanes) {
            lanes.join().record(lanes.side().stream());
            lanes.main().stream().waitFor(lanes.join());
        }
    }
}
