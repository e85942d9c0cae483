/*
 * The products of dense layers against plain loops on awkward shapes: bit for bit against the ascending chain of fused
 * multiply-adds that product.h promises, and within its rounding of the sum in double. On every instruction set and with
 * every split into pieces the bits are the same; rows know nothing of the rows beside them; nothing outside the operands is
 * touched, and no input changed.
 */
#include "cases.h"
#include "product_functions.h"

namespace {

using namespace elbo4j;

constexpr int64_t LANES = 16;
/* Rows of outputs behind the active ones. */
constexpr int64_t IDLE_ROWS = 2;
constexpr float UNTOUCHED = -9;
constexpr int64_t SPLITS = 4;
/* Below it activations may be zero. */
constexpr double SMALLEST = 0x1p-126;

/* Batch rows, rows for each of them, inputs and outputs of a layer. */
struct Shape {
    int64_t active;
    int64_t fold;
    int64_t in;
    int64_t out;

    int64_t rows() const { return active * fold; }
    /* Ranges that weights are cut into: 1 to 4, more than there are blocks as well. */
    int32_t threads() const { return 1 + (int32_t)((in + out) % 4); }
    /* Whether panels may be copied. */
    bool has_room() const { return active != 100; }
    /* Whether gradients are stored where they are updated. */
    bool last() const { return out % 2 == 0; }
    std::string text() const {
        return " of " + std::to_string(active) + " rows, fold " + std::to_string(fold) + ", in " + std::to_string(in) +
               ", out " + std::to_string(out);
    }
};

const ProductFunctions& functions_of(int32_t isa) {
    static const ProductFunctions* const ALL[] = {
#define ELBO4J_ADDRESS(ISA) &elbo4j::ISA::PRODUCT,
        ELBO4J_FOR_ISAS(ELBO4J_ADDRESS)
#undef ELBO4J_ADDRESS
    };
    return *ALL[isa];
}

/* An input, which must not change. */
class Operand {
   public:
    explicit Operand(const std::vector<float>& values) : values_(values), memory_(values) {}
    ~Operand() {
        if (!same(memory_.values(), values_) || !memory_.intact()) {
            fail("changed an input");
        }
    }
    const float* data() const { return memory_.data(); }

