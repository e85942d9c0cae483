// Devices, their primary contexts, and what lives in a context.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../include/emu_driver.h"
#include "engine.h"
#include "memory.h"
#include "module.h"

namespace emu {

struct Graph {
    struct Node {
        WorkPtr work;
        std::vector<int> dependencies;
    };
    std::vector<Node> nodes;
};

struct Stream;

// One capture sequence, from its begin to its end.
struct Capture {
    std::shared_ptr<Graph> graph = std::make_shared<Graph>();
    int mode = 0;
    std::thread::id thread;
    Stream* origin = nullptr;
    std::set<Stream*> members;
    bool invalidated = false;
    bool ended = false;
};

struct Stream {
    unsigned flags = 0;
    bool legacy = false;
    OpPtr tail;
    std::shared_ptr<Capture> capture;
    std::vector<int> capture_tail;

    bool blocking() const { return !legacy && (flags & CU_STREAM_NON_BLOCKING) == 0; }
};

struct Event {
    unsigned flags = 0;
    OpPtr op;
    std::shared_ptr<Capture> capture;  // last recorded in it
    std::vector<int> capture_tail;
};

struct GraphExec {
    std::shared_ptr<const Graph> graph;
    OpPtr last;  // launches of one executable graph never overlap
};

struct Context {
    explicit Context(int device_ordinal) : device(device_ordinal) { legacy.legacy = true; }

    const int device;
    std::mutex mutex;  // guards everything below but memory and engine, which have their own
    int retained = 0;
    unsigned flags = 0;
    std::set<Stream*> streams;
    std::set<Event*> events;
    std::set<Module*> modules;
    std::set<GraphExec*> executables;
    std::map<Graph*, std::shared_ptr<Graph>> graphs;
    std::set<std::shared_ptr<Capture>> captures;
    Stream legacy;
    std::vector<OpPtr> orphans;  // unfinished work of destroyed blocking streams, for the legacy stream to wait for
    std::unique_ptr<Memory> memory = std::make_unique<Memory>();
    Engine engine;

    // Null if the handle is of no live stream of this context. The null stream is the legacy stream.
    Stream* stream(CUstream handle);

    // Destroys everything in it and clears the sticky status.
    void reset();

    bool alive() const { return retained > 0; }
};

// Context of a device; created once, kept until the process ends.
Context& primary_context(int device);
int visible_devices();
// Physical ordinal of a visible one.
int physical_device(int device);
// Fixed at cuInit; false if no device is visible.
bool enumerate_devices();

Context* current_context();
void reset_all_contexts();
// The kernels of all loaded modules, a "name codes" line each.
std::string kernel_lines();
long live_allocations();
long live_bytes();

}  // namespace emu
