/* How much work a call is, and into how many pieces it is worth splitting. */
#ifndef ELBO4J_WORK_H
#define ELBO4J_WORK_H

#include "program.h"

namespace elbo4j {

struct Work {
    int64_t units;
    /* Fewest units worth a piece. */
    int64_t grain;
};

/* How a call splits; zero units where one thread does it all. */
Work work_of(const elbo4j_program& program, const Call& call, const Run& run);

}  // namespace elbo4j

#endif
