/*
 * Products that leave out what is zero of an x that is gathered or loaded: they have the bits of products that take every
 * term, whatever the shape, where the zeros are, and what was there in the run before; and NaN in the other factor shows
 * which terms are left out, and that no others are.
 */
#include <numeric>

#include "programs.h"

namespace {

using namespace elbo4j;

/* How x comes into a program; drawn: Bernoulli. */
enum class Source {
    HANDED,
    GATHERED_UNIT,
    GATHERED_BYTES,
    GATHERED_FLOATS,
    DRAWN_BYTES,
    DRAWN_FLOATS,
    LOADED_UNIT,
    LOADED_BYTES,
    LOADED_FLOATS
};

constexpr Source BROUGHT[] = {Source::GATHERED_UNIT, Source::GATHERED_BYTES, Source::GATHERED_FLOATS,
                              Source::DRAWN_BYTES,   Source::DRAWN_FLOATS,   Source::LOADED_UNIT,
                              Source::LOADED_BYTES,  Source::LOADED_FLOATS};

const char* text_of(Source source) {
    const char* const TEXTS[] = {"handed over", "gathered unit", "gathered bytes", "gathered floats", "drawn of bytes",
                                 "drawn",       "loaded unit",   "loaded bytes",   "loaded floats"};
    return TEXTS[(int)source];
}

bool gathered(Source source) { return source >= Source::GATHERED_UNIT && source <= Source::DRAWN_FLOATS; }

bool of_bytes(Source source) {
    return source != Source::GATHERED_FLOATS && source != Source::DRAWN_FLOATS && source != Source::LOADED_FLOATS;
}

int32_t pixels_of(Source source) {
    bool drawn = source == Source::DRAWN_BYTES || source == Source::DRAWN_FLOATS;
    bool unit = source == Source::GATHERED_UNIT || source == Source::LOADED_UNIT;
    return drawn ? ELBO4J_BERNOULLI : unit ? ELBO4J_UNIT : ELBO4J_AS_IS;
}

/* What becomes of the gradients of the weights; merged: with a check and Adam. */
enum class Use { STORED, ADDED, SGD, MERGED };
constexpr int64_t USES = 4;

const char* text_of(Use use) {
    const char* const TEXTS[] = {"stored", "added", "SGD", "merged"};
    return TEXTS[(int)use];
}

/* Products of fewer outputs leave out nothing. */
constexpr int64_t ENOUGH_OUTPUTS = 32;

struct Setup {
    int64_t rows;
    int64_t in;
    int64_t out;
    Source source;
    Use use;
    /* Whether the transposed copy of the weights is up to date; else they are read as they lie where that is cheaper. */
    bool fresh;
    int32_t threads;
    int32_t activation;

    bool listed() const { return source != Source::HANDED && out >= ENOUGH_OUTPUTS; }

    /* Whether the forward product of so many rows reads the weights as they lie. */
    bool direct(int64_t active) const { return !fresh && active >= 48 && active * (in + out) < in * out; }

    /* The same of an x that is handed over, and with a copy that is up to date. */
    Setup of_all_terms() const { return {rows, in, out, Source::HANDED, use, true, 1, activation}; }

    std::string text() const {
        return std::to_string(rows) + " x " + std::to_string(in) + " -> " + std::to_string(out) + ", " +
               text_of(source) + ", " + text_of(use) + (fresh ? ", copy, " : ", ") + std::to_string(threads) +
               " threads";
    }
};

int64_t aligned(int64_t elements) { return (elements + 15) / 16 * 16; }

/* A layer of which x comes in one way or another, and g lies there. Other rows than the active ones are NaN. */
class Layer {
   public:
    const Setup setup;
    const int64_t bias = aligned(setup.in * setup.out); /* where it begins in values and gradients */
    const int64_t size = bias + setup.out;
    elbo4j_state state = {};
    Array<float> x{setup.rows * setup.in};
    Array<float> y{setup.rows * setup.out};
    Array<float> pre{setup.rows * setup.out};
    Array<float> g{setup.rows * setup.out};
    Array<float> values{size};
    Array<float> gradients{size};
    Array<float> moment0{size};
    Array<float> moment1{size};
    int64_t version = 0;

