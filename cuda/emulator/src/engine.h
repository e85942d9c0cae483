// Executes the operations of one context: a directed graph of work, of which a random ready one is taken each time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../include/emu_control.h"
#include "random.h"

namespace emu {

// What an operation does. Shared, because a graph runs it again and again.
struct Work {
    int type = 0;  // CUgraphNodeType
    std::string name;
    std::function<EmuFault()> run;  // status 0: it succeeded; empty: a mark in a stream
    uintptr_t exclusive = 0;        // two operations with the same value must not be able to overlap; 0: none
};
using WorkPtr = std::shared_ptr<const Work>;

struct Op;
using OpPtr = std::shared_ptr<Op>;

struct Op {
    WorkPtr work;
    std::vector<OpPtr> dependencies;  // dropped when done
    std::vector<OpPtr> dependents;
    size_t waiting = 0;
    bool done = false;
    std::chrono::steady_clock::time_point finished;
};

class Engine {
   public:
    Engine();

    // Null dependencies are skipped.
    OpPtr submit(WorkPtr work, const std::vector<OpPtr>& dependencies);

    // These return the sticky status of the context.
    int wait(const OpPtr& op);
    int wait(std::vector<OpPtr> ops);
    int wait_all();  // for all that was submitted before

    // Whether it is done; lets the engine make one step if not, so that polling ends.
    bool query(const std::vector<OpPtr>& ops);

    int status();
    void fail(const EmuFault& fault);

    // Drops all work, waits for the one operation that runs, and clears the sticky status.
    void reset();

   private:
    void serve();
    bool may_run() const;
    int wait(std::unique_lock<std::mutex>& lock, std::vector<OpPtr> ops);
    void start_thread();
    void complete(const OpPtr& op);
    bool happens_before(const Op* earlier, const OpPtr& later);
    void check_exclusive(const OpPtr& op);
    void drop_all();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable changed_;
    std::vector<OpPtr> ready_;
    std::unordered_set<OpPtr> pending_;
    std::unordered_map<uintptr_t, OpPtr> users_;  // the latest user of what operations must not share at a time
    Random random_;
    uint64_t seed_ = 0;
    int status_ = 0;
    int waiters_ = 0;
    int credits_ = 0;
    bool running_ = false;
    bool started_ = false;
};

}  // namespace emu
