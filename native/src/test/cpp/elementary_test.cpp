/*
 * The elementary functions and activations against binary64 on every float of the range where they are not trivial, and on
 * every 61st of the rest ("all": on every float), by the best instruction set of this CPU; and the others bit for bit against
 * that one. Prints the worst error of each in units in the last place, and fails above the bound that is documented.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "elbo4j.h"
#include "elementary_functions.h"

namespace {

using namespace elbo4j;

constexpr int64_t BLOCK = 1 << 12;
constexpr int64_t SPARSE = 61 * ELBO4J_TEST_STRIDE;
/* Under sanitizers, which look at the code and not at its results. */
constexpr int64_t DENSE = ELBO4J_TEST_STRIDE == 1 ? 1 : SPARSE;
/* Of instruction sets without fma, whose emulation is a hundred times slower. */
constexpr int64_t EMULATED = 251;
constexpr double INFINITE = INFINITY;

#define ELBO4J_TABLE(ISA) ISA::FUNCTION,
const Elementary* const TABLES[] = {ELBO4J_FOR_ISAS(ELBO4J_TABLE)};
#undef ELBO4J_TABLE
constexpr int32_t ISAS = sizeof TABLES / sizeof *TABLES;

bool emulated(int32_t isa) {
#if defined(__aarch64__) && !defined(ELBO4J_PORTABLE)
    return isa < 0;
#else
    return isa == 0;
#endif
}

uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Floats but NaN, numbered in their order, -0 before 0. */
int64_t index_of(float x) {
    int64_t magnitude = bits_of(x) & 0x7FFFFFFF;
    return signbit(x) ? -1 - magnitude : magnitude;
}

float at_index(int64_t index) { return float_of(index < 0 ? 0x80000000u | (uint32_t)(-1 - index) : (uint32_t)index); }

