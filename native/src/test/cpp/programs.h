/* What tests of programs share: arrays of the library, and a program with its working memory and helpers. */
#ifndef ELBO4J_PROGRAMS_H
#define ELBO4J_PROGRAMS_H

#include <thread>

#include "cases.h"

namespace elbo4j {

/* Of elbo4j_allocate. */
template <class T>
class Array {
   public:
    explicit Array(int64_t size) : size_(size), data_((T*)elbo4j_allocate(size * (int64_t)sizeof(T))) {
        if (data_ == nullptr) {
            printf("%s: no memory for an array of %lld\n", current, (long long)size);
            _Exit(1);
        }
    }
    explicit Array(const std::vector<T>& values) : Array((int64_t)values.size()) {
        std::copy(values.begin(), values.end(), data_);
    }
    ~Array() { elbo4j_free(data_); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    T* data() { return data_; }
    T& operator[](int64_t i) { return data_[i]; }
    std::vector<T> values() const { return std::vector<T>(data_, data_ + size_); }

   private:
    int64_t size_;
    T* data_;
};

class Program {
   public:
    Program(int32_t isa, int32_t threads, int64_t capacity, elbo4j_state* state)
        : handle_(elbo4j_program_create(isa, threads, capacity, state)) {
        expect_ok(handle_ != nullptr ? ELBO4J_OK : ELBO4J_OUT_OF_MEMORY);
    }
    ~Program() { elbo4j_program_destroy(handle_); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    elbo4j_program* handle() { return handle_; }

    static void expect_ok(int32_t result) {
        if (result != ELBO4J_OK) {
            printf("%s: result %d, expected %d\n", current, (int)result, ELBO4J_OK);
            _Exit(1);
        }
    }

    void finish() {
        int64_t bytes = elbo4j_program_plan(handle_);
        expect_ok(bytes >= 0 ? ELBO4J_OK : ELBO4J_OUT_OF_MEMORY);
        workspace_ = std::make_unique<Array<char>>(bytes);
        elbo4j_program_bind(handle_, workspace_->data());
    }

    /* The calling thread and so many others less one. */
    void run(int64_t times, int64_t active_rows, int32_t threads) {
        int64_t number = ++runs_;
        std::vector<std::thread> helpers;
        for (int32_t i = 1; i < threads; i++) {
            helpers.emplace_back([this, number] { elbo4j_program_help(handle_, number); });
        }
        elbo4j_program_run(handle_, times, active_rows, number, threads > 1);
        for (std::thread& helper : helpers) {
            helper.join();
        }
    }

    std::string explain() const {
        std::string text((size_t)elbo4j_program_explain(handle_, nullptr, 0) + 1, '?');
        elbo4j_program_explain(handle_, &text[0], (int64_t)text.size());
        text.pop_back();
        return text;
    }

    /* How many of its calls are followed by lists of what is not zero. */
    int64_t lists() const {
        const std::string text = explain();
        const std::string line = "lists of what is not zero";
        int64_t count = 0;
        for (size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) {
            count++;
        }
        return count;
    }

    bool merges_updates() const { return explain().find("gradients and Adam in one pass") != std::string::npos; }

   private:
    elbo4j_program* handle_;
    std::unique_ptr<Array<char>> workspace_;
    int64_t runs_ = 0;
};

inline void expect_same_array(const std::vector<float>& got, const std::vector<float>& want, const char* what) {
    for (size_t i = 0; i < want.size(); i++) {
        expect_same(got[i], want[i], what, (int64_t)i);
    }
}

inline void expect_same_halt(const elbo4j_state& got, const elbo4j_state& want) {
    expect_number(got.halted, want.halted, "halted");
    expect_number(got.halt_name, want.halt_name, "halt name");
    expect_number(got.halt_first, want.halt_first, "halt first");
    expect_number(got.halt_count, want.halt_count, "halt count");
}

inline std::string on(int32_t isa) { return std::string(", ") + elbo4j_isa_name(isa); }

}  // namespace elbo4j

#endif
