// Order between streams, capture and graphs: kept where it is asked for, broken in some seed where it is not.
#include <set>
#include <thread>

#include "check.h"

namespace {

constexpr int kCount = 256;
constexpr unsigned kSeeds = 30;

struct Fixture {
    CUmodule module = load("sound");
    CUfunction scale = function(module, "scale_by");
    CUfunction add = function(module, "add_constant");
    CUdeviceptr x = device_memory(kCount * 4);
    CUstream first = new_stream();
    CUstream second = new_stream();
    CUevent fork = new_event();
    CUevent join = new_event();

    void set(float value) {
        unsigned bits;
        std::memcpy(&bits, &value, 4);
        OK(cuMemsetD32_v2(x, bits, kCount));
        OK(cuCtxSynchronize());
    }
    float value() { return download<float>(x, 1)[0]; }
};

void events_order_streams() {
    Fixture f;
    std::set<float> ordered, unordered;
    for (unsigned seed = 1; seed <= kSeeds; seed++) {
        for (const bool with_event : {true, false}) {
            set_seed(seed * 2 + with_event);
            f.set(1.0f);
            OK(launch(f.scale, 2, 128, 0, f.first, f.x, 10.0f, kCount));
            if (with_event) {
                OK(cuEventRecord(f.fork, f.first));
                OK(cuStreamWaitEvent(f.second, f.fork, 0));
            }
            OK(launch(f.add, 2, 128, 0, f.second, f.x, 1.0f, kCount));
            OK(cuCtxSynchronize());
            (with_event ? ordered : unordered).insert(f.value());
        }
    }
    CHECK(ordered == std::set<float>{11.0f});
    CHECK((unordered == std::set<float>{11.0f, 20.0f}));
}

void streams_are_lazy() {
    Fixture f;
    f.set(1.0f);
    OK(launch(f.scale, 2, 128, 0, f.first, f.x, 10.0f, kCount));
    // The legacy stream does not wait for a non-blocking one: the copy sees the old value.
    std::set<float> seen;
    for (unsigned seed = 1; seed <= kSeeds; seed++) {
        set_seed(seed);
        f.set(1.0f);
        OK(launch(f.scale, 2, 128, 0, f.first, f.x, 10.0f, kCount));
        seen.insert(f.value());
        OK(cuCtxSynchronize());
    }
    CHECK((seen == std::set<float>{1.0f, 10.0f}));
    // A blocking stream it waits for.
    CUstream blocking = nullptr;
    OK(cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
    for (unsigned seed = 1; seed <= kSeeds; seed++) {
        set_seed(seed);
        f.set(1.0f);
        OK(launch(f.scale, 2, 128, 0, blocking, f.x, 10.0f, kCount));
        CHECK(f.value() == 10.0f);
    }
}

// Work that other threads submit meanwhile is not waited for: they may never pause.
void synchronizing_waits_for_what_was_submitted_before() {
    Fixture f;
    const CUfunction meet = function(f.module, "meet");
    CUcontext context = nullptr;
    OK(cuCtxGetCurrent(&context));
    void* memory = nullptr;
    OK(cuMemHostAlloc(&memory, 3 * sizeof(unsigned), 0));
    auto* flags = static_cast<unsigned*>(memory);
    std::memset(flags, 0, 3 * sizeof(unsigned));
    unsigned* arrived = &flags[0];
    unsigned* go_first = &flags[1];
    unsigned* go_second = &flags[2];
    emu_set_option("timeout", "5");
    OK(launch(meet, 1, 1, 0, f.first, arrived, go_first));
    std::thread waiting([&] {
        OK(cuCtxSetCurrent(context));
        OK(cuCtxSynchronize());
    });
    // It runs because somebody waits.
    while (__atomic_load_n(arrived, __ATOMIC_ACQUIRE) == 0) std::this_thread::yield();
    OK(launch(meet, 1, 1, 0, f.second, arrived, go_second));
    __atomic_store_n(go_first, 1u, __ATOMIC_RELEASE);
    waiting.join();
    __atomic_store_n(go_second, 1u, __ATOMIC_RELEASE);
    OK(cuCtxSynchronize());
    emu_set_option("timeout", "30");
}

void polling_ends() {
    Fixture f;
    f.set(1.0f);
    CUevent event = nullptr;
    OK(cuEventCreate(&event, CU_EVENT_DEFAULT));
    OK(cuEventRecord(event, f.first));
    OK(launch(f.scale, 2, 128, 0, f.first, f.x, 10.0f, kCount));
    CHECK_STATUS(CUDA_ERROR_NOT_READY, cuStreamQuery(f.first));
    while (cuStreamQuery(f.first) == CUDA_ERROR_NOT_READY) std::this_thread::yield();
    OK(cuStreamQuery(f.first));
    OK(cuEventQuery(event));
    CUevent later = nullptr;
    OK(cuEventCreate(&later, CU_EVENT_DEFAULT));
    OK(cuEventRecord(later, f.first));
    OK(cuEventSynchronize(later));
    float milliseconds = -1.0f;
    OK(cuEventElapsedTime(&milliseconds, event, later));
    CHECK(milliseconds >= 0.0f);
}

// x = (x * 2 on one branch, y = 5 on the other) then x += 1; without the join's event the last step races.
CUgraph capture(Fixture& f, bool with_dependency) {
    CUgraph graph = nullptr;
    OK(cuStreamBeginCapture_v2(f.first, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    OK(cuEventRecord(f.fork, f.first));
    OK(cuStreamWaitEvent(f.second, f.fork, 0));
    OK(launch(f.scale, 2, 128, 0, f.second, f.x, 2.0f, kCount));
    if (with_dependency) {
        OK(cuEventRecord(f.join, f.second));
        OK(cuStreamWaitEvent(f.first, f.join, 0));
    }
    OK(launch(f.add, 2, 128, 0, f.first, f.x, 1.0f, kCount));
    if (!with_dependency) {
        OK(cuEventRecord(f.join, f.second));
        OK(cuStreamWaitEvent(f.first, f.join, 0));
    }
    OK(cuStreamEndCapture(f.first, &graph));
    return graph;
}

void graphs_replay() {
    Fixture f;
    for (const bool with_dependency : {true, false}) {
        f.set(0.0f);
        CUgraph graph = capture(f, with_dependency);
        CHECK(f.value() == 0.0f);  // capturing runs nothing
        size_t nodes = 0;
        OK(cuGraphGetNodes(graph, nullptr, &nodes));
        CHECK(nodes == 2);
        CUgraphExec executable = nullptr;
        OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
        OK(cuGraphUpload(executable, f.first));
        OK(cuGraphDestroy(graph));
        std::set<float> results;
        for (unsigned seed = 1; seed <= kSeeds; seed++) {
            set_seed(seed);
            f.set(3.0f);
            OK(cuGraphLaunch(executable, f.first));
            OK(cuGraphLaunch(executable, f.first));
            OK(cuStreamSynchronize(f.first));
            results.insert(f.value());
        }
        CHECK(results.count(15.0f) == 1);
        CHECK(with_dependency ? results.size() == 1 : results.size() > 1);
        OK(cuGraphExecDestroy(executable));
    }
}

void a_graph_does_not_keep_memory_alive() {
    Fixture f;
    CUgraph graph = capture(f, true);
    CUgraphExec executable = nullptr;
    OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
    OK(cuMemFree_v2(f.x));
    OK(cuGraphLaunch(executable, f.first));
    CHECK_STATUS(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(f.first));
}

int end(CUstream stream) {
    CUgraph graph = nullptr;
    return cuStreamEndCapture(stream, &graph);
}

void begin(CUstream stream, int mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) {
    OK(cuStreamBeginCapture_v2(stream, mode));
}

void capture_errors() {
    Fixture f;
    int status = -1;
    CHECK_STATUS(CUDA_ERROR_ILLEGAL_STATE, end(f.first));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamBeginCapture_v2(nullptr, 1));

    begin(f.first);
    CHECK_STATUS(CUDA_ERROR_ILLEGAL_STATE, cuStreamBeginCapture_v2(f.first, 1));
    OK(cuStreamIsCapturing(f.first, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(f.first));
    OK(cuStreamIsCapturing(f.first, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, launch(f.add, 2, 128, 0, f.first, f.x, 1.0f, kCount));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.first));
    OK(cuStreamSynchronize(f.first));

    begin(f.first);  // a fork that is never joined
    OK(cuEventRecord(f.fork, f.first));
    OK(cuStreamWaitEvent(f.second, f.fork, 0));
    OK(launch(f.add, 2, 128, 0, f.second, f.x, 1.0f, kCount));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, end(f.first));

    begin(f.first);  // an event from outside
    OK(cuEventRecord(f.join, f.second));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(f.first, f.join, 0));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.first));

    begin(f.first);  // two captures
    begin(f.second);
    OK(cuEventRecord(f.fork, f.first));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_MERGE, cuStreamWaitEvent(f.second, f.fork, 0));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.first));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.second));

    begin(f.first);  // an event of a capture has no time
    OK(cuEventRecord(f.fork, f.first));
    CHECK_STATUS(CUDA_ERROR_CAPTURED_EVENT, cuEventSynchronize(f.fork));
    OK(end(f.first));

    CUstream blocking = nullptr;
    OK(cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
    begin(blocking);
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, launch(f.add, 2, 128, 0, nullptr, f.x, 1.0f, kCount));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(blocking));

    begin(f.first);  // a synchronous copy beside a non-blocking capture runs at once
    f.value();
    OK(end(f.first));
}

