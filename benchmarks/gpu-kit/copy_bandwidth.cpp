// What a copy on the device reaches: one JSON line for each size, bytes counted as read plus written.
// usage: copy_bandwidth [quick]
#include <algorithm>
#include <string>
#include <vector>

#include "driver.h"

namespace {

// So many copies in one graph that its launch does not count.
int copies_per_launch(std::size_t bytes) {
    return static_cast<int>(std::clamp<std::size_t>((1u << 28) / bytes, 1, 32));
}

driver::Handle capture(driver::Handle stream, driver::Address to, driver::Address from, std::size_t bytes, int copies) {
    driver::Handle graph = nullptr, instance = nullptr;
    driver::call("cuStreamBeginCapture_v2", stream, 1);
    for (int i = 0; i < copies; ++i) driver::call("cuMemcpyDtoDAsync_v2", to, from, bytes, stream);
    driver::call("cuStreamEndCapture", stream, &graph);
    driver::call("cuGraphInstantiateWithFlags", &instance, graph, 0ull);
    driver::call("cuGraphDestroy", graph);
    return instance;
}

double median(std::vector<double> samples) {
    std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
    return samples[samples.size() / 2];
}

void measure(driver::Handle stream, std::size_t bytes, int repetitions) {
    driver::Address from = driver::allocate(bytes), to = driver::allocate(bytes);
    // Neither zeros nor one value: both can be faster than data.
    std::vector<unsigned> data(bytes / sizeof(unsigned));
    unsigned number = 1;
    for (unsigned& word : data) word = number = number * 1664525u + 1013904223u;
    driver::call("cuMemcpyHtoD_v2", from, static_cast<const void*>(data.data()), data.size() * sizeof(unsigned));

    int copies = copies_per_launch(bytes);
    driver::Handle graph = capture(stream, to, from, bytes, copies), start = nullptr, end = nullptr;
    driver::call("cuEventCreate", &start, 0u);
    driver::call("cuEventCreate", &end, 0u);
    std::vector<double> samples;
    for (int i = -2; i < repetitions; ++i) {
        float milliseconds = 0;
        driver::call("cuEventRecord", start, stream);
        driver::call("cuGraphLaunch", graph, stream);
        driver::call("cuEventRecord", end, stream);
        driver::call("cuEventSynchronize", end);
        driver::call("cuEventElapsedTime", &milliseconds, start, end);
        if (i >= 0) samples.push_back(milliseconds * 1e3 / copies);
    }
    double micros = median(samples), moved = 2.0 * static_cast<double>(bytes);
    if (micros > 0) {
        std::printf("{\"bytes\":%.0f,\"copy_us\":%.4f,\"gb_per_s\":%.2f,\"repetitions\":%d}\n", moved, micros,
                    moved / micros / 1e3, repetitions);
        std::fflush(stdout);
    }
    driver::call("cuGraphExecDestroy", graph);
    driver::call("cuEventDestroy_v2", start);
    driver::call("cuEventDestroy_v2", end);
    driver::call("cuMemFree_v2", from);
    driver::call("cuMemFree_v2", to);
}

}  // namespace

int main(int count, char** arguments) {
    bool quick = count > 1 && std::string(arguments[1]) == "quick";
    driver::Handle stream = driver::open();
    // 4 MB to 4 GB moved, as the kernels at 10^6 to 10^8 elements move.
    std::size_t first = quick ? 16u << 10 : 2u << 20, last = quick ? 256u << 10 : 2ull << 30;
    for (std::size_t bytes = first; bytes <= last; bytes *= 2) measure(stream, bytes, quick ? 3 : 21);
    return 0;
}