/* The distance of adjacent floats at the magnitude of x. */
double unit_at(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t exponent = std::min<int64_t>(std::max<int64_t>((bits >> 52) & 0x7FF, 1023 - 126), 1023 + 127);
    bits = (exponent - 23) << 52;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The error of a result; infinities count as 2^128, and 0 is as good as a denormal. */
double error_in_units(float result, double truth, double scale) {
    if (isnan(result) || isnan(truth)) {
        return isnan(result) && isnan(truth) ? 0 : INFINITE;
    }
    double error =
        fabs(std::min(std::max((double)result, -0x1p128), 0x1p128) - std::min(std::max(truth, -0x1p128), 0x1p128));
    return error / unit_at(scale);
}

/* Near 0 by their series, which are exact to binary64 there and much faster. */
bool tiny(double x) { return fabs(x) < 0x1p-18; }
double exp_truth(double x) { return tiny(x) ? 1 + x + x * x / 2 : exp(x); }
double expm1_truth(double x) { return tiny(x) ? x + x * x / 2 + x * x * x / 6 : expm1(x); }
double log_truth(double x) { return log(x); }
double log1p_truth(double x) { return tiny(x) ? x - x * x / 2 + x * x * x / 3 : log1p(x); }
double tanh_truth(double x) { return fabs(x) < 0x1p-12 ? x - x * x * x / 3 : tanh(x); }
double sigmoid_truth(double x) { return x < 0 ? exp_truth(x) / (1 + exp_truth(x)) : 1 / (1 + exp_truth(-x)); }
double normal_pdf_truth(double x) { return exp_truth(-0.5 * x * x) * 0.39894228040143267794; }
double normal_cdf_truth(double x) {
    return tiny(x) ? 0.5 + x * 0.39894228040143267794 : 0.5 * erfc(x * -0.70710678118654752440);
}

double elu_truth(double x) { return x > 0 ? x : expm1_truth(x); }
double gelu_truth(double x) { return x * normal_cdf_truth(x); }
double silu_truth(double x) { return x * sigmoid_truth(x); }
double softplus_truth(double x) { return fmax(x, 0) + log1p_truth(exp_truth(-fabs(x))); }
double gelu_slope_truth(double x) { return normal_cdf_truth(x) + x * normal_pdf_truth(x); }
double silu_slope_truth(double x) { return sigmoid_truth(x) * (1 + x * sigmoid_truth(-x)); }
double softplus_slope_truth(double y) { return -expm1_truth(-y); }

/* What errors are relative to: the sum of magnitudes for a difference, and no less than x times the least normal float where
 * a factor of x may be denormal. */
double gelu_scale(double x) { return fmax(fabs(gelu_truth(x)), fabs(x) * 0x1p-126); }
double silu_scale(double x) { return fmax(fabs(silu_truth(x)), fabs(x) * 0x1p-126); }
double gelu_slope_scale(double x) {
    return fmax(normal_cdf_truth(x) + fabs(x) * normal_pdf_truth(x), fabs(x) * 0x1p-126);
}
double silu_slope_scale(double x) { return fmax(sigmoid_truth(x) * (1 + fabs(x)), fabs(x) * 0x1p-126); }

/* Single operations of binary32, whose results are theirs bit for bit. */
float identity(float a) { return a; }
float relu(float a) { return a > 0 ? a : 0; }
float leaky_relu(float a) { return a > 0 ? a : 0.01f * a; }
float identity_slope(float) { return 1; }
float relu_slope(float a) { return a > 0 ? 1 : 0; }
float leaky_relu_slope(float a) { return a > 0 ? 1 : 0.01f; }
float elu_slope(float y) { return y > 0 ? 1 : y + 1; }
float tanh_slope(float y) { return 1 - y * y; }
float sigmoid_slope(float y) { return y * (1 - y); }

struct Case {
    const char* name;
    int function;
    double (*truth)(double);
    /* In units of what; null: of the truth. */
    double (*scale)(double);
    /* Arguments it is made for. */
    float from;
    float to;
    /* Magnitudes of which every float is tried, below 0 and above. */
    float dense_from;
    float dense_below;
    float dense_above;
    double bound;
};

constexpr int VALUE = ACTIVATION_VALUE;
constexpr int SLOPE = ACTIVATION_DERIVATIVE;

const Case CASES[] = {
    {"exp", EXP, exp_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 105, 90, 1},
    {"exp_nonpositive", EXP_NONPOSITIVE, exp_truth, nullptr, -INFINITY, 0, 0x1p-26f, 105, 0, 1},
    {"expm1", EXPM1, expm1_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 19, 90, 1.02},
    {"log", LOG, log_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 0, 0x1p26f, 1},
    {"log1p", LOG1P, log1p_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 1, 0x1p26f, 1},
    {"log1p_unit", LOG1P_UNIT, log1p_truth, nullptr, 0, 1, 0x1p-26f, 0, 1, 1},
    {"tanh", TANH, tanh_truth, nullptr, -INFINITY, INFINITY, 0x1p-13f, 10, 10, 1},
    {"sigmoid", SIGMOID, sigmoid_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 105, 18, 2.5},
    {"normal_pdf", NORMAL_PDF, normal_pdf_truth, nullptr, -INFINITY, INFINITY, 0x1p-13f, 15, 15, 2.1},
    {"normal_cdf", NORMAL_CDF, normal_cdf_truth, nullptr, -INFINITY, INFINITY, 0x1p-26f, 15, 6, 5},
    {"elu", VALUE + ELBO4J_ELU, elu_truth, nullptr, -INFINITY, INFINITY, 1, 0, 0, 1},
    {"gelu", VALUE + ELBO4J_GELU, gelu_truth, gelu_scale, -0x1p120f, INFINITY, 1, 0, 0, 5.5},
    {"silu", VALUE + ELBO4J_SILU, silu_truth, silu_scale, -0x1p120f, INFINITY, 1, 0, 0, 3.5},
    {"tanh as activation", VALUE + ELBO4J_TANH, tanh_truth, nullptr, -INFINITY, INFINITY, 1, 0, 0, 1},
    {"sigmoid as activation", VALUE + ELBO4J_SIGMOID, sigmoid_truth, nullptr, -INFINITY, INFINITY, 1, 0, 0, 2.5},
    {"softplus", VALUE + ELBO4J_SOFTPLUS, softplus_truth, nullptr, -INFINITY, INFINITY, 1, 0, 0, 2},
    {"gelu'", SLOPE + ELBO4J_GELU, gelu_slope_truth, gelu_slope_scale, -0x1p60f, 0x1p60f, 1, 0, 0, 5.5},
    {"silu'", SLOPE + ELBO4J_SILU, silu_slope_truth, silu_slope_scale, -0x1p60f, 0x1p60f, 1, 0, 0, 3},
    {"softplus'", SLOPE + ELBO4J_SOFTPLUS, softplus_slope_truth, nullptr, 0, INFINITY, 1, 0, 0, 1},
};

struct ExactCase {
    const char* name;
    int function;
    float (*truth)(float);
};

const ExactCase EXACT_CASES[] = {
    {"identity", VALUE + ELBO4J_IDENTITY, identity},
    {"relu", VALUE + ELBO4J_RELU, relu},
    {"leaky_relu", VALUE + ELBO4J_LEAKY_RELU, leaky_relu},
    {"identity'", SLOPE + ELBO4J_IDENTITY, identity_slope},
    {"relu'", SLOPE + ELBO4J_RELU, relu_slope},
    {"leaky_relu'", SLOPE + ELBO4J_LEAKY_RELU, leaky_relu_slope},
    {"elu'", SLOPE + ELBO4J_ELU, elu_slope},
    {"tanh'", SLOPE + ELBO4J_TANH, tanh_slope},
    {"sigmoid'", SLOPE + ELBO4J_SIGMOID, sigmoid_slope},
};

/* Floats from one index to another, both included. */
struct Range {
    int64_t from;
    int64_t to;
    int64_t step;
};

/* The domain of a case in ranges that are dense where it says so. */
std::vector<Range> ranges_of(const Case& c, int64_t sparse, int64_t dense) {
    const int64_t from = index_of(c.from);
    const int64_t to = index_of(c.to);
    std::vector<Range> ranges;
    int64_t at = from;
    auto add = [&](int64_t last, int64_t step) {
        last = std::min(last, to);
        if (at <= last) {
            ranges.push_back({at, last, step});
            at = last + 1;
        }
    };
    if (c.dense_below > 0) {
        add(index_of(-c.dense_below) - 1, sparse);
        add(index_of(-c.dense_from), dense);
    }
    if (c.dense_above > 0) {
        add(index_of(c.dense_from) - 1, sparse);
        add(index_of(c.dense_above), dense);
    }
    add(to, sparse);
    return ranges;
}

struct Worst {
    double error = 0;
    float at = 0;
    int64_t tried = 0;
    int64_t unequal = 0;
    float unequal_at = 0;
    int32_t unequal_isa = 0;
};

std::vector<int32_t> supported;
std::mutex mutex;
int failures = 0;

bool same(float a, float b) { return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b)); }

