/* All instruction sets, in the order of elbo4j_isa_name. */
#ifndef ELBO4J_ISAS_H
#define ELBO4J_ISAS_H

#if (defined(__x86_64__) || defined(_M_X64)) && !defined(ELBO4J_PORTABLE)
#define ELBO4J_FOR_ISAS(DO) DO(x86_64) DO(x86_64_v3) DO(x86_64_v4)
#elif (defined(__aarch64__) || defined(_M_ARM64)) && !defined(ELBO4J_PORTABLE)
#define ELBO4J_FOR_ISAS(DO) DO(aarch64)
#else
#define ELBO4J_FOR_ISAS(DO) DO(portable)
#endif

#endif
