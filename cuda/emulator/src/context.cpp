#include "context.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

#include "api.h"
#include "settings.h"

namespace emu {
namespace {

constexpr int kMaxDevices = 16;

std::vector<int>& visible() {
    static std::vector<int>& list = *new std::vector<int>;
    return list;
}

std::vector<Context*>& contexts() {
    static std::vector<Context*>& list = *[] {
        auto* all = new std::vector<Context*>;
        for (int i = 0; i < kMaxDevices; i++) all->push_back(new Context(i));
        return all;
    }();
    return list;
}

// An entry of CUDA_VISIBLE_DEVICES: an ordinal or the beginning of a UUID; -1 if it names no device.
int parse_visible(const std::string& entry, int count) {
    if (entry.rfind("GPU-", 0) == 0) {
        for (int i = 0; i < count; i++) {
            if (device_uuid_text(i).rfind(entry, 0) == 0) return i;
        }
        return -1;
    }
    char* end = nullptr;
    const long ordinal = std::strtol(entry.c_str(), &end, 10);
    return entry.empty() || *end != '\0' || ordinal < 0 || ordinal >= count ? -1 : static_cast<int>(ordinal);
}

}  // namespace

bool enumerate_devices() {
    std::vector<int>& list = visible();
    list.clear();
    const int count = std::min<int>(settings().device_count, kMaxDevices);
    const char* restriction = std::getenv("CUDA_VISIBLE_DEVICES");
    if (restriction == nullptr) {
        for (int i = 0; i < count; i++) list.push_back(i);
    } else {
        std::istringstream entries(restriction);
        std::string entry;
        while (std::getline(entries, entry, ',')) {
            const int device = parse_visible(entry, count);
            if (device < 0) break;  // an invalid entry hides itself and all that follow
            list.push_back(device);
        }
    }
    return !list.empty();
}

int visible_devices() { return static_cast<int>(visible().size()); }

int physical_device(int device) { return visible()[device]; }

Context& primary_context(int device) { return *contexts()[visible()[device]]; }

Stream* Context::stream(CUstream handle) {
    if (handle == nullptr || reinterpret_cast<uintptr_t>(handle) == 1) return &legacy;
    auto* stream = reinterpret_cast<Stream*>(handle);
    return streams.count(stream) != 0 ? stream : nullptr;
}

void Context::reset() {
    engine.reset();
    std::lock_guard<std::mutex> lock(mutex);
    for (Stream* stream : streams) delete stream;
    for (Event* event : events) delete event;
    for (GraphExec* executable : executables) delete executable;
    for (Module* module : modules) delete module;
    streams.clear();
    events.clear();
    executables.clear();
    modules.clear();
    graphs.clear();
    captures.clear();
    legacy = Stream();
    legacy.legacy = true;
    orphans.clear();
    memory = std::make_unique<Memory>();
}

void reset_all_contexts() {
    for (Context* context : contexts()) context->reset();
}

std::string kernel_lines() {
    std::set<std::string> lines;
    for (Context* context : contexts()) {
        std::lock_guard<std::mutex> lock(context->mutex);
        for (const Module* module : context->modules) {
            for (const auto& entry : module->functions) {
                const EmuKernel& kernel = *entry.second->kernel;
                std::string line = entry.first + " ";
                for (int i = 0; i < kernel.parameter_count; i++) line += kernel.parameters[i].code;
                lines.insert(line);
            }
        }
    }
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

long live_allocations() {
    long total = 0;
    for (Context* context : contexts()) total += static_cast<long>(context->memory->device_allocations());
    return total;
}

long live_bytes() {
    long total = 0;
    for (Context* context : contexts()) total += static_cast<long>(context->memory->device_bytes());
    return total;
}

}  // namespace emu