   private:
    std::vector<float> values_;
    Fenced<float> memory_;
};

/* Behind an operand whose rows fill registers, as much as elbo4j_allocate lets one read; no result may depend on it. */
std::vector<float> with_readable(std::vector<float> values) {
    values.resize(values.size() + LANES, NAN);
    return values;
}

std::vector<float> untouched(int64_t rows, int64_t columns) {
    return std::vector<float>((size_t)((rows + IDLE_ROWS) * columns), UNTOUCHED);
}

/* The rows behind the active ones are as they were. */
void expect_idle(const std::vector<float>& got, const std::vector<float>& initial, int64_t from, const char* what) {
    for (size_t i = (size_t)from; i < initial.size(); i++) {
        expect_same(got[i], initial[i], what, (int64_t)i);
    }
}

/* A sum of products: its chain of roundings, its value and the sum of the magnitudes, in double. */
struct Sum {
    float chain = 0;
    double value = 0;
    double magnitude = 0;
};

Sum sum_of(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t depth) {
    Sum sum;
    for (int64_t k = 0; k < depth; k++) {
        float left = a[k * a_stride];
        float right = b[k * b_stride];
        sum.chain = fmaf(left, right, sum.chain);
        sum.value += (double)left * right;
        sum.magnitude += fabs((double)left * right);
    }
    return sum;
}

/* What a chain of `depth` additions, and the given other terms, may lose. */
double chain_bound(int64_t depth, double magnitude) { return 2 * (double)depth * ROUNDING * magnitude; }

double value_of(int32_t activation, double a) {
    switch (activation) {
        case ELBO4J_RELU:
            return a > 0 ? a : 0;
        case ELBO4J_LEAKY_RELU:
            return a > 0 ? a : a * 0.01f;
        case ELBO4J_ELU:
            return a > 0 ? a : expm1(a);
        case ELBO4J_GELU:
            return a / 2 * erfc(-a / sqrt(2));
        case ELBO4J_SILU:
            return a / (1 + exp(-a));
        case ELBO4J_TANH:
            return tanh(a);
        case ELBO4J_SIGMOID:
            return 1 / (1 + exp(-a));
        case ELBO4J_SOFTPLUS:
            return (a > 0 ? a : 0) + log1p(exp(-fabs(a)));
        default:
            return a;
    }
}

bool needs_input(int32_t activation) { return activation == ELBO4J_GELU || activation == ELBO4J_SILU; }

/* From the input where needs_input, else from the output. */
double derivative_of(int32_t activation, double saved) {
    switch (activation) {
        case ELBO4J_RELU:
            return saved > 0 ? 1 : 0;
        case ELBO4J_LEAKY_RELU:
            return saved > 0 ? 1 : 0.01f;
        case ELBO4J_ELU:
            return saved > 0 ? 1 : saved + 1;
        case ELBO4J_GELU:
            return erfc(-saved / sqrt(2)) / 2 + saved * exp(-saved * saved / 2) / sqrt(2 * M_PI);
        case ELBO4J_SILU: {
            double s = 1 / (1 + exp(-saved));
            return s * (1 + saved * (1 - s));
        }
        case ELBO4J_TANH:
            return 1 - saved * saved;
        case ELBO4J_SIGMOID:
            return saved * (1 - saved);
        case ELBO4J_SOFTPLUS:
            return -expm1(-saved);
        default:
            return 1;
    }
}

/* Weights that keep sums of `in` standard normal numbers near 2. */
std::vector<float> weights(int64_t in, int64_t out) { return normals(in * out, 2 / sqrtf((float)in)); }

/* A transposed copy of weights for every instruction set. */
class PackedCopies {
   public:
    PackedCopies(const std::vector<float>& w, int64_t in, int64_t out) : values_(w) {
        for (int32_t isa = 0; isa < isa_count(); isa++) {
            copies_.push_back(std::make_unique<Fenced<float>>(with_readable(std::vector<float>(w.size(), UNTOUCHED))));
            if (isa_supported(isa)) {
                PackWeights call = {{values_.data(), copies_.back()->data(), nullptr, nullptr}, in, out};
                kernels_of(isa).pack_weights(call, {0, kernels_of(isa).pack_weights_units(call)});
            }
        }
    }
    const float* of(const Kernels& kernels) const {
        int32_t isa = 0;
        while (&kernels_of(isa) != &kernels) {
            isa++;
        }
        return copies_[(size_t)isa]->data();
    }

   private:
    Operand values_;
    std::vector<std::unique_ptr<Fenced<float>>> copies_;
};

void panels() {
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        name_case(std::string("panels, ") + elbo4j_isa_name(isa));
        const ProductFunctions& product = functions_of(isa);
        for (int64_t columns = 1; columns <= 2000; columns++) {
            int64_t end = 0;
            for (int64_t index = 0; index < product.panel_count(columns); index++) {
                PanelColumns panel = product.panel_of(columns, index);
                bool filled = panel.width > (panel.groups - 1) * LANES && panel.width <= panel.groups * LANES;
                if (panel.from != end || !filled || panel.groups > product.max_groups) {
                    fail("panel " + std::to_string(index) + " of " + std::to_string(columns) + " columns has " +
                         std::to_string(panel.width) + " from " + std::to_string(panel.from) + " in " +
                         std::to_string(panel.groups) + " groups, and the one before ends at " + std::to_string(end));
                }
                end = panel.from + panel.width;
            }
            if (end != columns) {
                fail("the panels of " + std::to_string(columns) + " columns end at " + std::to_string(end));
            }
        }
    }
}

