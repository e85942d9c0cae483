/* Arrays that notice accesses outside them. */
#ifndef ELBO4J_FENCED_H
#define ELBO4J_FENCED_H

#include <stdint.h>
#include <string.h>

#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

/*
 * An array of `size` elements that ends where memory ends: behind it is a page that can be neither read nor written, and
 * before it are bytes that must stay as they are. Where pages cannot be protected, such bytes are behind it as well.
 */
template <class T>
class Fenced {
   public:
    explicit Fenced(const std::vector<T>& values) : size_(values.size()) {
        size_t bytes = size_ * sizeof(T);
#if defined(__unix__) || defined(__APPLE__)
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t body = (FENCE + bytes + page - 1) / page * page;
        mapped_ = body + page;
        base_ = (unsigned char*)mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        mprotect(base_ + body, page, PROT_NONE);
        behind_ = 0;
        before_ = body - bytes;
#else
        behind_ = FENCE;
        before_ = FENCE;
        base_ = new unsigned char[before_ + bytes + behind_];
#endif
        memset(base_, PATTERN, before_);
        memset(base_ + before_ + bytes, PATTERN, behind_);
        if (bytes > 0) {
            memcpy(data(), values.data(), bytes);
        }
    }
    ~Fenced() {
#if defined(__unix__) || defined(__APPLE__)
        munmap(base_, mapped_);
#else
        delete[] base_;
#endif
    }
    Fenced(const Fenced&) = delete;
    Fenced& operator=(const Fenced&) = delete;

    T* data() { return (T*)(base_ + before_); }
    const T* data() const { return (const T*)(base_ + before_); }
    size_t size() const { return size_; }
    std::vector<T> values() const { return std::vector<T>(data(), data() + size_); }

    bool intact() const {
        for (size_t i = 0; i < before_; i++) {
            if (base_[i] != PATTERN) {
                return false;
            }
        }
        for (size_t i = 0; i < behind_; i++) {
            if (base_[before_ + size_ * sizeof(T) + i] != PATTERN) {
                return false;
            }
        }
        return true;
    }

   private:
    static constexpr size_t FENCE = 256;
    static constexpr unsigned char PATTERN = 0xA5;

    size_t size_;
    size_t before_;
    size_t behind_;
    size_t mapped_ = 0;
    unsigned char* base_;
};

#endif