/* Tries floats `from`, `from` + step, ... up to `to`; only compares instruction sets with each other where isa is one. */
void try_floats(const Case& c, Range range, int32_t emulated_isa, Worst* worst) {
    alignas(64) float in[BLOCK];
    alignas(64) float out[BLOCK];
    alignas(64) float other[BLOCK];
    const int32_t best = supported.back();
    for (int64_t at = range.from; at <= range.to; at += BLOCK * range.step) {
        int64_t count = std::min(BLOCK, (range.to - at) / range.step + 1);
        for (int64_t i = 0; i < BLOCK; i++) {
            in[i] = at_index(at + std::min(i, count - 1) * range.step);
        }
        TABLES[best][c.function](in, out, BLOCK);
        for (int32_t isa : supported) {
            if (isa == best || (emulated_isa >= 0 ? isa != emulated_isa : emulated(isa))) {
                continue;
            }
            TABLES[isa][c.function](in, other, BLOCK);
            if (memcmp(out, other, sizeof out) == 0) {
                continue;
            }
            for (int64_t i = 0; i < count; i++) {
                if (!same(out[i], other[i])) {
                    worst->unequal++;
                    worst->unequal_at = in[i];
                    worst->unequal_isa = isa;
                }
            }
        }
        if (emulated_isa >= 0) {
            continue;
        }
        worst->tried += count;
        for (int64_t i = 0; i < count; i++) {
            double truth = c.truth(in[i]);
            double error = error_in_units(out[i], truth, c.scale ? c.scale(in[i]) : truth);
            if (!(error <= worst->error)) {
                worst->error = error;
                worst->at = in[i];
            }
        }
    }
}

