// Device and pinned host memory, laid out such that wrong accesses show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>

namespace emu {

enum class Space { kDevice, kHost, kRegistered, kGlobal };

class Memory {
   public:
    ~Memory();

    // Null if the emulated device is full. The memory holds NaNs.
    void* allocate(size_t bytes, Space space);

    // Status of cuMemFree: INVALID_VALUE for an address that was not returned by allocate, ILLEGAL_ADDRESS if the bytes
    // behind the allocation were written.
    int release(uintptr_t address, Space space);

    // Makes memory that is not ours a legal operand: registered host memory, variables of modules.
    bool adopt(uintptr_t address, size_t bytes, Space space);
    bool disown(uintptr_t address, Space space);

    // Whether [address, address + bytes) lies in one live allocation; an empty range may be its end.
    bool contains(uintptr_t address, size_t bytes);
    bool is_host(uintptr_t address, size_t bytes);
    bool range_of(uintptr_t address, uintptr_t* base, size_t* bytes);

    size_t device_bytes();
    size_t device_allocations();

   private:
    struct Block {
        size_t bytes;
        Space space;
        char* map;
        size_t map_bytes;
        size_t slack;  // bytes between the end of the allocation and the guard page, filled with a canary
    };
    using Blocks = std::map<uintptr_t, Block>;

    Blocks::iterator find(uintptr_t address, size_t bytes);
    void quarantine(const Block& block);

    std::mutex mutex_;
    Blocks blocks_;
    std::deque<std::pair<char*, size_t>> quarantine_;
    size_t device_bytes_ = 0;
    size_t device_allocations_ = 0;
};

}  // namespace emu
