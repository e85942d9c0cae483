/*
 * Updates that are merged with the gradients they take: behind a bound of the gradients by their factors, which must refuse
 * whatever the check would halt at, and give what a step without the merge computes.
 */
#include "programs.h"

namespace {

using namespace elbo4j;

/* Gradients of layers without a network: rows of x and g go to weights and biases, each layer a group of its own. */
class Groups {
   public:
    static constexpr int64_t ROWS = 40;
    static constexpr int64_t IN = 19;
    static constexpr int64_t OUT = 21;
    static constexpr int64_t BIAS = (IN * OUT + 15) / 16 * 16;
    static constexpr int64_t SIZE = BIAS + OUT;
    static constexpr int64_t ELEMENTS = BIAS + 32;

    struct Group {
        Array<float> x{ROWS * IN};
        Array<float> g{ROWS * OUT};
        Array<float> values{ELEMENTS};
        Array<float> gradients{ELEMENTS};
        Array<float> moment0{ELEMENTS};
        Array<float> moment1{ELEMENTS};
        int64_t version = 0;
    };

    elbo4j_state state = {};
    double sum = 0;
    std::vector<std::unique_ptr<Group>> groups;

    /* looks: adds gradients of the step before to the sum, in front of all else. */
    Groups(int32_t isa, int count, bool merged, bool looks = false) : program_(isa, 1, ROWS, &state) {
        generator.seed(5);
        state.sums = &sum;
        const elbo4j_scalar one = {1, -1};
        const elbo4j_scalar zero = {0, -1};
        const elbo4j_scalar rate = {1e-2, -1};
        const int64_t offsets[] = {0, BIAS};
        const int64_t sizes[] = {IN * OUT, OUT};
        for (int i = 0; i < count; i++) {
            groups.push_back(std::make_unique<Group>());
            Group& group = *groups.back();
            std::vector<float> random = normals(ROWS * (IN + OUT) + ELEMENTS, 1);
            std::copy_n(random.begin(), ROWS * IN, group.x.data());
            std::copy_n(random.begin() + ROWS * IN, ROWS * OUT, group.g.data());
            std::copy_n(random.begin() + ROWS * (IN + OUT), ELEMENTS, group.values.data());
            const int64_t names[] = {10 * i, 10 * i + 1};
            elbo4j_program* program = program_.handle();
            if (looks) {
                Program::expect_ok(elbo4j_accumulate_f32(program, 1, 0, group.gradients.data(), 5));
            }
            Program::expect_ok(elbo4j_linear_backward_weights_f32(program, 1, group.x.data(), group.g.data(), IN, OUT,
                                                                  group.gradients.data(), group.gradients.data() + BIAS,
                                                                  ELBO4J_OVERWRITE));
            if (!merged) {
                Program::expect_ok(elbo4j_sgd_f32(program, group.values.data(), group.gradients.data(), 0, SIZE,
                                                  &group.version, &zero));
            }
            Program::expect_ok(elbo4j_check_gradients_f32(program, group.gradients.data(), 2, offsets, sizes, names));
            Program::expect_ok(elbo4j_adam_f32(program, group.values.data(), group.gradients.data(),
                                               group.moment0.data(), group.moment1.data(), 0, SIZE, &group.version,
                                               &rate, &one, &one, 0.9, 0.999, 1e-8));
        }
        Program::expect_ok(elbo4j_advance(program_.handle()));
        program_.finish();
        if (program_.merges_updates() != merged) {
            fail("the plan is not the one the case is about:\n" + program_.explain());
        }
    }

    void train(int64_t steps) { program_.run(steps, ROWS, 1); }

    void expect_equal_gradients(const Groups& other) const {
        for (size_t i = 0; i < groups.size(); i++) {
            expect_same_array(groups[i]->gradients.values(), other.groups[i]->gradients.values(), "gradient");
        }
    }

    void expect_equals(const Groups& other) const {
        for (size_t i = 0; i < groups.size(); i++) {
            expect_same_array(groups[i]->values.values(), other.groups[i]->values.values(), "value");
            expect_same_array(groups[i]->moment0.values(), other.groups[i]->moment0.values(), "moment 0");
            expect_same_array(groups[i]->moment1.values(), other.groups[i]->moment1.values(), "moment 1");
        }
        expect_equal_gradients(other);
        expect_number(state.halted, other.state.halted, "halted");
        expect_number(state.step, other.state.step, "step");
    }

