/*
 * Which products of a recording may leave out what is not listed: those of an x that one call has brought in as a whole, and
 * nothing has written since. Each recording is run in one program and call by call, with the same bits.
 */
#include "programs.h"

namespace {

using namespace elbo4j;

/* What calls of a recording work on. Areas are of twice the rows and columns that most calls have. */
class Memory {
   public:
    static constexpr int64_t ROWS = 40;
    static constexpr int64_t IN = 40;
    static constexpr int64_t OUT = 44;
    static constexpr int64_t AREA = 4 * ROWS * OUT;
    static constexpr int64_t DATA_ROWS = 60;
    enum { X, OTHER_X, LOADED, HIDDEN, Y, OTHER_Y, G, W, B, DW, OTHER_DW, DB, AREAS };

    Array<float> floats{AREAS * AREA};
    Array<uint8_t> bytes{DATA_ROWS * 2 * IN};
    Array<int64_t> row_ids{2 * ROWS};

    float* at(int64_t area) { return floats.data() + area * AREA; }
};

typedef std::function<int32_t(elbo4j_program*, Memory&)> Record;

constexpr int64_t ROWS = Memory::ROWS;
constexpr int64_t IN = Memory::IN;
constexpr int64_t OUT = Memory::OUT;

Record gather(int64_t to, int64_t columns = IN, int64_t plus = 0, int64_t first_id = 0) {
    return [=](elbo4j_program* program, Memory& memory) {
        const elbo4j_noise none = {nullptr, 0, ELBO4J_OFF};
        return elbo4j_gather_f32(program, memory.row_ids.data() + first_id, memory.bytes.data(), ELBO4J_U8,
                                 Memory::DATA_ROWS, columns, ELBO4J_AS_IS, &none, memory.at(to) + plus);
    };
}

Record load(int64_t to, int64_t columns = IN, int64_t plus = 0) {
    return [=](elbo4j_program* program, Memory& memory) {
        return elbo4j_load_f32(program, memory.at(Memory::LOADED), ELBO4J_F32, columns, ELBO4J_AS_IS,
                               memory.at(to) + plus);
    };
}

Record store(int64_t from, int64_t to) {
    return [=](elbo4j_program* program, Memory& memory) {
        return elbo4j_store_f32(program, 1, memory.at(from), IN, memory.at(to));
    };
}

Record forward(int64_t from, int64_t to, int64_t out = OUT, int64_t fold = 1) {
    return [=](elbo4j_program* program, Memory& memory) {
        const elbo4j_weights weights = {memory.at(Memory::W), nullptr, nullptr, nullptr};
        return elbo4j_linear_forward_f32(program, fold, memory.at(from), IN, out, &weights, memory.at(Memory::B),
                                         ELBO4J_IDENTITY, memory.at(to), nullptr);
    };
}

Record backward_weights(int64_t from, int64_t to, int64_t out = OUT, int64_t fold = 1) {
    return [=](elbo4j_program* program, Memory& memory) {
        return elbo4j_linear_backward_weights_f32(program, fold, memory.at(from), memory.at(Memory::G), IN, out,
                                                  memory.at(to), memory.at(Memory::DB), ELBO4J_OVERWRITE);
    };
}

Record backward_input(int64_t to, int32_t write) {
    return [=](elbo4j_program* program, Memory& memory) {
        return elbo4j_linear_backward_input_f32(program, 1, memory.at(Memory::G), IN, OUT, memory.at(Memory::W),
                                                ELBO4J_IDENTITY, nullptr, memory.at(to), write);
    };
}

struct Recording {
    const char* text;
    /* Calls whose zeros products may leave out. */
    int64_t lists;
    std::vector<Record> calls;
};

/* The calls in one program, and each in one of its own, where nothing is known of the zeros of its x. */
void together_and_apart(int32_t isa, const Recording& recording) {
    name_case(std::string(recording.text) + on(isa));
    generator.seed(41);
    Memory one;
    Memory other;
    std::vector<std::unique_ptr<Program>> apart;
    Program together(isa, 1, ROWS, nullptr);
    for (const Record& call : recording.calls) {
        Program::expect_ok(call(together.handle(), one));
        apart.push_back(std::make_unique<Program>(isa, 1, ROWS, nullptr));
        Program::expect_ok(call(apart.back()->handle(), other));
        apart.back()->finish();
        expect_number(apart.back()->lists(), 0, "calls with lists of a call alone");
    }
    together.finish();
    expect_number(together.lists(), recording.lists, "calls with lists");
    for (int64_t i = 0; i < Memory::AREAS * Memory::AREA; i++) {
        one.floats[i] = normal(1);
    }
    for (int64_t active : {ROWS, ROWS / 2 + 1, ROWS}) {
        for (int64_t i = 0; i < Memory::DATA_ROWS * 2 * IN; i++) {
            one.bytes[i] = (uint8_t)(below(20) == 0 ? 1 + below(255) : 0);
        }
        for (int64_t i = 0; i < 2 * ROWS; i++) {
            one.row_ids[i] = below(Memory::DATA_ROWS);
        }
        for (int64_t i = 0; i < Memory::AREA; i++) {
            one.at(Memory::LOADED)[i] = below(20) == 0 ? nonzero() : 0;
        }
        std::copy_n(one.floats.data(), Memory::AREAS * Memory::AREA, other.floats.data());
        std::copy_n(one.bytes.data(), Memory::DATA_ROWS * 2 * IN, other.bytes.data());
        std::copy_n(one.row_ids.data(), 2 * ROWS, other.row_ids.data());
        together.run(1, active, 1);
        for (auto& program : apart) {
            program->run(1, active, 1);
        }
        expect_same_array(one.floats.values(), other.floats.values(), "float");
    }
}

/* Which call has brought in what a product reads; all write X, if nothing else is said. */
void recordings() {
    constexpr int64_t X = Memory::X;
    const Record product = forward(X, Memory::Y);
    const Record gradients = backward_weights(X, Memory::DW);
    const Recording RECORDINGS[] = {
        {"gathered", 1, {gather(X), product, gradients}},
        {"a forward product alone", 1, {gather(X), product}},
        {"gradients alone", 1, {load(X), gradients}},
        {"four products of one x",
         1,
         {gather(X), product, forward(X, Memory::OTHER_Y, 33), backward_weights(X, Memory::OTHER_DW, 35), gradients}},
        {"one product of enough outputs",
         1,
         {gather(X), forward(X, Memory::OTHER_Y, 31), product, backward_weights(X, Memory::OTHER_DW, 31)}},
        {"products of too few outputs",
         0,
         {gather(X), forward(X, Memory::OTHER_Y, 31), backward_weights(X, Memory::OTHER_DW, 31)}},
        {"loaded over what was gathered", 1, {gather(X), load(X), product, gradients}},
        {"loaded between the products", 2, {gather(X), product, load(X), gradients}},
        {"gathered again between the products", 2, {gather(X), product, gather(X, IN, 0, ROWS), gradients}},
        {"loaded over rows of it", 0, {gather(X), load(X, 8), product, gradients}},
        {"loaded over the end of it", 0, {gather(X), load(X, IN, ROWS * IN - 5), product, gradients}},
        {"added to in place", 0, {gather(X), backward_input(X, ELBO4J_ADD), product, gradients}},
        {"added to between the products", 1, {gather(X), product, backward_input(X, ELBO4J_ADD), gradients}},
        {"overwritten by a layer", 0, {gather(X), forward(Memory::HIDDEN, X, IN), product, gradients}},
        {"stored elsewhere", 1, {gather(X), product, store(X, Memory::OTHER_Y)}},
        {"stored over", 1, {load(X), product, store(Memory::HIDDEN, X), gradients}},
        {"two arrays",
         2,
         {gather(X), gather(Memory::OTHER_X, IN, 0, ROWS), product, forward(Memory::OTHER_X, Memory::OTHER_Y),
          backward_weights(Memory::OTHER_X, Memory::OTHER_DW), gradients}},
        {"one of two arrays", 1, {load(X), gather(Memory::OTHER_X), forward(Memory::HIDDEN, Memory::Y), gradients}},
        {"twice as wide", 0, {gather(X, 2 * IN), product, gradients}},
        {"half as wide", 0, {gather(X, IN / 2), product, gradients}},
        {"begins behind it", 0, {gather(X, IN, IN), product, gradients}},
        {"folded", 0, {gather(X), forward(X, Memory::Y, OUT, 2), backward_weights(X, Memory::DW, OUT, 2)}},
        {"folded, gathered twice as wide",
         0,
         {gather(X, 2 * IN), forward(X, Memory::Y, OUT, 2), backward_weights(X, Memory::DW, OUT, 2)}},
        {"brought in behind the products", 0, {product, gradients, gather(X)}},
        {"brought in between the products", 1, {product, gather(X), gradients}},
    };
    for (int32_t isa : supported()) {
        for (const Recording& recording : RECORDINGS) {
            together_and_apart(isa, recording);
        }
    }
}

}  // namespace

int main() {
    catch_faults();
    recordings();
    return conclude();
}
