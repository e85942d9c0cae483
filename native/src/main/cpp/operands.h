/* What calls read and write of the memory that others know. */
#ifndef ELBO4J_OPERANDS_H
#define ELBO4J_OPERANDS_H

#include "program.h"

namespace elbo4j {

struct Range {
    const void* from;
    int64_t bytes;
};

bool overlap(const Range& a, const Range& b);
bool overlap(const Range& range, const Range* others, int count);

static inline Range floats(const void* from, int64_t count) { return {from, count * 4}; }

struct Operands {
    Range read[4];
    Range written[3];
};

/* Of calls that a gradient may be moved across: false for all others. */
bool operands_of(const elbo4j_program& program, const Call& call, Operands& operands);

/* The call before another that wrote an array last; NULL if none did, or one whose operands are not known may have. */
const Call* last_writer(const elbo4j_program& program, const Range& array, int64_t before);

}  // namespace elbo4j

#endif