   private:
    Program program_;
};

/* The bound is above 1e18, and no gradient is: the step must not halt. */
void bound_too_wide() {
    for (int32_t isa : supported()) {
        name_case("a bound that fails" + on(isa));
        Groups merged(isa, 1, true);
        Groups unmerged(isa, 1, false);
        for (Groups* groups : {&merged, &unmerged}) {
            for (int64_t i = 0; i < Groups::IN; i++) {
                groups->groups[0]->x[3 * Groups::IN + i] = 1e25f;
            }
            for (int64_t o = 0; o < Groups::OUT; o++) {
                groups->groups[0]->g[3 * Groups::OUT + o] *= 1e-12f;
            }
            groups->train(3);
        }
        expect_number(merged.state.halted, 0, "halted");
        expect_number(merged.state.step, 3, "step");
        merged.expect_equals(unmerged);
    }
}

/* Gradients are stored in the last step of a run only, unless a call of the next step looks at them. */
void looks_at_gradients() {
    for (int32_t isa : supported()) {
        name_case("a look at the gradients of the step before" + on(isa));
        Groups merged(isa, 1, true, true);
        Groups unmerged(isa, 1, false, true);
        merged.train(1);
        unmerged.train(1);
        for (Groups* groups : {&merged, &unmerged}) {
            groups->groups[0]->x[0] += 1;
            groups->train(3);
        }
        merged.expect_equals(unmerged);
        if (merged.sum != unmerged.sum || merged.sum == 0) {
            fail("the sum is " + std::to_string(merged.sum) + " instead of " + std::to_string(unmerged.sum));
        }
    }
}

/* Merging the first group's updates must leave the second group's to themselves. */
void two_groups() {
    for (int32_t isa : supported()) {
        name_case("two groups" + on(isa));
        Groups merged(isa, 2, true);
        Groups unmerged(isa, 2, false);
        std::vector<float> before = merged.groups[1]->values.values();
        merged.train(3);
        unmerged.train(3);
        merged.expect_equals(unmerged);
        if (same(before, merged.groups[1]->values.values())) {
            fail("the second group was not updated");
        }

        name_case("two groups, NaN in the second" + on(isa));
        std::vector<float> values = merged.groups[1]->values.values();
        merged.groups[1]->g[7] = NAN;
        unmerged.groups[1]->g[7] = NAN;
        merged.train(3);
        unmerged.train(3);
        merged.expect_equal_gradients(unmerged);
        expect_number(merged.state.halted, 1, "halted");
        expect_number(merged.state.halt_name, 10, "halt name");
        expect_same_array(merged.groups[1]->values.values(), values, "value");
    }
}

/* The largest magnitude of x bounds nothing if it is no number. */
void bound_of_no_number() {
    for (int32_t isa : supported()) {
        for (float bad : {NAN, INFINITY}) {
            name_case(std::string(isnan(bad) ? "NaN" : "infinity") + " in x, finite g" + on(isa));
            Groups merged(isa, 1, true);
            std::vector<float> before = merged.groups[0]->values.values();
            merged.groups[0]->x[5] = bad;
            std::fill_n(merged.groups[0]->g.data(), Groups::ROWS * Groups::OUT, isnan(bad) ? 0.5f : 0.0f);
            merged.train(1);
            expect_number(merged.state.halted, 1, "halted");
            expect_number(merged.state.halt_name, 0, "halt name");
            expect_same_array(merged.groups[0]->values.values(), before, "value");
        }
    }
}

/* What else a recording of two layers holds. */
enum class Twist {
    NONE,
    /* The output of the first layer and another g, tiny, are factors of a third gradient. */
    TWO_READERS,
    /* To g of the first layer more is added before it is a factor. */
    ADDED,
    /* The output of the first layer is replaced by a call that tells nothing. */
    LOADED,
    /* The output of the first layer is read by a call that might as well write, as far as the bound knows. */
    STORED,
    /* The gradient of the logits takes their place. */
    IN_PLACE
};

const char* text_of(Twist twist) {
    const char* const TEXTS[] = {"plain", "two readers", "added", "loaded", "stored", "in place"};
    return TEXTS[(int)twist];
}

/*
 * Two layers and a loss. Of the factors of their gradients, x of the first layer is gathered, x of the second one an output
 * of the first, g of the first a gradient by inputs, and g of the second one the loss's: all known or told by their writers.
 */
class Layers {
   public:
    static constexpr int64_t ROWS = 96;
    static constexpr int64_t IN = 150;
    static constexpr int64_t HIDDEN = 130;
    static constexpr int64_t OUT = 110;
    static constexpr int64_t UNIT = 3; /* of the hidden ones */
    static constexpr int64_t PIXEL = 5;
    static constexpr int64_t ROW = 70;
    static constexpr int64_t W1 = 0;
    static constexpr int64_t B1 = (W1 + IN * HIDDEN + 15) / 16 * 16;
    static constexpr int64_t W2 = (B1 + HIDDEN + 15) / 16 * 16;
    static constexpr int64_t B2 = (W2 + HIDDEN * OUT + 15) / 16 * 16;
    static constexpr int64_t W3 = (B2 + OUT + 15) / 16 * 16;
    static constexpr int64_t B3 = (W3 + HIDDEN * OUT + 15) / 16 * 16;
    static constexpr int64_t ELEMENTS = B3 + OUT + 16;

