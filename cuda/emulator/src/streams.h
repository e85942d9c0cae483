// Order between streams, and what stream capture makes of it. All functions expect the context's mutex to be held.
#pragma once

#include "context.h"

namespace emu {

// Enqueues work, or appends it to the graph if the stream captures.
int enqueue(Context& context, Stream& stream, WorkPtr work, OpPtr* op = nullptr);

// What an operation enqueued now would wait for.
std::vector<OpPtr> order_of(Context& context, Stream& stream);

int begin_capture(Context& context, Stream& stream, int mode);
int end_capture(Context& context, Stream& stream, std::shared_ptr<Graph>* graph);

// 900 and a broken capture for a call that a capture forbids to this thread; 0 if it may go on.
int refuse_during_capture(Context& context);
// The same for a call about one stream, which may also be refused because that stream captures.
int refuse_on_captured(Context& context, Stream& stream);

int record_event(Context& context, Event& event, Stream& stream);
int wait_event(Context& context, Stream& stream, const Event& event);

int launch_graph(Context& context, GraphExec& executable, Stream& stream);

// This thread's interaction with captures; returns the mode before.
int exchange_thread_mode(int mode);

}  // namespace emu