    Layer(int32_t isa, const Setup& of)
        : setup(of), program_(isa, of.threads, of.rows, &state), renewal_(isa, 1, 1, nullptr) {
        state.seed = 31;
        elbo4j_program* program = program_.handle();
        record_source();
        record_forward(program, x.data(), y.data(), pre.data());
        Program::expect_ok(elbo4j_linear_backward_weights_f32(program, 1, x.data(), g.data(), setup.in, setup.out,
                                                              gradients.data(), gradients.data() + bias,
                                                              setup.use == Use::ADDED ? ELBO4J_ADD : ELBO4J_OVERWRITE));
        const elbo4j_scalar one = {1, -1};
        const elbo4j_scalar rate = {1e-2, -1};
        if (setup.use == Use::SGD) {
            Program::expect_ok(elbo4j_sgd_f32(program, values.data(), gradients.data(), 0, size, &version, &rate));
        } else if (setup.use == Use::MERGED) {
            const int64_t offsets[] = {0, bias};
            const int64_t sizes[] = {setup.in * setup.out, setup.out};
            const int64_t names[] = {1, 2};
            Program::expect_ok(elbo4j_check_gradients_f32(program, gradients.data(), 2, offsets, sizes, names));
            Program::expect_ok(elbo4j_adam_f32(program, values.data(), gradients.data(), moment0.data(), moment1.data(),
                                               0, size, &version, &rate, &one, &one, 0.9, 0.999, 1e-8));
        }
        program_.finish();
        record_forward(renewal_.handle(), one_x_.data(), one_y_.data(), nullptr);
        renewal_.finish();
        expect_number(program_.lists(), setup.listed() ? 1 : 0, "calls with lists");
        if (program_.merges_updates() != (setup.use == Use::MERGED)) {
            fail("the plan is not the one the case is about:\n" + program_.explain());
        }
    }

    /* Lets a matrix [rows, in] be what x becomes; some rows are outside the data if x is gathered. */
    void supply(const std::vector<float>& matrix, bool some_outside) {
        std::vector<int64_t> places((size_t)data_rows_);
        std::iota(places.begin(), places.end(), 0);
        if (gathered(setup.source)) {
            std::shuffle(places.begin(), places.end(), generator);
        }
        for (int64_t row = 0; row < data_rows_; row++) {
            for (int64_t c = 0; c < setup.in; c++) {
                put(places[(size_t)row] * setup.in + c, row < setup.rows ? matrix[(size_t)(row * setup.in + c)] : 0.5f);
            }
        }
        for (int64_t row = 0; row < setup.rows; row++) {
            bool outside = some_outside && below(3) == 0;
            row_ids_[row] = !outside ? places[(size_t)row] : below(2) == 0 ? -1 - below(3) : data_rows_ + below(3);
        }
    }

    void run(int64_t times, int64_t active) {
        if (setup.source != Source::HANDED) {
            std::fill_n(x.data(), setup.rows * setup.in, NAN);
        }
        std::fill_n(y.data(), setup.rows * setup.out, NAN);
        std::fill_n(pre.data(), setup.rows * setup.out, NAN);
        if (setup.use != Use::ADDED) {
            std::fill_n(gradients.data(), setup.in * setup.out, NAN);
            std::fill_n(gradients.data() + bias, setup.out, NAN);
        }
        for (int64_t i = 0; i < (setup.fresh ? times : 1); i++) {
            if (setup.fresh) {
                renewal_.run(1, 1, 1);
            }
            program_.run(setup.fresh ? 1 : times, active, setup.threads);
        }
    }