    elbo4j_state state = {};
    Array<float> data{ROWS * IN};
    Array<uint8_t> bytes{ROWS * IN};
    Array<float> values{ELEMENTS};
    Array<float> gradients{ELEMENTS};
    Array<float> moment0{ELEMENTS};
    Array<float> moment1{ELEMENTS};
    Array<float> target{ROWS * OUT};
    Array<float> added{HIDDEN * OUT};
    Array<float> loaded{ROWS * HIDDEN};

    /* of_bytes: gathers bytes as they are, instead of floats. */
    Layers(int32_t isa, bool merged, Twist twist, bool of_bytes) : program_(isa, 2, ROWS, &state) {
        generator.seed(11);
        state.sums = sums_;
        for (int64_t i = 0; i < ROWS * IN; i++) {
            data[i] = (float)below(100) / 100;
            bytes[i] = (uint8_t)below(256);
        }
        for (int64_t i = 0; i < ELEMENTS; i++) {
            values[i] = normal(0.01f);
        }
        for (int64_t i = 0; i < ROWS * HIDDEN; i++) {
            loaded[i] = normal(1);
        }
        for (int64_t i = 0; i < ROWS * OUT; i++) {
            tiny_[i] = 1e-30f;
        }
        elbo4j_program* program = program_.handle();
        const elbo4j_noise none = {nullptr, -1, 0};
        const elbo4j_scalar one = {1, -1};
        const elbo4j_scalar zero = {0, -1};
        const elbo4j_scalar rate = {1e-2, -1};
        const elbo4j_weights w1 = {&values[W1], nullptr, &version_, nullptr};
        const elbo4j_weights w2 = {&values[W2], nullptr, &version_, nullptr};
        float* d_logits = twist == Twist::IN_PLACE ? logits_.data() : d_logits_.data();
        Program::expect_ok(elbo4j_select_rows(program, 0, ROWS, 0, row_ids_.data()));
        Program::expect_ok(elbo4j_gather_f32(program, row_ids_.data(), of_bytes ? (void*)bytes.data() : data.data(),
                                             of_bytes ? ELBO4J_U8 : ELBO4J_F32, ROWS, IN, ELBO4J_AS_IS, &none,
                                             x_.data()));
        Program::expect_ok(elbo4j_linear_forward_f32(program, 1, x_.data(), IN, HIDDEN, &w1, &values[B1],
                                                     ELBO4J_IDENTITY, hidden_.data(), nullptr));
        if (twist == Twist::LOADED) {
            Program::expect_ok(
                elbo4j_load_f32(program, loaded.data(), ELBO4J_F32, HIDDEN, ELBO4J_AS_IS, hidden_.data()));
        }
        if (twist == Twist::STORED) {
            Program::expect_ok(elbo4j_store_f32(program, 1, hidden_.data(), HIDDEN, loaded.data()));
        }
        Program::expect_ok(elbo4j_linear_forward_f32(program, 1, hidden_.data(), HIDDEN, OUT, &w2, &values[B2],
                                                     ELBO4J_IDENTITY, logits_.data(), nullptr));
        Program::expect_ok(elbo4j_bernoulli_forward_backward_f32(program, 1, logits_.data(), target.data(), OUT, &one,
                                                                 ELBO4J_SUM, likelihood_.data(), d_logits));
        Program::expect_ok(elbo4j_linear_backward_weights_f32(program, 1, hidden_.data(), d_logits, HIDDEN, OUT,
                                                              &gradients[W2], &gradients[B2], ELBO4J_OVERWRITE));
        if (twist == Twist::TWO_READERS) {
            Program::expect_ok(elbo4j_linear_backward_weights_f32(program, 1, hidden_.data(), tiny_.data(), HIDDEN, OUT,
                                                                  &gradients[W3], &gradients[B3], ELBO4J_OVERWRITE));
        }
        Program::expect_ok(elbo4j_linear_backward_input_f32(program, 1, d_logits, HIDDEN, OUT, &values[W2],
                                                            ELBO4J_IDENTITY, nullptr, d_hidden_.data(),
                                                            ELBO4J_OVERWRITE));
        if (twist == Twist::ADDED) {
            Program::expect_ok(elbo4j_linear_backward_input_f32(program, 1, d_logits, HIDDEN, OUT, added.data(),
                                                                ELBO4J_IDENTITY, nullptr, d_hidden_.data(),
                                                                ELBO4J_ADD));
        }
        Program::expect_ok(elbo4j_linear_backward_weights_f32(program, 1, x_.data(), d_hidden_.data(), IN, HIDDEN,
                                                              &gradients[W1], &gradients[B1], ELBO4J_OVERWRITE));
        const int64_t offsets[] = {W1, B1, W2, B2, W3, B3};
        const int64_t sizes[] = {IN * HIDDEN, HIDDEN, HIDDEN * OUT, OUT, HIDDEN * OUT, OUT};
        const int64_t names[] = {1, 2, 3, 4, 5, 6};
        const int64_t views = twist == Twist::TWO_READERS ? 6 : 4;
        const int64_t size = offsets[views - 1] + sizes[views - 1];
        if (!merged) {
            Program::expect_ok(elbo4j_sgd_f32(program, values.data(), gradients.data(), 0, size, &version_, &zero));
        }
        Program::expect_ok(elbo4j_check_gradients_f32(program, gradients.data(), views, offsets, sizes, names));
        Program::expect_ok(elbo4j_adam_f32(program, values.data(), gradients.data(), moment0.data(), moment1.data(), 0,
                                           size, &version_, &rate, &one, &one, 0.9, 0.999, 1e-8));
        Program::expect_ok(elbo4j_advance(program));
        program_.finish();
        if (program_.merges_updates() != merged) {
            fail("the plan is not the one the case is about:\n" + program_.explain());
        }
        /* Floats that were gathered; what was loaded; what a store may have written; tiny_ and hidden_, read twice. */
        int looked_for = twist == Twist::STORED        ? 2
                         : twist == Twist::LOADED      ? (of_bytes ? 0 : 1) + 1
                         : twist == Twist::TWO_READERS ? (of_bytes ? 0 : 1) + 2
                                                       : (of_bytes ? 0 : 1);
        std::string bound = "looks at " + std::to_string(looked_for) + " of " + std::to_string(views);
        if (merged && program_.explain().find(bound) == std::string::npos) {
            fail("not a bound that " + bound + ":\n" + program_.explain());
        }
        expect_number(elbo4j_program_threads(program, ROWS), 2, "threads that are worth having");
    }

