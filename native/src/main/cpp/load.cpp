/* Takes the rows that the host has staged: out(r, c) = in(r, c), as it is or divided by 255. */
#include "call.h"
#include "nonzeros.h"
#include "pixels.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void load_rows(const Load& call, const Run&, Piece piece) {
    for (int64_t row = piece.from; row < piece.to; row++) {
        if (call.type == ELBO4J_U8) {
            mask_row(piece.nonzeros, row, (const uint8_t*)call.in + row * call.columns, call.columns);
        } else {
            mask_row(piece.nonzeros, row, (const float*)call.in + row * call.columns, call.columns);
        }
    }
    int64_t from = piece.from * call.columns;
    int64_t count = (piece.to - piece.from) * call.columns;
    if (call.type == ELBO4J_U8) {
        convert_bytes((const uint8_t*)call.in + from, call.pixels == ELBO4J_UNIT, count, call.out + from);
    } else {
        memcpy(call.out + from, (const float*)call.in + from, sizeof(float) * (uint64_t)count);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