    /* Takes the active rows of another layer's x. */
    void take(Layer& other, int64_t active) {
        std::fill_n(x.data(), setup.rows * setup.in, NAN);
        std::copy_n(other.x.data(), active * setup.in, x.data());
    }

    void expect_equals(const Layer& other) const {
        expect_same_array(y.values(), other.y.values(), "y");
        expect_same_array(pre.values(), other.pre.values(), "pre");
        expect_same_array(gradients.values(), other.gradients.values(), "gradient");
        if (setup.use == Use::SGD || setup.use == Use::MERGED) {
            expect_same_array(values.values(), other.values.values(), "value");
            expect_same_array(moment0.values(), other.moment0.values(), "moment 0");
            expect_same_array(moment1.values(), other.moment1.values(), "moment 1");
        }
        expect_same_halt(state, other.state);
        expect_number(version, other.version, "version");
    }

   private:
    const int64_t data_rows_ = setup.rows + 3;
    int64_t packed_version_ = -1;
    Array<float> packed_{setup.in * setup.out};
    Array<float> floats_{data_rows_ * setup.in};
    Array<uint8_t> bytes_{data_rows_ * setup.in};
    Array<int64_t> row_ids_{setup.rows};
    Array<float> one_x_{setup.in};
    Array<float> one_y_{setup.out};
    Program program_;
    /* Renews the copy of the weights. */
    Program renewal_;

    void record_source() {
        const elbo4j_noise noise = {row_ids_.data(), 1, ELBO4J_BATCH_POSITION};
        const void* data = of_bytes(setup.source) ? (void*)bytes_.data() : floats_.data();
        int32_t type = of_bytes(setup.source) ? ELBO4J_U8 : ELBO4J_F32;
        int32_t pixels = pixels_of(setup.source);
        if (gathered(setup.source)) {
            Program::expect_ok(elbo4j_gather_f32(program_.handle(), row_ids_.data(), data, type, data_rows_, setup.in,
                                                 pixels, &noise, x.data()));
        } else if (setup.source != Source::HANDED) {
            Program::expect_ok(elbo4j_load_f32(program_.handle(), data, type, setup.in, pixels, x.data()));
        }
    }

    void record_forward(elbo4j_program* program, const float* from, float* to, float* before) {
        const elbo4j_weights copied = {values.data(), packed_.data(), &version, &packed_version_};
        const elbo4j_weights own = {values.data(), nullptr, nullptr, nullptr};
        Program::expect_ok(elbo4j_linear_forward_f32(program, 1, from, setup.in, setup.out,
                                                     setup.fresh ? &copied : &own, values.data() + bias,
                                                     setup.activation, to, before));
    }