    void train(int64_t steps, int32_t threads) { program_.run(steps, ROWS, threads); }

    void expect_equals(Layers& other) {
        expect_same_array(gradients.values(), other.gradients.values(), "gradient");
        expect_same_array(values.values(), other.values.values(), "value");
        expect_same_array(moment0.values(), other.moment0.values(), "moment 0");
        expect_same_array(moment1.values(), other.moment1.values(), "moment 1");
        expect_same_halt(state, other.state);
        expect_number(state.step, other.state.step, "step");
    }

    /* The second layer takes nothing from a unit, so that what is wrong with it stays in the gradients. */
    void cut_off(int64_t unit) {
        for (int64_t out = 0; out < OUT; out++) {
            values[W2 + out * HIDDEN + unit] = 0;
        }
    }

    /* A unit whose output is zero. */
    void silence(int64_t unit) {
        std::fill_n(&values[W1 + unit * IN], IN, 0.0f);
        values[B1 + unit] = 0;
    }

   private:
    int64_t version_ = 0;
    double sums_[1] = {};
    Array<int64_t> row_ids_{ROWS};
    Array<float> x_{ROWS * IN};
    Array<float> hidden_{ROWS * HIDDEN};
    Array<float> logits_{ROWS * OUT};
    Array<float> likelihood_{ROWS};
    Array<float> d_logits_{ROWS * OUT};
    Array<float> d_hidden_{ROWS * HIDDEN};
    Array<float> tiny_{ROWS * OUT};
    Program program_;
};

/* One factor at a time is too large, where it can be in one row alone; everything else stays harmless. */
struct LargeFactor {
    const char* factor;
    /* Of the gradient that is beyond the limit; 0 if none is. */
    int64_t halt_name;
    std::function<void(Layers&)> spoil;
};

void large_factor(const LargeFactor& c, Twist twist, bool of_bytes) {
    for (int32_t isa : supported()) {
        for (int32_t threads : {1, 2}) {
            static int turn = 0;
            if (turn++ % ELBO4J_TEST_STRIDE != 0) {
                continue;
            }
            name_case(std::string("large: ") + c.factor + ", " + text_of(twist) +
                      (of_bytes ? ", bytes, " : ", floats, ") + std::to_string(threads) + " threads" + on(isa));
            Layers merged(isa, true, twist, of_bytes);
            Layers unmerged(isa, false, twist, of_bytes);
            c.spoil(merged);
            c.spoil(unmerged);
            merged.train(2, threads);
            unmerged.train(2, 1);
            merged.expect_equals(unmerged);
            expect_number(merged.state.halted, c.halt_name == 0 ? 0 : 1, "halted");
            expect_number(merged.state.halt_name, c.halt_name, "halt name");
            expect_number(merged.state.step, c.halt_name == 0 ? 2 : 0, "step");
        }
    }
}

void large_factors() {
    constexpr int64_t IN = Layers::IN;
    constexpr int64_t HIDDEN = Layers::HIDDEN;
    constexpr int64_t OUT = Layers::OUT;
    constexpr int64_t UNIT = Layers::UNIT;
    constexpr int64_t PIXEL = Layers::PIXEL;
    constexpr int64_t ROW = Layers::ROW;
    const LargeFactor none = {"none", 0, [](Layers&) {}};
    const LargeFactor x1 = {"x of the first layer", 1, [](Layers& layers) {
                                layers.data[ROW * IN + PIXEL] = 1e25f;
                                for (int64_t unit = 0; unit < HIDDEN; unit++) {
                                    layers.values[Layers::W1 + unit * IN + PIXEL] = 0;
                                }
                            }};
    const LargeFactor x2 = {"x of the second layer", 3, [](Layers& layers) {
                                for (int64_t row = 0; row < Layers::ROWS; row++) {
                                    layers.data[row * IN + PIXEL] = row == ROW ? 1 : 0;
                                    layers.bytes[row * IN + PIXEL] = row == ROW ? 1 : 0;
                                }
                                layers.values[Layers::W1 + UNIT * IN + PIXEL] = 1e25f;
                                layers.cut_off(UNIT);
                            }};
    const LargeFactor g1 = {"g of the first layer", 1, [](Layers& layers) {
                                layers.silence(UNIT);
                                for (int64_t out = 0; out < OUT; out++) {
                                    layers.values[Layers::W2 + out * HIDDEN + UNIT] = 1e25f;
                                }
                            }};
    const LargeFactor g2 = {"g of the second layer", 3, [](Layers& layers) {
                                std::fill_n(&layers.values[Layers::W2], HIDDEN * OUT, 0.0f);
                                layers.target[ROW * OUT + 7] = 1e25f;
                            }};
    for (bool of_bytes : {false, true}) {
        for (Twist twist : {Twist::NONE, Twist::TWO_READERS, Twist::ADDED, Twist::IN_PLACE}) {
            for (const LargeFactor& c : {none, x2, g1, g2}) {
                large_factor(c, twist, of_bytes);
            }
        }
        large_factor(none, Twist::LOADED, of_bytes);
        large_factor(none, Twist::STORED, of_bytes);
    }
    large_factor(x1, Twist::NONE, false);
    large_factor({"a row that is loaded", 3,
                  [](Layers& layers) {
                      layers.loaded[ROW * HIDDEN + UNIT] = 1e25f;
                      layers.cut_off(UNIT);
                  }},
                 Twist::LOADED, true);
    large_factor({"what is added", 1,
                  [](Layers& layers) {
                      for (int64_t out = 0; out < OUT; out++) {
                          layers.added[out * HIDDEN + UNIT] = 1e25f;
                      }
                  }},
                 Twist::ADDED, true);

    /* Some 1e15, which times the rows is within the limit, and times 127 as well is not. */
    auto large_for_bytes = [](Layers& layers) {
        layers.silence(UNIT);
        for (int64_t out = 0; out < OUT; out++) {
            layers.values[Layers::W2 + out * HIDDEN + UNIT] = 2e13f;
        }
    };
    large_factor({"bytes times g", 1, large_for_bytes}, Twist::NONE, true);
    large_factor({"floats times g", 0, large_for_bytes}, Twist::NONE, false);
}

}  // namespace

int main() {
    catch_faults();
    large_factors();
    bound_too_wide();
    looks_at_gradients();
    two_groups();
    bound_of_no_number();
    return conclude();
}
