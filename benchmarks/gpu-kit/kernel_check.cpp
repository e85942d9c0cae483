// Launches every kernel once, in an awkward size, for compute-sanitizer: a small program has nothing else to report.
// Fails if a kernel is missing here, has other parameters than it is called with, or leaves an output unwritten;
// whether the numbers are right is what the contract tests judge. usage: kernel_check <folder with elbo4j.fatbin and
// kernels.txt>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "driver.h"

namespace {

using driver::Address;

// As step_state.cuh lays it out.
struct StepState {
    long long seed = 1, step = 3, epoch = 0, position = 0, rows = 0, active = 0, order_rows = 0;
    long long halt_name = -1, halt_step = 0, halt_first = 0, halt_count = 0;
    long long table_first = 0, table_steps = 0, slots = 0;
    Address table = 0, sums = 0;
    unsigned long long check_first = ~0ull;
    unsigned check_ticket = 0, reserved = 0;
};
static_assert(sizeof(StepState) == 144, "the kernels' layout");

// The codes of kernels.txt.
constexpr char code(Address) { return 'p'; }
constexpr char code(long long) { return 'l'; }
constexpr char code(int) { return 'i'; }
constexpr char code(unsigned) { return 'u'; }
constexpr char code(float) { return 'f'; }
constexpr char code(double) { return 'd'; }

[[noreturn]] void fail(const std::string& what) {
    std::cerr << "kernel_check: " << what << "\n";
    std::exit(1);
}

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Grid {
    unsigned x, y, block_x, block_y;
};
constexpr Grid kMany{7, 1, 256, 1};
constexpr Grid kOne{1, 1, 256, 1};

class Kernels {
   public:
    Kernels(const std::string& folder, driver::Handle stream)
        : stream_(stream), image_(read(folder + "/elbo4j.fatbin")) {
        std::istringstream lines(read(folder + "/kernels.txt"));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string name, codes;
            if (words >> name >> codes && name != "#") codes_[name] = codes;
        }
        driver::call("cuModuleLoadData", &module_, static_cast<const void*>(image_.data()));
    }

    template <typename... Arguments>
    void launch(const char* name, Grid grid, Arguments... arguments) {
        std::string codes{code(arguments)...};
        if (codes_.count(name) == 0) fail(std::string(name) + " is not in kernels.txt");
        if (codes_[name] != codes) fail(std::string(name) + " takes " + codes_[name] + ", is called with " + codes);
        driver::Handle function = nullptr;
        driver::call("cuModuleGetFunction", &function, module_, name);
        void* parameters[] = {&arguments...};
        driver::call("cuLaunchKernel", function, grid.x, grid.y, 1u, grid.block_x, grid.block_y, 1u, 0u, stream_,
                     static_cast<void**>(parameters), static_cast<void**>(nullptr));
        driver::synchronize(stream_);
        launched_.insert(name);
        std::cout << name << std::endl;
    }

    // Every kernel of the module must have been launched.
    void finish() const {
        std::string missing;
        for (const auto& [name, codes] : codes_) {
            if (launched_.count(name) == 0) missing += " " + name;
        }
        if (!missing.empty()) fail("never launched:" + missing);
        std::cout << launched_.size() << " kernels" << std::endl;
    }

   private:
    driver::Handle stream_;
    std::string image_;
    driver::Handle module_ = nullptr;
    std::map<std::string, std::string> codes_;
    std::set<std::string> launched_;
};

template <typename T>
Address upload(const std::vector<T>& values) {
    Address address = driver::allocate(values.size() * sizeof(T));
    driver::call("cuMemcpyHtoD_v2", address, static_cast<const void*>(values.data()), values.size() * sizeof(T));
    return address;
}

// Numbers in (0, 1).
Address floats(long long count) {
    std::vector<float> values(count);
    for (long long i = 0; i < count; ++i) values[i] = static_cast<float>((i * 7919 % 1000 + 1) / 1001.0);
    return upload(values);
}

// Outputs begin as NaN and must not stay so.
class Outputs {
   public:
    Address floats(long long count) { return add(count, 4); }
    Address bfloats(long long count) { return add(count, 2); }