    void put(int64_t at, float value) {
        bytes_[at] = (uint8_t)(value != 0 ? 1 + below(255) : 0);
        floats_[at] = setup.source == Source::DRAWN_FLOATS && value != 0 ? (float)(1 + below(4)) / 4 : value;
    }
};

/* Where the zeros of x are, and of which kind. */
enum class Pattern {
    ALL_ZERO,
    ONE,
    ZERO_COLUMNS,
    ZERO_ROWS,
    TWENTIETH,
    FIFTH,
    BLOCKS,
    HALF,
    /* About as much as leaving out still pays for: of the columns of eight rows, and of the rows of eight columns. */
    MOST_COLUMNS,
    MOST_ROWS,
    NO_ZERO,
    NEGATIVE_ZEROS,
    NOT_FINITE,
    OUTSIDE
};
constexpr int64_t PATTERNS = (int64_t)Pattern::OUTSIDE + 1;

const char* text_of(Pattern pattern) {
    const char* const TEXTS[] = {"all zero",   "one",    "zero columns", "zero rows", "a twentieth", "a fifth",
                                 "blocks",     "half",   "most columns", "most rows", "no zero",     "negative zeros",
                                 "not finite", "outside"};
    return TEXTS[(int)pattern];
}

/* An element that is not zero in most of the rectangles, as high and wide as given; in about seven of eight. */
std::vector<float> most(int64_t rows, int64_t columns, int64_t tall, int64_t wide) {
    std::vector<float> matrix((size_t)(rows * columns));
    int64_t out_of = 6 + below(6);
    for (int64_t row = 0; row < rows; row += tall) {
        for (int64_t column = 0; column < columns; column += wide) {
            if (below(out_of) != 0) {
                int64_t r = row + below(std::min(tall, rows - row));
                int64_t c = column + below(std::min(wide, columns - column));
                matrix[(size_t)(r * columns + c)] = nonzero();
            }
        }
    }
    return matrix;
}

std::vector<float> matrix_of(Pattern pattern, int64_t rows, int64_t columns) {
    std::vector<float> matrix((size_t)(rows * columns));
    auto fill = [&](const std::function<float(int64_t row, int64_t column)>& value) {
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t column = 0; column < columns; column++) {
                matrix[(size_t)(row * columns + column)] = value(row, column);
            }
        }
    };
    auto one_of = [](int64_t count) { return below(count) == 0 ? nonzero() : 0; };
    std::vector<bool> chosen((size_t)std::max(rows, columns));
    for (size_t i = 0; i < chosen.size(); i++) {
        chosen[i] = below(3) == 0;
    }
    switch (pattern) {
        case Pattern::ALL_ZERO:
            break;
        case Pattern::ONE:
            matrix[(size_t)below(rows * columns)] = nonzero();
            break;
        case Pattern::ZERO_COLUMNS:
            fill([&](int64_t, int64_t column) { return chosen[(size_t)column] ? nonzero() : 0; });
            break;
        case Pattern::ZERO_ROWS:
            fill([&](int64_t row, int64_t) { return chosen[(size_t)row] ? nonzero() : 0; });
            break;
        case Pattern::TWENTIETH:
        case Pattern::OUTSIDE:
            fill([&](int64_t, int64_t) { return one_of(20); });
            break;
        case Pattern::FIFTH:
            fill([&](int64_t, int64_t) { return one_of(5); });
            break;
        case Pattern::HALF:
            fill([&](int64_t, int64_t) { return one_of(2); });
            break;
        case Pattern::BLOCKS:
            for (int64_t i = 0; i < 1 + rows * columns / 300; i++) {
                int64_t first_row = below(rows);
                int64_t first = below(columns);
                for (int64_t row = first_row; row < std::min(first_row + 1 + below(11), rows); row++) {
                    for (int64_t column = first; column < std::min(first + 1 + below(5), columns); column++) {
                        matrix[(size_t)(row * columns + column)] = nonzero();
                    }
                }
            }
            break;
        case Pattern::MOST_COLUMNS:
            return most(rows, columns, 8, 1);
        case Pattern::MOST_ROWS:
            return most(rows, columns, 1, 8);
        case Pattern::NO_ZERO:
            fill([](int64_t, int64_t) { return nonzero(); });
            break;
        case Pattern::NEGATIVE_ZEROS:
            fill([&](int64_t, int64_t) { return below(12) == 0 ? nonzero() : below(2) == 0 ? -0.0f : 0.0f; });
            break;
        case Pattern::NOT_FINITE:
            fill([&](int64_t, int64_t) { return one_of(12); });
            for (float special : {NAN, INFINITY, -INFINITY}) {
                matrix[(size_t)below(rows * columns)] = special;
            }
            break;
    }
    return matrix;
}

/* Values and gradients of a layer; each third bias is zero, of either sign, and so is the gradient of what lies between. */
void randomize(Layer& layer) {
    std::vector<float> random = normals(2 * layer.size, 1);
    std::copy_n(random.begin(), layer.size, layer.values.data());
    std::copy_n(random.begin() + layer.size, layer.size, layer.gradients.data());
    std::fill(layer.gradients.data() + layer.setup.in * layer.setup.out, layer.gradients.data() + layer.bias, 0.0f);
    for (int64_t o = 0; o < layer.setup.out; o += 3) {
        layer.values[layer.bias + o] = o % 2 == 0 ? 0.0f : -0.0f;
    }
}

