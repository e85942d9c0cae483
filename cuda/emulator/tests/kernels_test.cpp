// Right kernels give right results in every seed, and fibers cost what they should.
#include <ctime>

#include "check.h"

namespace {

void vector_add() {
    CUmodule module = load("sound");
    const int n = 1000;
    const std::vector<float> a = ramp(n);
    const CUdeviceptr pa = upload(a), pb = upload(a), ps = device_memory(n * 4);
    OK(launch(function(module, "vector_add"), 8, 128, 0, nullptr, pa, pb, ps, n));
    const std::vector<float> sum = download<float>(ps, n);
    for (int i = 0; i < n; i++) CHECK(sum[i] == 2 * a[i]);
}

void vector_loads() {
    CUmodule module = load("sound");
    const std::vector<float> x = ramp(1024);
    const CUdeviceptr px = upload(x), py = upload(x);
    OK(launch(function(module, "axpy_vector"), 2, 128, 0, nullptr, px, py, 2.0f, 256));
    const std::vector<float> y = download<float>(py, 1024);
    for (int i = 0; i < 1024; i++) CHECK(y[i] == 3 * x[i]);
}

void block_sums() {
    CUmodule module = load("sound");
    const std::vector<float> x(1000, 1.0f);
    const CUdeviceptr px = upload(x), ps = device_memory(4 * 4);
    for (unsigned seed = 1; seed <= 50; seed++) {
        set_seed(seed);
        for (const char* name : {"block_sum", "warp_block_sum"}) {
            OK(cuMemsetD8_v2(ps, 0xff, 16));
            OK(launch(function(module, name), 4, 256, 8 * 4, nullptr, px, ps, 1000));
            CHECK(download<float>(ps, 4) == (std::vector<float>{256, 256, 256, 232}));
        }
    }
}

void warp_operations() {
    CUmodule module = load("sound");
    const unsigned threads = 80;  // the last warp is partial
    const CUdeviceptr facts = device_memory(threads * 16);
    CUfunction kernel = function(module, "warp_facts");
    OK(launch(kernel, 1, 64, 0, nullptr, facts));
    const std::vector<unsigned> got = download<unsigned>(facts, 64 * 4);
    for (unsigned t = 0; t < 64; t++) {
        const unsigned lane = t % 32;
        CHECK(got[4 * t] == 0xaaaaaaaau);
        CHECK(got[4 * t + 1] == (lane == 31 ? 31 : lane + 1));
        CHECK(got[4 * t + 2] == (lane + 3) % 32);
        CHECK(got[4 * t + 3] == 496);
    }
    // Reading a lane that a partial warp lacks is undefined on a device.
    OK(launch(kernel, 1, threads, 0, nullptr, facts));
    CHECK_STATUS(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
}

void cooperative() {
    CUmodule module = load("sound");
    CUfunction kernel = function(module, "grid_sum");
    const CUdeviceptr x = upload(std::vector<float>(5000, 1.0f));
    CUdeviceptr partial = device_memory(8 * 4), total = device_memory(4), px = x;
    int n = 5000;
    for (unsigned seed = 1; seed <= 20; seed++) {
        set_seed(seed);
        void* values[] = {&px, &partial, &total, &n};
        OK(cuLaunchCooperativeKernel(kernel, 8, 1, 1, 32, 1, 1, 0, nullptr, values));
        CHECK(download<float>(total, 1)[0] == 5000.0f);
    }
    void* values[] = {&px, &partial, &total, &n};
    CHECK_STATUS(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
                 cuLaunchCooperativeKernel(kernel, 9, 1, 1, 1024, 1, 1, 0, nullptr, values));
    // The barrier in an ordinary launch would hang a device whose blocks do not all fit.
    OK(cuLaunchKernel(kernel, 8, 1, 1, 32, 1, 1, 0, nullptr, values, nullptr));
    CHECK_STATUS(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
}

void three_dimensions() {
    CUmodule module = load("sound");
    unsigned width = 6, height = 8;
    const size_t count = 6 * 8 * 6;
    CUdeviceptr counts = upload(std::vector<unsigned>(count, 0));
    void* values[] = {&counts, &width, &height};
    OK(cuLaunchKernel(function(module, "positions"), 2, 4, 3, 3, 2, 2, 0, nullptr, values, nullptr));
    CHECK(download<unsigned>(counts, count) == std::vector<unsigned>(count, 1));
}

void module_globals() {
    CUmodule module = load("sound");
    CUdeviceptr address = 0;
    size_t bytes = 0;
    OK(cuModuleGetGlobal_v2(&address, &bytes, module, "launches_seen"));
    CHECK(bytes == 16);
    OK(launch(function(module, "count_launch"), 3, 32, 0, nullptr, 2));
    CHECK(download<unsigned>(address, 4) == (std::vector<unsigned>{0, 0, 1, 0}));
    // Loading the image again gives a module with variables of its own.
    OK(cuModuleGetGlobal_v2(&address, &bytes, load("sound"), "launches_seen"));
    CHECK(download<unsigned>(address, 4) == std::vector<unsigned>(4, 0));
    CUfunction none = nullptr;
    CHECK_STATUS(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&none, module, "no_such_kernel"));
}

void arguments_are_copied() {
    CUmodule module = load("sound");
    CUdeviceptr x = upload(std::vector<float>(64, 1.0f));
    float amount = 1.0f;
    int n = 64;
    void* values[] = {&x, &amount, &n};
    OK(cuLaunchKernel(function(module, "add_constant"), 1, 1, 1, 64, 1, 1, 0, nullptr, values, nullptr));
    amount = 99.0f;
    n = 1 << 30;
    CHECK(download<float>(x, 1)[0] == 2.0f);
}

// Processor time of the whole process: what others on the machine do matters less.
double processor_nanoseconds() {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

// Printed, not judged.
void price_of_a_thread() {
    CUmodule module = load("sound");
    emu_set_option("workers", "1");
    const CUdeviceptr x = upload(ramp(1 << 20)), sums = device_memory(4096 * 4);
    for (const char* name : {"nothing", "block_sum", "warp_block_sum"}) {
        CUfunction kernel = function(module, name);
        double best = 1e9;
        for (int repeat = 0; repeat < 5; repeat++) {
            const double begin = processor_nanoseconds();
            OK(std::strcmp(name, "nothing") == 0 ? launch(kernel, 4096, 256, 0, nullptr, x)
                                                 : launch(kernel, 4096, 256, 32, nullptr, x, sums, 1 << 20));
            OK(cuCtxSynchronize());
            best = std::min(best, (processor_nanoseconds() - begin) / (1 << 20));
        }
        std::printf("    %s: %.1f ns for each CUDA thread, one worker\n", name, best);
    }
    emu_set_option("workers", "0");
}

// The letters that descriptors of the JVM side are compared with.
void names_and_types() {
    char text[4096];
    CHECK(emu_kernels(text, sizeof text) == 0);
    CHECK(text[0] == '\0');
    load("sound");
    const long length = emu_kernels(text, sizeof text);
    CHECK(length == static_cast<long>(std::strlen(text)));
    CHECK(std::strstr(text, "add_constant pfi\n") == text);
    CHECK(std::strstr(text, "\necho_arguments piulfd\n") != nullptr);
    char little[8];
    CHECK(emu_kernels(little, sizeof little) == length);
    CHECK(std::strcmp(little, "add_con") == 0);
    CHECK(emu_kernels(nullptr, 0) == length);
}

}  // namespace

int main() {
    RUN(vector_add);
    RUN(vector_loads);
    RUN(block_sums);
    RUN(warp_operations);
    RUN(cooperative);
    RUN(three_dimensions);
    RUN(module_globals);
    RUN(arguments_are_copied);
    RUN(price_of_a_thread);
    RUN(names_and_types);
    return finish();
}