void run_case(const Case& c, int64_t sparse) {
    struct Task {
        Range range;
        int32_t emulated_isa;
    };
    std::vector<Task> tasks;
    constexpr int64_t CHUNK = BLOCK * 512;
    auto add = [&](const std::vector<Range>& ranges, int32_t emulated_isa) {
        for (const Range& range : ranges) {
            for (int64_t at = range.from; at <= range.to; at += CHUNK * range.step) {
                tasks.push_back({{at, std::min(range.to, at + CHUNK * range.step - 1), range.step}, emulated_isa});
            }
        }
    };
    const bool slow = emulated(supported.back());
    add(ranges_of(c, slow ? sparse * EMULATED : sparse, slow ? EMULATED : DENSE), -1);
    for (int32_t isa : supported) {
        if (emulated(isa) && !slow) {
            add(ranges_of(c, sparse * EMULATED, EMULATED), isa);
        }
    }
    Worst all;
    std::atomic<size_t> next{0};
    auto work = [&] {
        Worst worst;
        for (size_t i; (i = next++) < tasks.size();) {
            try_floats(c, tasks[i].range, tasks[i].emulated_isa, &worst);
        }
        std::lock_guard<std::mutex> lock(mutex);
        all.tried += worst.tried;
        all.unequal += worst.unequal;
        if (worst.unequal > 0) {
            all.unequal_at = worst.unequal_at;
            all.unequal_isa = worst.unequal_isa;
        }
        if (worst.error > all.error) {
            all.error = worst.error;
            all.at = worst.at;
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); i++) {
        threads.emplace_back(work);
    }
    work();
    for (std::thread& thread : threads) {
        thread.join();
    }
    printf("%-22s %11lld floats, error %6.4f of %g at %a\n", c.name, (long long)all.tried, all.error, c.bound, all.at);
    if (!(all.error <= c.bound)) {
        printf("FAILED: %s(%a) is off by %g units in the last place, more than %g\n", c.name, all.at, all.error,
               c.bound);
        failures++;
    }
    if (all.unequal > 0) {
        printf("FAILED: %s gives other bits on %s than on %s for %lld floats, such as %a\n", c.name,
               elbo4j_isa_name(all.unequal_isa), elbo4j_isa_name(supported.back()), (long long)all.unequal,
               all.unequal_at);
        failures++;
    }
    fflush(stdout);
}

float at(int32_t isa, int function, float x) {
    alignas(64) float in[16];
    alignas(64) float out[16];
    std::fill(in, in + 16, x);
    TABLES[isa][function](in, out, 16);
    return out[0];
}