void pack_weights(int64_t in, int64_t out) {
    std::vector<float> values = weights(in, out);
    Operand w(values);
    for (int32_t isa : supported()) {
        name_case("pack_weights of in " + std::to_string(in) + ", out " + std::to_string(out) + ", " +
                  elbo4j_isa_name(isa));
        const Kernels& kernels = kernels_of(isa);
        const ProductFunctions& product = functions_of(isa);
        std::vector<float> want(values.size() + LANES, UNTOUCHED);
        for (int64_t index = 0; index < product.panel_count(out); index++) {
            PanelColumns panel = product.panel_of(out, index);
            for (int64_t k = 0; k < in; k++) {
                for (int64_t o = 0; o < panel.width; o++) {
                    want[(size_t)(panel.from * in + k * panel.width + o)] = values[(size_t)((panel.from + o) * in + k)];
                }
            }
        }
        Fenced<float> packed(std::vector<float>(want.size(), UNTOUCHED));
        PackWeights call = {{w.data(), packed.data(), nullptr, nullptr}, in, out};
        int64_t units = kernels.pack_weights_units(call);
        for (int64_t unit = units - 1; unit >= 0; unit--) {
            kernels.pack_weights(call, {unit, unit + 1});
        }
        for (size_t i = 0; i < want.size(); i++) {
            expect_same(packed.data()[i], want[i], "packed", (int64_t)i);
        }
        Fenced<float> whole(std::vector<float>(want.size(), UNTOUCHED));
        call.w.packed = whole.data();
        kernels.pack_weights(call, {0, units});
        if (!same(whole.values(), want) || !whole.intact() || !packed.intact()) {
            fail("other bits when packed as a whole, or wrote before the copy");
        }
    }
}

void linear_forward(const Shape& shape, int32_t activation, bool with_pre, bool direct) {
    name_case("linear_forward" + shape.text() + ", activation " + std::to_string(activation) +
              (with_pre ? ", with pre" : "") + (direct ? ", direct" : ""));
    std::vector<float> inputs = normals(shape.rows() * shape.in, 1);
    std::vector<float> matrix = weights(shape.in, shape.out);
    std::vector<float> biases = normals(shape.out, 1);
    Operand x(inputs);
    Operand b(biases);
    Operand values(matrix);
    PackedCopies packed(matrix, shape.in, shape.out);
    auto call_of = [&](const Kernels& kernels, float* y, float* pre) {
        elbo4j_weights w = {direct ? values.data() : nullptr, direct ? nullptr : (float*)packed.of(kernels), nullptr,
                            nullptr};
        return LinearForward{shape.fold, shape.in,   shape.out, x.data(), {w, shape.in, shape.out},
                             b.data(),   activation, y,         pre};
    };
    Run run = {nullptr, shape.active, direct, shape.threads()};
    room_depth = shape.in;
    std::vector<float> initial = untouched(shape.rows(), shape.out);
    Outputs results = run_everywhere(
        [&](const Kernels& kernels) { return kernels.linear_forward_units(call_of(kernels, nullptr, nullptr), run); },
        SPLITS, with_pre ? Outputs{initial, initial} : Outputs{initial},
        [&](const Kernels& kernels, Piece piece, Memory& out) {
            kernels.linear_forward(call_of(kernels, out[0]->data(), with_pre ? out[1]->data() : nullptr), run, piece);
        });
    for (int64_t i = 0; i < shape.rows() * shape.out; i++) {
        int64_t o = i % shape.out;
        Sum sum = sum_of(&inputs[(size_t)(i / shape.out * shape.in)], 1, &matrix[(size_t)(o * shape.in)], 1, shape.in);
        float a = sum.chain + biases[(size_t)o];
        if (with_pre) {
            expect_same(results[1][(size_t)i], a, "pre", i);
        }
        float y = results[0][(size_t)i];
        if (activation == ELBO4J_IDENTITY) {
            expect_same(y, a, "y", i);
            double bias = biases[(size_t)o];
            expect_close(y, sum.value + bias, chain_bound(shape.in + 1, sum.magnitude + fabs(bias)), "y", i);
        } else {
            double want = value_of(activation, a);
            expect_close(y, want, 8 * ROUNDING * fabs(want) + SMALLEST, "y", i);
        }
    }
    expect_largest(results[0], shape.rows() * shape.out);
    for (const std::vector<float>& result : results) {
        expect_idle(result, initial, shape.rows() * shape.out, "idle");
    }
}

