// The library's kernels on the emulated device, against plain loops in double: awkward sizes, folds, padding, bf16
// twins. Everything runs with memory that ends and that begins at a guard page, and in two seeds that give the same
// bits.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "check.h"

namespace {

constexpr float NOT_A_NUMBER = std::numeric_limits<float>::quiet_NaN();
constexpr float INFINITE = std::numeric_limits<float>::infinity();

CUmodule kernels;
// The numbers that kernels have written since the start of a pass.
std::vector<unsigned char> transcript;

// ---- device memory and launches

// Exactly as large as asked for, so that the guard page is where the array ends; new memory is NaN.
template <class T>
class Buffer {
   public:
    explicit Buffer(size_t count) : address_(device_memory(count * sizeof(T))), count_(count) {}
    explicit Buffer(const std::vector<T>& values) : address_(upload(values)), count_(values.size()) {}
    ~Buffer() { OK(cuMemFree_v2(address_)); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    CUdeviceptr address() const { return address_; }
    std::vector<T> read() const {
        const std::vector<T> values = download<T>(address_, count_);
        if constexpr (std::is_arithmetic_v<T>) {  // a state holds addresses
            const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
            transcript.insert(transcript.end(), bytes, bytes + count_ * sizeof(T));
        }
        return values;
    }

   private:
    CUdeviceptr address_;
    size_t count_;
};

struct Geometry {
    unsigned grid_x, grid_y, block_x, block_y;
};

template <class T>
CUdeviceptr argument(const Buffer<T>& buffer) {
    return buffer.address();
}
template <class T>
CUdeviceptr argument(const std::unique_ptr<Buffer<T>>& buffer) {
    return buffer ? buffer->address() : 0;
}
CUdeviceptr argument(std::nullptr_t) { return 0; }
CUdeviceptr argument(CUdeviceptr value) { return value; }
int argument(int value) { return value; }
long long argument(long long value) { return value; }
float argument(float value) { return value; }
double argument(double value) { return value; }

template <class... A>
void launch_values(CUfunction kernel, const Geometry& g, A... values) {
    void* addresses[] = {&values...};
    OK(cuLaunchKernel(kernel, g.grid_x, g.grid_y, 1, g.block_x, g.block_y, 1, 0, nullptr, addresses, nullptr));
    OK(cuCtxSynchronize());
}

// The arguments' types are the kernel's parameter types: `long long` numbers stay `long long`.
template <class... A>
void run(const char* name, const Geometry& g, const A&... arguments) {
    launch_values(function(kernels, name), g, argument(arguments)...);
}

// ---- the state, as Java lays it out

struct State {
    long long seed = 0x0123456789abcdefLL, step = 0, epoch = 0, position = 0, rows = 0, active = 0, order_rows = 0;
    long long halt_name = -1, halt_step = -1, halt_first = -1, halt_count = -1;
    long long table_first = 0, table_steps = 0, slots = 0;
    CUdeviceptr table = 0, sums = 0;
    unsigned long long check_first = ~0ull;
    unsigned check_ticket = 0, reserved = 0;
};
static_assert(sizeof(State) == 144 && offsetof(State, position) == 24 && offsetof(State, halt_name) == 56 &&
              offsetof(State, table_first) == 88 && offsetof(State, table) == 112 && offsetof(State, sums) == 120 &&
              offsetof(State, check_first) == 128 && offsetof(State, check_ticket) == 136);

Buffer<State> on_device(const State& state) { return Buffer<State>(std::vector<State>{state}); }

// A schedule of one slot more than is used, so that a wrong stride shows.
struct Schedule {
    std::vector<double> values = {0.5, 0.25, 100.0, 2.0, 0.125, 200.0, 3.0, 0.75, 300.0};
    Buffer<double> table{values};

    void install(State& state) const {
        state.table_first = 10;
        state.table_steps = 3;
        state.slots = 3;
        state.table = table.address();
    }
    double at(long long step, int slot) const { return values[3 * std::clamp(step - 10, 0LL, 2LL) + slot]; }
};

// ---- numbers

unsigned scrambled(unsigned x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

std::vector<float> numbers(size_t count, unsigned seed, float low, float high) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) {
        const float unit = static_cast<float>(scrambled(static_cast<unsigned>(i) + 7919 * seed) >> 8) * 0x1p-24f;
        values[i] = low + (high - low) * unit;
    }
    return values;
}

// Elements from `live` on are NaN: whoever reads them shows it.
std::vector<float> with_padding(std::vector<float> values, size_t live) {
    std::fill(values.begin() + static_cast<ptrdiff_t>(live), values.end(), NOT_A_NUMBER);
    return values;
}

uint16_t bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (std::isnan(value)) return 0x7fff;
    const uint32_t below = bits & 0xffff, half = 0x8000;
    bits >>= 16;
    return static_cast<uint16_t>(bits + (below > half || (below == half && (bits & 1) != 0)));
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Within a chain of roundings of the terms' magnitude (docs/testing.md); a NaN is near nothing.
bool near(float got, double want, double terms, double chain = 1) {
    return std::fabs(got - want) <= (chain + 8) / 2 * 0x1p-23 * terms;
}

bool positive_zero(float value) { return value == 0.0f && !std::signbit(value); }

bool zeros_from(const std::vector<float>& values, size_t live) {
    return std::all_of(values.begin() + static_cast<ptrdiff_t>(live), values.end(), positive_zero);
}

bool is_twin(const Buffer<uint16_t>& twin, const std::vector<float>& values) {
    const std::vector<uint16_t> rounded = twin.read();
    for (size_t i = 0; i < values.size(); i++) {
        if (rounded[i] != bf16(values[i])) return false;
    }
    return rounded.size() == values.size();
}

// ---- shapes

struct Shape {
    long long rows;
    long long active;  // -1: no pointer, all rows are active
    int fold;
    long long columns;
    Geometry geometry;

