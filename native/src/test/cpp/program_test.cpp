/*
 * Programs through elbo4j.h alone: training steps of a small variational autoencoder have the same bits merged, unmerged,
 * call by call, on any number of threads, and with either kind of transposed copy; halts keep what a step began with; helpers
 * do no harm whenever they come; plus what programs say of themselves.
 */
#include <functional>
#include <thread>

#include "programs.h"

namespace {

using namespace elbo4j;

enum class Plan {
    MERGED,
    /* A step of SGD at rate zero between the gradients and their check keeps them apart. */
    SGD_BETWEEN,
    /* Another call between check and Adam. */
    CHECK_APART,
    /* Every call is a program. */
    CALL_BY_CALL
};

const char* text_of(Plan plan) {
    const char* const TEXTS[] = {"merged", "SGD between", "check apart", "call by call"};
    return TEXTS[(int)plan];
}

constexpr int64_t PIXELS = 197;
/* Rows so many floats apart are copied by panels. */
constexpr int64_t HIDDEN = 128;
constexpr int64_t LATENT = 7;
constexpr int64_t BATCH = 72;
constexpr int64_t DATA_ROWS = 200;
constexpr int64_t STEPS = 64;
constexpr int64_t KL_NAME = 100;
constexpr int64_t LIKELIHOOD_NAME = 101;
constexpr int64_t FIRST_VIEW_NAME = 200;
/* Columns of the schedule. */
enum { CORRECTION1, CORRECTION2, WEIGHT, SLOTS };

int64_t aligned(int64_t elements) { return (elements + 15) / 16 * 16; }

struct Layer {
    int64_t in;
    int64_t out;
    int64_t w;
    int64_t b;
    std::unique_ptr<Array<float>> packed;
    int64_t packed_version = -1;
};

/* What training leaves behind. */
struct Snapshot {
    std::vector<float> values;
    std::vector<float> moment0;
    std::vector<float> moment1;
    std::vector<float> gradients;
    std::vector<double> sums;
    std::vector<int64_t> counters;
};

void expect_same_parameters(const Snapshot& got, const Snapshot& want) {
    expect_same_array(got.values, want.values, "value");
    expect_same_array(got.moment0, want.moment0, "moment 0");
    expect_same_array(got.moment1, want.moment1, "moment 1");
}

void expect_same_snapshot(const Snapshot& got, const Snapshot& want) {
    expect_same_parameters(got, want);
    expect_same_array(got.gradients, want.gradients, "gradient");
    for (size_t i = 0; i < want.sums.size(); i++) {
        if (memcmp(&got.sums[i], &want.sums[i], sizeof(double)) != 0) {
            fail("sum " + std::to_string(i) + " is " + std::to_string(got.sums[i]) + " instead of " +
                 std::to_string(want.sums[i]));
        }
    }
    for (size_t i = 0; i < want.counters.size(); i++) {
        if (got.counters[i] != want.counters[i]) {
            fail("counter " + std::to_string(i) + " is " + std::to_string(got.counters[i]) + " instead of " +
                 std::to_string(want.counters[i]));
        }
    }
}

/* A variational autoencoder, its data and optimizer: the same for the same arguments. */
class Vae {
   public:
    Vae(int32_t isa, Plan plan, int32_t threads, bool own_copies, bool shuffled = true)
        : isa_(isa), plan_(plan), threads_(threads), own_copies_(own_copies), shuffled_(shuffled) {
        generator.seed(77);
        const int64_t SHAPES[][2] = {{PIXELS, HIDDEN}, {HIDDEN, 2 * LATENT}, {LATENT, HIDDEN}, {HIDDEN, PIXELS}};
        int64_t offset = 0;
        for (int i = 0; i < 4; i++) {
            Layer& layer = layers_[i];
            layer.in = SHAPES[i][0];
            layer.out = SHAPES[i][1];
            layer.w = offset;
            layer.b = layer.w + aligned(layer.in * layer.out);
            offset = layer.b + aligned(layer.out);
            layer.packed = std::make_unique<Array<float>>(layer.in * layer.out);
            for (int64_t k = 0; k < layer.in * layer.out; k++) {
                values[layer.w + k] = normal(1 / sqrtf((float)layer.in));
            }
        }
        for (int64_t i = 0; i < DATA_ROWS * PIXELS; i++) {
            /* Three kinds of rows, some of each pixel at random. */
            data[i] = i / PIXELS % 3 == i % PIXELS % 3 ? 1 : (float)below(101) / 1000;
        }
        for (int64_t step = 0; step < STEPS; step++) {
            table[step * SLOTS + CORRECTION1] = 1 - pow(0.9, (double)step + 1);
            table[step * SLOTS + CORRECTION2] = 1 - pow(0.999, (double)step + 1);
            table[step * SLOTS + WEIGHT] = 1;
        }
        state.seed = 4711;
        state.slots = SLOTS;
        state.table = table.data();
        state.sums = sums.data();
        record();
        for (auto& program : programs_) {
            program->finish();
        }
        if (plan_ != Plan::CALL_BY_CALL && programs_[0]->merges_updates() != (plan_ == Plan::MERGED)) {
            fail("the plan is not the one the case is about:\n" + programs_[0]->explain());
        }
    }