void capture_modes_and_threads() {
    Fixture f;
    CUcontext context = nullptr;
    OK(cuCtxGetCurrent(&context));
    auto elsewhere = [&](auto body) {
        std::thread([&] {
            OK(cuCtxSetCurrent(context));
            body();
        }).join();
    };
    begin(f.first, CU_STREAM_CAPTURE_MODE_GLOBAL);
    elsewhere([] {
        CUdeviceptr p = 0;
        CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc_v2(&p, 16));
    });
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.first));

    begin(f.first);
    elsewhere([&] {
        device_memory(16);
        CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, end(f.first));
    });
    OK(end(f.first));

    begin(f.first);
    CUdeviceptr p = 0;
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc_v2(&p, 16));
    CHECK_STATUS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, end(f.first));

    begin(f.first);
    int mode = CU_STREAM_CAPTURE_MODE_RELAXED;
    OK(cuThreadExchangeStreamCaptureMode(&mode));
    device_memory(16);
    OK(cuThreadExchangeStreamCaptureMode(&mode));
    OK(end(f.first));
}

}  // namespace

int main() {
    RUN(events_order_streams);
    RUN(streams_are_lazy);
    RUN(synchronizing_waits_for_what_was_submitted_before);
    RUN(polling_ends);
    RUN(graphs_replay);
    RUN(a_graph_does_not_keep_memory_alive);
    RUN(capture_errors);
    RUN(capture_modes_and_threads);
    return finish();
}
