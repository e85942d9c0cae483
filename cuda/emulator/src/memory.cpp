#include "memory.h"

#include <sys/mman.h>

#include <cstring>

#include "../include/emu_driver.h"
#include "settings.h"

namespace emu {
namespace {

constexpr size_t kPage = 4096;
constexpr unsigned char kPoison = 0xff;  // a NaN in every float format
constexpr unsigned char kCanary = 0xca;

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

// Ending at the guard page costs alignment: kernels may rely on 16 bytes for vector loads, and those whose size is a
// multiple of 256 keep the 256 bytes of a real allocation.
size_t alignment_of(size_t bytes, Guard guard) {
    if (bytes % 256 == 0) return 256;
    if (guard == Guard::kTight && bytes % 16 != 0) return bytes % 4 == 0 ? 4 : 1;
    return 16;
}

}  // namespace

Memory::~Memory() {
    for (auto& [address, block] : blocks_) {
        if (block.map != nullptr) munmap(block.map, block.map_bytes);
    }
    for (auto& [map, bytes] : quarantine_) munmap(map, bytes);
}

void* Memory::allocate(size_t bytes, Space space) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (space == Space::kDevice && bytes > settings().memory_bytes - device_bytes_) return nullptr;
    const Guard guard = static_cast<Guard>(settings().guard.load());
    const size_t body = round_up(bytes, kPage);
    const size_t map_bytes = body + 2 * kPage;
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char* map = static_cast<char*>(mmap(nullptr, map_bytes, PROT_NONE, kFlags, -1, 0));
    if (map == MAP_FAILED) return nullptr;
    if (mprotect(map + kPage, body, PROT_READ | PROT_WRITE) != 0) {
        munmap(map, map_bytes);
        return nullptr;
    }
    char* start = map + kPage;
    if (guard != Guard::kStart) start += body - round_up(bytes, alignment_of(bytes, guard));
    const size_t slack = static_cast<size_t>(map + kPage + body - (start + bytes));
    std::memset(map + kPage, kPoison, body);
    std::memset(start + bytes, kCanary, slack);
    blocks_[reinterpret_cast<uintptr_t>(start)] = Block{bytes, space, map, map_bytes, slack};
    if (space == Space::kDevice) {
        device_bytes_ += bytes;
        device_allocations_++;
    }
    return start;
}

int Memory::release(uintptr_t address, Space space) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = blocks_.find(address);
    if (found == blocks_.end() || found->second.space != space) return CUDA_ERROR_INVALID_VALUE;
    const Block block = found->second;
    int status = CUDA_SUCCESS;
    const auto* behind = reinterpret_cast<const unsigned char*>(address + block.bytes);
    for (size_t i = 0; i < block.slack; i++) {
        if (behind[i] != kCanary) status = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    blocks_.erase(found);
    if (space == Space::kDevice) {
        device_bytes_ -= block.bytes;
        device_allocations_--;
    }
    quarantine(block);
    return status;
}

// Freed memory stays unusable for a while, so that a stale pointer faults instead of meeting its successor.
void Memory::quarantine(const Block& block) {
    // Mapping it anew gives its pages back and joins it with its guards: one map instead of three.
    mmap(block.map, block.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    quarantine_.emplace_back(block.map, block.map_bytes);
    while (quarantine_.size() > static_cast<size_t>(settings().quarantine.load())) {
        munmap(quarantine_.front().first, quarantine_.front().second);
        quarantine_.pop_front();
    }
}

bool Memory::adopt(uintptr_t address, size_t bytes, Space space) {
    std::lock_guard<std::mutex> lock(mutex_);
    return blocks_.emplace(address, Block{bytes, space, nullptr, 0, 0}).second;
}

bool Memory::disown(uintptr_t address, Space space) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = blocks_.find(address);
    if (found == blocks_.end() || found->second.space != space) return false;
    blocks_.erase(found);
    return true;
}

Memory::Blocks::iterator Memory::find(uintptr_t address, size_t bytes) {
    auto after = blocks_.upper_bound(address);
    if (after == blocks_.begin()) return blocks_.end();
    auto candidate = std::prev(after);
    const uintptr_t offset = address - candidate->first;
    const size_t size = candidate->second.bytes;
    return offset <= size && bytes <= size - offset ? candidate : blocks_.end();
}

bool Memory::contains(uintptr_t address, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    return find(address, bytes) != blocks_.end();
}

bool Memory::is_host(uintptr_t address, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = find(address, bytes);
    return found != blocks_.end() && (found->second.space == Space::kHost || found->second.space == Space::kRegistered);
}

bool Memory::range_of(uintptr_t address, uintptr_t* base, size_t* bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = find(address, 0);
    if (found == blocks_.end()) return false;
    *base = found->first;
    *bytes = found->second.bytes;
    return true;
}

size_t Memory::device_bytes() {
    std::lock_guard<std::mutex> lock(mutex_);
    return device_bytes_;
}

size_t Memory::device_allocations() {
    std::lock_guard<std::mutex> lock(mutex_);
    return device_allocations_;
}

}  // namespace emu
