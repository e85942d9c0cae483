/* A recorded step: calls as they were issued, the steps that were planned from them, and what a run shares. */
#ifndef ELBO4J_PROGRAM_H
#define ELBO4J_PROGRAM_H

#include <atomic>

#include "kernels.h"

namespace elbo4j {

enum class Kind : int32_t {
    SELECT_ROWS,
    GATHER,
    LOAD,
    STORE,
    PACK_WEIGHTS,
    LINEAR_FORWARD,
    LINEAR_BACKWARD_INPUT,
    LINEAR_BACKWARD_WEIGHTS,
    REPARAMETERIZE_FORWARD,
    REPARAMETERIZE_BACKWARD,
    GAUSSIAN_KL_FORWARD,
    BERNOULLI_FORWARD,
    BERNOULLI_FORWARD_BACKWARD,
    ACCUMULATE,
    CHECK_GRADIENTS,
    ADAM,
    SGD,
    ADVANCE,
    /* Made by the plan: bounds of the gradients that merged updates rely on, and such updates. */
    BOUND_GRADIENTS,
    LINEAR_UPDATE,
    /* And lists of what is not zero in what a call has brought in. */
    LIST_NONZEROS
};

/* Looks at those factors of gradients that nobody else tells the largest magnitude of, see plan.cpp. */
struct BoundGradients {
    int64_t first_update;
    int64_t updates;
    /* For x and g of each update: bits of the largest magnitude; whether it is looked for here, or known by then. */
    uint32_t* largest;
    bool* looked_for;
};

struct Call {
    Kind kind;
    /* Its place among the recorded calls. */
    int32_t number;
    /* Of recorded gradients, and of the check they stand before: whether they are updated as they are computed. */
    bool merged;
    /* Where the largest magnitude that this call writes is kept for a bound; NULL if none wants it. */
    uint32_t* largest;
    /* Of the x that a product reads, or that a call brings in; NULL if nobody lists them. */
    Nonzeros* nonzeros;
    union {
        SelectRows select_rows;
        Gather gather;
        Load load;
        Store store;
        PackWeights pack_weights;
        LinearForward linear_forward;
        LinearBackwardInput linear_backward_input;
        LinearBackwardWeights linear_backward_weights;
        ReparameterizeForward reparameterize_forward;
        ReparameterizeBackward reparameterize_backward;
        GaussianKlForward gaussian_kl_forward;
        BernoulliForward bernoulli_forward;
        BernoulliForwardBackward bernoulli_forward_backward;
        Accumulate accumulate;
        CheckGradients check_gradients;
        Adam adam;
        Sgd sgd;
        Advance advance;
        BoundGradients bound_gradients;
        LinearUpdate linear_update;
        ListNonzeros list_nonzeros;
    };
};

/* A list that grows; empty and unchanged where there is no memory. */
struct Calls {
    Call* items;
    int64_t count;
    int64_t room;

    Call* append();
};

/* Cache lines apart, because they change at different times on different threads. */
struct alignas(64) Line {
    std::atomic<uint64_t> value;
};

}  // namespace elbo4j

struct elbo4j_program {
    const elbo4j::Kernels* kernels;
    int32_t threads;
    int64_t capacity;
    elbo4j_state* state;
    elbo4j_state none; /* stands in where no call takes a state */

    elbo4j::Calls recorded;
    elbo4j::Calls planned;
    int64_t packed_bytes;  /* of the working memory: transposed copies that have no other place */
    int64_t nonzero_bytes; /* behind them: lists of what is not zero */
    int64_t panel_bytes;   /* and behind them, for each thread: room for a copy of a panel; 0 if no call makes one */
    int64_t panel_threads; /* that have room, and no others take part */
    char* workspace;

    elbo4j::Run run;
    bool merged_update; /* from a bound that holds to the end of its updates */

    /* The present call: its number among all calls that were shared and its pieces, in one word; pieces done. */
    const elbo4j::Call* current;
    int64_t units;
    elbo4j::Line ticket;
    elbo4j::Line done;
    elbo4j::Line* taken;        /* for each thread: which of its pieces are, and in which call */
    uint32_t largest;           /* bits of the largest magnitude that pieces of a check have found */
    std::atomic<bool>* helping; /* which of the panels 1 to threads - 1 a helper has */
    elbo4j::Line started;
    elbo4j::Line ended;
};

namespace elbo4j {

/* Turns the recorded calls into the planned ones; gives the bytes of working memory, -1 if there is no memory. */
int64_t plan(elbo4j_program& program);

/* Bytes of the copy of a panel that a call's pieces make; 0 if they make none. */
int64_t panel_bytes(const elbo4j_program& program, const Call& call);

/* The pieces of a call that are worth a thread each, 1 to the program's threads. */
int64_t pieces_of(const elbo4j_program& program, const Call& call, int64_t active_rows);

/* The rows of a call that has fold rows for every active one. */
static inline int64_t rows_of(const Run& run, int64_t fold) { return run.active_rows * fold; }

}  // namespace elbo4j

#endif
