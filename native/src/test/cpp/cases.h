/*
 * What tests of kernels share: the name of the present case, comparisons, random operands, and runs on every instruction
 * set of this CPU with every split into pieces.
 */
#ifndef ELBO4J_CASES_H
#define ELBO4J_CASES_H

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "fenced.h"
#include "isa.h"

namespace elbo4j {

inline int failures = 0;
inline int cases = 0;
/* What runs, for a signal handler too. */
inline char current[256];

inline void fail(const std::string& message) {
    /* One broken kernel breaks thousands of elements. */
    if (failures++ < 50) {
        printf("%s: %s\n", current, message.c_str());
    }
}

inline void name_case(const std::string& name) {
    snprintf(current, sizeof current, "%s", name.c_str());
    cases++;
}

inline void report_fault(int) {
    printf("%s: touched memory outside its operands\n", current);
    fflush(stdout);
    _Exit(1);
}

/* Names the case when an access faults, as those outside a Fenced do. */
inline void catch_faults() {
    signal(SIGSEGV, report_fault);
#if defined(SIGBUS)
    signal(SIGBUS, report_fault);
#endif
}

inline std::mt19937_64 generator(20240607);

inline float normal(float scale) {
    std::normal_distribution<float> distribution(0, scale);
    return distribution(generator);
}

inline int64_t below(int64_t bound) { return (int64_t)(generator() % (uint64_t)bound); }

/* Some are subnormal, which is not zero. */
inline float nonzero() {
    float value = below(16) == 0 ? 1e-40f : normal(1);
    return value != 0 ? value : 1;
}

inline std::vector<float> normals(int64_t count, float scale) {
    std::vector<float> values((size_t)count);
    for (float& value : values) {
        value = normal(scale);
    }
    return values;
}

inline std::vector<int32_t> supported() {
    std::vector<int32_t> isas;
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        if (isa_supported(isa)) {
            isas.push_back(isa);
        }
    }
    return isas;
}

/* The same bits, or both NaN, whose bits may differ. */
inline bool same(float a, float b) { return memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b)); }

inline bool same(const std::vector<float>& a, const std::vector<float>& b) {
    for (size_t i = 0; i < a.size(); i++) {
        if (!same(a[i], b[i])) {
            return false;
        }
    }
    return a.size() == b.size();
}

/* |got - want| <= bound; NaN and infinities must be equal. */
inline void expect_close(double got, double want, double bound, const char* what, int64_t at) {
    bool close = std::isfinite(want) ? fabs(got - want) <= bound : (std::isnan(want) ? std::isnan(got) : got == want);
    if (!close) {
        char text[160];
        snprintf(text, sizeof text, "%s(%lld) is %.9g instead of %.9g, more than %.3g away", what, (long long)at, got,
                 want, bound);
        fail(text);
    }
}

/* The same bits; NaN for NaN. */
inline void expect_same(float got, float want, const char* what, int64_t at) {
    if (!same(got, want)) {
        char text[160];
        snprintf(text, sizeof text, "%s(%lld) is %a instead of %a", what, (long long)at, (double)got, (double)want);
        fail(text);
    }
}

/* Half a unit in the last place of binary32, relative. */
constexpr double ROUNDING = 0x1p-24;

typedef std::vector<std::vector<float>> Outputs;
typedef std::vector<std::unique_ptr<Fenced<float>>> Memory;
typedef std::function<void(const Kernels&, Piece, Memory&)> Work;

/* Rows of a panel that a thread has room for, at most and at present. */
constexpr int64_t MOST_DEPTH = 4096;
inline int64_t room_depth = 0;

/* The bits of the largest magnitude that the last pieces told, 0 if they tell none. */
inline uint32_t largest_told = 0;

/* The same for all NaN. */
inline uint32_t of_one_nan(uint32_t magnitude) { return std::min(magnitude, 0x7F800001u); }