    static constexpr int64_t ELEMENTS = 53600;

    elbo4j_state state = {};
    Array<double> table{STEPS * SLOTS};
    Array<double> sums{2};
    Array<float> data{DATA_ROWS * PIXELS};
    Array<float> values{ELEMENTS};
    Array<float> gradients{ELEMENTS};

    void train(int64_t steps) { train(steps, threads_); }

    void train(int64_t steps, int32_t threads) {
        if (plan_ != Plan::CALL_BY_CALL) {
            programs_[0]->run(steps, BATCH, threads);
            return;
        }
        for (int64_t step = 0; step < steps; step++) {
            int64_t active = BATCH;
            for (size_t call = 0; call + 1 < programs_.size(); call++) {
                programs_[call]->run(1, active, threads);
                /* The first selects the rows of the others. */
                active = call == 0 ? state.active_rows : active;
            }
            /* The last advances, which needs the order of the first beside it. */
            if (state.halted == 0) {
                state.step++;
                state.rows += active;
                state.position += active;
                if (state.position == DATA_ROWS) {
                    state.position = 0;
                    state.epoch++;
                }
            }
        }
    }

    Snapshot snapshot() const {
        return {values.values(),   moment0_.values(),
                moment1_.values(), gradients.values(),
                sums.values(),     {state.step, state.epoch, state.position, state.rows, state.halted}};
    }

    Program& program() { return *programs_[0]; }
    int64_t view_offset(int64_t view) const { return view % 2 == 0 ? layers_[view / 2].w : layers_[view / 2].b; }
    int64_t view_size(int64_t view) const {
        const Layer& layer = layers_[view / 2];
        return view % 2 == 0 ? layer.in * layer.out : layer.out;
    }

   private:
    int32_t isa_;
    Plan plan_;
    int32_t threads_;
    bool own_copies_;
    bool shuffled_;
    Layer layers_[4];
    int64_t version_ = 0;
    Array<float> moment0_{ELEMENTS};
    Array<float> moment1_{ELEMENTS};
    Array<int64_t> row_ids_{BATCH};
    Array<float> x_{BATCH * PIXELS};
    Array<float> pre_{BATCH * HIDDEN};
    Array<float> encoded_{BATCH * HIDDEN};
    Array<float> heads_{BATCH * 2 * LATENT};
    Array<float> z_{BATCH * LATENT};
    Array<float> decoded_{BATCH * HIDDEN};
    Array<float> logits_{BATCH * PIXELS};
    Array<float> kl_{BATCH};
    Array<float> likelihood_{BATCH};
    Array<float> d_logits_{BATCH * PIXELS};
    Array<float> d_decoded_{BATCH * HIDDEN};
    Array<float> d_z_{BATCH * LATENT};
    Array<float> d_heads_{BATCH * 2 * LATENT};
    Array<float> d_encoded_{BATCH * HIDDEN};
    Array<float> stored_{BATCH * PIXELS};
    /* Last to come, first to go. */
    std::vector<std::unique_ptr<Program>> programs_;

    elbo4j_program* next() {
        if (programs_.empty() || plan_ == Plan::CALL_BY_CALL) {
            programs_.push_back(std::make_unique<Program>(isa_, threads_, BATCH, &state));
        }
        return programs_.back()->handle();
    }