void linear_backward_input(const Shape& shape, int32_t activation, int32_t write) {
    name_case("linear_backward_input" + shape.text() + ", activation " + std::to_string(activation) +
              (write == ELBO4J_ADD ? ", added" : ""));
    std::vector<float> gradients = normals(shape.rows() * shape.out, 1);
    std::vector<float> matrix = weights(shape.in, shape.out);
    std::vector<float> below = normals(shape.rows() * shape.in, 2);
    if (!needs_input(activation)) {
        for (float& a : below) {
            a = (float)value_of(activation, a);
        }
    }
    Operand g(gradients);
    Operand w(with_readable(matrix));
    Operand saved(below);
    Run run = {nullptr, shape.active};
    room_depth = shape.out;
    std::vector<float> initial = normals((shape.rows() + IDLE_ROWS) * shape.in, 1);
    auto call_of = [&](float* dx) {
        return LinearBackwardInput{
            shape.fold, shape.in,   shape.out, g.data(),
            w.data(),   activation, write,     activation == ELBO4J_IDENTITY ? nullptr : saved.data(),
            dx};
    };
    Outputs results = run_everywhere(
        [&](const Kernels& kernels) { return kernels.linear_backward_input_units(call_of(nullptr), run); }, SPLITS,
        {initial},
        [&](const Kernels& kernels, Piece piece, Memory& out) {
            piece.room = shape.has_room() ? piece.room : nullptr;
            kernels.linear_backward_input(call_of(out[0]->data()), run, piece);
        });
    for (int64_t i = 0; i < shape.rows() * shape.in; i++) {
        Sum sum = sum_of(&gradients[(size_t)(i / shape.in * shape.out)], 1, &matrix[(size_t)(i % shape.in)], shape.in,
                         shape.out);
        float before = write == ELBO4J_ADD ? initial[(size_t)i] : 0;
        float total = before + sum.chain;
        float dx = results[0][(size_t)i];
        if (activation == ELBO4J_IDENTITY) {
            expect_same(dx, total, "dx", i);
            expect_close(dx, before + sum.value, chain_bound(shape.out + 1, sum.magnitude + fabs((double)before)), "dx",
                         i);
        } else {
            /* The difference 1 - sigmoid(saved) loses a rounding of 1, and is multiplied by saved where it matters to 16. */
            expect_close(dx, total * derivative_of(activation, below[(size_t)i]), 16 * ROUNDING * fabs((double)total),
                         "dx", i);
        }
    }
    expect_largest(results[0], shape.rows() * shape.in);
    expect_idle(results[0], initial, shape.rows() * shape.in, "idle");
}

/* The sum over rows that linear_backward_weights promises for biases: blocks of 64, then over the blocks. */
float bias_sum(const std::vector<float>& g, int64_t rows, int64_t out, int64_t o) {
    float total = 0;
    for (int64_t start = 0; start < rows; start += 64) {
        float block = 0;
        for (int64_t r = start; r < std::min(start + 64, rows); r++) {
            block += g[(size_t)(r * out + o)];
        }
        total += block;
    }
    return total;
}