/* One piece after another by one thread, whose room they share. */
inline Outputs run_pieces(const Kernels& kernels, const std::vector<Piece>& pieces, const Outputs& initial,
                          const Work& work) {
    Memory memory;
    for (const std::vector<float>& values : initial) {
        memory.push_back(std::make_unique<Fenced<float>>(values));
    }
    constexpr int64_t FLOATS = MOST_DEPTH * 48;
    static Fenced<float> floats(std::vector<float>((size_t)FLOATS));
    /* Room for a panel of that depth, which ends where the memory ends. */
    static Fenced<int32_t> numbers(std::vector<int32_t>((size_t)MOST_DEPTH + 16));
    Room room = {floats.data() + FLOATS - room_depth * kernels.panel, numbers.data() + MOST_DEPTH - room_depth, -1, 0};
    largest_told = 0;
    for (const Piece& piece : pieces) {
        work(kernels, {piece.from, piece.to, &room, &largest_told}, memory);
    }
    Outputs results;
    for (const auto& array : memory) {
        results.push_back(array->values());
        if (!array->intact()) {
            fail("wrote before an output");
        }
    }
    return results;
}

/* Units may be others on each instruction set; `splits` in two are tried, or all if there are fewer. */
inline Outputs run_everywhere(const std::function<int64_t(const Kernels&)>& units_of, int64_t splits,
                              const Outputs& initial, const Work& work) {
    Outputs first;
    uint32_t first_largest = 0;
    for (int32_t isa : supported()) {
        const Kernels& kernels = kernels_of(isa);
        auto expect_first = [&](const std::vector<Piece>& pieces, const std::string& how) {
            Outputs results = run_pieces(kernels, pieces, initial, work);
            if (first.empty()) {
                first = results;
                first_largest = largest_told;
            }
            if (of_one_nan(largest_told) != of_one_nan(first_largest)) {
                fail(std::string(elbo4j_isa_name(isa)) + ", " + how + ": another largest magnitude");
            }
            for (size_t i = 0; i < results.size(); i++) {
                if (!same(results[i], first[i])) {
                    fail(std::string(elbo4j_isa_name(isa)) + ", " + how + ": other bits in output " +
                         std::to_string(i));
                }
            }
        };
        int64_t units = units_of(kernels);
        expect_first({{0, units}}, "whole");
        for (int64_t at = 1; at < units; at += 1 + units / splits) {
            expect_first({{at, units}, {0, at}}, "split at " + std::to_string(at));
        }
        if (units <= 300) {
            std::vector<Piece> single;
            for (int64_t unit = 0; unit < units; unit++) {
                single.push_back({unit, unit + 1});
            }
            expect_first(single, "units one by one");
        }
    }
    return first;
}

/* Runs on all instruction sets with splits in two and with pieces of one unit; the results, which must be equal. */
inline Outputs run_everywhere(int64_t units, const Outputs& initial, const Work& work) {
    return run_everywhere([units](const Kernels&) { return units; }, 40, initial, work);
}

inline void expect_number(int64_t got, int64_t want, const char* what) {
    if (got != want) {
        fail(std::string(what) + " is " + std::to_string(got) + " instead of " + std::to_string(want));
    }
}

/* Whether the pieces that ran last told the largest magnitude of what they wrote, NaN above all. */
inline void expect_largest(const std::vector<float>& written, int64_t count) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &written[(size_t)i], sizeof bits);
        largest = std::max(largest, bits & 0x7FFFFFFF);
    }
    expect_number(of_one_nan(largest_told), of_one_nan(largest), "bits of the largest magnitude");
}

/* Says how it went; the exit status. */
inline int conclude() {
    printf("%d cases on", cases);
    for (int32_t isa : supported()) {
        printf(" %s", elbo4j_isa_name(isa));
    }
    printf(failures == 0 ? ": passed\n" : ": %d failures\n", failures);
    return failures == 0 ? 0 : 1;
}

}  // namespace elbo4j

#endif
