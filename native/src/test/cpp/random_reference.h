/* Philox.java, Shuffle.java and Normals.java in plain scalars, for tests to compare with. */
#ifndef ELBO4J_RANDOM_REFERENCE_H
#define ELBO4J_RANDOM_REFERENCE_H

#include <math.h>
#include <stdint.h>

namespace reference {

struct Words {
    uint32_t at[4];
};

inline Words philox(uint64_t key, Words counter) {
    uint32_t k0 = (uint32_t)key;
    uint32_t k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * counter.at[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57u * counter.at[2];
        counter = {{(uint32_t)(p1 >> 32) ^ counter.at[1] ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ counter.at[3] ^ k1,
                    (uint32_t)p0}};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return counter;
}

inline double uniform(uint32_t word) { return ((word >> 9) * 2 + 1) * 0x1p-24; }

/* The normal numbers of a pair of words: the radius of the first times the cosine and the sine of the second. */
inline void normals(uint32_t first, uint32_t second, long double& cosine, long double& sine) {
    static const long double TWO_PI = 8 * atanl(1);
    long double radius = sqrtl(-2 * logl((long double)uniform(first)));
    /* Within an eighth of a turn, where the rounding of the angle is relative to a small one. */
    double turns = uniform(second);
    double quarter = floor(turns * 4 + 0.5);
    long double angle = TWO_PI * (long double)(turns - quarter / 4);
    long double c = cosl(angle);
    long double s = sinl(angle);
    switch ((int)quarter & 3) {
        case 0:
            cosine = radius * c;
            sine = radius * s;
            break;
        case 1:
            cosine = -radius * s;
            sine = radius * c;
            break;
        case 2:
            cosine = -radius * c;
            sine = -radius * s;
            break;
        default:
            cosine = radius * s;
            sine = -radius * c;
            break;
    }
}

/* The row at a position of the shuffled order of n rows. */
inline int64_t shuffled(uint64_t seed, int64_t epoch, int64_t position, int64_t n) {
    int bits = 0;
    while (bits < 62 && ((n - 1) >> bits) != 0) {
        bits++;
    }
    int half = bits < 2 ? 1 : (bits + 1) / 2;
    int64_t mask = ((int64_t)1 << half) - 1;
    int64_t row = position;
    do {
        int64_t left = row >> half;
        int64_t right = row & mask;
        for (uint32_t round = 0; round < 6; round++) {
            int64_t next = left ^ (philox(seed, {{(uint32_t)right, round, (uint32_t)epoch, 2u << 24}}).at[0] & mask);
            left = right;
            right = next;
        }
        row = left << half | right;
    } while (row >= n);
    return row;
}

}  // namespace reference

#endif
