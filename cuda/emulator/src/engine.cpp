#include "engine.h"

#include <algorithm>
#include <thread>

#include "control.h"
#include "fault.h"
#include "settings.h"

namespace emu {
namespace {

// A real device's queues are long but finite, too; beyond this the engine works without being asked.
constexpr size_t kQueueLimit = 4096;

}  // namespace

Engine::Engine() : random_(0) {}

void Engine::start_thread() {
    if (started_) return;
    started_ = true;
    std::thread(&Engine::serve, this).detach();
}

bool Engine::may_run() const {
    if (ready_.empty() || status_ != 0) return false;
    // Work that ran as soon as it was submitted would hide a missing event or synchronisation.
    return waiters_ > 0 || credits_ > 0 || pending_.size() > kQueueLimit || !settings().lazy;
}

void Engine::serve() {
    prepare_device_thread();
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return may_run(); });
        if (credits_ > 0) credits_--;
        if (seed_ != settings().seed) {
            seed_ = settings().seed;
            random_ = Random(Random::mix(seed_, 0xe59143));
        }
        const size_t pick = random_.below(static_cast<uint32_t>(ready_.size()));
        const OpPtr op = ready_[pick];
        ready_[pick] = ready_.back();
        ready_.pop_back();
        EmuFault fault = {};
        if (op->work->run) {
            running_ = true;
            lock.unlock();
            fault = op->work->run();
            lock.lock();
            running_ = false;
        }
        if (fault.status != 0 && status_ == 0) {
            status_ = fault.status;
            record_fault(fault);
        }
        complete(op);
        changed_.notify_all();
    }
}

void Engine::complete(const OpPtr& op) {
    op->done = true;
    op->finished = std::chrono::steady_clock::now();
    op->dependencies.clear();
    for (const OpPtr& dependent : op->dependents) {
        if (--dependent->waiting == 0) ready_.push_back(dependent);
    }
    op->dependents.clear();
    pending_.erase(op);
}

OpPtr Engine::submit(WorkPtr work, const std::vector<OpPtr>& dependencies) {
    auto op = std::make_shared<Op>();
    op->work = std::move(work);
    std::lock_guard<std::mutex> lock(mutex_);
    start_thread();
    for (const OpPtr& dependency : dependencies) {
        if (dependency == nullptr || dependency->done) continue;
        if (std::find(op->dependencies.begin(), op->dependencies.end(), dependency) != op->dependencies.end()) continue;
        op->dependencies.push_back(dependency);
        dependency->dependents.push_back(op);
        op->waiting++;
    }
    if (op->work->exclusive != 0) check_exclusive(op);
    pending_.insert(op);
    if (op->waiting == 0) ready_.push_back(op);
    if (may_run()) wake_.notify_all();
    return op;
}

bool Engine::happens_before(const Op* earlier, const OpPtr& later) {
    std::vector<const Op*> stack = {later.get()};
    std::unordered_set<const Op*> seen;
    while (!stack.empty()) {
        const Op* op = stack.back();
        stack.pop_back();
        if (op == earlier) return true;
        if (!seen.insert(op).second) continue;
        for (const OpPtr& dependency : op->dependencies) stack.push_back(dependency.get());
    }
    return false;
}

void Engine::check_exclusive(const OpPtr& op) {
    // The latest one stands for all before it, which it was ordered after.
    OpPtr& latest = users_[op->work->exclusive];
    if (latest != nullptr && !latest->done && !happens_before(latest.get(), op)) {
        report_violation(op->work->name + " and " + latest->work->name + " share a workspace and are not ordered");
    }
    latest = op;
}

int Engine::wait(std::vector<OpPtr> ops) {
    std::unique_lock<std::mutex> lock(mutex_);
    return wait(lock, std::move(ops));
}

int Engine::wait(const OpPtr& op) { return wait(std::vector<OpPtr>{op}); }

int Engine::wait_all() {
    std::unique_lock<std::mutex> lock(mutex_);
    // Not until nothing is left: other threads may submit work without a pause.
    return wait(lock, {pending_.begin(), pending_.end()});
}

int Engine::wait(std::unique_lock<std::mutex>& lock, std::vector<OpPtr> ops) {
    waiters_++;
    wake_.notify_all();
    changed_.wait(lock, [&] {
        while (!ops.empty() && (ops.back() == nullptr || ops.back()->done)) ops.pop_back();
        return status_ != 0 || ops.empty();
    });
    waiters_--;
    return status_;
}

bool Engine::query(const std::vector<OpPtr>& ops) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::all_of(ops.begin(), ops.end(), [](const OpPtr& op) { return !op || op->done; })) return true;
    credits_++;
    wake_.notify_all();
    return false;
}

int Engine::status() {
    std::lock_guard<std::mutex> lock(mutex_);
    return status_;
}

void Engine::fail(const EmuFault& fault) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (status_ != 0) return;
    status_ = fault.status;
    record_fault(fault);
    changed_.notify_all();
}

void Engine::drop_all() {
    for (const OpPtr& op : pending_) {
        op->done = true;
        op->dependencies.clear();
        op->dependents.clear();
    }
    pending_.clear();
    ready_.clear();
}

void Engine::reset() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (status_ == 0) status_ = 709;  // CUDA_ERROR_CONTEXT_IS_DESTROYED, to those that still wait
    changed_.notify_all();
    changed_.wait(lock, [this] { return !running_; });
    drop_all();
    credits_ = 0;
    status_ = 0;
}

}  // namespace emu
