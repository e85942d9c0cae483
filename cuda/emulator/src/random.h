// SplitMix64: the one source of all shuffling, so that a seed repeats a schedule.
#pragma once

#include <cstdint>

namespace emu {

class Random {
   public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    // Uniform in [0, bound) up to a bias below 2^-32, which no schedule can feel.
    uint32_t below(uint32_t bound) { return static_cast<uint32_t>(((next() >> 32) * bound) >> 32); }

    static uint64_t mix(uint64_t a, uint64_t b) { return Random(a ^ (b * 0xd1342543de82ef95ULL)).next(); }

   private:
    uint64_t state_;
};

}  // namespace emu