void run_exact_case(const ExactCase& c) {
    alignas(64) float in[BLOCK];
    alignas(64) float out[BLOCK];
    for (int32_t isa : supported) {
        const int64_t step = SPARSE * (emulated(isa) ? EMULATED : 1);
        for (int64_t index = index_of(-INFINITY); index <= index_of(INFINITY); index += BLOCK * step) {
            for (int64_t i = 0; i < BLOCK; i++) {
                in[i] = at_index(std::min(index + i * step, index_of(INFINITY)));
            }
            TABLES[isa][c.function](in, out, BLOCK);
            for (int64_t i = 0; i < BLOCK; i++) {
                if (!same(out[i], c.truth(in[i]))) {
                    printf("FAILED: %s(%a) is %a on %s, expected %a\n", c.name, in[i], out[i], elbo4j_isa_name(isa),
                           c.truth(in[i]));
                    failures++;
                    return;
                }
            }
        }
    }
}

/* What exp and exp_nonpositive promise. */
void run_exponentials() {
    alignas(64) float in[BLOCK];
    alignas(64) float out[BLOCK];
    alignas(64) float other[BLOCK];
    for (int64_t index = index_of(-INFINITY); index <= index_of(0); index += BLOCK * SPARSE) {
        for (int64_t i = 0; i < BLOCK; i++) {
            in[i] = at_index(std::min(index + i * SPARSE, index_of(0)));
        }
        TABLES[supported.back()][EXP](in, out, BLOCK);
        TABLES[supported.back()][EXP_NONPOSITIVE](in, other, BLOCK);
        for (int64_t i = 0; i < BLOCK; i++) {
            if (!same(out[i], other[i])) {
                printf("FAILED: exp(%a) is %a, exp_nonpositive %a\n", in[i], out[i], other[i]);
                failures++;
                return;
            }
        }
    }
}

struct Special {
    const char* name;
    int function;
    float x;
    float expected;
};

const Special SPECIALS[] = {
    {"exp", EXP, -INFINITY, 0},
    {"exp", EXP, INFINITY, INFINITY},
    {"exp", EXP, 0x1.62e42ep6f, 0x1.ffff08p127f},
    {"exp", EXP, 0x1.62e430p6f, INFINITY},
    {"exp", EXP, 0, 1},
    {"exp", EXP, -0.0f, 1},
    {"exp_nonpositive", EXP_NONPOSITIVE, -INFINITY, 0},
    {"exp_nonpositive", EXP_NONPOSITIVE, -0.0f, 1},
    {"exp_nonpositive", EXP_NONPOSITIVE, 0, 1},
    {"expm1", EXPM1, -INFINITY, -1},
    {"expm1", EXPM1, INFINITY, INFINITY},
    {"expm1", EXPM1, 0, 0},
    {"expm1", EXPM1, -0.0f, -0.0f},
    {"expm1", EXPM1, 0x1p-149f, 0x1p-149f},
    {"log", LOG, 0, -INFINITY},
    {"log", LOG, -0.0f, -INFINITY},
    {"log", LOG, 1, 0},
    {"log", LOG, INFINITY, INFINITY},
    {"log", LOG, -1, NAN},
    {"log", LOG, -INFINITY, NAN},
    {"log", LOG, -0x1p-149f, NAN},
    {"log1p", LOG1P, 0, 0},
    {"log1p", LOG1P, -0.0f, -0.0f},
    {"log1p", LOG1P, -1, -INFINITY},
    {"log1p", LOG1P, -0x1.000002p0f, NAN},
    {"log1p", LOG1P, -INFINITY, NAN},
    {"log1p", LOG1P, INFINITY, INFINITY},
    {"log1p", LOG1P, -0x1p-149f, -0x1p-149f},
    {"log1p_unit", LOG1P_UNIT, 0, 0},
    {"log1p_unit", LOG1P_UNIT, 0x1p-149f, 0x1p-149f},
    {"tanh", TANH, 0, 0},
    {"tanh", TANH, -0.0f, -0.0f},
    {"tanh", TANH, INFINITY, 1},
    {"tanh", TANH, -INFINITY, -1},
    {"tanh", TANH, -0x1p-149f, -0x1p-149f},
    {"sigmoid", SIGMOID, INFINITY, 1},
    {"sigmoid", SIGMOID, -INFINITY, 0},
    {"sigmoid", SIGMOID, 0, 0.5f},
    {"normal_pdf", NORMAL_PDF, INFINITY, 0},
    {"normal_pdf", NORMAL_PDF, -INFINITY, 0},
    {"normal_cdf", NORMAL_CDF, INFINITY, 1},
    {"normal_cdf", NORMAL_CDF, -INFINITY, 0},
    {"normal_cdf", NORMAL_CDF, 0, 0.5f},
    {"normal_cdf", NORMAL_CDF, -0.0f, 0.5f},
    {"relu", VALUE + ELBO4J_RELU, -0.0f, 0},
    {"relu", VALUE + ELBO4J_RELU, -INFINITY, 0},
    {"leaky_relu", VALUE + ELBO4J_LEAKY_RELU, -0.0f, -0.0f},
    {"elu", VALUE + ELBO4J_ELU, -0.0f, -0.0f},
    {"gelu", VALUE + ELBO4J_GELU, -0.0f, -0.0f},
    {"gelu", VALUE + ELBO4J_GELU, INFINITY, INFINITY},
    {"gelu", VALUE + ELBO4J_GELU, -INFINITY, NAN},
    {"silu", VALUE + ELBO4J_SILU, -INFINITY, NAN},
    {"softplus", VALUE + ELBO4J_SOFTPLUS, INFINITY, INFINITY},
    {"softplus", VALUE + ELBO4J_SOFTPLUS, -INFINITY, 0},
    {"softplus'", SLOPE + ELBO4J_SOFTPLUS, 0, 0},
};

