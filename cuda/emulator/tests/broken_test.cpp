// Every kind of deliberately broken kernel is caught.
#include <cmath>
#include <set>

#include "check.h"

namespace {

// The launch must fail with this status, everything after it too, and a reset must cure it.
void expect_fault(int expected, const char* kernel, int status) {
    const int synchronized = status != 0 ? status : cuCtxSynchronize();
    if (synchronized != expected) {
        std::printf("%s gives %d, not %d\n", kernel, synchronized, expected);
        failures()++;
    }
    CUdeviceptr p = 0;
    CHECK_STATUS(expected, cuMemAlloc_v2(&p, 4));
    EmuFault fault;
    CHECK(emu_last_fault(&fault) == expected);
    CHECK(std::string(fault.kernel) == kernel);
    fresh_device();
}

void addresses() {
    for (const char* guard : {"end", "tight"}) {
        emu_set_option("guard", guard);
        expect_fault(700, "out_of_bounds",
                     launch(function(load("broken"), "out_of_bounds"), 3, 64, 0, nullptr, device_memory(64 * 4), 64));
    }
    // One element too far in a size that 16-byte alignment pads: trapped at once in tight mode, at the free otherwise.
    emu_set_option("guard", "tight");
    expect_fault(700, "out_of_bounds",
                 launch(function(load("broken"), "out_of_bounds"), 1, 96, 0, nullptr, device_memory(65 * 4), 65));
    emu_set_option("guard", "end");
    const CUdeviceptr padded = device_memory(65 * 4);
    OK(launch(function(load("broken"), "out_of_bounds"), 1, 96, 0, nullptr, padded, 65));
    OK(cuCtxSynchronize());
    CHECK_STATUS(700, cuMemFree_v2(padded));
    CHECK_STATUS(700, cuCtxSynchronize());
    fresh_device();
    emu_set_option("guard", "start");
    expect_fault(700, "underrun", launch(function(load("broken"), "underrun"), 1, 32, 0, nullptr, device_memory(128)));
    emu_set_option("guard", "end");

    const CUdeviceptr wild = upload(std::vector<unsigned long long>(4, 0x123456789000ULL));
    expect_fault(700, "wild_pointer", launch(function(load("broken"), "wild_pointer"), 1, 32, 0, nullptr, wild));
    expect_fault(700, "null_pointer",
                 launch(function(load("broken"), "null_pointer"), 1, 32, 0, nullptr, CUdeviceptr{0}));
    CUmodule module = load("broken");
    CHECK_STATUS(CUDA_ERROR_INVALID_VALUE,
                 launch(function(module, "null_pointer"), 1, 32, 0, nullptr, CUdeviceptr{0x123456789000ULL}));
}

void alignment() {
    const char* kernels[] = {"misaligned_vector", "misaligned_scalar"};
    for (const char* name : kernels) {
        expect_fault(716, name, launch(function(load("broken"), name), 1, 32, 0, nullptr, device_memory(4096)));
    }
}

void other_faults() {
    const CUdeviceptr y = upload(std::vector<int>(64, 1));
    expect_fault(719, "divide_by_zero", launch(function(load("broken"), "divide_by_zero"), 1, 64, 0, nullptr, y, 7));
    expect_fault(700, "stack_overflow",
                 launch(function(load("broken"), "stack_overflow"), 1, 32, 0, nullptr, device_memory(64), 5));
    expect_fault(719, "trap_itself",
                 launch(function(load("broken"), "trap_itself"), 1, 32, 0, nullptr, upload(std::vector<float>(4, 0))));
    expect_fault(700, "shared_overrun",
                 launch(function(load("broken"), "shared_overrun"), 1, 64, 256, nullptr, device_memory(256), 1));
    emu_set_option("timeout", "1");
    expect_fault(
        702, "endless_spin",
        launch(function(load("broken"), "endless_spin"), 1, 32, 0, nullptr, upload(std::vector<unsigned>(1, 0))));
    emu_set_option("timeout", "30");
}

void divergence() {
    const CUdeviceptr y = device_memory(256);
    expect_fault(719, "divergent_shuffle", launch(function(load("broken"), "divergent_shuffle"), 1, 32, 0, nullptr, y));
    expect_fault(719, "mixed_warp_operations",
                 launch(function(load("broken"), "mixed_warp_operations"), 1, 32, 0, nullptr, device_memory(256)));
    expect_fault(719, "divergent_barrier",
                 launch(function(load("broken"), "divergent_barrier"), 1, 64, 0, nullptr, device_memory(256), 40));
}

// How many of 20 seeds give a wrong or NaN result.
template <class Wrong>
int wrong_seeds(Wrong wrong) {
    int count = 0;
    for (unsigned seed = 1; seed <= 20; seed++) {
        set_seed(seed);
        count += wrong() ? 1 : 0;
    }
    return count;
}

void missing_barriers() {
    CUmodule module = load("broken");
    const std::vector<float> x = ramp(128);
    const CUdeviceptr px = upload(x), py = device_memory(512);
    CHECK(wrong_seeds([&] {
              OK(launch(function(module, "missing_barrier"), 1, 128, 0, nullptr, px, py));
              return download<float>(py, 127) != std::vector<float>(x.begin() + 1, x.end());
          }) == 20);
    CHECK(wrong_seeds([&] {
              OK(launch(function(module, "missing_second_barrier"), 1, 64, 0, nullptr, px, py));
              const std::vector<float> y = download<float>(py, 128);
              bool wrong = false;
              for (int i = 0; i < 64; i++) wrong |= y[i] != x[63 - i] || y[64 + i] != x[127 - i];
              return wrong;
          }) == 20);
    CHECK(wrong_seeds([&] {
              OK(launch(function(module, "missing_syncwarp"), 1, 32, 0, nullptr, px, py));
              const std::vector<float> y = download<float>(py, 32);
              bool wrong = false;
              for (int i = 0; i < 32; i++) wrong |= y[i] != x[31 - i];
              return wrong;
          }) == 20);
}

void unwritten_element() {
    const CUdeviceptr x = upload(ramp(100)), y = device_memory(400);
    OK(launch(function(load("broken"), "unwritten_element"), 1, 128, 0, nullptr, x, y, 100));
    const std::vector<float> got = download<float>(y, 100);
    CHECK(std::isnan(got[99]));
    CHECK(!std::isnan(got[98]));
}

void float_atomics_differ_between_seeds() {
    std::vector<float> x(64 * 32);
    for (size_t i = 0; i < x.size(); i++) x[i] = std::pow(-1.1f, static_cast<float>(i % 97));
    const CUdeviceptr px = upload(x), sum = device_memory(4);
    CUfunction kernel = function(load("broken"), "float_atomics");
    std::set<float> sums;
    for (unsigned seed = 1; seed <= 8; seed++) {
        set_seed(seed);
        OK(cuMemsetD32_v2(sum, 0, 1));
        OK(launch(kernel, 64, 32, 0, nullptr, px, sum, 64 * 32));
        sums.insert(download<float>(sum, 1)[0]);
    }
    CHECK(sums.size() > 1);
}

}  // namespace

int main() {
    RUN(addresses);
    RUN(alignment);
    RUN(other_faults);
    RUN(divergence);
    RUN(missing_barriers);
    RUN(unwritten_element);
    RUN(float_atomics_differ_between_seeds);
    return finish();
}
