/* Compiled once for each instruction set. */
#include "random_functions.h"

#include "random.h"

namespace elbo4j {
namespace ELBO4J_ISA {

static_assert(RANDOM_LANES == LANES, "a block a lane");

static PhiloxWords load_words(const uint32_t from[4][RANDOM_LANES]) {
    PhiloxWords words;
    for (int w = 0; w < 4; w++) {
        words.at[w] = load((const int32_t*)from[w]);
    }
    return words;
}

static void philox_of(int64_t seed, const uint32_t counters[4][RANDOM_LANES], uint32_t words[4][RANDOM_LANES]) {
    PhiloxWords result = philox(philox_keys(seed), load_words(counters));
    for (int w = 0; w < 4; w++) {
        store((int32_t*)words[w], result.at[w]);
    }
}

static void normals_of(const uint32_t words[4][RANDOM_LANES], float numbers[4][RANDOM_LANES]) {
    Floats result[4];
    normals(load_words(words), result);
    for (int w = 0; w < 4; w++) {
        store(numbers[w], result[w]);
    }
}

const RandomFunctions RANDOM = {philox_of, normals_of};

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
