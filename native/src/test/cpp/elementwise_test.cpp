/*
 * Every element-wise kernel against a plain loop in double, on awkward sizes and values; on every instruction set of this
 * CPU and with every split into pieces the bits are the same; nothing outside the operands is touched.
 */
#include "cases.h"
#include "random_reference.h"

namespace {

using namespace elbo4j;

std::vector<float> unit_interval(int64_t count) {
    std::vector<float> values((size_t)count);
    for (float& value : values) {
        int64_t kind = below(4);
        value = kind == 0 ? 0.0f : kind == 1 ? 1.0f : (float)below(1 << 24) * 0x1p-24f;
    }
    return values;
}

struct State {
    elbo4j_state value = {};
    std::vector<double> table;
    std::vector<double> sums;

    State() : table{0.5, 0.25, 0.125, 2.0, 3.0, 4.0}, sums{1.5, -2.5} {
        value.seed = 0x123456789ABCDEF;
        value.step = 1001;
        value.table_first = 1000;
        value.slots = 3;
        value.table = table.data();
        value.sums = sums.data();
    }
};

/* The generator's words of the four columns from 4 * block of a sample of a batch row. */
reference::Words drawn(const elbo4j_noise& noise, const elbo4j_state& state, int64_t row, int64_t sample,
                       int64_t block) {
    uint32_t row_word = noise.row_key == ELBO4J_BATCH_POSITION ? (uint32_t)row
                        : noise.row_key == ELBO4J_DATA_ROW     ? (uint32_t)noise.row_ids[row]
                                                               : 0;
    uint32_t step_word = noise.row_key == ELBO4J_BATCH_POSITION ? (uint32_t)state.step : 0;
    return reference::philox((uint64_t)state.seed, {{(uint32_t)block, row_word, step_word,
                                                     (uint32_t)noise.purpose << 24 | (uint32_t)sample}});
}

double epsilon(const elbo4j_noise& noise, const elbo4j_state& state, int64_t row, int64_t sample, int64_t column) {
    if (noise.row_key == ELBO4J_OFF) {
        return 0;
    }
    reference::Words words = drawn(noise, state, row, sample, column / 4);
    long double pair[2];
    reference::normals(words.at[column & 2], words.at[(column & 2) + 1], pair[0], pair[1]);
    return (double)pair[column & 1];
}

void select_rows() {
    struct {
        int64_t rows;
        int64_t position;
    } const ORDERS[] = {{1, 0},
                        {2, 0},
                        {3, 1},
                        {4, 0},
                        {5, 5},
                        {16, 0},
                        {17, 3},
                        {1000, 0},
                        {60000, 59900},
                        {65536, 77},
                        {65537, 65500},
                        {2147483648, 5},
                        {2147483653, 2147483600},
                        {1ll << 62, 12345},
                        {(1ll << 61) + 1, 1ll << 61}};
    for (const auto& order : ORDERS) {
        for (int64_t capacity : {1, 15, 16, 17, 100, 1000}) {
            for (bool shuffled : {false, true}) {
                for (int32_t isa : supported()) {
                    name_case("select_rows of " + std::to_string(order.rows) + " from " +
                              std::to_string(order.position) + ", capacity " + std::to_string(capacity) +
                              (shuffled ? ", shuffled, " : ", in order, ") + elbo4j_isa_name(isa));
                    State state;
                    state.value.epoch = 0x500000007;
                    state.value.position = order.position;
                    Fenced<int64_t> ids(std::vector<int64_t>((size_t)capacity, -7));
                    kernels_of(isa).select_rows({capacity, 1000, order.rows, shuffled, ids.data()}, &state.value);
                    int64_t active = std::min(capacity, order.rows - order.position);
                    if (state.value.active_rows != active || state.value.order_rows != order.rows) {
                        fail("active or order rows are wrong");
                    }
                    for (int64_t i = 0; i < capacity; i++) {
                        int64_t place = order.position + i;
                        int64_t want =
                            i >= active ? -7
                            : shuffled  ? 1000 + reference::shuffled(0x123456789ABCDEF, 0x500000007, place, order.rows)
                                        : 1000 + place;
                        if (ids.data()[i] != want) {
                            fail("row " + std::to_string(i) + " is " + std::to_string(ids.data()[i]) + " instead of " +
                                 std::to_string(want));
                        }
                    }
                    if (!ids.intact()) {
                        fail("wrote before the row ids");
                    }
                }
            }
        }
    }
}

template <class T>
void gather(int32_t type, const std::vector<T>& data, int64_t data_rows, int64_t columns) {
    const int64_t rows = 21;
    std::vector<int64_t> ids;
    for (int64_t row = 0; row < rows; row++) {
        ids.push_back(below(data_rows));
    }
    const int64_t OUTSIDE[] = {-1, data_rows, INT64_MIN, INT64_MAX};
    std::copy(OUTSIDE, OUTSIDE + 4, ids.begin() + 8);
    Fenced<int64_t> row_ids(ids);
    Fenced<T> source(data);
    State state;
    for (int32_t pixels : {ELBO4J_AS_IS, ELBO4J_UNIT, ELBO4J_BERNOULLI}) {
        for (int32_t key : {ELBO4J_BATCH_POSITION, ELBO4J_DATA_ROW, ELBO4J_COMMON}) {
            if (pixels != ELBO4J_BERNOULLI && key != ELBO4J_BATCH_POSITION) {
                continue;
            }
            name_case("gather of type " + std::to_string(type) + ", pixels " + std::to_string(pixels) + ", key " +
                      std::to_string(key) + ", " + std::to_string(columns) + " columns");
            elbo4j_noise noise = {key == ELBO4J_DATA_ROW ? row_ids.data() : nullptr, 3,
                                  pixels == ELBO4J_BERNOULLI ? key : ELBO4J_OFF};
            Outputs results = run_everywhere(rows, {std::vector<float>((size_t)(rows * columns), -9)},
                                             [&](const Kernels& kernels, Piece piece, Memory& out) {
                                                 kernels.gather({row_ids.data(), source.data(), type, pixels, data_rows,
                                                                 columns, noise, out[0]->data()},
                                                                {&state.value, rows}, piece);
                                             });
            for (int64_t i = 0; i < rows * columns; i++) {
                int64_t id = ids[(size_t)(i / columns)];
                float want = 0;
                if (id >= 0 && id < data_rows) {
                    T value = data[(size_t)(id * columns + i % columns)];
                    want = (float)value;
                    if (pixels == ELBO4J_UNIT && type == ELBO4J_U8) {
                        want = (float)value / 255;
                    } else if (pixels == ELBO4J_BERNOULLI) {
                        uint32_t word = drawn(noise, state.value, i / columns, 0, i % columns / 4).at[i % columns % 4];
                        want = type == ELBO4J_U8 ? ((uint64_t)word * 255 >> 32) < (uint64_t)value
                                                 : reference::uniform(word) < (double)value;
                    }
                }
                expect_close(results[0][(size_t)i], want, 0, "out", i);
            }
        }
    }
}

template <class T>
void load(int32_t type, const std::vector<T>& data, int64_t columns) {
    int64_t rows = (int64_t)data.size() / columns;
    Fenced<T> in(data);
    State state;
    for (int32_t pixels : {ELBO4J_AS_IS, ELBO4J_UNIT}) {
        name_case("load of type " + std::to_string(type) + ", pixels " + std::to_string(pixels) + ", " +
                  std::to_string(columns) + " columns");
        Outputs results = run_everywhere(
            rows, {std::vector<float>((size_t)(rows * columns), -9)},
            [&](const Kernels& kernels, Piece piece, Memory& out) {
                kernels.load({in.data(), type, pixels, columns, out[0]->data()}, {&state.value, rows}, piece);
            });
        for (int64_t i = 0; i < rows * columns; i++) {
            float value = (float)data[(size_t)i];
            float want = pixels == ELBO4J_UNIT && type == ELBO4J_U8 ? value / 255 : value;
            expect_close(results[0][(size_t)i], want, 0, "out", i);
        }
    }
}

void data_kernels() {
    for (int64_t columns : {1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 784, 1023, 1024, 1029, 2500}) {
        std::vector<uint8_t> bytes((size_t)(7 * columns));
        for (uint8_t& byte : bytes) {
            int64_t kind = below(4);
            byte = kind == 0 ? 0 : kind == 1 ? 255 : (uint8_t)below(256);
        }
        gather<uint8_t>(ELBO4J_U8, bytes, 7, columns);
        load<uint8_t>(ELBO4J_U8, bytes, columns);
        std::vector<float> values = unit_interval(7 * columns);
        values[0] = NAN;
        gather<float>(ELBO4J_F32, values, 7, columns);
        load<float>(ELBO4J_F32, values, columns);

        for (int64_t fold : {1, 3}) {
            name_case("store of " + std::to_string(columns) + " columns, fold " + std::to_string(fold));
            std::vector<float> source = normals(7 * fold * columns, 1);
            Fenced<float> in(source);
            Outputs results = run_everywhere(
                7, {std::vector<float>(source.size(), -9)}, [&](const Kernels& kernels, Piece piece, Memory& out) {
                    kernels.store({fold, columns, in.data(), out[0]->data()}, {nullptr, 7}, piece);
                });
            if (!same(results[0], source)) {
                fail("not a copy");
            }
        }
    }
    std::vector<uint8_t> all(256);
    for (int q = 0; q < 256; q++) {
        all[(size_t)q] = (uint8_t)q;
    }
    load<uint8_t>(ELBO4J_U8, all, 64);
}

/* Means and log-variances of rows, some outside the range, one of them NaN. */
std::vector<float> heads(int64_t rows, int64_t d) {
    std::vector<float> values = normals(rows * 2 * d, 2);
    for (int64_t i = 0; i < rows * 2 * d; i++) {
        if (i / d % 2 == 1 && below(5) == 0) {
            values[(size_t)i] = normal(30);
        }
    }
    values[(size_t)(rows * 2 * d - 1)] = NAN;
    return values;
}

constexpr float CLAMP_LOW = -12;
constexpr float CLAMP_HIGH = 9;

double clamped(double log_var) { return log_var < CLAMP_LOW ? CLAMP_LOW : log_var > CLAMP_HIGH ? CLAMP_HIGH : log_var; }

void reparameterize(int64_t rows, int64_t fold, int64_t d, int32_t key) {
    std::string shape = " of " + std::to_string(rows) + " rows, fold " + std::to_string(fold) + ", d " +
                        std::to_string(d) + ", key " + std::to_string(key);
    State state;
    std::vector<float> inputs = heads(rows, d);
    std::vector<float> gradients = normals(rows * fold * d, 1);
    std::vector<int64_t> ids;
    for (int64_t row = 0; row < rows; row++) {
        ids.push_back(below(1ll << 40));
    }
    Fenced<float> mu_log_var(inputs);
    Fenced<float> dz(gradients);
    Fenced<int64_t> row_ids(ids);
    elbo4j_noise noise = {key == ELBO4J_DATA_ROW ? row_ids.data() : nullptr, 1, key};
    Reparameterize of = {fold, d, mu_log_var.data(), CLAMP_LOW, CLAMP_HIGH, noise};

    name_case("reparameterize_forward" + shape);
    Outputs z = run_everywhere(rows, {std::vector<float>((size_t)(rows * fold * d), -9)},
                               [&](const Kernels& kernels, Piece piece, Memory& out) {
                                   kernels.reparameterize_forward({of, out[0]->data()}, {&state.value, rows}, piece);
                               });
    for (int64_t i = 0; i < rows * fold * d; i++) {
        int64_t row = i / d / fold;
        double mu = inputs[(size_t)(row * 2 * d + i % d)];
        double deviation = exp(clamped(inputs[(size_t)(row * 2 * d + d + i % d)]) / 2);
        double e = epsilon(noise, state.value, row, i / d % fold, i % d);
        double want = mu + deviation * e;
        double noise_bound = 8 * ldexp(2 * ROUNDING, ilogb(std::max(1.0, fabs(e))));
        expect_close(z[0][(size_t)i], want,
                     4 * ROUNDING * fabs(deviation * e) + deviation * noise_bound + 2 * ROUNDING * fabs(want), "z", i);
    }

    for (int32_t reduction : {ELBO4J_SUM, ELBO4J_MEAN}) {
        name_case("reparameterize_backward" + shape + ", reduction " + std::to_string(reduction));
        elbo4j_scalar kl_weight = reduction == ELBO4J_SUM ? elbo4j_scalar{0.75, -1} : elbo4j_scalar{0, 1};
        double weight = (float)(reduction == ELBO4J_SUM ? 0.75 : 3.0 / (double)rows);
        Outputs d_heads =
            run_everywhere(rows, {std::vector<float>((size_t)(rows * 2 * d), -9)},
                           [&](const Kernels& kernels, Piece piece, Memory& out) {
                               kernels.reparameterize_backward({of, dz.data(), kl_weight, reduction, out[0]->data()},
                                                               {&state.value, rows}, piece);
                           });
        for (int64_t i = 0; i < rows * d; i++) {
            int64_t row = i / d;
            int64_t at = row * 2 * d + i % d;
            double mu = inputs[(size_t)at];
            double log_var = inputs[(size_t)(at + d)];
            double lv = clamped(log_var);
            double sum = 0;
            double epsilon_sum = 0;
            double sum_scale = 0;
            for (int64_t s = 0; s < fold; s++) {
                double g = gradients[(size_t)((row * fold + s) * d + i % d)];
                sum += g;
                epsilon_sum += g * epsilon(noise, state.value, row, s, i % d);
                sum_scale += fabs(g);
            }
            double steps = (double)fold + 8;
            expect_close(d_heads[0][(size_t)at], sum + weight * mu, steps * ROUNDING * (sum_scale + fabs(weight * mu)),
                         "d_mu", i);
            double want = epsilon_sum * exp(lv / 2) / 2 + weight * expm1(lv) / 2;
            /* Largest epsilon 5.77, in ulp of 2^-21. */
            double bound = (steps * ROUNDING * 5.77 + 8 * 0x1p-21) * sum_scale * exp(lv / 2) +
                           4 * ROUNDING * fabs(weight * expm1(lv));
            if (fabs(want) <= bound && !(log_var >= CLAMP_LOW && log_var <= CLAMP_HIGH)) {
                continue; /* too near zero to know its sign, which decides */
            }
            bool leads_out = (log_var < CLAMP_LOW && want > 0) || (log_var > CLAMP_HIGH && want < 0);
            expect_close(d_heads[0][(size_t)(at + d)], leads_out ? 0 : want, bound, "d_log_var", i);
        }
    }
}

void gaussian_kl(int64_t rows, int64_t d) {
    name_case("gaussian_kl_forward of " + std::to_string(rows) + " rows, d " + std::to_string(d));
    std::vector<float> inputs = heads(rows, d);
    Fenced<float> mu_log_var(inputs);
    /* The second range leaves out 0, what a tail would be filled with. */
    const float RANGES[][2] = {{CLAMP_LOW, CLAMP_HIGH}, {1, 2}};
    for (const auto& range : RANGES) {
        Outputs kl = run_everywhere(
            rows, {std::vector<float>((size_t)rows, -9)}, [&](const Kernels& kernels, Piece piece, Memory& out) {
                kernels.gaussian_kl_forward({d, mu_log_var.data(), range[0], range[1], out[0]->data()}, {nullptr, rows},
                                            piece);
            });
        for (int64_t row = 0; row < rows; row++) {
            double want = 0;
            for (int64_t j = 0; j < d; j++) {
                double mu = inputs[(size_t)(row * 2 * d + j)];
                double lv = inputs[(size_t)(row * 2 * d + d + j)];
                lv = lv < range[0] ? range[0] : lv > range[1] ? range[1] : lv;
                want += (mu * mu + (expm1(lv) - lv)) / 2;
            }
            double steps = (double)d / 16 + 12;
            expect_close(kl[0][(size_t)row], want, steps * ROUNDING * fabs(want), "kl", row);
        }
    }
}

/* The logits are `scale` wide; special ones make rows of their own. */
void bernoulli(int64_t rows, int64_t fold, int64_t d, float scale) {
    std::string shape = " of " + std::to_string(rows) + " rows, fold " + std::to_string(fold) + ", d " +
                        std::to_string(d) + ", scale " + std::to_string(scale);
    State state;
    std::vector<float> inputs = normals(rows * fold * d, scale);
    std::vector<float> targets = unit_interval(rows * d);
    const float SPECIAL[] = {0.0f, -0.0f, 1e30f, -1e30f, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof SPECIAL / sizeof SPECIAL[0]; i++) {
        if ((int64_t)i < rows * fold) {
            inputs[i * (size_t)d] = SPECIAL[i];
        }
    }
    Fenced<float> logits(inputs);
    Fenced<float> target(targets);
    std::vector<double> want(inputs.size());
    std::vector<double> sums((size_t)(rows * fold));
    std::vector<double> scales(sums.size());
    for (int64_t i = 0; i < rows * fold * d; i++) {
        double l = inputs[(size_t)i];
        double x = targets[(size_t)(i / d / fold * d + i % d)];
        double relu = l > 0 || std::isnan(l) ? l : 0;
        double loss = relu - l * x + log1p(exp(-fabs(l)));
        sums[(size_t)(i / d)] -= loss;
        scales[(size_t)(i / d)] += relu + fabs(l * x) + 1;
        want[(size_t)i] = (l >= 0 ? 1 / (1 + exp(-l)) : exp(l) / (1 + exp(l))) - x;
        if (std::isnan(l)) {
            want[(size_t)i] = NAN;
        }
    }
    auto expect_sums = [&](const std::vector<float>& log_likelihood) {
        for (int64_t row = 0; row < rows * fold; row++) {
            expect_close(log_likelihood[(size_t)row], sums[(size_t)row],
                         ((double)d / 16 + 12) * ROUNDING * scales[(size_t)row], "log_likelihood", row);
        }
    };

    name_case("bernoulli_forward" + shape);
    Outputs forward = run_everywhere(
        rows * fold, {std::vector<float>((size_t)(rows * fold), -9)},
        [&](const Kernels& kernels, Piece piece, Memory& out) {
            kernels.bernoulli_forward({fold, d, logits.data(), target.data(), out[0]->data()}, {nullptr, rows}, piece);
        });
    expect_sums(forward[0]);

    for (bool in_place : {false, true}) {
        for (int32_t reduction : {ELBO4J_SUM, ELBO4J_MEAN}) {
            name_case("bernoulli_forward_backward" + shape + ", reduction " + std::to_string(reduction) +
                      (in_place ? ", in place" : ""));
            elbo4j_scalar weight = reduction == ELBO4J_SUM ? elbo4j_scalar{-1.5, -1} : elbo4j_scalar{0, 2};
            double factor = (float)(reduction == ELBO4J_SUM ? -1.5 : 4.0 / (double)rows);
            Outputs results = run_everywhere(
                rows * fold,
                {std::vector<float>((size_t)(rows * fold), -9),
                 in_place ? inputs : std::vector<float>(inputs.size(), -9)},
                [&](const Kernels& kernels, Piece piece, Memory& out) {
                    kernels.bernoulli_forward_backward(
                        {{fold, d, in_place ? out[1]->data() : logits.data(), target.data(), out[0]->data()},
                         weight,
                         reduction,
                         out[1]->data()},
                        {&state.value, rows}, piece);
                });
            if (!same(results[0], forward[0])) {
                fail("other log-likelihoods than bernoulli_forward");
            }
            expect_largest(results[1], rows * fold * d);
            for (int64_t i = 0; i < rows * fold * d; i++) {
                expect_close(results[1][(size_t)i], factor * want[(size_t)i], 4 * ROUNDING * fabs(factor), "d_logits",
                             i);
            }
        }
    }
}

void accumulate() {
    for (int32_t isa : supported()) {
        const Kernels& kernels = kernels_of(isa);
        name_case(std::string("accumulate, ") + elbo4j_isa_name(isa));
        for (int64_t rows : {0, 1, 5, 100}) {
            std::vector<float> values = normals(rows * 3, 1e3f);
            Fenced<float> per_row(values);
            State state;
            double want = state.sums[1];
            for (float value : values) {
                want += value;
            }
            kernels.accumulate({3, 1, 42, per_row.data()}, {&state.value, rows});
            expect_close(state.sums[1], want, 0, "sum", rows);
            expect_close(state.sums[0], 1.5, 0, "the other sum", rows);
            if (state.value.halted != 0) {
                fail("halted");
            }
        }
        std::vector<float> values = normals(30, 1);
        values[7] = INFINITY;
        values[9] = NAN;
        Fenced<float> per_row(values);
        State state;
        kernels.accumulate({3, 1, 42, per_row.data()}, {&state.value, 10});
        kernels.accumulate({3, 0, 43, per_row.data()}, {&state.value, 10});
        kernels.accumulate({3, 0, 44, per_row.data()}, {&state.value, 2});
        if (state.sums[0] != 1.5 || state.sums[1] != -2.5) {
            fail("added though a row is not finite");
        }
        if (state.value.halted != 1 || state.value.halt_step != 1001 || state.value.halt_name != 42 ||
            state.value.halt_first != 7 || state.value.halt_count != 2) {
            fail("the halt flag does not name the first kernel, step, row and count");
        }
    }
}

uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void check_gradients() {
    const std::vector<int64_t> offsets = {0, 3, 70, 200, 270, 270};
    const std::vector<int64_t> sizes = {3, 64, 130, 65, 0, 1};
    const std::vector<int64_t> names = {10, 11, 12, 13, 14, 15};
    int64_t elements = 3 + 64 + 130 + 65 + 0 + 1;
    const float SPECIAL[] = {0, 1e18f, nextafterf(1e18f, INFINITY), -3e38f, INFINITY, -INFINITY, NAN, -NAN};
    for (float special : SPECIAL) {
        for (int64_t place : {0, 2, 3, 66, 70, 131, 199, 200, 264, 270}) {
            std::vector<float> values = normals(271, 10);
            /* Between the ranges nothing counts. */
            for (int64_t gap : {67, 68, 69, 265, 269}) {
                values[(size_t)gap] = NAN;
            }
            values[(size_t)place] = special;
            Fenced<float> gradients(values);
            CheckGradients call = {gradients.data(), (int64_t)sizes.size(), offsets.data(), sizes.data(), names.data()};
            uint32_t largest = 0;
            int64_t name = -1;
            int64_t first = -1;
            int64_t count = 0;
            for (size_t range = 0; range < sizes.size(); range++) {
                for (int64_t i = 0; i < sizes[range]; i++) {
                    float value = values[(size_t)(offsets[range] + i)];
                    largest = std::max(largest, bits_of(value) & 0x7FFFFFFF);
                    if (!(fabs((double)value) <= 1e18) && (name < 0 || name == names[range])) {
                        name = names[range];
                        first = count == 0 ? i : first;
                        count++;
                    }
                }
            }
            for (int32_t isa : supported()) {
                const Kernels& kernels = kernels_of(isa);
                name_case("check_gradients with " + std::to_string(special) + " at " + std::to_string(place) + ", " +
                          elbo4j_isa_name(isa));
                for (int64_t at = 0; at <= elements; at++) {
                    uint32_t found = std::max(kernels.largest_gradient(call, {0, at}),
                                              kernels.largest_gradient(call, {at, elements}));
                    if (found != largest) {
                        fail("the largest magnitude is wrong when split at " + std::to_string(at));
                    }
                }
                if (kernels.largest_magnitude(gradients.data() + 70, 130) !=
                    kernels.largest_gradient(call, {67, 197})) {
                    fail("largest_magnitude and largest_gradient differ");
                }
                State state;
                kernels.halt_on_gradients(call, &state.value);
                if (state.value.halted != (count > 0) ||
                    (count > 0 && (state.value.halt_name != name || state.value.halt_first != first ||
                                   state.value.halt_count != count || state.value.halt_step != 1001))) {
                    fail("the halt flag does not name view, element and count");
                }
            }
        }
    }
}

void adam(int64_t size) {
    const int64_t offset = 5;
    std::vector<float> values = normals(offset + size, 1);
    std::vector<float> slopes = normals(offset + size, 0.1f);
    std::vector<float> moment0 = normals(offset + size, 0.1f);
    std::vector<float> moment1 = normals(offset + size, 0.1f);
    for (float& v : moment1) {
        v = v * v;
    }
    for (int64_t i = 0; i < offset + size; i += 3) {
        slopes[(size_t)i] = moment0[(size_t)i] = moment1[(size_t)i] = 0;
    }
    Fenced<float> gradients(slopes);
    State state;
    Adam call = {nullptr,
                 gradients.data(),
                 nullptr,
                 nullptr,
                 offset,
                 size,
                 nullptr,
                 {0, 0},
                 {0.1, -1},
                 {0.3, -1},
                 0.9f,
                 0.999f,
                 (float)(1 - 0.9),
                 (float)(1 - 0.999),
                 1e-8f};
    auto work = [&](const Kernels& kernels, Piece piece, Memory& out) {
        Adam of = call;
        of.values = out[0]->data();
        of.moment0 = out[1]->data();
        of.moment1 = out[2]->data();
        kernels.adam(of, {&state.value, 1}, piece);
    };
    name_case("adam of " + std::to_string(size));
    Outputs results = run_everywhere(size, {values, moment0, moment1}, work);
    for (int64_t i = 0; i < offset + size; i++) {
        double g = slopes[(size_t)i];
        double m = (double)0.9f * moment0[(size_t)i] + (double)(float)(1 - 0.9) * g;
        double v = (double)0.999f * moment1[(size_t)i] + (double)(float)(1 - 0.999) * g * g;
        double update = 2.0 / 0.1 * (m / (sqrt(v) / sqrt(0.3) + (double)1e-8f));
        if (i < offset) {
            expect_close(results[0][(size_t)i], values[(size_t)i], 0, "value outside the group", i);
            expect_close(results[1][(size_t)i], moment0[(size_t)i], 0, "moment outside the group", i);
            expect_close(results[2][(size_t)i], moment1[(size_t)i], 0, "moment outside the group", i);
        } else {
            double m_bound = 2 * ROUNDING * (fabs((double)moment0[(size_t)i]) + fabs(g));
            expect_close(results[1][(size_t)i], m, m_bound, "moment 0", i);
            expect_close(results[2][(size_t)i], v, 4 * ROUNDING * v, "moment 1", i);
            double slope = v > 0 ? m_bound * 20 / (sqrt(v) / sqrt(0.3)) : 0;
            expect_close(results[0][(size_t)i], values[(size_t)i] - update,
                         ROUNDING * fabs(values[(size_t)i]) + 10 * ROUNDING * fabs(update) + slope, "value", i);
        }
    }
    name_case("adam of " + std::to_string(size) + ", halted");
    state.value.halted = 1;
    Outputs unchanged = run_everywhere(size, {values, moment0, moment1}, work);
    if (!same(unchanged[0], values) || !same(unchanged[1], moment0) || !same(unchanged[2], moment1)) {
        fail("changed something");
    }
}

void sgd(int64_t size) {
    const int64_t offset = 3;
    std::vector<float> values = normals(offset + size, 1);
    std::vector<float> slopes = normals(offset + size, 1);
    Fenced<float> gradients(slopes);
    State state;
    auto work = [&](const Kernels& kernels, Piece piece, Memory& out) {
        kernels.sgd({out[0]->data(), gradients.data(), offset, size, nullptr, {0.1, -1}}, {&state.value, 1}, piece);
    };
    name_case("sgd of " + std::to_string(size));
    Outputs results = run_everywhere(size, {values}, work);
    for (int64_t i = 0; i < offset + size; i++) {
        double want = values[(size_t)i] - (i < offset ? 0 : (double)0.1f * slopes[(size_t)i]);
        expect_close(results[0][(size_t)i], want, ROUNDING * fabs(want), "value", i);
    }
    name_case("sgd of " + std::to_string(size) + ", halted");
    state.value.halted = 1;
    if (!same(run_everywhere(size, {values}, work)[0], values)) {
        fail("changed something");
    }
}

}  // namespace