void linear_backward_weights(const Shape& shape, int32_t write) {
    name_case("linear_backward_weights" + shape.text() + (write == ELBO4J_ADD ? ", added" : ""));
    std::vector<float> inputs = normals(shape.rows() * shape.in, 1);
    std::vector<float> gradients = normals(shape.rows() * shape.out, 1);
    Operand x(with_readable(inputs));
    Operand g(gradients);
    Run run = {nullptr, shape.active, false, shape.threads()};
    room_depth = shape.rows();
    Outputs initial = {normals(shape.in * shape.out, 1), normals(shape.out, 1)};
    auto call_of = [&](float* dw, float* db) {
        return LinearBackwardWeights{shape.fold, shape.in, shape.out, x.data(), g.data(), dw, db, write};
    };
    Outputs results = run_everywhere(
        [&](const Kernels& kernels) { return kernels.linear_backward_weights_units(call_of(nullptr, nullptr), run); },
        SPLITS, initial,
        [&](const Kernels& kernels, Piece piece, Memory& out) {
            piece.room = shape.has_room() ? piece.room : nullptr;
            kernels.linear_backward_weights(call_of(out[0]->data(), out[1]->data()), run, piece);
        });
    for (int64_t i = 0; i < shape.in * shape.out; i++) {
        Sum sum = sum_of(&gradients[(size_t)(i / shape.in)], shape.out, &inputs[(size_t)(i % shape.in)], shape.in,
                         shape.rows());
        double before = write == ELBO4J_ADD ? initial[0][(size_t)i] : 0;
        float dw = results[0][(size_t)i];
        expect_same(dw, write == ELBO4J_ADD ? initial[0][(size_t)i] + sum.chain : sum.chain, "dw", i);
        expect_close(dw, before + sum.value, chain_bound(shape.rows() + 1, sum.magnitude + fabs(before)), "dw", i);
    }
    for (int64_t o = 0; o < shape.out; o++) {
        float sum = bias_sum(gradients, shape.rows(), shape.out, o);
        double before = write == ELBO4J_ADD ? initial[1][(size_t)o] : 0;
        double exact = before;
        double magnitude = fabs(before);
        for (int64_t r = 0; r < shape.rows(); r++) {
            exact += gradients[(size_t)(r * shape.out + o)];
            magnitude += fabs((double)gradients[(size_t)(r * shape.out + o)]);
        }
        expect_same(results[1][(size_t)o], write == ELBO4J_ADD ? initial[1][(size_t)o] + sum : sum, "db", o);
        expect_close(results[1][(size_t)o], exact, chain_bound(shape.rows() + 1, magnitude), "db", o);
    }
}

/* Against linear_backward_weights and adam, which other cases judge. */
void linear_update(const Shape& shape) {
    name_case("linear_update" + shape.text());
    const int64_t weight_offset = 3;
    const int64_t bias_offset = weight_offset + shape.in * shape.out + 5;
    const int64_t elements = bias_offset + shape.out + 4;
    std::vector<float> inputs = normals(shape.rows() * shape.in, 1);
    std::vector<float> slopes = normals(shape.rows() * shape.out, 1);
    Operand x(with_readable(inputs));
    Operand g(slopes);
    double table[] = {0.5, 0.25};
    elbo4j_state state = {};
    state.slots = 2;
    state.table = table;
    Run run = {&state, shape.active, false, shape.threads(), shape.last()};
    room_depth = shape.rows();
    LinearBackwardWeights weight_gradients = {shape.fold, shape.in, shape.out, x.data(),
                                              g.data(),   nullptr,  nullptr,   ELBO4J_OVERWRITE};
    auto call_of = [&](float* gradients, float* values, float* moment0, float* moment1) {
        LinearUpdate call = {weight_gradients, {}, weight_offset, bias_offset, false};
        call.gradients.dw = gradients + weight_offset;
        call.gradients.db = gradients + bias_offset;
        call.adam.values = values;
        call.adam.gradients = gradients;
        call.adam.moment0 = moment0;
        call.adam.moment1 = moment1;
        call.adam.size = elements;
        call.adam.learning_rate = {1e-2, -1};
        call.adam.correction1 = {0, 0};
        call.adam.correction2 = {0, 1};
        call.adam.beta1 = 0.9f;
        call.adam.beta2 = 0.999f;
        call.adam.one_minus_beta1 = 0.1f;
        call.adam.one_minus_beta2 = 0.001f;
        call.adam.epsilon = 1e-8f;
        return call;
    };
    Outputs initial = {normals(elements, 1), normals(elements, 1), normals(elements, 1), normals(elements, 1)};
    for (float& v : initial[3]) {
        v = v * v;
    }
    Outputs want = run_pieces(kernels_of(0), {{0, 1}}, initial, [&](const Kernels& kernels, Piece, Memory& out) {
        LinearUpdate call = call_of(out[0]->data(), out[1]->data(), out[2]->data(), out[3]->data());
        kernels.linear_backward_weights(call.gradients, run,
                                        {0, kernels.linear_backward_weights_units(call.gradients, run)});
        for (Piece view : {Piece{weight_offset, weight_offset + shape.in * shape.out},
                           Piece{bias_offset, bias_offset + shape.out}}) {
            kernels.adam(call.adam, run, view);
        }
    });
    Outputs results = run_everywhere(
        [&](const Kernels& kernels) { return kernels.linear_backward_weights_units(weight_gradients, run); }, SPLITS,
        initial,
        [&](const Kernels& kernels, Piece piece, Memory& out) {
            piece.room = shape.has_room() ? piece.room : nullptr;
            kernels.linear_update(call_of(out[0]->data(), out[1]->data(), out[2]->data(), out[3]->data()), run, piece);
        });
    if (!shape.last()) {
        want[0] = initial[0];
    }
    const char* const NAMES[] = {"gradient", "value", "moment 0", "moment 1"};
    for (size_t array = 0; array < want.size(); array++) {
        for (int64_t i = 0; i < elements; i++) {
            expect_same(results[array][(size_t)i], want[array][(size_t)i], NAMES[array], i);
        }
    }
}

