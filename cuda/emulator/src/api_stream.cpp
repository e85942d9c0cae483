// Streams and events.
#include "api.h"
#include "streams.h"

using namespace emu;

namespace {

Event* event_of(Context& context, CUevent handle) {
    auto* event = reinterpret_cast<Event*>(handle);
    return context.events.count(event) != 0 ? event : nullptr;
}

CUresult create_stream(Context& context, CUstream* stream, unsigned flags) {
    if (stream == nullptr || flags > CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard<std::mutex> lock(context.mutex);
    auto* made = new Stream;
    made->flags = flags;
    context.streams.insert(made);
    *stream = reinterpret_cast<CUstream>(made);
    return CUDA_SUCCESS;
}

// Waits for a stream need what an operation enqueued now would wait for; the legacy stream's includes others.
CUresult order_to_wait_for(Context& context, CUstream handle, std::vector<OpPtr>* order) {
    std::lock_guard<std::mutex> lock(context.mutex);
    Stream* stream = context.stream(handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    const int refused = refuse_on_captured(context, *stream);
    if (refused != 0) return refused;
    if (stream->legacy) {
        *order = order_of(context, *stream);
    } else {
        *order = {stream->tail};
    }
    return CUDA_SUCCESS;
}

CUresult event_to_wait_for(Context& context, CUevent handle, OpPtr* op) {
    std::lock_guard<std::mutex> lock(context.mutex);
    Event* event = event_of(context, handle);
    if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture != nullptr) return CUDA_ERROR_CAPTURED_EVENT;
    const int refused = refuse_during_capture(context);
    if (refused != 0) return refused;
    *op = event->op;
    return CUDA_SUCCESS;
}

}  // namespace

EMU_API CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
    return call("cuStreamCreate", [&](Context& context) { return create_stream(context, stream, flags); });
}

EMU_API CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int) {
    return call("cuStreamCreateWithPriority", [&](Context& context) { return create_stream(context, stream, flags); });
}

EMU_API CUresult cuStreamDestroy_v2(CUstream handle) {
    return call("cuStreamDestroy_v2", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        if (stream == nullptr || stream->legacy) return CUDA_ERROR_INVALID_HANDLE;
        if (stream->capture != nullptr) {
            stream->capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
        if (stream->blocking() && stream->tail != nullptr) context.orphans.push_back(stream->tail);
        context.streams.erase(stream);
        delete stream;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
    return call("cuStreamGetFlags", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(handle);
        if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        *flags = stream->flags;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuStreamSynchronize(CUstream handle) {
    return call("cuStreamSynchronize", [&](Context& context) -> CUresult {
        std::vector<OpPtr> order;
        const int status = order_to_wait_for(context, handle, &order);
        return status != 0 ? status : context.engine.wait(order);
    });
}

EMU_API CUresult cuStreamQuery(CUstream handle) {
    return call("cuStreamQuery", [&](Context& context) -> CUresult {
        std::vector<OpPtr> order;
        const int status = order_to_wait_for(context, handle, &order);
        if (status != 0) return status;
        return context.engine.query(order) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    });
}

EMU_API CUresult cuStreamWaitEvent(CUstream stream_handle, CUevent event_handle, unsigned) {
    return call("cuStreamWaitEvent", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(stream_handle);
        Event* event = event_of(context, event_handle);
        if (stream == nullptr || event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        return wait_event(context, *stream, *event);
    });
}

EMU_API CUresult cuEventCreate(CUevent* event, unsigned flags) {
    return call("cuEventCreate", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        auto* made = new Event;
        made->flags = flags;
        context.events.insert(made);
        *event = reinterpret_cast<CUevent>(made);
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuEventDestroy_v2(CUevent handle) {
    return call("cuEventDestroy_v2", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Event* event = event_of(context, handle);
        if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        context.events.erase(event);
        delete event;
        return CUDA_SUCCESS;
    });
}

EMU_API CUresult cuEventRecord(CUevent event_handle, CUstream stream_handle) {
    return call("cuEventRecord", [&](Context& context) -> CUresult {
        std::lock_guard<std::mutex> lock(context.mutex);
        Stream* stream = context.stream(stream_handle);
        Event* event = event_of(context, event_handle);
        if (stream == nullptr || event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        return record_event(context, *event, *stream);
    });
}

EMU_API CUresult cuEventSynchronize(CUevent handle) {
    return call("cuEventSynchronize", [&](Context& context) -> CUresult {
        OpPtr op;
        const int status = event_to_wait_for(context, handle, &op);
        return status != 0 ? status : context.engine.wait(op);
    });
}

EMU_API CUresult cuEventQuery(CUevent handle) {
    return call("cuEventQuery", [&](Context& context) -> CUresult {
        OpPtr op;
        const int status = event_to_wait_for(context, handle, &op);
        if (status != 0) return status;
        return context.engine.query({op}) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    });
}

EMU_API CUresult cuEventElapsedTime(float* milliseconds, CUevent from_handle, CUevent to_handle) {
    return call("cuEventElapsedTime", [&](Context& context) -> CUresult {
        OpPtr from, to;
        {
            std::lock_guard<std::mutex> lock(context.mutex);
            Event* first = event_of(context, from_handle);
            Event* second = event_of(context, to_handle);
            if (first == nullptr || second == nullptr) return CUDA_ERROR_INVALID_HANDLE;
            if ((first->flags | second->flags) & CU_EVENT_DISABLE_TIMING) return CUDA_ERROR_INVALID_HANDLE;
            from = first->op;
            to = second->op;
        }
        if (from == nullptr || to == nullptr) return CUDA_ERROR_INVALID_HANDLE;
        if (!context.engine.query({from, to})) return CUDA_ERROR_NOT_READY;
        *milliseconds = std::chrono::duration<float, std::milli>(to->finished - from->finished).count();
        return CUDA_SUCCESS;
    });
}