/* Runs of one program on other data each, with other rows, against the same of all terms. */
void same_bits(int32_t isa, const Setup& setup, int turns) {
    name_case(setup.text() + on(isa));
    Layer some(isa, setup);
    Layer all(isa, setup.of_all_terms());
    randomize(some);
    std::copy_n(some.values.data(), some.size, all.values.data());
    std::copy_n(some.gradients.data(), some.size, all.gradients.data());
    int64_t active = setup.rows;
    for (int turn = 0; turn < turns; turn++) {
        Pattern pattern = (Pattern)below(PATTERNS);
        /* What is not finite would stay in what is added to. */
        bool stays = setup.use == Use::SGD || setup.use == Use::ADDED;
        pattern = pattern == Pattern::NOT_FINITE && stays && turn < turns - 1 ? Pattern::NO_ZERO : pattern;
        name_case(setup.text() + ", turn " + std::to_string(turn) + ": " + std::to_string(active) + " rows, " +
                  text_of(pattern) + on(isa));
        some.supply(matrix_of(pattern, setup.rows, setup.in), pattern == Pattern::OUTSIDE);
        /* Large ones are beyond the bound of merged updates, or what Adam can square. */
        const float SCALES[] = {1, 1, 1, 1e14f, 1e16f};
        std::vector<float> g = normals(setup.rows * setup.out, SCALES[below(5)]);
        std::copy_n(g.begin(), g.size(), some.g.data());
        std::copy_n(g.begin(), g.size(), all.g.data());
        some.state.step = turn;
        int64_t times = 1 + below(4) / 3;
        some.run(times, active);
        all.take(some, active);
        all.run(times, active);
        some.expect_equals(all);
        some.state.halted = all.state.halted = 0;
        active = below(3) == 0 ? setup.rows : 1 + below(setup.rows);
    }
}

Setup random_setup(int64_t rows, int64_t in, int64_t out) {
    return {rows,
            in,
            out,
            BROUGHT[below(8)],
            (Use)below(USES),
            below(2) == 0,
            (int32_t)(1 + below(3)),
            below(3) == 0 ? ELBO4J_GELU : ELBO4J_IDENTITY};
}

void shapes() {
    const int64_t ROWS[] = {1, 7, 8, 9, 15, 16, 17, 48, 49, 100};
    const int64_t INS[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 100, 128, 256};
    const int64_t OUTS[] = {1, 8, 31, 32, 33, 47, 48, 49, 100, 128, 400};
    static int turn = 0;
    for (int32_t isa : supported()) {
        for (int64_t in : INS) {
            for (int64_t out : OUTS) {
                if (turn++ % ELBO4J_TEST_STRIDE != 0) {
                    continue;
                }
                generator.seed((uint64_t)turn);
                for (int i = 0; i < 2; i++) {
                    same_bits(isa, random_setup(ROWS[below(10)], in, out), 4);
                }
            }
        }
    }
}

/* Weights that are read as they lie, with panels and columns that end anywhere. */
void weights_as_they_lie() {
    const int64_t SHAPES[][3] = {{48, 100, 100}, {48, 103, 128},  {49, 128, 101}, {50, 129, 127},
                                 {64, 135, 140}, {100, 256, 400}, {97, 201, 210}};
    static int turn = 0;
    for (int32_t isa : supported()) {
        for (const auto& shape : SHAPES) {
            for (Use use : {Use::STORED, Use::SGD, Use::MERGED}) {
                if (turn++ % ELBO4J_TEST_STRIDE != 0) {
                    continue;
                }
                generator.seed((uint64_t)turn);
                Setup setup = random_setup(shape[0], shape[1], shape[2]);
                setup.use = use;
                setup.fresh = false;
                name_case(setup.text() + on(isa));
                if (!setup.direct(setup.rows)) {
                    fail("the weights are not read as they lie");
                }
                same_bits(isa, setup, 3);
            }
        }
    }
}