    long long live_rows() const { return active < 0 ? rows : std::clamp(active, 0LL, rows); }
    size_t live(long long width) const { return static_cast<size_t>(live_rows() * fold * width); }
    size_t total(long long width) const { return static_cast<size_t>(rows * fold * width); }
    std::unique_ptr<Buffer<long long>> active_pointer() const {
        if (active < 0) return nullptr;
        return std::make_unique<Buffer<long long>>(std::vector<long long>{active});
    }
};

// Columns around a warp, a block and four, with a multiple of four in between; every fold and padding with each.
std::vector<Shape> shapes() {
    const Geometry geometries[] = {{1, 1, 32, 1}, {3, 1, 96, 1}, {8, 1, 256, 1}, {2, 1, 1024, 1}};
    std::vector<Shape> all;
    size_t next = 0;
    for (const long long columns : {1LL, 2LL, 3LL, 4LL, 20LL, 31LL, 32LL, 33LL, 255LL, 257LL, 784LL, 785LL}) {
        for (const auto& [rows, active, fold] :
             {std::tuple{1LL, -1LL, 1}, {5LL, 3LL, 1}, {7LL, 5LL, 3}, {3LL, 0LL, 2}, {4LL, 9LL, 2}}) {
            all.push_back({rows, active, fold, columns, geometries[next++ % 4]});
        }
    }
    return all;
}

// ---- Philox and what is drawn from it, by 64-bit arithmetic

using Block = std::array<unsigned, 4>;

Block host_philox(uint64_t key, Block c) {
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
             static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c;
}

double host_uniform(unsigned word) { return ((word >> 9) * 2 + 1) * 0x1p-24; }

double host_normal(const Block& words, int lane) {
    const int pair = lane & 2;
    const double radius = std::sqrt(-2 * std::log(host_uniform(words[pair])));
    const double angle = 2 * 3.14159265358979323846 * host_uniform(words[pair + 1]);
    return radius * ((lane & 1) == 0 ? std::cos(angle) : std::sin(angle));
}

// Noise of a batch: row key, purpose and row ids.
struct HostNoise {
    const State& state;
    int row_key;
    int purpose;
    const std::vector<long long>& rows;

