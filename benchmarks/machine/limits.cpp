// What this machine can do at most: float32 multiply-adds, copies and reads, each on one and two threads.
// usage: limits BYTES-OF-WEIGHTS [quick]. Prints one JSON line a limit, a rate for every repetition.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;

// Enough independent chains to hide the latency of a multiply-add on two units: 4 or 5 cycles times 2.
constexpr int kChains = 12;

// The sum reaches this, so that no product is removed.
std::atomic<double> sink{0};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void fma_avx512(long times) {
    __m512 sums[kChains];
    for (int i = 0; i < kChains; i++) sums[i] = _mm512_set1_ps(static_cast<float>(i));
    const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
    for (long t = 0; t < times; t++) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; i++) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
    }
    __m512 sum = sums[0];
    for (int i = 1; i < kChains; i++) sum = _mm512_add_ps(sum, sums[i]);
    sink = sink + _mm512_cvtss_f32(sum);
}

__attribute__((target("avx2,fma"))) void fma_avx2(long times) {
    __m256 sums[kChains];
    for (int i = 0; i < kChains; i++) sums[i] = _mm256_set1_ps(static_cast<float>(i));
    const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    for (long t = 0; t < times; t++) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; i++) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
    }
    __m256 sum = sums[0];
    for (int i = 1; i < kChains; i++) sum = _mm256_add_ps(sum, sums[i]);
    sink = sink + _mm256_cvtss_f32(sum);
}

__attribute__((target("avx512f"))) double read_avx512(const float* from, size_t count) {
    __m512 sums[8] = {};
    size_t i = 0;
    for (; i + 128 <= count; i += 128) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) sums[j] = _mm512_add_ps(sums[j], _mm512_loadu_ps(from + i + 16 * j));
    }
    for (int j = 1; j < 8; j++) sums[0] = _mm512_add_ps(sums[0], sums[j]);
    float sum = _mm512_cvtss_f32(sums[0]);
    for (; i < count; i++) sum += from[i];
    return sum;
}

__attribute__((target("avx2"))) double read_avx2(const float* from, size_t count) {
    __m256 sums[8] = {};
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) sums[j] = _mm256_add_ps(sums[j], _mm256_loadu_ps(from + i + 8 * j));
    }
    for (int j = 1; j < 8; j++) sums[0] = _mm256_add_ps(sums[0], sums[j]);
    float sum = _mm256_cvtss_f32(sums[0]);
    for (; i < count; i++) sum += from[i];
    return sum;
}
#elif defined(__aarch64__)
void fma_neon(long times) {
    float32x4_t sums[kChains];
    for (int i = 0; i < kChains; i++) sums[i] = vdupq_n_f32(static_cast<float>(i));
    const float32x4_t a = vdupq_n_f32(0.999f), b = vdupq_n_f32(0.001f);
    for (long t = 0; t < times; t++) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; i++) sums[i] = vfmaq_f32(b, sums[i], a);
    }
    float32x4_t sum = sums[0];
    for (int i = 1; i < kChains; i++) sum = vaddq_f32(sum, sums[i]);
    sink = sink + vaddvq_f32(sum);
}
#endif

void fma_plain(long times) {
    float sums[kChains];
    for (int i = 0; i < kChains; i++) sums[i] = static_cast<float>(i);
    for (long t = 0; t < times; t++) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; i++) sums[i] = sums[i] * 0.999f + 0.001f;
    }
    float sum = 0;
    for (float each : sums) sum += each;
    sink = sink + sum;
}

double read_plain(const float* from, size_t count) {
    float sums[16] = {};
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        for (int j = 0; j < 16; j++) sums[j] += from[i + j];
    }
    float sum = 0;
    for (; i < count; i++) sum += from[i];
    for (float each : sums) sum += each;
    return sum;
}

// The widest instructions of this processor.
struct Isa {
    const char* name;
    int lanes;
    void (*fma)(long);
    double (*read)(const float*, size_t);
};

