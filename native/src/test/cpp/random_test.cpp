/*
 * Philox against its published vectors and a scalar one; normal numbers against long double: all radii, all angles, and
 * 10^6 blocks; everything on every instruction set of this CPU, with the same bits.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "isa.h"
#include "random_functions.h"
#include "random_reference.h"

namespace {

using elbo4j::RANDOM_LANES;
using elbo4j::RandomFunctions;

struct Isa {
    const char* name;
    const RandomFunctions* random;
};

struct Block16 {
    uint32_t at[4][RANDOM_LANES];
};

/* In ulp of binary32 at magnitude max(|n|, 1); Normals.java allows 8. */
constexpr double ULP_BOUND = 4;

int failures = 0;

std::vector<Isa> supported() {
    const RandomFunctions* all[] = {
#define ELBO4J_ADDRESS(ISA) &elbo4j::ISA::RANDOM,
        ELBO4J_FOR_ISAS(ELBO4J_ADDRESS)};
    std::vector<Isa> isas;
    for (int32_t isa = 0; isa < elbo4j::isa_count(); isa++) {
        if (elbo4j::isa_supported(isa)) {
            isas.push_back({elbo4j_isa_name(isa), all[isa]});
        }
    }
    return isas;
}

void expect_philox(const Isa& isa, uint64_t key, const Block16& counters, const Block16& expected) {
    Block16 words;
    isa.random->philox((int64_t)key, counters.at, words.at);
    if (memcmp(&words, &expected, sizeof words) != 0) {
        printf("%s: Philox of key %016llx differs\n", isa.name, (unsigned long long)key);
        failures++;
    }
}

void known_answers(const Isa& isa) {
    /* Random123's kat_vectors, philox4x32 10. */
    const struct {
        uint64_t key;
        reference::Words counter;
        reference::Words words;
    } VECTORS[] = {
        {0, {{0, 0, 0, 0}}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
        {~0ull, {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
        {0x299f31d0a4093822ull,
         {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
    };
    for (const auto& vector : VECTORS) {
        /* The vector in one lane after another, other counters beside it. */
        for (int lane = 0; lane < RANDOM_LANES; lane++) {
            Block16 counters;
            Block16 expected;
            for (uint32_t other = 0; other < RANDOM_LANES; other++) {
                reference::Words counter = reference::philox(lane, {{other, 1, 2, 3}});
                reference::Words words = reference::philox(vector.key, counter);
                for (int w = 0; w < 4; w++) {
                    counters.at[w][other] = (int)other == lane ? vector.counter.at[w] : counter.at[w];
                    expected.at[w][other] = (int)other == lane ? vector.words.at[w] : words.at[w];
                }
            }
            expect_philox(isa, vector.key, counters, expected);
        }
    }
}

/* Sixteen blocks on all instruction sets against the reference; gives the worst error in ulp. */
double normals_error(const std::vector<Isa>& isas, const Block16& words) {
    float numbers[4][RANDOM_LANES];
    isas.back().random->normals(words.at, numbers);
    for (const Isa& isa : isas) {
        float others[4][RANDOM_LANES];
        isa.random->normals(words.at, others);
        if (memcmp(others, numbers, sizeof numbers) != 0) {
            printf("%s: normals of words beginning with %08x differ from those of %s\n", isa.name, words.at[0][0],
                   isas.back().name);
            failures++;
        }
    }
    double worst = 0;
    for (int lane = 0; lane < RANDOM_LANES; lane++) {
        for (int pair = 0; pair < 4; pair += 2) {
            long double exact[2];
            reference::normals(words.at[pair][lane], words.at[pair + 1][lane], exact[0], exact[1]);
            for (int i = 0; i < 2; i++) {
                double ulp = ldexp(1, ilogb(std::max(1.0, fabs((double)exact[i]))) - 23);
                double error = fabs((double)((long double)numbers[pair + i][lane] - exact[i])) / ulp;
                worst = std::max(worst, error < INFINITY ? error : INFINITY);
            }
        }
    }
    return worst;
}

void expect_normals(const char* name, double worst) {
    printf("normals, %s: worst error %.3f ulp\n", name, worst);
    if (!(worst <= ULP_BOUND)) {
        printf("normals, %s: more than %.0f ulp\n", name, ULP_BOUND);
        failures++;
    }
}

void normals(const std::vector<Isa>& isas) {
    constexpr uint32_t UNIFORMS = 1u << 23;
    Block16 words;
    double radii = 0;
    double angles = 0;
    for (uint32_t u = 0; u < UNIFORMS; u += 2 * RANDOM_LANES) {
        for (uint32_t lane = 0; lane < RANDOM_LANES; lane++) {
            for (uint32_t pair = 0; pair < 2; pair++) {
                words.at[2 * pair][lane] = (u + 2 * lane + pair) << 9;
                words.at[2 * pair + 1][lane] = 0;
            }
        }
        radii = std::max(radii, normals_error(isas, words));
        for (uint32_t lane = 0; lane < RANDOM_LANES; lane++) {
            std::swap(words.at[0][lane], words.at[1][lane]);
            std::swap(words.at[2][lane], words.at[3][lane]);
        }
        angles = std::max(angles, normals_error(isas, words));
    }
    expect_normals("all radii at angle 0", radii);
    expect_normals("all angles at the largest radius", angles);

    double blocks = 0;
    for (uint32_t block = 0; block < 1000000; block += RANDOM_LANES) {
        for (uint32_t lane = 0; lane < RANDOM_LANES; lane++) {
            reference::Words drawn = reference::philox(12345, {{block + lane, 0, 0, 1u << 24}});
            for (int w = 0; w < 4; w++) {
                words.at[w][lane] = drawn.at[w];
            }
        }
        blocks = std::max(blocks, normals_error(isas, words));
    }
    expect_normals("10^6 blocks", blocks);
}

}  // namespace

int main() {
    std::vector<Isa> isas = supported();
    for (const Isa& isa : isas) {
        printf("%s\n", isa.name);
        known_answers(isa);
    }
    normals(isas);
    printf(failures == 0 ? "passed\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