void run_specials(int32_t isa) {
    for (const Special& special : SPECIALS) {
        float result = at(isa, special.function, special.x);
        if (!same(result, special.expected)) {
            printf("FAILED: %s(%a) is %a on %s, expected %a\n", special.name, special.x, result, elbo4j_isa_name(isa),
                   special.expected);
            failures++;
        }
    }
    /* Derivatives that compare take the other branch, as in Java. */
    const int not_nan[] = {SLOPE + ELBO4J_IDENTITY, SLOPE + ELBO4J_RELU, SLOPE + ELBO4J_LEAKY_RELU};
    for (int function = 0; function < FUNCTIONS; function++) {
        bool expected = std::find(std::begin(not_nan), std::end(not_nan), function) == std::end(not_nan);
        /* Quiet and signaling, of either sign, with payloads in the low and the high bits. */
        for (uint32_t bits :
             {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFF800001u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7FA00155u}) {
            float result = at(isa, function, float_of(bits));
            if (isnan(result) != expected) {
                printf("FAILED: function %d of NaN 0x%08X is %a on %s\n", function, bits, result, elbo4j_isa_name(isa));
                failures++;
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const int64_t sparse = argc > 1 && strcmp(argv[1], "all") == 0 ? 1 : SPARSE;
    if (elbo4j_isa_count() != ISAS) {
        printf("FAILED: the library has %d instruction sets, this test %d\n", elbo4j_isa_count(), ISAS);
        return 1;
    }
    for (int32_t isa = 0; isa < ISAS; isa++) {
        if (elbo4j_isa_supported(isa)) {
            supported.push_back(isa);
            run_specials(isa);
        }
    }
    printf("errors in units in the last place on %s\n", elbo4j_isa_name(supported.back()));
    for (const Case& c : CASES) {
        run_case(c, sparse);
    }
    for (const ExactCase& c : EXACT_CASES) {
        run_exact_case(c);
    }
    run_exponentials();
    printf("%s\n", failures == 0 ? "passed" : "FAILED");
    return failures == 0 ? 0 : 1;
}
