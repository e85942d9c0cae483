#include "program.h"

#include <stdlib.h>
#include <string.h>

#include <initializer_list>
#include <new>

#include "isa.h"
#include "work.h"

#if defined(__unix__) || defined(__APPLE__)
#include <sched.h>
#endif
#if defined(_WIN32)
extern "C" __declspec(dllimport) int __stdcall SwitchToThread(void);
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace elbo4j {

Call* Calls::append() {
    if (count == room) {
        int64_t larger = room == 0 ? 32 : 2 * room;
        Call* moved = (Call*)realloc(items, (size_t)larger * sizeof(Call));
        if (moved == nullptr) {
            return nullptr;
        }
        items = moved;
        room = larger;
    }
    return &items[count++];
}

namespace {

/* Looks at a shared number again and again: briefly at full speed, then leaving the core to whoever wants it. */
class Patience {
   public:
    void wait() {
        if (++looks < 4096) {
#if defined(__x86_64__)
            _mm_pause();
#elif defined(__aarch64__)
            __asm__ volatile("yield");
#endif
        } else {
#if defined(__unix__) || defined(__APPLE__)
            sched_yield();
#elif defined(_WIN32)
            SwitchToThread();
#endif
        }
    }
    void reset() { looks = 0; }

   private:
    int looks = 0;
};

/* A factor of a merged gradient: both of an update, one after the other. */
void bound(elbo4j_program& program, const Call& call, Piece piece) {
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        if (!call.bound_gradients.looked_for[unit]) {
            continue;
        }
        const LinearBackwardWeights& c =
            program.planned.items[call.bound_gradients.first_update + unit / 2].linear_update.gradients;
        int64_t rows = rows_of(program.run, c.fold);
        uint64_t bits = unit % 2 == 0 ? program.kernels->largest_magnitude(c.x, rows * c.in)
                                      : program.kernels->largest_magnitude(c.g, rows * c.out);
        /* One slot each: the product of both matters. */
        call.bound_gradients.largest[unit] = (uint32_t)bits;
    }
}

void raise(uint32_t* largest, uint32_t bits) {
    uint32_t known = __atomic_load_n(largest, __ATOMIC_RELAXED);
    while (bits > known &&
           !__atomic_compare_exchange_n(largest, &known, bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void run_piece(elbo4j_program& program, const Call& call, Piece piece) {
    const Kernels& kernels = *program.kernels;
    const Run& run = program.run;
    switch (call.kind) {
        case Kind::GATHER:
            return kernels.gather(call.gather, run, piece);
        case Kind::LOAD:
            return kernels.load(call.load, run, piece);
        case Kind::LIST_NONZEROS:
            return kernels.list_nonzeros(call.list_nonzeros, run, piece);
        case Kind::STORE:
            return kernels.store(call.store, run, piece);
        case Kind::PACK_WEIGHTS:
            return kernels.pack_weights(call.pack_weights, piece);
        case Kind::LINEAR_FORWARD:
            return kernels.linear_forward(call.linear_forward, run, piece);
        case Kind::LINEAR_BACKWARD_INPUT:
            return kernels.linear_backward_input(call.linear_backward_input, run, piece);
        case Kind::LINEAR_BACKWARD_WEIGHTS:
            return kernels.linear_backward_weights(call.linear_backward_weights, run, piece);
        case Kind::LINEAR_UPDATE:
            return program.merged_update ? kernels.linear_update(call.linear_update, run, piece)
                                         : kernels.linear_backward_weights(call.linear_update.gradients, run, piece);
        case Kind::REPARAMETERIZE_FORWARD:
            return kernels.reparameterize_forward(call.reparameterize_forward, run, piece);
        case Kind::REPARAMETERIZE_BACKWARD:
            return kernels.reparameterize_backward(call.reparameterize_backward, run, piece);
        case Kind::GAUSSIAN_KL_FORWARD:
            return kernels.gaussian_kl_forward(call.gaussian_kl_forward, run, piece);
        case Kind::BERNOULLI_FORWARD:
            return kernels.bernoulli_forward(call.bernoulli_forward, run, piece);
        case Kind::BERNOULLI_FORWARD_BACKWARD:
            return kernels.bernoulli_forward_backward(call.bernoulli_forward_backward, run, piece);
        case Kind::CHECK_GRADIENTS:
            return raise(&program.largest, kernels.largest_gradient(call.check_gradients, piece));
        case Kind::ADAM:
            return kernels.adam(call.adam, run, piece);
        case Kind::SGD:
            return kernels.sgd(call.sgd, run, piece);
        case Kind::BOUND_GRADIENTS:
            return bound(program, call, piece);
        case Kind::SELECT_ROWS:
        case Kind::ACCUMULATE:
        case Kind::ADVANCE:
            return;
    }
}

/* Where a thread copies panels of a call to; without memory where it does not. */
Room room_of_thread(const elbo4j_program& program, const Call& call, int32_t thread) {
    if (panel_bytes(program, call) == 0 || program.workspace == nullptr) {
        return {nullptr, nullptr, -1, 0};
    }
    int64_t rooms = program.packed_bytes + program.nonzero_bytes;
    float* floats = (float*)(program.workspace + rooms + thread * program.panel_bytes);
    /* Behind the panel: see panel_bytes. */
    int32_t* list = nullptr;
    if (call.kind == Kind::LINEAR_FORWARD) {
        list = (int32_t*)(floats + call.linear_forward.in * program.kernels->panel);
    }
    return {floats, list, -1, 0};
}

/* Of the x that a call reads; NULL where none are listed. */
const Nonzeros* nonzeros_of(const elbo4j_program& program, const Call& call) {
    return program.workspace != nullptr ? call.nonzeros : nullptr;
}

/* Runs units of a call with the room of a thread. */
void run_units(elbo4j_program& program, const Call& call, int64_t from, int64_t to, Room& room) {
    uint32_t largest = 0;
    run_piece(program, call,
              {from, to, room.floats != nullptr ? &room : nullptr, call.largest != nullptr ? &largest : nullptr,
               nonzeros_of(program, call)});
    if (call.largest != nullptr) {
        raise(call.largest, largest);
    }
}

/* A ticket: the number of a call among all calls that were shared, from 1, and how many pieces it has. */
constexpr int PIECE_BITS = 16;
constexpr int64_t MAX_PIECES = (1 << PIECE_BITS) - 1;

/*
 * Most pieces of a call for each thread: enough that nobody waits long for the last one, few enough that taking one costs
 * nothing.
 */
constexpr int64_t MOST_PIECES = 32;

/*
 * What has been taken of a thread's pieces, in one word: the number of the call among all calls that were shared, and how
 * many pieces are gone from the front and from the back. A word of an earlier call says that nothing is.
 */
struct Taken {
    static constexpr int BITS = 8;
    static_assert(MOST_PIECES < 1 << BITS, "a count of pieces is larger than its bits");

    uint64_t call;
    int64_t front;
    int64_t back;

    static Taken of(uint64_t word) {
        constexpr int64_t MASK = (1 << BITS) - 1;
        return {word >> 2 * BITS, (int64_t)(word >> BITS) & MASK, (int64_t)word & MASK};
    }
    uint64_t word() const { return call << 2 * BITS | (uint64_t)front << BITS | (uint64_t)back; }
};

/* The place among a thread's pieces of one that is now the caller's, -1 if all are taken. */
int64_t take(Line& line, uint64_t call, int64_t pieces, bool from_front) {
    uint64_t found = line.value.load(std::memory_order_relaxed);
    while (true) {
        Taken taken = Taken::of(found);
        if (taken.call < call) {
            taken = {call, 0, 0};
        }
        /* The word is of a later call if the caller is late. */
        if (taken.call > call || taken.front + taken.back >= pieces) {
            return -1;
        }
        int64_t place = from_front ? taken.front++ : pieces - 1 - taken.back++;
        if (line.value.compare_exchange_weak(found, taken.word(), std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {
            return place;
        }
    }
}

/*
 * Runs pieces of a shared call as one of the threads. Each has the same pieces in every call, so that what it works on stays
 * in its caches; then it takes what others have left, from the end.
 */
void take_pieces(elbo4j_program& program, uint64_t ticket, int32_t thread) {
    const int64_t threads = program.panel_threads;
    const uint64_t call = ticket >> PIECE_BITS;
    const int64_t pieces = (int64_t)ticket & MAX_PIECES;
    uint64_t done = 0;
    Room room = {};
    for (int64_t i = 0; i < threads; i++) {
        int64_t owner = (thread + i) % threads;
        /* Rounded up, so that the leader has one of a few. */
        int64_t first = (pieces * owner + threads - 1) / threads;
        int64_t end = (pieces * (owner + 1) + threads - 1) / threads;
        for (int64_t place; (place = take(program.taken[owner], call, end - first, i == 0)) >= 0; done++) {
            /* Until this piece is done the leader does not go on, so these are of the same call. */
            if (done == 0) {
                room = room_of_thread(program, *program.current, thread);
            }
            int64_t index = first + place;
            run_units(program, *program.current, program.units * index / pieces, program.units * (index + 1) / pieces,
                      room);
        }
    }
    if (done > 0) {
        program.done.value.fetch_add(done, std::memory_order_release);
    }
}

/* Runs the units of a call, with whoever helps. */
void share(elbo4j_program& program, const Call& call, bool helped) {
    Work work = work_of(program, call, program.run);
    int64_t pieces = work.grain > 0 ? work.units / work.grain : work.units;
    if (!helped || pieces <= 1) {
        if (work.units > 0) {
            Room room = room_of_thread(program, call, 0);
            run_units(program, call, 0, work.units, room);
        }
        return;
    }
    int64_t most = MOST_PIECES * program.panel_threads;
    most = most < MAX_PIECES ? most : MAX_PIECES;
    pieces = pieces < most ? pieces : most;
    /* As many for each, so that each has its range of a product. */
    pieces -= pieces > program.panel_threads ? pieces % program.panel_threads : 0;
    program.current = &call;
    program.units = work.units;
    program.done.value.store(0, std::memory_order_relaxed);
    uint64_t number = (program.ticket.value.load(std::memory_order_relaxed) >> PIECE_BITS) + 1;
    uint64_t ticket = number << PIECE_BITS | (uint64_t)pieces;
    program.ticket.value.store(ticket, std::memory_order_release);
    take_pieces(program, ticket, 0);
    Patience patience;
    while (program.done.value.load(std::memory_order_acquire) < (uint64_t)pieces) {
        patience.wait();
    }
}

/*
 * Whether a forward product reads the weights as they lie: their copy is older than they are, and rows of x to transpose and
 * outputs to transpose back are fewer than weights. Too few rows would leave most lanes of a panel empty.
 */
bool direct(const elbo4j_program& program, const Call& forward) {
    constexpr int64_t ENOUGH_ROWS = 48;
    const LinearForward& c = forward.linear_forward;
    const elbo4j_weights& w = c.pack.w;
    int64_t rows = rows_of(program.run, c.fold);
    bool fresh = w.packed_version != nullptr && __atomic_load_n(w.packed_version, __ATOMIC_ACQUIRE) == *w.version;
    return !fresh && rows >= ENOUGH_ROWS && rows * (c.in + c.out) < c.in * c.out && panel_bytes(program, forward) > 0 &&
           program.workspace != nullptr;
}

/* Brings a transposed copy up to date, unless another program of the same weights does it. */
void pack(elbo4j_program& program, const Call& call, bool helped) {
    constexpr int64_t BUSY = -2;
    const elbo4j_weights& w = call.pack_weights.w;
    if (w.packed_version == nullptr) {
        share(program, call, helped);
        return;
    }
    int64_t wanted = *w.version;
    Patience patience;
    while (true) {
        int64_t found = __atomic_load_n(w.packed_version, __ATOMIC_ACQUIRE);
        if (found == wanted) {
            return;
        }
        if (found == BUSY) {
            patience.wait();
        } else if (__atomic_compare_exchange_n(w.packed_version, &found, BUSY, false, __ATOMIC_ACQUIRE,
                                               __ATOMIC_RELAXED)) {
            share(program, call, helped);
            __atomic_store_n(w.packed_version, wanted, __ATOMIC_RELEASE);
            return;
        }
    }
}

constexpr float MAX_GRADIENT = 1e18f;

float magnitude(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void check(elbo4j_program& program, const Call& call, bool helped) {
    if (program.merged_update || program.run.state->halted) {
        return;
    }
    __atomic_store_n(&program.largest, 0, __ATOMIC_RELAXED);
    share(program, call, helped);
    /* The negation catches NaN as well. */
    if (!(magnitude(__atomic_load_n(&program.largest, __ATOMIC_RELAXED)) <= MAX_GRADIENT)) {
        program.kernels->halt_on_gradients(call.check_gradients, program.run.state);
    }
}

/*
 * Whether no gradient of the merged updates can be out of range: each is a sum over rows of products of two factors, and
 * their largest magnitudes bound it. Half the limit leaves room for the rounding of the sum.
 */
void bound_all(elbo4j_program& program, const Call& call, bool helped) {
    program.merged_update = false;
    if (program.run.state->halted) {
        return;
    }
    share(program, call, helped);
    for (int64_t i = 0; i < call.bound_gradients.updates; i++) {
        const LinearBackwardWeights& c =
            program.planned.items[call.bound_gradients.first_update + i].linear_update.gradients;
        double x = magnitude(call.bound_gradients.largest[2 * i]);
        double g = magnitude(call.bound_gradients.largest[2 * i + 1]);
        /* At least one, for the biases, whose gradient is the sum of g; the negation keeps NaN. */
        double most = (double)rows_of(program.run, c.fold) * g * (!(x <= 1) ? x : 1);
        if (!(most <= MAX_GRADIENT / 2)) {
            return;
        }
    }
    program.merged_update = true;
}

void advance(elbo4j_state& state) {
    if (state.halted) {
        return;
    }
    state.step++;
    state.rows += state.active_rows;
    if (state.order_rows > 0) {
        state.position += state.active_rows;
        if (state.position >= state.order_rows) {
            state.position = 0;
            state.epoch++;
        }
    }
}

/* Lists what is not zero, the rows only where products gain by it. */
void list(elbo4j_program& program, const Call& call, bool helped) {
    const ListNonzeros& c = call.list_nonzeros;
    if (program.workspace != nullptr) {
        c.nonzeros->rows_listed = c.wants_rows && program.kernels->rows_pay(c, program.run);
        share(program, call, helped);
    }
}

void run_call(elbo4j_program& program, const Call& call, bool helped) {
    Run& run = program.run;
    if (call.largest != nullptr) {
        __atomic_store_n(call.largest, 0, __ATOMIC_RELAXED);
    }
    switch (call.kind) {
        case Kind::SELECT_ROWS:
            program.kernels->select_rows(call.select_rows, run.state);
            run.active_rows = run.state->active_rows;
            return;
        case Kind::ACCUMULATE:
            return program.kernels->accumulate(call.accumulate, run);
        case Kind::ADVANCE:
            return advance(*run.state);
        case Kind::PACK_WEIGHTS:
            /* The product that needs it stands behind it. */
            return direct(program, (&call)[1]) ? (void)0 : pack(program, call, helped);
        case Kind::LINEAR_FORWARD:
            run.direct = direct(program, call);
            return share(program, call, helped);
        case Kind::LIST_NONZEROS:
            return list(program, call, helped);
        case Kind::CHECK_GRADIENTS:
            return check(program, call, helped);
        case Kind::BOUND_GRADIENTS:
            return bound_all(program, call, helped);
        case Kind::ADAM:
            if (!run.state->halted) {
                if (!program.merged_update) {
                    share(program, call, helped);
                }
                ++*call.adam.version;
            }
            /* Checks and updates of other groups that follow are not merged. */
            program.merged_update = false;
            return;
        case Kind::SGD:
            if (!run.state->halted) {
                share(program, call, helped);
                ++*call.sgd.version;
            }
            return;
        default:
            return share(program, call, helped);
    }
}

}  // namespace

}  // namespace elbo4j

using namespace elbo4j;

elbo4j_program* elbo4j_program_create(int32_t isa, int32_t threads, int64_t capacity, elbo4j_state* state) {
    void* memory = elbo4j_allocate(sizeof(elbo4j_program));
    if (memory == nullptr) {
        return nullptr;
    }
    elbo4j_program* program = new (memory) elbo4j_program();
    program->helping = (std::atomic<bool>*)elbo4j_allocate(threads * (int64_t)sizeof(std::atomic<bool>));
    program->taken = (Line*)elbo4j_allocate(threads * (int64_t)sizeof(Line));
    if (program->helping == nullptr || program->taken == nullptr) {
        elbo4j_free(program->helping);
        elbo4j_free(program->taken);
        elbo4j_free(program);
        return nullptr;
    }
    program->kernels = &kernels_of(isa);
    program->threads = threads;
    program->capacity = capacity;
    program->state = state != nullptr ? state : &program->none;
    return program;
}

void elbo4j_program_destroy(elbo4j_program* program) {
    /* Planned checks name the arrays of the recorded ones; bounds are planned only. */
    for (int64_t i = 0; i < program->recorded.count; i++) {
        const Call& call = program->recorded.items[i];
        if (call.kind == Kind::CHECK_GRADIENTS) {
            elbo4j_free((void*)call.check_gradients.offsets);
        } else if (call.kind == Kind::GATHER || call.kind == Kind::LOAD) {
            /* Calls that write what is listed own the lists' addresses. */
            elbo4j_free(call.nonzeros);
        }
    }
    for (int64_t i = 0; i < program->planned.count; i++) {
        if (program->planned.items[i].kind == Kind::BOUND_GRADIENTS) {
            elbo4j_free(program->planned.items[i].bound_gradients.largest);
            elbo4j_free(program->planned.items[i].bound_gradients.looked_for);
        }
    }
    elbo4j_free(program->helping);
    elbo4j_free(program->taken);
    free(program->recorded.items);
    free(program->planned.items);
    elbo4j_free(program);
}

int64_t elbo4j_program_plan(elbo4j_program* program) { return plan(*program); }

int32_t elbo4j_program_threads(const elbo4j_program* program, int64_t active_rows) {
    int64_t threads = 1;
    for (int64_t i = 0; i < program->planned.count && threads < program->threads; i++) {
        const Call& call = program->planned.items[i];
        /* Of weights that are packed already nothing is left to do; checks behind a bound, and Adam behind them, are rare. */
        bool check = call.kind == Kind::CHECK_GRADIENTS && call.merged;
        bool adam = i > 0 && program->planned.items[i - 1].kind == Kind::CHECK_GRADIENTS &&
                    program->planned.items[i - 1].merged && call.kind == Kind::ADAM;
        if (call.kind != Kind::PACK_WEIGHTS && !check && !adam) {
            int64_t of_call = pieces_of(*program, call, active_rows);
            threads = of_call > threads ? of_call : threads;
        }
    }
    /* Others would have no room. */
    return (int32_t)(threads < program->panel_threads ? threads : program->panel_threads);
}

void elbo4j_program_run(elbo4j_program* program, int64_t times, int64_t active_rows, int64_t run, int32_t helped) {
    program->started.value.store((uint64_t)run, std::memory_order_release);
    for (int64_t i = 0; i < times; i++) {
        program->run = {program->state, active_rows < 0 ? program->capacity : active_rows};
        program->run.threads = helped != 0 ? (int32_t)program->panel_threads : 1;
        if (active_rows >= 0) {
            program->state->active_rows = active_rows;
            program->state->order_rows = 0;
        }
        program->run.last = i == times - 1;
        program->merged_update = false;
        for (int64_t c = 0; c < program->planned.count; c++) {
            run_call(*program, program->planned.items[c], helped != 0);
        }
    }
    program->ended.value.store((uint64_t)run, std::memory_order_release);
}

void elbo4j_program_end(elbo4j_program* program, int64_t run) {
    for (Line* line : {&program->started, &program->ended}) {
        if (line->value.load(std::memory_order_relaxed) < (uint64_t)run) {
            line->value.store((uint64_t)run, std::memory_order_release);
        }
    }
}

void elbo4j_program_help(elbo4j_program* program, int64_t run) {
    Patience patience;
    while (program->started.value.load(std::memory_order_acquire) < (uint64_t)run) {
        patience.wait();
    }
    /* Thread 0 leads; whoever finds no number free is one helper too many. */
    int32_t thread = 1;
    while (thread < program->panel_threads && program->helping[thread].exchange(true, std::memory_order_acquire)) {
        thread++;
    }
    if (thread >= program->panel_threads) {
        return;
    }
    patience.reset();
    uint64_t seen = 0;
    while (program->ended.value.load(std::memory_order_acquire) < (uint64_t)run) {
        uint64_t ticket = program->ticket.value.load(std::memory_order_acquire);
        if (ticket != seen) {
            take_pieces(*program, ticket, thread);
            seen = ticket;
            patience.reset();
        } else {
            patience.wait();
        }
    }
    program->helping[thread].store(false, std::memory_order_release);
}