/* All products of a shape: as plain sums, and with another activation each time. */
void products(const Shape& shape) {
    static int32_t turn = 0;
    int32_t activation = ELBO4J_RELU + turn++ % ELBO4J_SOFTPLUS;
    pack_weights(shape.in, shape.out);
    for (bool direct : {false, true}) {
        linear_forward(shape, ELBO4J_IDENTITY, turn % 2 == 0, direct);
        linear_forward(shape, activation, turn % 2 == 1, direct);
    }
    linear_backward_input(shape, ELBO4J_IDENTITY, turn % 2 == 0 ? ELBO4J_OVERWRITE : ELBO4J_ADD);
    linear_backward_input(shape, activation, turn % 2 == 1 ? ELBO4J_OVERWRITE : ELBO4J_ADD);
    linear_backward_weights(shape, turn % 2 == 0 ? ELBO4J_OVERWRITE : ELBO4J_ADD);
    linear_update(shape);
}

void awkward_shapes() {
    /* Around the widths of registers (4, 8, 16), tiles (2, 6, 8, 12, 16 rows), panels (16, 48), blocks (48, 64). */
    const int64_t SIZES[] = {1, 2, 3, 7, 8, 13, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 95, 97, 127, 130, 257};
    constexpr int64_t COUNT = sizeof SIZES / sizeof SIZES[0];
    for (int64_t i = 0; i < COUNT; i += ELBO4J_TEST_STRIDE) {
        int64_t size = SIZES[i];
        int64_t one = SIZES[below(COUNT)];
        int64_t two = SIZES[below(COUNT)];
        products({size, 1, one, two});
        products({two, 1, size, one});
        products({one, 1, two, size});
        products({1 + below(20), 3, size, 1 + below(100)});
    }
    for (int64_t i = 0; i < 10; i += ELBO4J_TEST_STRIDE) {
        products({1 + below(150), 1 + below(2), 1 + below(200), 1 + below(200)});
    }
    /* Every height of a tile, of one, two and three groups: rows of one product are columns of another. */
    for (int64_t height = 1; height <= 16; height += ELBO4J_TEST_STRIDE) {
        for (int64_t columns : {15, 31, 47}) {
            products({height, 1, 5, columns});
            products({height, 1, columns, 5});
            products({5, 1, columns, height});
        }
    }
}