int main() {
    catch_faults();
    select_rows();
    data_kernels();
    struct {
        int64_t rows;
        int64_t fold;
        int64_t d;
    } const SHAPES[] = {{1, 1, 1},  {7, 1, 2},   {5, 1, 3},    {9, 2, 4},    {33, 1, 5},  {60, 1, 20},
                        {3, 7, 20}, {2, 60, 20}, {2, 300, 1},  {4, 3, 15},   {5, 1, 16},  {6, 2, 17},
                        {3, 1, 64}, {2, 2, 67},  {3, 1, 1024}, {2, 2, 1025}, {2, 3, 2051}};
    for (const auto& shape : SHAPES) {
        for (int32_t key : {ELBO4J_BATCH_POSITION, ELBO4J_DATA_ROW, ELBO4J_COMMON, ELBO4J_OFF}) {
            reparameterize(shape.rows, shape.fold, shape.d, key);
        }
        gaussian_kl(shape.rows, shape.d);
    }
    for (int64_t d : {1, 3, 15, 16, 17, 31, 33, 784, 1000}) {
        bernoulli(1, 1, d, 3);
        bernoulli(7, 1, d, 3);
        bernoulli(3, 4, d, 40);
    }
    accumulate();
    check_gradients();
    for (int64_t size : {1, 7, 15, 16, 17, 63, 64, 65, 1000}) {
        adam(size);
        sgd(size);
    }
    return conclude();
}
