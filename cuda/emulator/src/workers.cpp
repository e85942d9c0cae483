#include "workers.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "control.h"
#include "settings.h"

namespace emu {
namespace {

class Pool {
   public:
    // `active` threads take blocks until none is left.
    void run(Launch& launch, uint32_t active) {
        std::unique_lock<std::mutex> lock(mutex_);
        while (threads_ < active) {
            std::thread(&Pool::serve, this, threads_++).detach();
        }
        launch_ = &launch;
        active_ = active;
        unfinished_ = active;
        round_++;
        wake_.notify_all();
        finished_.wait(lock, [this] { return unfinished_ == 0; });
        launch_ = nullptr;
    }

   private:
    void serve(uint32_t index) {
        prepare_device_thread();
        uint64_t seen = 0;
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return round_ != seen && launch_ != nullptr; });
            seen = round_;
            if (index >= active_) continue;
            Launch& launch = *launch_;
            lock.unlock();
            take_blocks(launch);
            lock.lock();
            if (--unfinished_ == 0) finished_.notify_all();
        }
    }

    static void take_blocks(Launch& launch) {
        BlockRunner& runner = BlockRunner::of_this_thread();
        const uint64_t count = launch.block_count();
        while (!launch.aborted.load(std::memory_order_relaxed)) {
            const uint32_t i = launch.next.fetch_add(1, std::memory_order_relaxed);
            if (i >= count) break;
            runner.run(launch, launch.order[i]);
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable finished_;
    Launch* launch_ = nullptr;
    uint32_t threads_ = 0;
    uint32_t active_ = 0;
    uint32_t unfinished_ = 0;
    uint64_t round_ = 0;
};

}  // namespace

int worker_count() {
    const int wanted = settings().workers;
    if (wanted > 0) return std::min(wanted, 64);
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 4);
}

void run_launch(Launch& launch) {
    static Pool& pool = *new Pool;                    // its detached threads wait on it until the process ends
    static std::mutex& one_launch = *new std::mutex;  // devices share the pool
    std::lock_guard<std::mutex> guard(one_launch);
    const uint32_t blocks = static_cast<uint32_t>(launch.block_count());
    launch.order.resize(blocks);
    Random random(launch.seed);
    for (uint32_t i = 0; i < blocks; i++) launch.order[i] = i;
    for (uint32_t i = blocks; i > 1; i--) std::swap(launch.order[i - 1], launch.order[random.below(i)]);
    counters().kernels++;
    counters().blocks += blocks;
    // A grid barrier needs every block alive at once, and a block needs a thread for its shared memory.
    const uint32_t threads = launch.cooperative ? blocks : std::min<uint32_t>(blocks, worker_count());
    pool.run(launch, threads);
}

}  // namespace emu