/* Rows that share sets of the caches, whose panels are copied where there is room. */
void copied_panels() {
    for (int64_t rows : {63, 70, 100, 150}) {
        /* One to four ranges, each of 64 outputs or more. */
        for (int64_t out : {200, 257, 258, 323}) {
            products({rows, 1, 128, out});
        }
        products({rows, 1, 256, 67});
    }
}

void activations() {
    for (const Shape& shape : {Shape{7, 1, 13, 33}, Shape{5, 3, 65, 17}, Shape{49, 1, 3, 97}}) {
        for (int32_t activation = ELBO4J_IDENTITY; activation <= ELBO4J_SOFTPLUS; activation++) {
            linear_forward(shape, activation, false, activation % 2 == 0);
            linear_forward(shape, activation, true, activation % 2 == 1);
            linear_backward_input(shape, activation, ELBO4J_OVERWRITE);
            linear_backward_input(shape, activation, ELBO4J_ADD);
        }
    }
}

/* One layer, forward and backward: y, dx, dw and db. */
Outputs layer(int32_t isa, int64_t rows, int64_t in, int64_t out, const std::vector<float>& x,
              const std::vector<float>& w, const std::vector<float>& b, const std::vector<float>& g) {
    const Kernels& kernels = kernels_of(isa);
    Operand forward_x(std::vector<float>(x.begin(), x.begin() + rows * in));
    Operand weights_x(with_readable(std::vector<float>(x.begin(), x.begin() + rows * in)));
    Operand gradients(std::vector<float>(g.begin(), g.begin() + rows * out));
    Operand matrix(with_readable(w));
    Operand biases(b);
    Operand saved(std::vector<float>((size_t)(rows * in), 0.5f));
    PackedCopies packed(w, in, out);
    Run active = {nullptr, rows};
    Outputs initial = {std::vector<float>((size_t)(rows * out), UNTOUCHED),
                       std::vector<float>((size_t)(rows * in), UNTOUCHED), std::vector<float>(w.size(), UNTOUCHED),
                       std::vector<float>(b.size(), UNTOUCHED)};
    return run_pieces(kernels, {{0, 1}}, initial, [&](const Kernels&, Piece, Memory& results) {
        LinearForward forward = {1,
                                 in,
                                 out,
                                 forward_x.data(),
                                 {{nullptr, (float*)packed.of(kernels), nullptr, nullptr}, in, out},
                                 biases.data(),
                                 ELBO4J_GELU,
                                 results[0]->data(),
                                 nullptr};
        kernels.linear_forward(forward, active, {0, kernels.linear_forward_units(forward, active)});
        LinearBackwardInput backward = {1,
                                        in,
                                        out,
                                        gradients.data(),
                                        matrix.data(),
                                        ELBO4J_GELU,
                                        ELBO4J_OVERWRITE,
                                        saved.data(),
                                        results[1]->data()};
        kernels.linear_backward_input(backward, active, {0, kernels.linear_backward_input_units(backward, active)});
        LinearBackwardWeights of_weights = {
            1, in, out, weights_x.data(), gradients.data(), results[2]->data(), results[3]->data(), ELBO4J_OVERWRITE};
        kernels.linear_backward_weights(of_weights, active,
                                        {0, kernels.linear_backward_weights_units(of_weights, active)});
    });
}