Isa isa() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return {"avx512f", 16, fma_avx512, read_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2", 8, fma_avx2, read_avx2};
#elif defined(__aarch64__)
    return {"neon", 4, fma_neon, read_plain};
#endif
    return {"plain", 1, fma_plain, read_plain};
}

// Seconds that each thread needs for a number of units, begun at once.
double seconds(int threads, long units, const std::function<void(int, long)>& work) {
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> others;
    for (int t = 1; t < threads; t++) {
        others.emplace_back([&, t] {
            ready++;
            while (!go) {
            }
            work(t, units);
        });
    }
    while (ready < threads - 1) {
    }
    const auto start = Clock::now();
    go = true;
    work(0, units);
    for (auto& other : others) other.join();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Prints the rates of every repetition; each is long enough that its begin and end do not count.
void measure(const char* op, const std::string& shape, const char* unit, int threads, double per_unit, bool quick,
             const std::function<void(int, long)>& work) {
    const double least = quick ? 0.001 : 0.05;
    const int repetitions = quick ? 3 : 21;
    long units = 1;
    while (seconds(threads, units, work) < least) units *= 2;
    std::printf("{\"op\":\"%s\",\"shape\":\"%s-t%d\",\"unit\":\"%s\",\"isa\":\"%s\",\"rates\":[", op, shape.c_str(),
                threads, unit, isa().name);
    for (int i = 0; i < repetitions; i++) {
        const double rate = per_unit * static_cast<double>(units) * threads / seconds(threads, units, work) / 1e9;
        std::printf("%s%.6g", i == 0 ? "" : ",", rate);
    }
    std::printf("]}\n");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || std::atol(argv[1]) < 4) {
        std::fprintf(stderr, "usage: limits BYTES-OF-WEIGHTS [quick]\n");
        return 2;
    }
    const size_t weights = static_cast<size_t>(std::atol(argv[1])) / sizeof(float);
    const bool quick = argc > 2 && std::strcmp(argv[2], "quick") == 0;
    const Isa best = isa();
    for (int threads = 1; threads <= 2; threads++) {
        measure("fma", "peak", "GFLOP/s", threads, 2.0 * kChains * best.lanes * 1000, quick,
                [&](int, long units) { best.fma(units * 1000); });

        // A copy counts the bytes read and those written. The first stays in a core's own cache, the second in none.
        const struct {
            const char* shape;
            size_t bytes;
        } copies[] = {{"in-cache", 128 << 10}, {"out-of-cache", static_cast<size_t>(quick ? 1 : 256) << 20}};
        for (const auto& copy : copies) {
            std::vector<std::unique_ptr<char[]>> memory;
            for (int t = 0; t < threads; t++) {
                memory.emplace_back(new char[2 * copy.bytes]);
                std::memset(memory.back().get(), t + 1, 2 * copy.bytes);
            }
            measure("copy", copy.shape, "GB/s", threads, 2.0 * static_cast<double>(copy.bytes), quick,
                    [&](int t, long units) {
                        char* block = memory[static_cast<size_t>(t)].get();
                        for (long i = 0; i < units; i++) {
                            std::memcpy(block + copy.bytes, block, copy.bytes);
                            // The compiler must not see that the same bytes are copied again.
                            __asm__ volatile("" : : "r"(block) : "memory");
                        }
                    });
        }

        std::vector<std::vector<float>> floats(static_cast<size_t>(threads), std::vector<float>(weights, 1e-9f));
        measure("read", "weights", "GB/s", threads, 4.0 * static_cast<double>(weights), quick, [&](int t, long units) {
            double sum = 0;
            for (long i = 0; i < units; i++) {
                sum += best.read(floats[static_cast<size_t>(t)].data(), weights);
                __asm__ volatile("" : : : "memory");
            }
            sink = sink + sum;
        });
    }
    return 0;
}
