package io.github.elbo4j.backend.cuda;

/**
 * How many threads run a kernel: the only place where that is decided. Pure arithmetic, in 64 bits wherever a number of
 * elements is formed.
 *
 * @param grid blocks, along x
 * @param block threads in a block: a multiple of the warp
 */
record CudaLaunch(int grid, int block) {
    private static final int WARP = 32;
    private static final int PREFERRED_BLOCK = 256;

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
        return new CudaLaunch((int) Math.min(wanted, Math.min(resident, device.maxGrid())), block);
    }

    /**
     * A kernel with one block a row: as many threads as the row can use. Where there are more rows than blocks, blocks take
     * rows in strides of the grid.
     *
     * @param rows how many, at least one
     * @param columns elements of a row, at least one
     */
    static CudaLaunch rows(Device device, long rows, long columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException(rows + " rows of " + columns + " columns");
        }
        int most = Math.min(PREFERRED_BLOCK, wholeWarps(device.maxBlock()));
        int block = columns >= most ? most : (int) Math.ceilDiv(columns, (long) WARP) * WARP;
        return new CudaLaunch((int) Math.min(rows, device.maxGrid()), block);
    }

    private static int wholeWarps(int threads) {
        return threads / WARP * WARP;
    }
}
