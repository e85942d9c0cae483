#include "streams.h"

#include <algorithm>

#include "control.h"

namespace emu {
namespace {

thread_local int thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

WorkPtr mark() {
    static const WorkPtr& instance = *[] {
        auto work = std::make_shared<Work>();
        work->type = CU_GRAPH_NODE_TYPE_EMPTY;
        work->name = "mark";
        return new WorkPtr(work);
    }();
    return instance;
}

void invalidate(Capture& capture) { capture.invalidated = true; }

// Whether a capture forbids unsafe calls to this thread.
bool forbids(const Capture& capture) {
    if (capture.mode == CU_STREAM_CAPTURE_MODE_RELAXED || thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED) return false;
    if (capture.thread == std::this_thread::get_id()) return true;
    return capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL && thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
}

bool is_ancestor(const Graph& graph, int earlier, const std::vector<int>& later) {
    std::vector<int> stack = later;
    std::vector<char> seen(graph.nodes.size());
    while (!stack.empty()) {
        const int node = stack.back();
        stack.pop_back();
        if (node == earlier) return true;
        if (seen[node]) continue;
        seen[node] = 1;
        for (int dependency : graph.nodes[node].dependencies) stack.push_back(dependency);
    }
    return false;
}

int append(Stream& stream, WorkPtr work) {
    Capture& capture = *stream.capture;
    if (capture.invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    Graph& graph = *capture.graph;
    if (work->exclusive != 0) {
        for (size_t i = 0; i < graph.nodes.size(); i++) {
            if (graph.nodes[i].work->exclusive != work->exclusive) continue;
            if (is_ancestor(graph, static_cast<int>(i), stream.capture_tail)) continue;
            report_violation(work->name + " and " + graph.nodes[i].work->name +
                             " share a workspace and are not ordered in the captured graph");
            break;
        }
    }
    graph.nodes.push_back({std::move(work), stream.capture_tail});
    stream.capture_tail = {static_cast<int>(graph.nodes.size()) - 1};
    return CUDA_SUCCESS;
}

// The legacy stream waits for every blocking stream, which a capturing one cannot answer.
int refuse_legacy(Context& context) {
    bool refused = false;
    for (Stream* stream : context.streams) {
        if (stream->capture == nullptr || !stream->blocking()) continue;
        invalidate(*stream->capture);
        refused = true;
    }
    return refused ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
}

}  // namespace

std::vector<OpPtr> order_of(Context& context, Stream& stream) {
    std::vector<OpPtr> order = {stream.tail};
    if (stream.blocking()) order.push_back(context.legacy.tail);
    if (stream.legacy) {
        for (Stream* other : context.streams) {
            if (other->blocking()) order.push_back(other->tail);
        }
        auto& orphans = context.orphans;
        orphans.erase(std::remove_if(orphans.begin(), orphans.end(), [](const OpPtr& op) { return op->done; }),
                      orphans.end());
        order.insert(order.end(), orphans.begin(), orphans.end());
    }
    return order;
}

int enqueue(Context& context, Stream& stream, WorkPtr work, OpPtr* op) {
    if (stream.capture != nullptr) return append(stream, std::move(work));
    if (stream.legacy) {
        const int refused = refuse_legacy(context);
        if (refused != 0) return refused;
    }
    stream.tail = context.engine.submit(std::move(work), order_of(context, stream));
    if (op != nullptr) *op = stream.tail;
    return CUDA_SUCCESS;
}

int begin_capture(Context& context, Stream& stream, int mode) {
    if (mode < 0 || mode > 2) return CUDA_ERROR_INVALID_VALUE;
    if (stream.legacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream.capture != nullptr) return CUDA_ERROR_ILLEGAL_STATE;
    auto capture = std::make_shared<Capture>();
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->origin = &stream;
    capture->members.insert(&stream);
    stream.capture = capture;
    stream.capture_tail.clear();
    context.captures.insert(capture);
    return CUDA_SUCCESS;
}

int end_capture(Context& context, Stream& stream, std::shared_ptr<Graph>* graph) {
    const std::shared_ptr<Capture> capture = stream.capture;
    if (capture == nullptr) return CUDA_ERROR_ILLEGAL_STATE;
    if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id()) {
        return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    }
    int status = CUDA_SUCCESS;
    if (capture->origin != &stream) {
        status = CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
        invalidate(*capture);
        return status;
    }
    if (capture->invalidated) {
        status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    } else {
        // Joined means: the end of every forked stream is an ancestor of the end of the origin.
        for (Stream* member : capture->members) {
            for (int node : member->capture_tail) {
                if (is_ancestor(*capture->graph, node, stream.capture_tail)) continue;
                status = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
            }
        }
    }
    for (Stream* member : capture->members) {
        member->capture.reset();
        member->capture_tail.clear();
    }
    capture->ended = true;
    context.captures.erase(capture);
    if (status == CUDA_SUCCESS) *graph = capture->graph;
    return status;
}

int refuse_during_capture(Context& context) {
    bool refused = false;
    for (const auto& capture : context.captures) {
        if (!forbids(*capture)) continue;
        invalidate(*capture);
        refused = true;
    }
    return refused ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_SUCCESS;
}

int refuse_on_captured(Context& context, Stream& stream) {
    if (stream.capture != nullptr) {
        invalidate(*stream.capture);
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (stream.legacy) {
        const int refused = refuse_legacy(context);
        if (refused != 0) return refused;
    }
    return refuse_during_capture(context);
}

int record_event(Context& context, Event& event, Stream& stream) {
    if (stream.capture != nullptr) {
        if (stream.capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        event.capture = stream.capture;
        event.capture_tail = stream.capture_tail;
        event.op.reset();
        return CUDA_SUCCESS;
    }
    OpPtr op;
    const int status = enqueue(context, stream, mark(), &op);
    if (status != CUDA_SUCCESS) return status;
    event.op = op;
    event.capture.reset();
    return CUDA_SUCCESS;
}

int wait_event(Context& context, Stream& stream, const Event& event) {
    if (event.capture == nullptr && event.op == nullptr) return CUDA_SUCCESS;  // never recorded
    if (event.capture == nullptr) {
        if (stream.capture != nullptr) {
            invalidate(*stream.capture);
            return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
        }
        if (stream.legacy) {
            const int refused = refuse_legacy(context);
            if (refused != 0) return refused;
        }
        std::vector<OpPtr> order = order_of(context, stream);
        order.push_back(event.op);
        stream.tail = context.engine.submit(mark(), order);
        return CUDA_SUCCESS;
    }
    if (event.capture->ended) return CUDA_ERROR_INVALID_VALUE;
    if (stream.legacy) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    if (stream.capture == nullptr) {
        if (event.capture->invalidated) return CUDA_ERROR_INVALID_VALUE;
        stream.capture = event.capture;
        stream.capture_tail.clear();
        event.capture->members.insert(&stream);
    } else if (stream.capture != event.capture) {
        invalidate(*stream.capture);
        invalidate(*event.capture);
        return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    }
    if (stream.capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    for (int node : event.capture_tail) {
        auto& tail = stream.capture_tail;
        if (std::find(tail.begin(), tail.end(), node) == tail.end()) tail.push_back(node);
    }
    return CUDA_SUCCESS;
}

int launch_graph(Context& context, GraphExec& executable, Stream& stream) {
    const Graph& graph = *executable.graph;
    if (stream.capture != nullptr) {
        // As its nodes rather than as a child graph: the same order.
        if (stream.capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        Graph& into = *stream.capture->graph;
        const int offset = static_cast<int>(into.nodes.size());
        std::vector<char> is_leaf(graph.nodes.size(), 1);
        for (const Graph::Node& node : graph.nodes) {
            std::vector<int> dependencies;
            for (int dependency : node.dependencies) {
                dependencies.push_back(offset + dependency);
                is_leaf[dependency] = 0;
            }
            into.nodes.push_back({node.work, node.dependencies.empty() ? stream.capture_tail : dependencies});
        }
        if (graph.nodes.empty()) return CUDA_SUCCESS;
        stream.capture_tail.clear();
        for (size_t i = 0; i < is_leaf.size(); i++) {
            if (is_leaf[i]) stream.capture_tail.push_back(offset + static_cast<int>(i));
        }
        return CUDA_SUCCESS;
    }
    if (stream.legacy) {
        const int refused = refuse_legacy(context);
        if (refused != 0) return refused;
    }
    std::vector<OpPtr> order = order_of(context, stream);
    order.push_back(executable.last);
    const OpPtr begin = context.engine.submit(mark(), order);
    std::vector<OpPtr> ops;
    for (const Graph::Node& node : graph.nodes) {
        std::vector<OpPtr> dependencies;
        for (int dependency : node.dependencies) dependencies.push_back(ops[dependency]);
        if (dependencies.empty()) dependencies.push_back(begin);
        ops.push_back(context.engine.submit(node.work, dependencies));
    }
    ops.push_back(begin);
    stream.tail = context.engine.submit(mark(), ops);
    executable.last = stream.tail;
    return CUDA_SUCCESS;
}

int exchange_thread_mode(int mode) {
    const int before = thread_mode;
    thread_mode = mode;
    return before;
}

}  // namespace emu