/* Outputs in ranges of the threads of which not all have as many blocks; and more rows than threads have room for. */
void ranges_and_rooms() {
    static int turn = 0;
    for (int32_t isa : supported()) {
        for (int64_t out : {97, 100, 104, 150}) {
            for (int64_t rows : {1, 9, 100}) {
                for (Use use : {Use::STORED, Use::MERGED}) {
                    if (turn++ % ELBO4J_TEST_STRIDE != 0) {
                        continue;
                    }
                    generator.seed((uint64_t)turn);
                    Setup setup = random_setup(rows, rows == 100 ? 130 : 300, out);
                    setup.use = use;
                    setup.threads = out == 150 ? 3 : 2;
                    same_bits(isa, setup, 2);
                }
            }
        }
        generator.seed(3);
        same_bits(isa, {5600, 17, 51, Source::GATHERED_BYTES, Use::STORED, true, 2, ELBO4J_IDENTITY}, 3);
    }
}

/* Rows of a matrix. */
struct Matrix {
    std::vector<float> values;
    int64_t rows;
    int64_t columns;

    float at(int64_t row, int64_t column) const { return values[(size_t)(row * columns + column)]; }

    bool is_zero(int64_t from_row, int64_t to_row, int64_t from, int64_t to) const {
        for (int64_t row = from_row; row < std::min(to_row, rows); row++) {
            for (int64_t column = from; column < std::min(to, columns); column++) {
                if (at(row, column) != 0) {
                    return false;
                }
            }
        }
        return true;
    }
};

/* Rows, or columns, that have a list in common; and rows for which it is decided at once whether the lists pay. */
constexpr int64_t EIGHT = 8;
constexpr int64_t BLOCK_ROWS = 48;

/* Whether lists of columns, each for so many of the rows, hold no more than half: then leaving out the others pays. */
bool few_columns(const Matrix& x, int64_t from_row, int64_t to_row, int64_t together) {
    int64_t listed = 0;
    int64_t all = 0;
    for (int64_t row = from_row; row < std::min(to_row, x.rows); row += together) {
        for (int64_t column = 0; column < x.columns; column++) {
            listed += x.is_zero(row, row + together, column, column + 1) ? 0 : 1;
            all++;
        }
    }
    return 2 * listed <= all;
}

/* Whether each eight columns list no more than half of the rows. */
bool few_rows(const Matrix& x) {
    for (int64_t column = 0; column < x.columns; column += EIGHT) {
        int64_t listed = 0;
        for (int64_t row = 0; row < x.rows; row++) {
            listed += x.is_zero(row, row + 1, column, column + EIGHT) ? 0 : 1;
        }
        if (2 * listed > x.rows) {
            return false;
        }
    }
    return true;
}

/* Sums with a NaN in one of their terms: how many were finite since the term was left out, and how many were NaN. */
struct Tally {
    int64_t left_out = 0;
    int64_t taken = 0;

    void expect(float got, bool is_taken, bool is_left_out, const char* what, int64_t at) {
        taken += is_taken ? 1 : 0;
        left_out += is_left_out ? 1 : 0;
        if ((is_taken && !std::isnan(got)) || (is_left_out && !std::isfinite(got))) {
            expect_same(got, is_taken ? NAN : 0, what, at);
        }
    }

    void expect_some(const char* what) const {
        if (left_out == 0 || taken == 0) {
            fail(std::string(what) + ": " + std::to_string(left_out) + " terms left out, " + std::to_string(taken) +
                 " taken");
        }
    }
};

std::vector<int64_t> one_or_two(int64_t bound) {
    std::vector<int64_t> chosen;
    for (int64_t i = below(2); i < 2; i++) {
        chosen.push_back(below(bound));
    }
    return chosen;
}