    void check(const char* after) {
        for (const auto& [address, count, bytes] : all_) {
            std::vector<unsigned char> host(count * bytes);
            driver::call("cuMemcpyDtoH_v2", static_cast<void*>(host.data()), address, host.size());
            for (long long i = 0; i < count; ++i) {
                // A bf16 is the upper half of a float.
                std::uint32_t bits = 0;
                std::memcpy(reinterpret_cast<unsigned char*>(&bits) + 4 - bytes, &host[i * bytes], bytes);
                float value;
                std::memcpy(&value, &bits, 4);
                if (std::isnan(value)) fail(std::string(after) + " left element " + std::to_string(i) + " unwritten");
            }
            driver::call("cuMemFree_v2", address);
        }
        all_.clear();
    }

   private:
    struct Output {
        Address address;
        long long count;
        int bytes;
    };

    Address add(long long count, int bytes) {
        std::vector<unsigned char> poison(count * bytes, 0xff);
        Address address = upload(poison);
        all_.push_back({address, count, bytes});
        return address;
    }

    std::vector<Output> all_;
};

constexpr long long kRows = 131, kColumns = 785, kLatent = 21;
constexpr Address kNull = 0;
// Ordinals of the Java side: ReLU, noise by batch position, purposes epsilon and binarize, pixels UNIT and BERNOULLI.
constexpr int kRelu = 1, kByPosition = 0, kOff = 3, kEpsilon = 1, kBinarize = 3, kUnit = 1, kBernoulli = 2;
constexpr float kLow = -30, kHigh = 20;