    void forward(int layer, Array<float>& x, int32_t activation, Array<float>& y, float* pre) {
        Layer& of = layers_[layer];
        elbo4j_weights weights = {values.data() + of.w, nullptr, nullptr, nullptr};
        if (!own_copies_) {
            weights = {values.data() + of.w, of.packed->data(), &version_, &of.packed_version};
        }
        Program::expect_ok(elbo4j_linear_forward_f32(next(), 1, x.data(), of.in, of.out, &weights, values.data() + of.b,
                                                     activation, y.data(), pre));
    }

    void backward_weights(int layer, Array<float>& x, Array<float>& g) {
        Layer& of = layers_[layer];
        Program::expect_ok(elbo4j_linear_backward_weights_f32(next(), 1, x.data(), g.data(), of.in, of.out,
                                                              gradients.data() + of.w, gradients.data() + of.b,
                                                              ELBO4J_OVERWRITE));
    }

    void backward_input(int layer, Array<float>& g, int32_t activation, const float* saved, Array<float>& dx) {
        Layer& of = layers_[layer];
        Program::expect_ok(elbo4j_linear_backward_input_f32(next(), 1, g.data(), of.in, of.out, values.data() + of.w,
                                                            activation, saved, dx.data(), ELBO4J_OVERWRITE));
    }