/* NaN in some columns of W and some rows of g, in runs of one program: sums see those that meet no zero, and no others. */
void sums_with_nan(int32_t isa, const Setup& setup, Tally& forward, Tally& backward) {
    name_case("NaN, " + setup.text() + on(isa));
    Layer layer(isa, setup);
    randomize(layer);
    const std::vector<float> values = layer.values.values();
    const bool all_taken = !setup.listed();
    const int64_t in = setup.in;
    const int64_t out = setup.out;
    int64_t active = setup.rows;
    int64_t fewest = setup.direct(48) ? 48 : 1;
    for (Pattern pattern :
         {Pattern::ZERO_COLUMNS, Pattern::NO_ZERO, Pattern::TWENTIETH, Pattern::OUTSIDE, Pattern::NO_ZERO,
          Pattern::OUTSIDE, Pattern::ZERO_ROWS, Pattern::BLOCKS, Pattern::NEGATIVE_ZEROS, Pattern::ZERO_COLUMNS}) {
        name_case("NaN, " + setup.text() + ", " + text_of(pattern) + ", " + std::to_string(active) + " rows" + on(isa));
        const std::vector<int64_t> columns = one_or_two(in);
        const std::vector<int64_t> rows = one_or_two(active);
        layer.version++;
        std::fill_n(layer.gradients.data(), layer.size, 0.0f);
        std::copy(values.begin(), values.end(), layer.values.data());
        for (int64_t column : columns) {
            for (int64_t o = 0; o < out; o++) {
                layer.values[o * in + column] = NAN;
            }
        }
        for (int64_t i = 0; i < setup.rows * out; i++) {
            layer.g[i] = normal(1);
        }
        for (int64_t row : rows) {
            std::fill_n(layer.g.data() + row * out, out, NAN);
        }
        std::vector<float> matrix = matrix_of(pattern, setup.rows, in);
        layer.supply(matrix, pattern == Pattern::OUTSIDE);
        if (setup.source == Source::HANDED) {
            std::copy(matrix.begin(), matrix.end(), layer.x.data());
        }
        layer.run(1, active);

        const Matrix x = {layer.x.values(), active, in};
        const bool direct = setup.direct(active);
        const int64_t block = direct ? active : BLOCK_ROWS;
        const int64_t together = direct ? active : EIGHT;
        for (int64_t row = 0; row < active; row++) {
            bool few = few_columns(x, row / block * block, (row / block + 1) * block, together);
            bool taken = all_taken;
            bool left_out = few && !all_taken;
            for (int64_t column : columns) {
                int64_t first = row / together * together;
                taken |= x.at(row, column) != 0;
                left_out &= x.is_zero(first, first + together, column, column + 1);
            }
            for (int64_t o = 0; o < out; o++) {
                forward.expect(layer.y[row * out + o], taken, left_out, "y", row * out + o);
            }
        }
        bool few = few_rows(x);
        for (int64_t column = 0; column < in; column++) {
            bool taken = all_taken;
            bool left_out = few && !all_taken;
            for (int64_t row : rows) {
                int64_t first = column / EIGHT * EIGHT;
                taken |= x.at(row, column) != 0;
                left_out &= x.is_zero(row, row + 1, first, first + EIGHT);
            }
            for (int64_t o = 0; o < out; o++) {
                backward.expect(layer.gradients[o * in + column], taken, left_out, "dW", o * in + column);
            }
        }
        for (int64_t o = 0; o < out; o++) {
            expect_same(layer.gradients[layer.bias + o], NAN, "db", o);
        }
        active = std::max(fewest, 1 + below(setup.rows));
    }
}

