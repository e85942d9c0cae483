package io.github.elbo4j.backend.cuda;

/**
 * How many threads run a kernel: the only place where that is decided. Pure arithmetic, in 64 bits wherever a number of
 * elements is formed.
 *
 * @param grid blocks, along x
 * @param width threads of a block along x: a multiple of the warp
 * @param height threads of a block along y
 */
record CudaLaunch(int grid, int width, int height) {
    private static final int WARP = 32;
    private static final int PREFERRED_BLOCK = 256;

    /** Elements that a thread of a row takes at a time. */
    private static final int VECTOR = 4;

    /**
     * What a device can run.
     *
     * @param multiprocessors its multiprocessors
     * @param threadsPerMultiprocessor threads that one holds at a time
     * @param maxBlock most threads in a block
     * @param maxGrid most blocks along x
     */
    record Device(int multiprocessors, int threadsPerMultiprocessor, int maxBlock, int maxGrid) {
        Device {
            if (multiprocessors < 1 || threadsPerMultiprocessor < WARP || maxBlock < WARP || maxGrid < 1) {
                throw new IllegalArgumentException("a device of " + multiprocessors + " multiprocessors with "
                        + threadsPerMultiprocessor + " threads each, blocks of " + maxBlock + " and grids of " + maxGrid
                        + " is none");
            }
        }
    }

    /**
     * A kernel whose threads take elements in strides of the whole grid: enough blocks for all elements, but no more than
     * the device holds at once.
     *
     * @param elements how many, at least one
     * @param perThread how many a thread takes at a time, 4 for a 16-byte load of floats
     */
    static CudaLaunch elements(Device device, long elements, int perThread) {
        if (elements < 1 || perThread < 1) {
            throw new IllegalArgumentException(elements + " elements, " + perThread + " a thread");
        }
        int block = Math.min(PREFERRED_BLOCK, wholeWarps(device.maxBlock()));
        long wanted = Math.ceilDiv(Math.ceilDiv(elements, (long) perThread), (long) block);
        long resident = (long) device.multiprocessors() * Math.max(1, device.threadsPerMultiprocessor() / block);
        return new CudaLaunch((int) Math.min(wanted, Math.min(resident, device.maxGrid())), block, 1);
    }

    /**
     * A kernel in which a team of threads takes a row: as many threads as the row can use. Where one warp is enough, a
     * block has several; where there are more rows than teams, teams take rows in strides of the grid.
     *
     * @param rows how many, at least one
     * @param columns elements of a row, at least one
     */
    static CudaLaunch rows(Device device, long rows, long columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException(rows + " rows of " + columns + " columns");
        }
        int most = Math.min(PREFERRED_BLOCK, wholeWarps(device.maxBlock()));
        long warps = Math.ceilDiv(columns, (long) WARP * VECTOR);
        int width = warps >= most / WARP ? most : (int) warps * WARP;
        int height = width == WARP ? (int) Math.min(rows, most / WARP) : 1;
        return new CudaLaunch((int) Math.min(Math.ceilDiv(rows, (long) height), device.maxGrid()), width, height);
    }

    private static int wholeWarps(int threads) {
        return threads / WARP * WARP;
    }
}