    Block words(long long row, int sample, long long column) const {
        const unsigned row_word = row_key == 0   ? static_cast<unsigned>(row)
                                  : row_key == 1 ? static_cast<unsigned>(rows[static_cast<size_t>(row)])
                                                 : 0;
        const unsigned step = row_key == 0 ? static_cast<unsigned>(state.step) : 0;
        return host_philox(static_cast<uint64_t>(state.seed),
                           {static_cast<unsigned>(column / 4), row_word, step,
                            static_cast<unsigned>(purpose) << 24 | static_cast<unsigned>(sample)});
    }
    double normal(long long row, int sample, long long column) const {
        return row_key == 3 ? 0 : host_normal(words(row, sample, column), static_cast<int>(column % 4));
    }
};

// Data rows for noise; the padding's would be wrong.
std::vector<long long> noise_rows(const Shape& shape) {
    std::vector<long long> ids;
    for (long long row = 0; row < shape.rows; row++) {
        ids.push_back(row < shape.live_rows() ? 60000 - 17 * row + (1LL << 33) : -1);
    }
    return ids;
}

void philox_known_answers() {
    const CUmodule module = load("philox");
    const Buffer<unsigned> words(4);
    const Buffer<float> normal(4);
    const auto drawn = [&](long long key, const Block& c) {
        launch_values(function(module, "philox_words"), {1, 1, 32, 1}, key, c[0], c[1], c[2], c[3], words.address(),
                      normal.address());
        const std::vector<unsigned> got = words.read();
        return Block{got[0], got[1], got[2], got[3]};
    };
    // Random123, kat_vectors, philox4x32 10.
    CHECK(drawn(0, {0, 0, 0, 0}) == (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    CHECK(drawn(-1, {~0u, ~0u, ~0u, ~0u}) == (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    CHECK(drawn(0x299f31d0a4093822LL, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
          (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
    for (unsigned i = 0; i < 50; i++) {
        const Block block = drawn(i * 0x123456789LL, {i, 3, 2, 1u << 24 | 1});
        CHECK(block == host_philox(i * 0x123456789ULL, {i, 3, 2, 1u << 24 | 1}));
        const std::vector<float> got = normal.read();
        for (int lane = 0; lane < 4; lane++) {
            const double want = host_normal(block, lane);
            CHECK(std::fabs(got[static_cast<size_t>(lane)] - want) <= 8 * 0x1p-23 * std::max(1.0, std::fabs(want)));
        }
    }
}

// ---- counters

State after(const Buffer<State>& device) { return device.read()[0]; }

State advanced(State state) {
    const Buffer<State> device = on_device(state);
    run("advance", {2, 1, 64, 1}, device);
    return after(device);
}

void advances() {
    State state;
    state.step = 41;
    state.rows = 1000;
    state.epoch = 3;
    state.position = 90;
    state.active = 7;
    state.order_rows = 100;
    State now = advanced(state);
    CHECK(now.step == 42 && now.rows == 1007 && now.position == 97 && now.epoch == 3);
    now.active = 3;
    now = advanced(now);
    CHECK(now.step == 43 && now.rows == 1010 && now.position == 0 && now.epoch == 4);
    // Without an order only step and rows move.
    now.active = 5;
    now.order_rows = 0;
    now = advanced(now);
    CHECK(now.step == 44 && now.rows == 1015 && now.position == 0 && now.epoch == 4);
    now.halt_name = 0;
    const Buffer<State> halted = on_device(now);
    run("advance", {1, 1, 32, 1}, halted);
    CHECK(after(halted).step == 44 && after(halted).rows == 1015);
}

long long host_shuffle(long long seed, long long epoch, long long position, long long n) {
    int bits = 0;
    while (bits < 63 && (n - 1) >> bits != 0) bits++;
    const int half = std::max(1, (bits + 1) / 2);
    const long long mask = (1LL << half) - 1;
    long long row = position;
    do {
        long long left = row >> half, right = row & mask;
        for (unsigned round = 0; round < 6; round++) {
            const Block words = host_philox(static_cast<uint64_t>(seed), {static_cast<unsigned>(right), round,
                                                                          static_cast<unsigned>(epoch), 2u << 24});
            const long long next = left ^ (words[0] & mask);
            left = right;
            right = next;
        }
        row = left << half | right;
    } while (row >= n);
    return row;
}

std::vector<long long> selected(const State& state, long long capacity, long long first_row, long long row_count,
                                int shuffled, long long want_active) {
    const Buffer<State> device = on_device(state);
    const Buffer<long long> ids(static_cast<size_t>(capacity));
    run("select_rows", {2, 1, 64, 1}, device, capacity, first_row, row_count, shuffled, ids);
    CHECK(after(device).active == want_active && after(device).order_rows == row_count);
    return ids.read();
}

void selects_rows() {
    State state;
    for (const long long n : {1LL, 2LL, 3LL, 5LL, 16LL, 17LL, 300LL, (1LL << 40) + 12345}) {
        for (const long long position : {0LL, n / 2, n - 1}) {
            state.position = position;
            state.epoch = position % 5 + (1LL << 32);
            const long long capacity = 257, active = std::min(capacity, n - position);
            for (const int shuffled : {0, 1}) {
                const std::vector<long long> ids = selected(state, capacity, 1000, n, shuffled, active);
                for (long long i = 0; i < capacity; i++) {
                    const long long place = shuffled != 0 && i < active
                                                ? host_shuffle(state.seed, state.epoch, position + i, n)
                                                : position + i;
                    CHECK(ids[static_cast<size_t>(i)] == (i < active ? 1000 + place : -1));
                }
            }
        }
    }
    // Shuffle.java, seed 42, epoch 3, the first rows of 1000; and a whole epoch is a permutation.
    state.seed = 42;
    state.epoch = 3;
    state.position = 0;
    std::vector<long long> ids = selected(state, 1000, 0, 1000, 1, 1000);
    CHECK(std::vector<long long>(ids.begin(), ids.begin() + 6) ==
          (std::vector<long long>{310, 971, 414, 803, 757, 992}));
    std::sort(ids.begin(), ids.end());
    for (long long i = 0; i < 1000; i++) CHECK(ids[static_cast<size_t>(i)] == i);
    state.position = 12;
    CHECK(selected(state, 3, 0, 10, 1, 0) == (std::vector<long long>{-1, -1, -1}));
}

// ---- data

template <class T>
void gathers(const char* kernel, const std::vector<T>& data, long long data_rows, const Shape& s, int pixels,
             int row_key) {
    State state;
    state.step = (5LL << 32) + 77;
    const Buffer<State> device = on_device(state);
    const Buffer<T> source(data);
    std::vector<long long> ids;
    for (long long row = 0; row < s.rows; row++) ids.push_back((row * 5 + 1) % data_rows);
    if (s.rows > 2) ids[1] = data_rows;
    if (s.rows > 4) ids[2] = -1;
    const std::vector<long long> keys = noise_rows(s);
    const Buffer<long long> row_ids(ids), noise_ids(keys);
    const Buffer<float> out(static_cast<size_t>(s.rows * s.columns));
    const Buffer<uint16_t> twin(static_cast<size_t>(s.rows * s.columns));
    const auto active = s.active_pointer();
    const HostNoise noise = {state, row_key, 3, keys};
    run(kernel, s.geometry, active, s.rows, row_ids, source, data_rows, s.columns, pixels, device, noise_ids, row_key,
        3, out, twin);
    const std::vector<float> got = out.read();
    CHECK(is_twin(twin, got));
    for (long long r = 0; r < s.rows; r++) {
        const long long id = ids[static_cast<size_t>(r)];
        const bool there = r < s.live_rows() && id >= 0 && id < data_rows;
        for (long long c = 0; c < s.columns; c++) {
            float want = 0;
            if (there) {
                const T value = data[static_cast<size_t>(id * s.columns + c)];
                const unsigned word = noise.words(r, 0, c)[static_cast<size_t>(c % 4)];
                if constexpr (std::is_same_v<T, float>) {
                    want = pixels == 2 ? (host_uniform(word) < value ? 1 : 0) : value;
                } else {
                    want = pixels == 2   ? (((uint64_t{word} * 255) >> 32) < value ? 1 : 0)
                           : pixels == 1 ? static_cast<float>(value) / 255
                                         : value;
                }
            }
            CHECK(got[static_cast<size_t>(r * s.columns + c)] == want);
        }
    }
}

void gathers_rows() {
    const long long data_rows = 6;
    int turn = 0;
    for (const Shape& s : shapes()) {
        const size_t size = static_cast<size_t>(data_rows * s.columns);
        std::vector<unsigned char> bytes(size);
        for (size_t i = 0; i < size; i++) bytes[i] = static_cast<unsigned char>(scrambled(static_cast<unsigned>(i)));
        for (int pixels = 0; pixels < 3; pixels++) {
            const int row_key = turn++ % 3;
            gathers("gather_u8_f32", bytes, data_rows, s, pixels, row_key);
            gathers("gather_f32_f32", numbers(size, 3, 0, 1), data_rows, s, pixels, row_key);
        }
    }
}

template <class T>
void loads(const char* kernel, const std::vector<T>& in, const Shape& s, int pixels) {
    // Only the active rows are there to be read.
    const Buffer<T> source(std::vector<T>(in.begin(), in.begin() + static_cast<long>(s.live(s.columns))));
    const Buffer<float> out(in.size());
    const Buffer<uint16_t> twin(in.size());
    const auto active = s.active_pointer();
    run(kernel, s.geometry, active, s.rows, s.columns, source, pixels, out, twin);
    const std::vector<float> got = out.read();
    CHECK(is_twin(twin, got));
    for (size_t i = 0; i < got.size(); i++) {
        const float value = static_cast<float>(in[i]);
        const bool divides = pixels == 1 && sizeof(T) == 1;
        CHECK(got[i] == (i >= s.live(s.columns) ? 0 : divides ? value / 255 : value));
    }
}

void loads_rows() {
    for (const Shape& s : shapes()) {
        if (s.fold != 1 || s.live(s.columns) == 0) continue;
        std::vector<unsigned char> bytes(s.total(s.columns));
        for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<unsigned char>(scrambled(static_cast<unsigned>(i)));
        for (int pixels = 0; pixels < 2; pixels++) {
            loads("load_u8_f32", bytes, s, pixels);
            loads("load_f32_f32", numbers(bytes.size(), 3, -2, 2), s, pixels);
        }
    }
}

void stores_rows() {
    for (const Shape& s : shapes()) {
        const std::vector<float> in = numbers(s.total(s.columns), 1, -3, 3);
        const std::vector<float> before(in.size(), 77);
        const Buffer<float> source(in), out(before);
        run("store_f32", s.geometry, s.active_pointer(), s.rows, s.fold, s.columns, source, out);
        const std::vector<float> got = out.read();
        for (size_t i = 0; i < got.size(); i++) CHECK(got[i] == (i < s.live(s.columns) ? in[i] : 77));
    }
}

void copies_rows() {
    for (const Shape& s : shapes()) {
        const std::vector<float> x = with_padding(numbers(s.total(s.columns), 1, -3, 3), s.live(s.columns));
        const Buffer<float> source(x), out(x.size());
        const Buffer<uint16_t> rounded(x.size());
        const auto active = s.active_pointer();
        run("copy_rows_f32", s.geometry, active, s.rows, s.fold, s.columns, source, out);
        run("copy_rows_bf16", s.geometry, active, s.rows, s.fold, s.columns, source, rounded);
        const std::vector<float> got = out.read();
        CHECK(std::memcmp(got.data(), x.data(), s.live(s.columns) * sizeof(float)) == 0);
        CHECK(zeros_from(got, s.live(s.columns)));
        CHECK(is_twin(rounded, got));
    }
}

// ---- dense layers

double host_sigmoid(double a) { return 1 / (1 + std::exp(-a)); }

double host_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double host_activation(int f, double a) {
    switch (f) {
        case 1:
            return std::max(a, 0.0);
        case 2:
            return a > 0 ? a : 0.01 * a;
        case 3:
            return a > 0 ? a : std::expm1(a);
        case 4:
            return a * host_cdf(a);
        case 5:
            return a * host_sigmoid(a);
        case 6:
            return std::tanh(a);
        case 7:
            return host_sigmoid(a);
        case 8:
            return std::max(a, 0.0) + std::log1p(std::exp(-std::fabs(a)));
        default:
            return a;
    }
}

// From the output, or from the input for gelu (4) and silu (5).
double host_derivative(int f, double saved) {
    switch (f) {
        case 1:
            return saved > 0 ? 1 : 0;
        case 2:
            return saved > 0 ? 1 : 0.01;
        case 3:
            return saved > 0 ? 1 : saved + 1;
        case 4:
            return host_cdf(saved) + saved * std::exp(-0.5 * saved * saved) / std::sqrt(2 * 3.14159265358979323846);
        case 5:
            return host_sigmoid(saved) * (1 + saved * (1 - host_sigmoid(saved)));
        case 6:
            return 1 - saved * saved;
        case 7:
            return saved * (1 - saved);
        case 8:
            return -std::expm1(-saved);
        default:
            return 1;
    }
}

void linear_forward(const Shape& s, int f, bool extras) {
    const size_t total = s.total(s.columns), live = s.live(s.columns);
    const std::vector<float> product = with_padding(numbers(total, 1, -6, 6), live);
    const std::vector<float> bias = numbers(static_cast<size_t>(s.columns), 2, -1, 1);
    const Buffer<float> y(product), b(bias);
    const auto pre = extras ? std::make_unique<Buffer<float>>(total) : nullptr;
    const auto twin = extras ? std::make_unique<Buffer<uint16_t>>(total) : nullptr;
    const auto active = s.active_pointer();
    run("linear_forward_f32", s.geometry, active, s.rows, s.fold, s.columns, f, b, y, pre, twin);
    const std::vector<float> got = y.read();
    std::vector<float> want_pre(total, 0.0f);
    for (size_t i = 0; i < live; i++) {
        want_pre[i] = product[i] + bias[i % static_cast<size_t>(s.columns)];
        CHECK(near(got[i], host_activation(f, want_pre[i]), std::fabs(want_pre[i]) + (f >= 7 ? 1 : 0)));
    }
    CHECK(zeros_from(got, live));
    if (extras) {
        CHECK(same_bits(pre->read(), want_pre));
        CHECK(is_twin(*twin, got));
    }
}

void linear_backward_input(const Shape& s, int f, bool extras) {
    const size_t total = s.total(s.columns), live = s.live(s.columns);
    const std::vector<float> gradient = with_padding(numbers(total, 3, -2, 2), live);
    std::vector<float> saved = with_padding(numbers(total, 4, -5, 5), live);
    if (f != 4 && f != 5) {
        for (float& value : saved) value = static_cast<float>(host_activation(f, value));
    }
    const Buffer<float> dx(gradient), in(saved);
    const auto twin = extras ? std::make_unique<Buffer<uint16_t>>(total) : nullptr;
    const auto active = s.active_pointer();
    run("linear_backward_input_f32", s.geometry, active, s.rows, s.fold, s.columns, f, in, dx, twin);
    const std::vector<float> got = dx.read();
    for (size_t i = 0; i < live; i++) {
        const double slope = host_derivative(f, saved[i]);
        CHECK(near(got[i], gradient[i] * slope, std::fabs(gradient[i]) * std::max(1.0, std::fabs(slope))));
    }
    CHECK(zeros_from(got, live));
    if (extras) CHECK(is_twin(*twin, got));
}

void linear_layers() {
    int f = 0;
    for (const Shape& s : shapes()) {
        for (int turn = 0; turn < 2; turn++) {
            linear_forward(s, f, turn == 1);
            linear_backward_input(s, f, turn == 1);
        }
        f = (f + 1) % 9;
    }
}

// Far out, and where a formula changes: no NaN and no infinity that the function does not have; a NaN stays one.
void activations_at_the_edges() {
    const std::vector<float> inputs = {0.0f,  -0.0f,  1e-30f, -1e-30f, 1e-5f, -1e-5f,
                                       88.0f, -88.0f, 120.0f, -120.0f, 3e38f, -3e38f};
    const Shape s = {static_cast<long long>(inputs.size()), -1, 1, 1, {1, 1, 32, 1}};
    const Buffer<float> no_bias(std::vector<float>(1, -0.0f));  // x + -0 is x for every x
    for (int f = 0; f < 9; f++) {
        const Buffer<float> y(inputs);
        run("linear_forward_f32", s.geometry, nullptr, s.rows, 1, s.columns, f, no_bias, y, nullptr, nullptr);
        const std::vector<float> got = y.read();
        for (size_t i = 0; i < inputs.size(); i++) {
            const double want = host_activation(f, inputs[i]);
            CHECK(near(got[i], want, std::fabs(want) + 1e-37 + (f == 4 ? 1e-30 : 0)));
        }
        const Buffer<float> bad(std::vector<float>(static_cast<size_t>(s.rows), NOT_A_NUMBER));
        run("linear_forward_f32", s.geometry, nullptr, s.rows, 1, s.columns, f, no_bias, bad, nullptr, nullptr);
        for (const float value : bad.read()) CHECK(std::isnan(value));
    }
}

void column_sums(const Shape& s) {
    const size_t columns = static_cast<size_t>(s.columns);
    const long long live_rows = s.live_rows() * s.fold;
    const std::vector<float> gradient = with_padding(numbers(s.total(s.columns), 5, -1, 1), s.live(s.columns));
    const std::vector<float> before = numbers(columns, 6, -1, 1);
    const Buffer<float> g(gradient);
    const auto active = s.active_pointer();
    const long long blocks = (s.rows * s.fold + 63) / 64;
    for (const int add : {0, 1}) {
        std::vector<std::vector<float>> results;
        for (const Geometry& whole : {Geometry{1, 1, 32, 8}, {9, 1, 32, 8}, {2, 1, 32, 3}, {1, 1, 32, 32}}) {
            const Buffer<float> db(before);
            run("linear_backward_weights_f32", whole, active, s.rows, s.fold, s.columns, g, nullptr, db, add);
            results.push_back(db.read());
        }
        // One row block would be a grid of height 1.
        for (const unsigned height : {static_cast<unsigned>(blocks), 2u}) {
            if (height < 2) continue;
            const Buffer<float> partial(static_cast<size_t>(blocks) * columns), db(before);
            run("linear_backward_weights_f32", {2, height, 32, 8}, active, s.rows, s.fold, s.columns, g, partial,
                nullptr, add);
            run("linear_backward_weights_finish_f32", {1, 1, 64, 1}, partial, blocks, s.columns, db, add);
            results.push_back(db.read());
        }
        for (const std::vector<float>& result : results) CHECK(same_bits(result, results[0]));
        for (size_t c = 0; c < columns; c++) {
            double want = add != 0 ? before[c] : 0, terms = std::fabs(want);
            for (long long r = 0; r < live_rows; r++) {
                want += gradient[static_cast<size_t>(r) * columns + c];
                terms += std::fabs(gradient[static_cast<size_t>(r) * columns + c]);
            }
            CHECK(near(results[0][c], want, terms, 16.0 + static_cast<double>(blocks)));
        }
    }
}

// The activation's gradient and the bias gradient in one pass have the bits of the separate kernels.
void input_and_bias(const Shape& s, int f) {
    const size_t columns = static_cast<size_t>(s.columns);
    const std::vector<float> product = with_padding(numbers(s.total(s.columns), 15, -1, 1), s.live(s.columns));
    const Buffer<float> saved(with_padding(numbers(s.total(s.columns), 16, 0.1, 0.9), s.live(s.columns)));
    const std::vector<float> before = numbers(columns, 17, -1, 1);
    const auto active = s.active_pointer();
    const unsigned blocks = static_cast<unsigned>((s.rows * s.fold + 63) / 64);
    for (const int add : {0, 1}) {
        const Buffer<float> dx(product), fused(product), db(before), fused_db(before);
        const Buffer<float> partial(static_cast<size_t>(blocks) * columns);
        const Buffer<uint16_t> twin(s.total(s.columns)), fused_twin(s.total(s.columns));
        run("linear_backward_input_f32", {3, 1, 64, 1}, active, s.rows, s.fold, s.columns, f, saved, dx, twin);
        run("linear_backward_weights_f32", {2, 1, 32, 8}, active, s.rows, s.fold, s.columns, dx, nullptr, db, add);
        run("linear_backward_input_bias_f32", {2, blocks, 32, 8}, active, s.rows, s.fold, s.columns, f, saved, fused,
            fused_twin, partial, blocks == 1 ? fused_db.address() : CUdeviceptr{0}, add);
        if (blocks > 1) {
            run("linear_backward_weights_finish_f32", {1, 1, 64, 1}, partial, static_cast<long long>(blocks), s.columns,
                fused_db, add);
        }
        CHECK(same_bits(dx.read(), fused.read()));
        CHECK(twin.read() == fused_twin.read());
        CHECK(same_bits(db.read(), fused_db.read()));
    }
}

void bias_gradients() {
    int f = 1;
    for (const Shape& s : {Shape{1, -1, 1, 33, {}}, {64, 50, 1, 31, {}}, {65, -1, 1, 257, {}}, {100, 87, 3, 40, {}}}) {
        input_and_bias(s, f++);
    }
    for (const long long columns : {1LL, 31LL, 33LL, 257LL}) {
        column_sums({1, -1, 1, columns, {}});
        column_sums({63, 62, 1, columns, {}});
        column_sums({64, -1, 1, columns, {}});
        column_sums({65, 65, 1, columns, {}});
        column_sums({200, 11, 1, columns, {}});  // the last row blocks are padding
        column_sums({100, 87, 3, columns, {}});
        column_sums({70, 0, 1, columns, {}});
    }
}

// ---- the latent

constexpr float LOW = -6.0f, HIGH = 4.0f;

double host_clamped(double log_var) { return std::min(std::max(log_var, double{LOW}), double{HIGH}); }

// Heads of a batch: means in -2..2, log-variances to both sides of the clamp.
std::vector<float> heads_of(const Shape& s, unsigned seed) {
    std::vector<float> heads = numbers(static_cast<size_t>(2 * s.rows * s.columns), seed, -2, 2);
    for (long long row = 0; row < s.rows; row++) {
        for (long long c = s.columns; c < 2 * s.columns; c++) heads[static_cast<size_t>(2 * row * s.columns + c)] *= 4;
    }
    return with_padding(heads, static_cast<size_t>(2 * s.live_rows() * s.columns));
}

void reparameterizes(const Shape& s, int row_key, int slot, int mean, bool extras) {
    const long long d = s.columns;
    State state;
    state.step = 11;
    const Schedule schedule;
    schedule.install(state);
    const Buffer<State> device = on_device(state);
    const std::vector<float> heads = heads_of(s, 7);
    const std::vector<float> gradient = with_padding(numbers(s.total(d), 8, -1, 1), s.live(d));
    const std::vector<long long> keys = noise_rows(s);
    const HostNoise noise = {state, row_key, 1, keys};
    const auto noise_ids = row_key == 1 ? std::make_unique<Buffer<long long>>(keys) : nullptr;
    const Buffer<float> in(heads), dz(gradient), z(s.total(d)), d_heads(heads.size());
    const auto z_twin = extras ? std::make_unique<Buffer<uint16_t>>(s.total(d)) : nullptr;
    const auto d_twin = extras ? std::make_unique<Buffer<uint16_t>>(heads.size()) : nullptr;
    const auto active = s.active_pointer();
    run("reparameterize_forward_f32", s.geometry, active, s.rows, s.fold, d, in, LOW, HIGH, device, noise_ids, row_key,
        1, z, z_twin);
    run("reparameterize_backward_f32", s.geometry, active, s.rows, s.fold, d, in, LOW, HIGH, device, noise_ids, row_key,
        1, dz, 0.75, slot, mean, d_heads, d_twin);
    const std::vector<float> zs = z.read(), got = d_heads.read();
    const double factor = slot < 0 ? 0.75 : schedule.at(state.step, slot);
    const float w = static_cast<float>(factor / (mean != 0 ? static_cast<double>(s.live_rows()) : 1.0));
    for (long long b = 0; b < s.live_rows(); b++) {
        for (long long j = 0; j < d; j++) {
            const size_t mu_at = static_cast<size_t>(2 * b * d + j), log_var_at = mu_at + static_cast<size_t>(d);
            const double mu = heads[mu_at], lv = host_clamped(heads[log_var_at]), sigma = std::exp(lv / 2);
            double d_mu = w * mu, mu_terms = std::fabs(d_mu);
            double d_log_var = w * std::expm1(lv) / 2, log_var_terms = std::fabs(d_log_var);
            for (int sample = 0; sample < s.fold; sample++) {
                const size_t at = static_cast<size_t>((b * s.fold + sample) * d + j);
                const double epsilon = noise.normal(b, sample, j), g = gradient[at];
                CHECK(near(zs[at], mu + sigma * epsilon,
                           std::fabs(mu) + sigma * (2 + std::fabs(epsilon)) * (1 + std::fabs(lv) / 2)));
                d_mu += g;
                mu_terms += std::fabs(g);
                d_log_var += g * epsilon * sigma / 2;
                log_var_terms += std::fabs(g) * (2 + std::fabs(epsilon)) * sigma * (1 + std::fabs(lv) / 2);
            }
            CHECK(near(got[mu_at], d_mu, mu_terms, s.fold));
            // Far enough from zero, its sign decides whether the gradient passes.
            if (std::fabs(d_log_var) > 1e-5 * log_var_terms || (heads[log_var_at] > LOW && heads[log_var_at] < HIGH)) {
                const bool out =
                    (heads[log_var_at] < LOW && d_log_var > 0) || (heads[log_var_at] > HIGH && d_log_var < 0);
                CHECK(near(got[log_var_at], out ? 0 : d_log_var, out ? 0 : log_var_terms, s.fold));
            }
        }
    }
    CHECK(zeros_from(zs, s.live(d)));
    CHECK(zeros_from(got, static_cast<size_t>(2 * s.live_rows() * d)));
    if (extras) CHECK(is_twin(*z_twin, zs) && is_twin(*d_twin, got));
}

void reparameterization() {
    int turn = 0;
    for (const Shape& s : shapes()) {
        if (s.columns > 300) continue;
        for (int half = 0; half < 2; half++, turn++) {
            reparameterizes(s, turn % 4, turn % 3 - 1, turn / 2 % 2, half == 1);
        }
    }
}

std::vector<float> kl_of(const Shape& s, const Geometry& geometry, const std::vector<float>& heads) {
    const Buffer<float> in(heads), kl(static_cast<size_t>(s.rows));
    const auto active = s.active_pointer();
    run("gaussian_kl_forward_f32", geometry, active, s.rows, s.columns, in, LOW, HIGH, kl);
    return kl.read();
}

void kl_divergence() {
    for (const Shape& s : shapes()) {
        const std::vector<float> heads = heads_of(s, 9);
        const std::vector<float> got = kl_of(s, s.geometry, heads);
        // The grid does not matter.
        Geometry wider = s.geometry;
        wider.grid_x += 4;
        CHECK(same_bits(got, kl_of(s, wider, heads)));
        // Nor does the height where a warp takes a row.
        CHECK(same_bits(kl_of(s, {2, 1, 32, 1}, heads), kl_of(s, {1, 1, 32, 5}, heads)));
        for (long long b = 0; b < s.live_rows(); b++) {
            double want = 0, terms = 0;
            for (long long j = 0; j < s.columns; j++) {
                const double mu = heads[static_cast<size_t>(2 * b * s.columns + j)];
                const double lv = host_clamped(heads[static_cast<size_t>((2 * b + 1) * s.columns + j)]);
                want += 0.5 * (mu * mu + (std::expm1(lv) - lv));
                terms += 0.5 * (mu * mu + std::fabs(std::expm1(lv)) + std::fabs(lv));
            }
            CHECK(near(got[static_cast<size_t>(b)], want, terms, 40));
        }
        CHECK(zeros_from(got, static_cast<size_t>(s.live_rows())));
    }
    // Exactly the prior: exactly zero. A NaN does not hide behind the clamp.
    const Shape s = {2, -1, 1, 33, {1, 1, 32, 1}};
    std::vector<float> heads(2 * 66, 0.0f);
    heads[66 + 40] = NOT_A_NUMBER;
    const std::vector<float> got = kl_of(s, s.geometry, heads);
    CHECK(got[0] == 0.0f && std::isnan(got[1]));
}

// ---- the likelihood

void bernoulli_rows(const Shape& s, int slot, int mean, bool in_place) {
    const size_t total = s.total(s.columns), live = s.live(s.columns), rows = static_cast<size_t>(s.rows * s.fold);
    State state;
    state.step = 999;  // past the end of the schedule: its last row
    const Schedule schedule;
    schedule.install(state);
    const Buffer<State> device = on_device(state);
    std::vector<float> l = numbers(total, 10, -20, 20);
    if (total > 8) {
        l[0] = 100.0f;
        l[1] = -100.0f;
        l[2] = 3e38f;
        l[3] = -3e38f;
        l[4] = 0.0f;
        l[5] = 1e-20f;
    }
    l = with_padding(l, live);
    // Row b of the target serves its samples; bits, but for one column of grey levels.
    std::vector<float> x = numbers(static_cast<size_t>(s.rows * s.columns), 11, 0, 1);
    for (size_t i = 0; i < x.size(); i++) x[i] = i % 3 == 0 ? x[i] : std::round(x[i]);
    if (total > 8) x[2] = 1, x[3] = 0;  // else the row sum is infinite
    x = with_padding(x, static_cast<size_t>(s.live_rows() * s.columns));
    const Buffer<float> logits(l), target(x), plain(rows), sums(rows), separate(total);
    const Buffer<uint16_t> twin(total);
    const auto active = s.active_pointer();
    run("bernoulli_forward_f32", s.geometry, active, s.rows, s.fold, s.columns, logits, target, plain);
    run("bernoulli_forward_backward_f32", s.geometry, active, s.rows, s.fold, s.columns, logits, target, device, 0.5,
        slot, mean, sums, in_place ? logits : separate, twin);
    const std::vector<float> log_likelihood = sums.read(), d = (in_place ? logits : separate).read();
    CHECK(same_bits(log_likelihood, plain.read()));
    if (!in_place) CHECK(std::memcmp(logits.read().data(), l.data(), total * sizeof(float)) == 0);
    CHECK(is_twin(twin, d));
    const double factor = slot < 0 ? 0.5 : schedule.at(state.step, slot);
    const double w = static_cast<float>(factor / (mean != 0 ? static_cast<double>(s.live_rows()) : 1.0));
    for (long long r = 0; r < s.live_rows() * s.fold; r++) {
        double want = 0, terms = 0;
        for (long long j = 0; j < s.columns; j++) {
            const size_t at = static_cast<size_t>(r * s.columns + j);
            const double logit = l[at], t = x[static_cast<size_t>(r / s.fold * s.columns + j)];
            const double e = std::exp(-std::fabs(logit));
            want -= std::max(logit, 0.0) - logit * t + std::log1p(e);
            terms += std::max(logit, 0.0) + std::fabs(logit * t) + std::log1p(e);
            const double sigmoid = host_sigmoid(logit);
            CHECK(near(d[at], w * (sigmoid - t), w * (sigmoid + t) + 1e-37));
        }
        CHECK(near(log_likelihood[static_cast<size_t>(r)], want, terms, 40));
    }
    CHECK(zeros_from(d, live));
    CHECK(zeros_from(log_likelihood, static_cast<size_t>(s.live_rows() * s.fold)));
}

void bernoulli() {
    int turn = 0;
    for (const Shape& s : shapes()) {
        bernoulli_rows(s, turn % 3 - 1, turn % 2, false);
        bernoulli_rows(s, turn % 3 - 1, turn % 2, true);
        turn++;
    }
}

// ---- sums and flags

void accumulates() {
    for (const long long rows : {1LL, 31LL, 33LL, 257LL, 1000LL}) {
        for (const int fold : {1, 3}) {
            const long long live = (rows - rows / 3) * fold;
            std::vector<float> values =
                with_padding(numbers(static_cast<size_t>(rows * fold), 12, -200, 1), static_cast<size_t>(live));
            const Buffer<double> sums(std::vector<double>{5.0, 7.0, 9.0});
            State state;
            state.step = 12;
            state.sums = sums.address();
            state.active = rows - rows / 3;
            const Buffer<State> device = on_device(state);
            const Buffer<long long> active(std::vector<long long>{state.active});
            for (const unsigned block : {32u, 256u}) {
                const Buffer<float> per_row(values);
                run("accumulate_f32", {1, 1, block, 1}, active, rows, fold, device, 1, 40LL, per_row);
            }
            double want = 7, terms = 7;
            for (long long r = 0; r < live; r++) {
                want += 2.0 * values[static_cast<size_t>(r)];
                terms += 2.0 * std::fabs(values[static_cast<size_t>(r)]);
            }
            std::vector<double> got = sums.read();
            CHECK(got[0] == 5 && got[2] == 9);
            CHECK(std::fabs(got[1] - want) <= 100 * 0x1p-52 * terms);
            CHECK(after(device).halt_name == -1);

            // The first of several bad rows is named; nothing is added then, nor later.
            for (long long r = live / 2; r < live; r++) {
                values[static_cast<size_t>(r)] = r % 2 == 0 ? INFINITE : NOT_A_NUMBER;
            }
            const Buffer<float> bad(values);
            run("accumulate_f32", {2, 1, 64, 1}, active, rows, fold, device, 1, 41LL, bad);
            const State halted = after(device);
            CHECK(halted.halt_name == 41 && halted.halt_step == 12 && halted.halt_first == live / 2);
            CHECK(halted.halt_count == live - live / 2);
            const Buffer<float> good(std::vector<float>(values.size(), 1.0f));
            run("accumulate_f32", {1, 1, 64, 1}, active, rows, fold, device, 1, 42LL, good);
            run("accumulate_f32", {1, 1, 64, 1}, active, rows, fold, device, 1, 43LL, bad);
            CHECK(sums.read() == got && after(device).halt_name == 41);
        }
    }
    // The largest number is one.
    const Buffer<double> sums(std::vector<double>{0.0});
    State state;
    state.sums = sums.address();
    const Buffer<State> device = on_device(state);
    const Buffer<float> largest(std::vector<float>(2, std::numeric_limits<float>::max()));
    run("accumulate_f32", {1, 1, 32, 1}, nullptr, 2LL, 1, device, 0, 0LL, largest);
    CHECK(sums.read()[0] == 2.0 * double{std::numeric_limits<float>::max()} && after(device).halt_name == -1);
}

void checks_gradients() {
    // Views with gaps between, one of them at an odd offset.
    const std::vector<long long> views = {0, 785, 800, 31, 835, 1, 848, 400};
    const Buffer<long long> table(views);
    const auto checked = [&](std::vector<float> g, State state, const Geometry& geometry) {
        const Buffer<State> device = on_device(state);
        const Buffer<float> gradients(g);
        run("check_gradients_f32", geometry, device, gradients, table, 4, 20LL);
        const State now = after(device);
        CHECK(now.check_first == ~0ull && now.check_ticket == 0);
        return now;
    };
    std::vector<float> clean = numbers(1248, 13, -1, 1);
    for (const size_t gap : {size_t{785}, size_t{799}, size_t{831}, size_t{834}, size_t{836}, size_t{847}}) {
        clean[gap] = NOT_A_NUMBER;
    }
    clean[5] = 1e18f;
    clean[6] = -1e18f;
    State state;
    state.step = 8;
    for (const Geometry& geometry : {Geometry{1, 1, 32, 1}, {5, 1, 64, 1}, {3, 1, 1024, 1}}) {
        CHECK(checked(clean, state, geometry).halt_name == -1);
        std::vector<float> bad = clean;
        bad[1200] = INFINITE;
        State now = checked(bad, state, geometry);
        CHECK(now.halt_name == 23 && now.halt_first == 1200 - 848 && now.halt_count == 1 && now.halt_step == 8);
        bad[835] = NOT_A_NUMBER;
        now = checked(bad, state, geometry);
        CHECK(now.halt_name == 22 && now.halt_first == 0 && now.halt_count == 1);
        bad[830] = -1.01e18f;
        bad[801] = NOT_A_NUMBER;
        bad[803] = 2e18f;
        now = checked(bad, state, geometry);
        CHECK(now.halt_name == 21 && now.halt_first == 1 && now.halt_count == 3);
        bad[784] = -INFINITE;
        now = checked(bad, state, geometry);
        CHECK(now.halt_name == 20 && now.halt_first == 784 && now.halt_count == 1);
        // Who halted first stays named.
        state.halt_name = 3;
        CHECK(checked(bad, state, geometry).halt_name == 3 && checked(bad, state, geometry).halt_first == -1);
        state.halt_name = -1;
    }
}

// ---- updates

void adam_updates() {
    for (const size_t size : {1u, 3u, 4u, 255u, 257u, 1028u}) {
        for (const int slot : {-1, 0}) {
            State state;
            state.step = slot < 0 ? 3 : 5;  // before the schedule: its first row
            const Schedule schedule;
            schedule.install(state);
            const std::vector<float> g = numbers(size, 14, -1, 1);
            std::vector<float> w = numbers(size, 15, -1, 1), m = numbers(size, 16, -1, 1), v = numbers(size, 17, 0, 1);
            v[0] = 0;
            const double lr = slot < 0 ? 1e-3 : schedule.at(5, 0), c1 = slot < 0 ? 0.1 : schedule.at(5, 1);
            const double c2 = slot < 0 ? 1e-3 : schedule.at(5, 2);
            const float b1 = 0.9f, b2 = 0.999f, not_b1 = static_cast<float>(1 - 0.9);
            const float not_b2 = static_cast<float>(1 - 0.999), epsilon = 1e-8f;
            const Buffer<State> device = on_device(state);
            const Buffer<float> dw(w), dg(g), dm(m), dv(v);
            const Buffer<uint16_t> twin(size);
            const auto update = [&](const Buffer<State>& at) {
                run("adam_f32", {3, 1, 64, 1}, at, dw, dg, dm, dv, twin, static_cast<long long>(size), 1e-3, slot, 0.1,
                    slot < 0 ? -1 : 1, 1e-3, slot < 0 ? -1 : 2, b1, not_b1, b2, not_b2, epsilon);
            };
            update(device);
            // The Java reference's operations, so the same bits.
            const float step_size = static_cast<float>(lr / c1), root = static_cast<float>(std::sqrt(c2));
            for (size_t i = 0; i < size; i++) {
                m[i] = b1 * m[i] + not_b1 * g[i];
                v[i] = b2 * v[i] + not_b2 * (g[i] * g[i]);
                w[i] = w[i] - step_size * (m[i] / (std::sqrt(v[i]) / root + epsilon));
            }
            CHECK(same_bits(dm.read(), m) && same_bits(dv.read(), v) && same_bits(dw.read(), w) && is_twin(twin, w));
            state.halt_name = 0;
            update(on_device(state));
            CHECK(same_bits(dm.read(), m) && same_bits(dv.read(), v) && same_bits(dw.read(), w) && is_twin(twin, w));
        }
    }
    // Gaps of the arena stay zero.
    const Buffer<float> w(std::vector<float>(7, 0.0f)), g(std::vector<float>(7, 0.0f)), m(std::vector<float>(7, 0.0f)),
        v(std::vector<float>(7, 0.0f));
    run("adam_f32", {1, 1, 32, 1}, nullptr, w, g, m, v, nullptr, 7LL, 1e-3, -1, 0.1, -1, 1e-3, -1, 0.9f, 0.1f, 0.999f,
        0.001f, 1e-8f);
    CHECK(w.read() == std::vector<float>(7, 0.0f));
}

void sgd_updates() {
    for (const size_t size : {1u, 3u, 4u, 255u, 257u, 1028u}) {
        State state;
        state.step = 12;
        const Schedule schedule;
        schedule.install(state);
        const std::vector<float> g = numbers(size, 18, -1, 1);
        std::vector<float> w = numbers(size, 19, -1, 1);
        const Buffer<float> dw(w), dg(g);
        const Buffer<uint16_t> twin(size);
        run("sgd_f32", {2, 1, 96, 1}, on_device(state), dw, dg, twin, static_cast<long long>(size), 1e9, 1);
        run("sgd_f32", {2, 1, 96, 1}, nullptr, dw, dg, nullptr, static_cast<long long>(size), 0.1, -1);
        for (size_t i = 0; i < size; i++) w[i] = w[i] - 0.75f * g[i];
        CHECK(is_twin(twin, w));
        for (size_t i = 0; i < size; i++) w[i] = w[i] - 0.1f * g[i];
        CHECK(same_bits(dw.read(), w));
        state.halt_name = 1;
        run("sgd_f32", {2, 1, 96, 1}, on_device(state), dw, dg, nullptr, static_cast<long long>(size), 1e9, 1);
        CHECK(same_bits(dw.read(), w));
    }
}

// ---- fused kernels: the bits of the separate ones

void fused_likelihood(const Shape& s, bool in_place) {
    const size_t total = s.total(s.columns), rows = static_cast<size_t>(s.rows * s.fold);
    const std::vector<float> product = with_padding(numbers(total, 20, -9, 9), s.live(s.columns));
    const Buffer<float> x(with_padding(numbers(static_cast<size_t>(s.rows * s.columns), 21, 0, 1),
                                       static_cast<size_t>(s.live_rows() * s.columns)));
    const Buffer<float> bias(numbers(static_cast<size_t>(s.columns), 22, -1, 1));
    const Buffer<float> logits(product), sums(rows), gradient(total), fused_logits(product), fused_sums(rows),
        fused_gradient(total);
    const Buffer<uint16_t> twin(total), fused_twin(total);
    const Buffer<State> device = on_device(State());
    const auto active = s.active_pointer();
    run("linear_forward_f32", s.geometry, active, s.rows, s.fold, s.columns, 0, bias, logits, nullptr, nullptr);
    run("bernoulli_forward_backward_f32", s.geometry, active, s.rows, s.fold, s.columns, logits, x, device, 0.3, -1, 1,
        sums, gradient, twin);
    run("linear_bernoulli_forward_backward_f32", s.geometry, active, s.rows, s.fold, s.columns, bias, fused_logits, x,
        device, 0.3, -1, 1, fused_sums, in_place ? fused_logits : fused_gradient, fused_twin);
    CHECK(same_bits(sums.read(), fused_sums.read()));
    CHECK(same_bits(gradient.read(), (in_place ? fused_logits : fused_gradient).read()));
    CHECK(twin.read() == fused_twin.read());
    // Elsewhere the product is left as it was.
    if (!in_place) CHECK(same_bits(fused_logits.read(), product));
}

void fused_latent(const Shape& s, int row_key, bool with_kl) {
    const long long d = s.columns;
    State state;
    state.step = 5;
    const Buffer<State> device = on_device(state);
    const std::vector<float> product = heads_of(s, 23);
    const Buffer<long long> keys(noise_rows(s));
    const Buffer<float> bias(numbers(static_cast<size_t>(2 * d), 24, -1, 1));
    const size_t heads_size = product.size(), z_size = static_cast<size_t>(s.rows * d),
                 rows = static_cast<size_t>(s.rows);
    const Buffer<float> heads(product), z(z_size), kl(rows), fused_heads(product), fused_z(z_size);
    const auto fused_kl = with_kl ? std::make_unique<Buffer<float>>(rows) : nullptr;
    const Buffer<uint16_t> heads_twin(heads_size), z_twin(z_size), fused_heads_twin(heads_size), fused_z_twin(z_size);
    const auto active = s.active_pointer();
    run("linear_forward_f32", s.geometry, active, s.rows, 1, 2 * d, 0, bias, heads, nullptr, heads_twin);
    run("reparameterize_forward_f32", s.geometry, active, s.rows, 1, d, heads, LOW, HIGH, device, keys, row_key, 1, z,
        z_twin);
    run("gaussian_kl_forward_f32", s.geometry, active, s.rows, d, heads, LOW, HIGH, kl);
    run("latent_forward_f32", s.geometry, active, s.rows, d, bias, fused_heads, fused_heads_twin, LOW, HIGH, device,
        keys, row_key, 1, fused_z, fused_z_twin, fused_kl);
    CHECK(same_bits(heads.read(), fused_heads.read()) && heads_twin.read() == fused_heads_twin.read());
    CHECK(same_bits(z.read(), fused_z.read()) && z_twin.read() == fused_z_twin.read());
    if (with_kl) CHECK(same_bits(kl.read(), fused_kl->read()));
}

void fused_kernels() {
    int turn = 0;
    for (const Shape& s : shapes()) {
        fused_likelihood(s, turn % 2 == 0);
        if (s.fold == 1) fused_latent(s, turn % 4, turn % 3 != 0);
        turn++;
    }
}

}  // namespace

int main() {
    const std::pair<const char*, void (*)()> tests[] = {
        {"philox_known_answers", philox_known_answers},
        {"advances", advances},
        {"selects_rows", selects_rows},
        {"gathers_rows", gathers_rows},
        {"loads_rows", loads_rows},
        {"stores_rows", stores_rows},
        {"copies_rows", copies_rows},
        {"linear_layers", linear_layers},
        {"activations_at_the_edges", activations_at_the_edges},
        {"bias_gradients", bias_gradients},
        {"reparameterization", reparameterization},
        {"kl_divergence", kl_divergence},
        {"bernoulli", bernoulli},
        {"accumulates", accumulates},
        {"checks_gradients", checks_gradients},
        {"adam_updates", adam_updates},
        {"sgd_updates", sgd_updates},
        {"fused_kernels", fused_kernels},
    };
    std::vector<unsigned char> first;
    for (const char* guard : {"end", "start"}) {
        for (const unsigned seed : {1u, 2024u}) {
            CHECK(emu_set_option("guard", guard) == 0);
            set_seed(seed);
            transcript.clear();
            for (const auto& [name, test] : tests) {
                std::printf("%s, guard %s, seed %u\n", name, guard, seed);
                std::fflush(stdout);
                fresh_device();
                kernels = load("elbo4j_kernels");
                test();
            }
            if (first.empty()) first = transcript;
            CHECK(transcript == first);
        }
    }
    return finish();
}