void what_is_left_out() {
    for (int32_t isa : supported()) {
        generator.seed(17);
        Tally packed;
        Tally direct;
        Tally backward;
        for (Source source : BROUGHT) {
            static int turn = 0;
            if (turn++ % ELBO4J_TEST_STRIDE != 0) {
                continue;
            }
            for (bool fresh : {true, false}) {
                sums_with_nan(isa, {43, 41, 33, source, Use::STORED, fresh, 1, ELBO4J_IDENTITY}, packed, backward);
            }
            sums_with_nan(isa, {100, 128, 48, source, Use::ADDED, true, 2, ELBO4J_IDENTITY}, packed, backward);
            sums_with_nan(isa, {64, 135, 150, source, Use::STORED, false, 2, ELBO4J_IDENTITY}, direct, backward);
        }
        packed.expect_some("y");
        direct.expect_some("y of weights as they lie");
        backward.expect_some("dW");
        Tally none;
        sums_with_nan(isa, {43, 41, 33, Source::HANDED, Use::STORED, true, 1, ELBO4J_IDENTITY}, none, none);
        sums_with_nan(isa, {43, 41, 31, Source::GATHERED_BYTES, Use::STORED, false, 1, ELBO4J_IDENTITY}, none, none);
        sums_with_nan(isa, {43, 41, 31, Source::LOADED_FLOATS, Use::STORED, true, 1, ELBO4J_IDENTITY}, none, none);
        expect_number(none.left_out, 0, "terms left out");
    }
}

/* Sums that underflow to -0, with terms that are zero before and behind: +0, as with all terms. */
void underflow(int32_t isa, const Setup& setup) {
    const int64_t in = setup.in;
    const int64_t out = setup.out;
    for (int64_t tiny_column : {(int64_t)0, in / 2, in - 1}) {
        for (int64_t tiny_row : {(int64_t)0, setup.rows / 2, setup.rows - 1}) {
            name_case("underflow, " + setup.text() + ", row " + std::to_string(tiny_row) + ", column " +
                      std::to_string(tiny_column) + on(isa));
            Layer layer(isa, setup);
            std::vector<float> matrix((size_t)(setup.rows * in));
            for (int64_t i = 0; i < setup.rows * in; i++) {
                matrix[(size_t)i] = i % 3 == 0 ? -0.0f : 0.0f;
            }
            matrix[(size_t)(tiny_row * in + tiny_column)] = 1e-30f;
            for (int64_t i = 0; i < in * out; i++) {
                layer.values[i] = i % in == tiny_column ? -1e-30f : i / in % 2 == 0 ? -1.0f : 1.0f;
                layer.gradients[i] = -0.0f;
            }
            for (int64_t o = 0; o < out; o++) {
                layer.values[layer.bias + o] = o % 3 == 0 ? 0.0f : -0.0f;
            }
            for (int64_t i = 0; i < setup.rows * out; i++) {
                layer.g[i] = i / out == tiny_row ? -1e-30f : i % out % 2 == 0 ? -1.0f : 1.0f;
            }
            layer.supply(matrix, false);
            if (setup.source == Source::HANDED) {
                std::copy(matrix.begin(), matrix.end(), layer.x.data());
            }
            layer.run(1, setup.rows);
            expect_same_array(layer.y.values(), std::vector<float>((size_t)(setup.rows * out)), "y");
            expect_same_array(layer.pre.values(), std::vector<float>((size_t)(setup.rows * out)), "pre");
            std::vector<float> gradients = layer.gradients.values();
            gradients.resize((size_t)(in * out));
            expect_same_array(gradients, std::vector<float>((size_t)(in * out)), "dW");
        }
    }
}

void underflows() {
    for (int32_t isa : supported()) {
        for (Source source : {Source::HANDED, Source::GATHERED_FLOATS, Source::LOADED_FLOATS}) {
            for (Use use : {Use::STORED, Use::ADDED, Use::MERGED}) {
                underflow(isa, {17, 41, 35, source, use, true, 1, ELBO4J_IDENTITY});
            }
            underflow(isa, {48, 103, 128, source, Use::STORED, false, 1, ELBO4J_IDENTITY});
        }
    }
}

}  // namespace

int main() {
    catch_faults();
    shapes();
    weights_as_they_lie();
    ranges_and_rooms();
    what_is_left_out();
    underflows();
    return conclude();
}
