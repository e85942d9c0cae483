/* The instruction sets this library was built for. */
#ifndef ELBO4J_ISA_H
#define ELBO4J_ISA_H

#include "kernels.h"

namespace elbo4j {

/* Worst first. */
int32_t isa_count();
bool isa_supported(int32_t isa);
const Kernels& kernels_of(int32_t isa);

}  // namespace elbo4j

#endif
