// Shows the generator's words and normal numbers, which the library's kernels only use.
#include "../../../src/main/cuda/philox.cuh"

KERNEL philox_words(long long key, unsigned c0, unsigned c1, unsigned c2, unsigned c3, unsigned* words, float* normal) {
    const Words drawn = philox(key, c0, c1, c2, c3);
    const Four four = normals(drawn);
    for (int i = 0; i < 4; i++) {
        words[i] = drawn.at[i];
        normal[i] = four.at[i];
    }
}
