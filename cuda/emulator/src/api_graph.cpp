// Stream capture and graphs.
#include "api.h"
#include "streams.h"

using namespace emu;

namespace {

std::shared_ptr<Graph> graph_of(Context& context, CUgraph handle) {
    auto found = context.graphs.find(reinterpret_cast<Graph*>(handle));
    return found == context.graphs.end() ? nullptr : found->second;
}

GraphExec* executable_of(Context& context, CUgraphExec handle) {
    auto* executable = reinterpret_cast<GraphExec*>(handle);
    return context.executables.count(executable) != 0 ? executable : nullptr;
}

}  // namespace

EMU_API CUresult cuStreamBeginCapture_v2(CUstream handle, int mode) {
    return call("cuStreamBeginCapture_v2", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : begin_capture(context, *stream, mode);
    });
}

EMU_API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
    return call("cuStreamEndCapture", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        *graph = nullptr;
        Stream* stream = context.stream(handle);
        if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        std::shared_ptr<Graph> captured;
        const int status = end_capture(context, *stream, &captured);
        if (status != 0) return status;
        context.graphs[captured.get()] = captured;
        *graph = reinterpret_cast<CUgraph>(captured.get());
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuStreamIsCapturing(CUstream handle, int* status) {
    return call("cuStreamIsCapturing", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        *status = CU_STREAM_CAPTURE_STATUS_NONE;
        if (stream->capture != nullptr) {
            const bool invalidated = stream->capture->invalidated;
            *status = invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
        }
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuThreadExchangeStreamCaptureMode(int* mode) {
    return call_without_context("cuThreadExchangeStreamCaptureMode", [&]() -> CUresult {
        if (*mode < 0 || *mode > 2) return CUDA_ERROR_INVALID_VALUE;
        *mode = exchange_thread_mode(*mode);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long) {
    return call("cuGraphInstantiateWithFlags", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        const std::shared_ptr<Graph> graph = graph_of(context, handle);
        if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
        auto* made = new GraphExec;
        made->graph = std::make_shared<Graph>(*graph);
        context.executables.insert(made);
        *executable = reinterpret_cast<CUgraphExec>(made);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuGraphUpload(CUgraphExec executable, CUstream stream) {
    return call("cuGraphUpload", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        const bool known = executable_of(context, executable) != nullptr && context.stream(stream) != nullptr;
        return known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
    });
}

EMU_API CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
    return call("cuGraphLaunch", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        GraphExec* executable = executable_of(context, handle);
        Stream* stream = context.stream(stream_handle);
        if (executable == nullptr || stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        return launch_graph(context, *executable, *stream);
    });
}

EMU_API CUresult cuGraphExecDestroy(CUgraphExec handle) {
    return call("cuGraphExecDestroy", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        GraphExec* executable = executable_of(context, handle);
        if (executable == nullptr) return CUDA_ERROR_INVALID_VALUE;
        context.executables.erase(executable);
        delete executable;  // launches under way hold their work themselves
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuGraphDestroy(CUgraph handle) {
    return call("cuGraphDestroy", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        return context.graphs.erase(reinterpret_cast<Graph*>(handle)) != 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    });
}

EMU_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
    return call("cuGraphGetNodes", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        const std::shared_ptr<Graph> graph = graph_of(context, handle);
        if (graph == nullptr || count == nullptr) return CUDA_ERROR_INVALID_VALUE;
        const size_t room = nodes == nullptr ? 0 : *count;
        for (size_t i = 0; i < room; i++) {
            nodes[i] = i < graph->nodes.size() ? reinterpret_cast<CUgraphNode>(&graph->nodes[i]) : nullptr;
        }
        *count = graph->nodes.size();
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuGraphNodeGetType(CUgraphNode handle, int* type) {
    return call("cuGraphNodeGetType", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        const auto* wanted = reinterpret_cast<Graph::Node*>(handle);
        for (const auto& [key, graph] : context.graphs) {
            for (const Graph::Node& node : graph->nodes) {
                if (&node != wanted) continue;
                *type = node.work->type;
                return CUDA_SUCCESS;
            }
        }
        return CUDA_ERROR_INVALID_VALUE;
    });
}