    void record() {
        const elbo4j_noise off = {nullptr, 0, ELBO4J_OFF};
        const elbo4j_noise noise = {row_ids_.data(), 1, ELBO4J_DATA_ROW};
        const elbo4j_scalar one = {1, -1};
        const elbo4j_scalar weight = {0, WEIGHT};
        Program::expect_ok(elbo4j_select_rows(next(), 0, DATA_ROWS, shuffled_, row_ids_.data()));
        Program::expect_ok(elbo4j_gather_f32(next(), row_ids_.data(), data.data(), ELBO4J_F32, DATA_ROWS, PIXELS,
                                             ELBO4J_AS_IS, &off, x_.data()));
        forward(0, x_, ELBO4J_GELU, encoded_, pre_.data());
        forward(1, encoded_, ELBO4J_IDENTITY, heads_, nullptr);
        Program::expect_ok(
            elbo4j_reparameterize_forward_f32(next(), 1, heads_.data(), LATENT, -10, 10, &noise, z_.data()));
        Program::expect_ok(elbo4j_gaussian_kl_forward_f32(next(), heads_.data(), LATENT, -10, 10, kl_.data()));
        Program::expect_ok(elbo4j_accumulate_f32(next(), 1, 0, kl_.data(), KL_NAME));
        forward(2, z_, ELBO4J_RELU, decoded_, nullptr);
        forward(3, decoded_, ELBO4J_IDENTITY, logits_, nullptr);
        Program::expect_ok(elbo4j_bernoulli_forward_backward_f32(next(), 1, logits_.data(), x_.data(), PIXELS, &weight,
                                                                 ELBO4J_MEAN, likelihood_.data(), d_logits_.data()));
        Program::expect_ok(elbo4j_accumulate_f32(next(), 1, 1, likelihood_.data(), LIKELIHOOD_NAME));
        backward_weights(3, decoded_, d_logits_);
        backward_input(3, d_logits_, ELBO4J_RELU, decoded_.data(), d_decoded_);
        backward_weights(2, z_, d_decoded_);
        backward_input(2, d_decoded_, ELBO4J_IDENTITY, nullptr, d_z_);
        Program::expect_ok(elbo4j_reparameterize_backward_f32(next(), 1, heads_.data(), LATENT, -10, 10, &noise,
                                                              d_z_.data(), &one, ELBO4J_MEAN, d_heads_.data()));
        backward_weights(1, encoded_, d_heads_);
        backward_input(1, d_heads_, ELBO4J_GELU, pre_.data(), d_encoded_);
        backward_weights(0, x_, d_encoded_);
        if (plan_ == Plan::SGD_BETWEEN) {
            const elbo4j_scalar zero = {0, -1};
            Program::expect_ok(elbo4j_sgd_f32(next(), values.data(), gradients.data(), 0, ELEMENTS, &version_, &zero));
        }
        int64_t offsets[8];
        int64_t sizes[8];
        int64_t names[8];
        for (int64_t view = 0; view < 8; view++) {
            offsets[view] = view_offset(view);
            sizes[view] = view_size(view);
            names[view] = FIRST_VIEW_NAME + view;
        }
        Program::expect_ok(elbo4j_check_gradients_f32(next(), gradients.data(), 8, offsets, sizes, names));
        if (plan_ == Plan::CHECK_APART) {
            Program::expect_ok(elbo4j_store_f32(next(), 1, x_.data(), PIXELS, stored_.data()));
        }
        const elbo4j_scalar rate = {1e-3, -1};
        const elbo4j_scalar correction1 = {0, CORRECTION1};
        const elbo4j_scalar correction2 = {0, CORRECTION2};
        Program::expect_ok(elbo4j_adam_f32(next(), values.data(), gradients.data(), moment0_.data(), moment1_.data(), 0,
                                           layers_[3].b + layers_[3].out, &version_, &rate, &correction1, &correction2,
                                           0.9, 0.999, 1e-8));
        Program::expect_ok(elbo4j_advance(next()));
    }
};

/* Five steps: two whole batches, one of 56 rows, and two of the next epoch. */
void training() {
    Snapshot want;
    int turn = 0;
    for (int32_t isa : supported()) {
        for (Plan plan : {Plan::CALL_BY_CALL, Plan::MERGED, Plan::SGD_BETWEEN, Plan::CHECK_APART}) {
            for (bool own_copies : {false, true}) {
                for (int32_t threads : {1, 2, 3, 8}) {
                    bool few = threads == 1 || (threads == 2 && !own_copies);
                    if ((plan != Plan::MERGED && !few) || turn++ % ELBO4J_TEST_STRIDE != 0) {
                        continue;
                    }
                    name_case(std::string("training, ") + text_of(plan) + (own_copies ? ", own copies, " : ", ") +
                              std::to_string(threads) + " threads" + on(isa));
                    Vae vae(isa, plan, threads, own_copies);
                    std::vector<float> before = vae.values.values();
                    vae.train(2);
                    expect_number(vae.state.active_rows, BATCH, "active rows");
                    vae.train(1);
                    expect_number(vae.state.epoch, 1, "epoch");
                    expect_number(vae.state.position, 0, "position");
                    expect_number(vae.state.rows, DATA_ROWS, "rows");
                    expect_number(vae.state.active_rows, DATA_ROWS % BATCH, "active rows");
                    vae.train(2);
                    Snapshot got = vae.snapshot();
                    if (want.values.empty()) {
                        want = got;
                        expect_number(vae.state.step, 5, "step");
                        expect_number(vae.state.halted, 0, "halted");
                        expect_number(vae.state.rows, DATA_ROWS + 2 * BATCH, "rows");
                        expect_number(vae.state.position, 2 * BATCH, "position");
                        if (same(before, got.values) || !(got.sums[0] > 0) || !(got.sums[1] < 0)) {
                            fail("did not train");
                        }
                    }
                    expect_same_snapshot(got, want);
                }
            }
        }
    }
}

/* It learns: what it is for, and what no comparison with itself shows. */
void learning() {
    name_case("learning");
    Vae vae(supported().back(), Plan::MERGED, 2, false);
    vae.train(3);
    double first = vae.sums[0] - vae.sums[1];
    vae.train(57);
    vae.sums[0] = vae.sums[1] = 0;
    vae.train(3);
    double last = vae.sums[0] - vae.sums[1];
    if (!(last < first / 2)) {
        fail("the loss of an epoch went from " + std::to_string(first) + " to " + std::to_string(last) +
             ", expected half of it");
    }
}

/* A value that is not finite: the step leaves no trace, whatever the plan. */
void halts_on_data() {
    for (int32_t isa : supported()) {
        for (Plan plan : {Plan::MERGED, Plan::SGD_BETWEEN, Plan::CALL_BY_CALL}) {
            for (int32_t threads : {1, 3}) {
                name_case(std::string("NaN in the data, ") + text_of(plan) + ", " + std::to_string(threads) +
                          " threads" + on(isa));
                Vae clean(isa, plan, threads, false, false);
                clean.train(1);
                Vae vae(isa, plan, threads, false, false);
                vae.data[(BATCH + 4) * PIXELS + 9] = NAN;
                vae.train(1);
                vae.train(3);
                expect_number(vae.state.halted, 1, "halted");
                expect_number(vae.state.halt_step, 1, "halt step");
                expect_number(vae.state.halt_name, KL_NAME, "halt name");
                expect_number(vae.state.halt_first, 4, "halt first");
                expect_number(vae.state.halt_count, 1, "halt count");
                expect_number(vae.state.step, 1, "step");
                expect_same_parameters(vae.snapshot(), clean.snapshot());
            }
        }
    }
}

/* Gradients that Adam cannot square. */
void halts_on_gradients() {
    for (int32_t isa : supported()) {
        for (Plan plan : {Plan::MERGED, Plan::CHECK_APART}) {
            for (int32_t threads : {1, 3}) {
                name_case(std::string("gradients beyond 1e18, ") + text_of(plan) + ", " + std::to_string(threads) +
                          " threads" + on(isa));
                Vae clean(isa, plan, threads, false);
                clean.train(2);
                Vae vae(isa, plan, threads, false);
                vae.table[2 * SLOTS + WEIGHT] = 1e20;
                vae.train(4);
                int64_t name = -1;
                int64_t first = -1;
                int64_t count = 0;
                for (int64_t view = 0; view < 8 && count == 0; view++) {
                    for (int64_t i = 0; i < vae.view_size(view); i++) {
                        if (fabsf(vae.gradients[vae.view_offset(view) + i]) > 1e18f) {
                            name = FIRST_VIEW_NAME + view;
                            first = count == 0 ? i : first;
                            count++;
                        }
                    }
                }
                if (count == 0) {
                    fail("no gradient is beyond 1e18, the case is about none");
                }
                expect_number(vae.state.halted, 1, "halted");
                expect_number(vae.state.halt_step, 2, "halt step");
                expect_number(vae.state.halt_name, name, "halt name");
                expect_number(vae.state.halt_first, first, "halt first");
                expect_number(vae.state.halt_count, count, "halt count");
                expect_same_parameters(vae.snapshot(), clean.snapshot());
            }
        }
    }
}

/* A step whose gradients somebody else looks at or changes, or that come from what Adam changes, is not merged. */
void refusals() {
    constexpr int64_t ROWS = 4;
    constexpr int64_t SIDE = 16;
    constexpr int64_t BIAS = SIDE * SIDE;
    constexpr int64_t SIZE = BIAS + SIDE;
    Array<float> x(ROWS * SIDE);
    Array<float> g(ROWS * SIDE);
    Array<float> y(ROWS * SIDE);
    Array<float> values(SIZE + 16);
    Array<float> gradients(SIZE + 16);
    Array<float> moment0(SIZE + 16);
    Array<float> moment1(SIZE + 16);
    int64_t version = 0;
    double sums[1] = {};
    const elbo4j_scalar one = {1, -1};
    const int64_t offsets[] = {0, BIAS};
    const int64_t sizes[] = {SIDE * SIDE, SIDE};
    const int64_t names[] = {0, 1};
    struct Step {
        const char* what;
        const float* x;
        std::function<void(elbo4j_program*)> between;
        int64_t size;
        bool merged;
    };
    auto forward = [&](elbo4j_program* program, const float* w, float* to) {
        const elbo4j_weights weights = {w, nullptr, nullptr, nullptr};
        Program::expect_ok(elbo4j_linear_forward_f32(program, 1, x.data(), SIDE, SIDE, &weights, y.data(),
                                                     ELBO4J_IDENTITY, to, nullptr));
    };
    auto nothing = [](elbo4j_program*) {};
    const Step steps[] = {
        {"nothing else", x.data(), nothing, SIZE, true},
        {"a look at other numbers", x.data(),
         [&](elbo4j_program* program) { forward(program, values.data(), y.data()); }, SIZE, true},
        {"a look at the gradient of the biases", x.data(),
         [&](elbo4j_program* program) {
             Program::expect_ok(elbo4j_accumulate_f32(program, 1, 0, gradients.data() + BIAS, 2));
         },
         SIZE, false},
        {"the gradient as weights", x.data(),
         [&](elbo4j_program* program) { forward(program, gradients.data(), y.data()); }, SIZE, false},
        {"another gradient in its place", x.data(),
         [&](elbo4j_program* program) { forward(program, values.data(), gradients.data()); }, SIZE, false},
        {"x written afterwards", x.data(), [&](elbo4j_program* program) { forward(program, values.data(), x.data()); },
         SIZE, false},
        {"x from the values", values.data(), nothing, SIZE, false},
        {"x from the gradients", gradients.data() + SIDE, nothing, SIZE, false},
        {"x from a moment", moment1.data(), nothing, SIZE, false},
        {"more in the group than gradients", x.data(), nothing, SIZE + 3, false},
    };
    for (const Step& step : steps) {
        name_case(std::string("merging, ") + step.what);
        elbo4j_state state = {};
        state.sums = sums;
        Program program(0, 1, ROWS, &state);
        Program::expect_ok(elbo4j_linear_backward_weights_f32(program.handle(), 1, step.x, g.data(), SIDE, SIDE,
                                                              gradients.data(), gradients.data() + BIAS,
                                                              ELBO4J_OVERWRITE));
        step.between(program.handle());
        Program::expect_ok(elbo4j_check_gradients_f32(program.handle(), gradients.data(), 2, offsets, sizes, names));
        Program::expect_ok(elbo4j_adam_f32(program.handle(), values.data(), gradients.data(), moment0.data(),
                                           moment1.data(), 0, step.size, &version, &one, &one, &one, 0.9, 0.999, 1e-8));
        Program::expect_ok(elbo4j_advance(program.handle()));
        program.finish();
        if (program.merges_updates() != step.merged) {
            fail(std::string(step.merged ? "is not merged:\n" : "is merged:\n") + program.explain());
        }
    }
}

/* Helpers before the run, late, twice, and after it. */
void helpers() {
    name_case("helpers at any time");
    int32_t isa = supported().back();
    Vae alone(isa, Plan::MERGED, 1, false);
    alone.train(5);
    for (int round = 0; round < 5; round++) {
        Vae vae(isa, Plan::MERGED, 4, false);
        elbo4j_program* program = vae.program().handle();
        std::vector<std::thread> threads;
        for (int helper = 0; helper < 4; helper++) {
            threads.emplace_back([program, helper] {
                for (int64_t run = 1; run <= 5; run++) {
                    /* One skips every other run, one helps twice, one comes for a run that has ended. */
                    if (helper == 0 && run % 2 == 0) {
                        continue;
                    }
                    elbo4j_program_help(program, run);
                    if (helper == 1) {
                        elbo4j_program_help(program, run);
                    }
                    if (helper == 2 && run > 1) {
                        elbo4j_program_help(program, run - 1);
                    }
                }
            });
        }
        for (int64_t run = 1; run <= 5; run++) {
            elbo4j_program_run(program, 1, BATCH, run, 1);
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        elbo4j_program_help(program, 3);
        elbo4j_program_help(program, 5);
        expect_same_snapshot(vae.snapshot(), alone.snapshot());
    }
}

/* A forward product on weights that it shares with others. */
class Reader {
   public:
    static constexpr int64_t ROWS = 3;

    Reader(int32_t isa, int64_t in, int64_t out, const elbo4j_weights& weights)
        : x_(normals(ROWS * in, 1)), b_(out), y_(ROWS * out), program_(isa, 1, ROWS, nullptr) {
        Program::expect_ok(elbo4j_linear_forward_f32(program_.handle(), 1, x_.data(), in, out, &weights, b_.data(),
                                                     ELBO4J_IDENTITY, y_.data(), nullptr));
        program_.finish();
    }

    std::vector<float> read() {
        program_.run(1, ROWS, 1);
        return y_.values();
    }

   private:
    Array<float> x_;
    Array<float> b_;
    Array<float> y_;
    Program program_;
};

void shared_weights() {
    const int64_t in = 300;
    const int64_t out = 211;
    for (int32_t isa : supported()) {
        name_case("two programs with one copy" + on(isa));
        Array<float> values(normals(in * out, 1));
        Array<float> packed(in * out);
        int64_t version = 0;
        int64_t packed_version = -1;
        elbo4j_weights shared = {values.data(), packed.data(), &version, &packed_version};
        elbo4j_weights own = {values.data(), nullptr, nullptr, nullptr};
        generator.seed(1);
        Reader one(isa, in, out, shared);
        generator.seed(1);
        Reader two(isa, in, out, shared);
        generator.seed(1);
        Reader alone(isa, in, out, own);
        for (int round = 0; round < 30; round++) {
            values[below(in * out)] += 1;
            version++;
            std::vector<float> want = alone.read();
            std::vector<float> got[2];
            std::thread other([&] { got[1] = two.read(); });
            got[0] = one.read();
            other.join();
            expect_same_array(got[0], want, "y of one");
            expect_same_array(got[1], want, "y of two");
            expect_number(packed_version, version, "version of the copy");
        }
        /* A copy that is as new as the values is not made again. */
        std::vector<float> last = alone.read();
        for (int64_t i = 0; i < in * out; i++) {
            values[i] = 0;
        }
        expect_same_array(one.read(), last, "y of the same version");
        version++;
        expect_same_array(two.read(), alone.read(), "y of the next version");
    }
}

void explain() {
    name_case("explain");
    Vae vae(supported().back(), Plan::MERGED, 2, false);
    elbo4j_program* program = vae.program().handle();
    std::string whole = vae.program().explain();
    int64_t length = elbo4j_program_explain(program, nullptr, 0);
    expect_number((int64_t)strlen(whole.c_str()), length, "length of the text");
    for (int64_t size = 0; size <= length + 3; size++) {
        std::vector<char> text((size_t)size + 1, '?');
        expect_number(elbo4j_program_explain(program, text.data(), size), length, "length");
        int64_t written = std::min(size - 1, length);
        bool right =
            size == 0 || (memcmp(text.data(), whole.data(), (size_t)written) == 0 && text[(size_t)written] == 0);
        for (size_t i = size == 0 ? 0 : (size_t)written + 1; i < text.size(); i++) {
            right = right && text[i] == '?';
        }
        if (!right) {
            fail("cut wrongly to " + std::to_string(size));
        }
    }
    /* Every recorded call but those that became updates stands in a line of its own number; all lines end. */
    int64_t lines = 0;
    for (const char* at = whole.c_str(); *at != 0; at = strchr(at, '\n') + 1) {
        char* end;
        int64_t number = strtoll(at, &end, 10);
        if (end == at || *end != ' ' || number < 0 || number > 21) {
            fail("line " + std::to_string(lines) + " does not begin with the number of a call:\n" + whole);
        }
        lines++;
    }
    /* 22 calls, four copies, lists of what is not zero and a bound. */
    expect_number(lines, 28, "lines");
}

void threads() {
    name_case("threads");
    int32_t isa = supported().back();
    Vae one(isa, Plan::MERGED, 1, false);
    expect_number(elbo4j_program_threads(one.program().handle(), 1 << 20), 1, "threads of a program for one");
    Vae many(isa, Plan::MERGED, 8, false);
    int32_t last = 1;
    for (int64_t rows = 0; rows <= 1 << 12; rows += rows < 128 ? 1 : 64) {
        int32_t threads = elbo4j_program_threads(many.program().handle(), rows);
        if (threads < last || threads > 8) {
            fail(std::to_string(threads) + " threads for " + std::to_string(rows) + " rows, " + std::to_string(last) +
                 " for fewer");
        }
        last = threads;
    }
    /* As many as Adam, where it does not run in one pass with the gradients, has pieces of 8192 elements. */
    expect_number(last, Vae::ELEMENTS / 8192, "threads for 4096 rows");
    expect_number(elbo4j_program_threads(many.program().handle(), 1), 1, "threads for a row");

    name_case("threads of a small program");
    elbo4j_weights weights = {nullptr, nullptr, nullptr, nullptr};
    Program small(isa, 8, 64, nullptr);
    Program::expect_ok(elbo4j_linear_forward_f32(small.handle(), 1, nullptr, 8, 8, &weights, nullptr, ELBO4J_IDENTITY,
                                                 nullptr, nullptr));
    small.finish();
    expect_number(elbo4j_program_threads(small.handle(), 64), 1, "threads of a small program");
}

}  // namespace

int main() {
    catch_faults();
    if (elbo4j_abi_version() != ELBO4J_ABI_VERSION) {
        fail("the library is of another version than its header");
    }
    training();
    learning();
    halts_on_data();
    halts_on_gradients();
    refusals();
    helpers();
    shared_weights();
    explain();
    threads();
    return conclude();
}