void data(Kernels& k, Address state) {
    Outputs out;
    Address ids = driver::allocate(kRows * 8), pixels = upload(std::vector<unsigned char>(kRows * kColumns, 99));
    k.launch("select_rows", kMany, state, kRows, 0ll, kRows, 1, ids);
    for (int kind : {kUnit, kBernoulli}) {
        int key = kind == kBernoulli ? kByPosition : kOff;
        k.launch("gather_u8_f32", kMany, kNull, kRows, ids, pixels, kRows, kColumns, kind, state, kNull, key, kBinarize,
                 out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
        out.check("gather_u8_f32");
        k.launch("gather_f32_f32", kMany, kNull, kRows, ids, floats(kRows * kColumns), kRows, kColumns, kind, state,
                 kNull, key, kBinarize, out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
        out.check("gather_f32_f32");
    }
    k.launch("load_u8_f32", kMany, kNull, kRows, kColumns, pixels, kUnit, out.floats(kRows * kColumns),
             out.bfloats(kRows * kColumns));
    out.check("load_u8_f32");
    k.launch("load_f32_f32", kMany, kNull, kRows, kColumns, floats(kRows * kColumns), kUnit,
             out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
    out.check("load_f32_f32");
    k.launch("store_f32", kMany, kNull, kRows, 1, kColumns, floats(kRows * kColumns), out.floats(kRows * kColumns));
    out.check("store_f32");
}

void linear(Kernels& k) {
    Outputs out;
    k.launch("linear_forward_f32", kMany, kNull, kRows, 1, kColumns, kRelu, floats(kColumns), floats(kRows * kColumns),
             out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
    out.check("linear_forward_f32");
    k.launch("linear_backward_input_f32", kMany, kNull, kRows, 1, kColumns, kRelu, floats(kRows * kColumns),
             floats(kRows * kColumns), out.bfloats(kRows * kColumns));
    out.check("linear_backward_input_f32");
    unsigned tiles = (kColumns + 31) / 32, blocks = (kRows + 63) / 64;
    Address g = floats(kRows * kColumns);
    k.launch("linear_backward_weights_f32", Grid{tiles, 1, 32, 8}, kNull, kRows, 1, kColumns, g, kNull,
             out.floats(kColumns), 0);
    out.check("linear_backward_weights_f32");
    Address partial = out.floats(blocks * kColumns);
    k.launch("linear_backward_weights_f32", Grid{tiles, blocks, 32, 8}, kNull, kRows, 1, kColumns, g, partial, kNull,
             0);
    k.launch("linear_backward_weights_finish_f32", kMany, partial, static_cast<long long>(blocks), kColumns,
             out.floats(kColumns), 0);
    out.check("linear_backward_weights_finish_f32");
    Address sums = out.floats(blocks * kColumns);
    k.launch("linear_backward_input_bias_f32", Grid{tiles, blocks, 32, 8}, kNull, kRows, 1, kColumns, kRelu,
             floats(kRows * kColumns), floats(kRows * kColumns), out.bfloats(kRows * kColumns), sums, kNull, 0);
    out.check("linear_backward_input_bias_f32");
    k.launch("copy_rows_f32", kMany, kNull, kRows, 1, kColumns, g, out.floats(kRows * kColumns));
    k.launch("copy_rows_bf16", kMany, kNull, kRows, 1, kColumns, g, out.bfloats(kRows * kColumns));
    out.check("copy_rows");
}

void latent(Kernels& k, Address state) {
    Outputs out;
    Address heads = floats(kRows * 2 * kLatent);
    k.launch("reparameterize_forward_f32", kMany, kNull, kRows, 1, kLatent, heads, kLow, kHigh, state, kNull,
             kByPosition, kEpsilon, out.floats(kRows * kLatent), out.bfloats(kRows * kLatent));
    k.launch("reparameterize_backward_f32", kMany, kNull, kRows, 1, kLatent, heads, kLow, kHigh, state, kNull,
             kByPosition, kEpsilon, floats(kRows * kLatent), 1.0, -1, 1, out.floats(kRows * 2 * kLatent),
             out.bfloats(kRows * 2 * kLatent));
    k.launch("gaussian_kl_forward_f32", kMany, kNull, kRows, kLatent, heads, kLow, kHigh, out.floats(kRows));
    k.launch("latent_forward_f32", kMany, kNull, kRows, kLatent, floats(2 * kLatent), heads,
             out.bfloats(kRows * 2 * kLatent), kLow, kHigh, state, kNull, kByPosition, kEpsilon,
             out.floats(kRows * kLatent), out.bfloats(kRows * kLatent), out.floats(kRows));
    out.check("latent kernels");
}

void loss(Kernels& k, Address state) {
    Outputs out;
    Address logits = floats(kRows * kColumns), target = floats(kRows * kColumns);
    k.launch("bernoulli_forward_f32", kMany, kNull, kRows, 1, kColumns, logits, target, out.floats(kRows));
    k.launch("bernoulli_forward_backward_f32", kMany, kNull, kRows, 1, kColumns, logits, target, state, 1.0, -1, 1,
             out.floats(kRows), out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
    k.launch("linear_bernoulli_forward_backward_f32", kMany, kNull, kRows, 1, kColumns, floats(kColumns), logits,
             target, state, 1.0, -1, 1, out.floats(kRows), out.floats(kRows * kColumns), out.bfloats(kRows * kColumns));
    k.launch("accumulate_f32", kOne, kNull, kRows, 1, state, 0, 0ll, floats(kRows));
    out.check("loss kernels");
}

void optimizer(Kernels& k, Address state) {
    Outputs out;
    long long size = kRows * kColumns;
    Address w = floats(size), g = floats(size);
    Address views = upload(std::vector<long long>{0, 1000, 1008, size - 1008});
    k.launch("check_gradients_f32", kMany, state, g, views, 2, 0ll);
    k.launch("adam_f32", kMany, state, w, g, floats(size), floats(size), out.bfloats(size), size, 1e-3, -1, 0.5, -1,
             0.5, -1, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f);
    k.launch("sgd_f32", kMany, state, w, g, out.bfloats(size), size, 1e-3, -1);
    out.check("optimizer kernels");
    k.launch("advance", kOne, state);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) fail("usage: kernel_check <folder with elbo4j.fatbin and kernels.txt>");
    Kernels kernels(arguments[1], driver::open());
    StepState state;
    state.sums = upload(std::vector<double>{0, 0});
    Address resident = upload(std::vector<StepState>{state});
    data(kernels, resident);
    linear(kernels);
    latent(kernels, resident);
    loss(kernels, resident);
    optimizer(kernels, resident);
    kernels.finish();
    return 0;
}