/* A row has the same bits in a batch of 300, of 7 and alone. */
void rows_are_independent() {
    const int64_t rows = 300;
    for (const Shape& shape : {Shape{rows, 1, 13, 67}, Shape{rows, 1, 70, 9}}) {
        std::vector<float> x = normals(rows * shape.in, 1);
        std::vector<float> g = normals(rows * shape.out, 1);
        std::vector<float> w = weights(shape.in, shape.out);
        std::vector<float> b = normals(shape.out, 1);
        for (int32_t isa : supported()) {
            name_case("rows alone" + shape.text() + ", " + elbo4j_isa_name(isa));
            Outputs all = layer(isa, rows, shape.in, shape.out, x, w, b, g);
            for (int64_t batch : {1, 7}) {
                for (int64_t row = 0; row + batch <= rows; row += 11) {
                    Outputs some =
                        layer(isa, batch, shape.in, shape.out, std::vector<float>(x.begin() + row * shape.in, x.end()),
                              w, b, std::vector<float>(g.begin() + row * shape.out, g.end()));
                    for (int64_t i = 0; i < batch * shape.out; i++) {
                        expect_same(some[0][(size_t)i], all[0][(size_t)(row * shape.out + i)], "y", i);
                    }
                    for (int64_t i = 0; i < batch * shape.in; i++) {
                        expect_same(some[1][(size_t)i], all[1][(size_t)(row * shape.in + i)], "dx", i);
                    }
                }
            }
        }
    }
}

/* Of [rows, columns]: elements of the row and column that are not -1 are not finite; all others have their old bits. */
void expect_confined(const std::vector<float>& got, const std::vector<float>& clean, int64_t columns, int64_t row,
                     int64_t column, const char* what) {
    for (int64_t i = 0; i < (int64_t)clean.size(); i++) {
        if (i / columns == row || i % columns == column) {
            if (std::isfinite(got[(size_t)i])) {
                fail(std::string(what) + "(" + std::to_string(i) + ") is finite");
            }
        } else {
            expect_same(got[(size_t)i], clean[(size_t)i], what, i);
        }
    }
}

/* What is not finite stays in its row or column. */
void special_values_are_confined() {
    const int64_t rows = 21;
    const int64_t in = 35;
    const int64_t out = 53;
    std::vector<float> x = normals(rows * in, 1);
    std::vector<float> g = normals(rows * out, 1);
    std::vector<float> w = weights(in, out);
    std::vector<float> b = normals(out, 1);
    for (int32_t isa : supported()) {
        Outputs clean = layer(isa, rows, in, out, x, w, b, g);
        for (float special : {NAN, INFINITY}) {
            for (int64_t turn = 0; turn < 8; turn++) {
                name_case("layer with " + std::to_string(special) + ", turn " + std::to_string(turn) + ", " +
                          elbo4j_isa_name(isa));
                int64_t row = below(rows);
                int64_t i = below(in);
                int64_t o = below(out);
                /* NaN forward, as the activation of an infinity may be finite. */
                std::vector<float> bad_x = x;
                bad_x[(size_t)(row * in + i)] = NAN;
                Outputs results = layer(isa, rows, in, out, bad_x, w, b, g);
                expect_confined(results[0], clean[0], out, row, -1, "y");
                expect_confined(results[1], clean[1], in, -1, -1, "dx");
                expect_confined(results[2], clean[2], in, -1, i, "dw");
                expect_confined(results[3], clean[3], 1, -1, -1, "db");

                std::vector<float> bad_g = g;
                bad_g[(size_t)(row * out + o)] = special;
                results = layer(isa, rows, in, out, x, w, b, bad_g);
                expect_confined(results[0], clean[0], out, -1, -1, "y");
                expect_confined(results[1], clean[1], in, row, -1, "dx");
                expect_confined(results[2], clean[2], in, o, -1, "dw");
                expect_confined(results[3], clean[3], 1, o, -1, "db");

                std::vector<float> bad_w = w;
                bad_w[(size_t)(o * in + i)] = NAN;
                results = layer(isa, rows, in, out, x, bad_w, b, g);
                expect_confined(results[0], clean[0], out, -1, o, "y");
                expect_confined(results[1], clean[1], in, -1, i, "dx");
                expect_confined(results[2], clean[2], in, -1, -1, "dw");
                expect_confined(results[3], clean[3], 1, -1, -1, "db");
            }
        }
    }
}

}  // namespace

int main() {
    catch_faults();
    panels();
    awkward_shapes();
    copied_panels();
    activations();
    rows_are_independent();
    special_values_are_confined();
    return conclude();
}
