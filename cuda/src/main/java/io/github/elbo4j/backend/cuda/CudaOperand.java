package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.engine.Operands;

/**
 * An operand as the device sees it.
 *
 * @param memory where it lies
 * @param offset its first element there
 * @param rows first extent
 * @param columns product of the other extents
 * @param type element type
 */
record CudaOperand(CudaMemory memory, long offset, long rows, long columns, DType type) {
    /** Device memory from one address to another. */
    record Region(long from, long to) {
        boolean overlaps(Region other) {
            return from < other.to && other.from < to;
        }
    }

    static CudaOperand of(Operand operand) {
        return new CudaOperand(
                (CudaMemory) Operands.memory(operand),
                Operands.offset(operand),
                operand.rows(),
                operand.columns(),
                operand.type());
    }

    /** {@return the address of the first element} */
    long address() {
        return memory.address() + offset * type.bytes();
    }

    /** {@return the address of the first element's copy in the memory's bf16 twin, 0 if there is none} */
    long twin() {
        return memory.twin() == 0 ? 0 : memory.twin() + offset * DType.BF16.bytes();
    }

    long elements() {
        return rows * columns;
    }

    Region region() {
        return new Region(address(), address() + elements() * type.bytes());
    }
}
