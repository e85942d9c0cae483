/*
 * The kernels of one instruction set. Each computes the units of its piece alone, so that pieces may run at once on many
 * threads; what a unit is stands beside it. Rows are active batch rows times fold.
 */
#ifndef ELBO4J_KERNELS_H
#define ELBO4J_KERNELS_H

#include "call.h"

namespace elbo4j {

struct Kernels {
    const char* name;

    /* Once for the whole call: chooses the rows and sets active_rows and order_rows of the state. */
    void (*select_rows)(const SelectRows&, elbo4j_state*);
    void (*gather)(const Gather&, const Run&, Piece); /* rows */
    void (*load)(const Load&, const Run&, Piece);     /* rows */
    void (*list_nonzeros)(const ListNonzeros&, const Run&, Piece);
    int64_t (*list_nonzeros_units)(const ListNonzeros&, const Run&);
    /* Whether gradients of weights take less time if they leave out rows: for the whole call, before the first piece. */
    bool (*rows_pay)(const ListNonzeros&, const Run&);
    void (*store)(const Store&, const Run&, Piece);                                         /* rows before folding */
    void (*reparameterize_forward)(const ReparameterizeForward&, const Run&, Piece);        /* rows before folding */
    void (*reparameterize_backward)(const ReparameterizeBackward&, const Run&, Piece);      /* rows before folding */
    void (*gaussian_kl_forward)(const GaussianKlForward&, const Run&, Piece);               /* rows */
    void (*bernoulli_forward)(const BernoulliForward&, const Run&, Piece);                  /* rows, folded */
    void (*bernoulli_forward_backward)(const BernoulliForwardBackward&, const Run&, Piece); /* rows, folded */
    /* Once for the whole call. */
    void (*accumulate)(const Accumulate&, const Run&);
    /* Elements of the ranges, one range after another; gives the largest magnitude as the bits of a float, NaN above all. */
    uint32_t (*largest_gradient)(const CheckGradients&, Piece);
    /* Once for the whole call, if a magnitude is too large: finds the first view and sets the flag. */
    void (*halt_on_gradients)(const CheckGradients&, elbo4j_state*);
    void (*adam)(const Adam&, const Run&, Piece); /* elements of the group */
    void (*sgd)(const Sgd&, const Run&, Piece);   /* elements of the group */

    /* The products; units as the functions beside them count, see product.h. */
    void (*pack_weights)(const PackWeights&, Piece);
    int64_t (*pack_weights_units)(const PackWeights&);
    void (*linear_forward)(const LinearForward&, const Run&, Piece);
    int64_t (*linear_forward_units)(const LinearForward&, const Run&);
    void (*linear_backward_input)(const LinearBackwardInput&, const Run&, Piece);
    int64_t (*linear_backward_input_units)(const LinearBackwardInput&, const Run&);
    void (*linear_backward_weights)(const LinearBackwardWeights&, const Run&, Piece);
    int64_t (*linear_backward_weights_units)(const LinearBackwardWeights&, const Run&);
    /* linear_backward_weights and adam on each tile of it, of as many units. */
    void (*linear_update)(const LinearUpdate&, const Run&, Piece);
    /* Columns of the widest panel, and rows of a block. */
    int64_t panel;
    int64_t block;
    /* The bits of the largest magnitude among so many elements, NaN above all. */
    uint32_t (*largest_magnitude)(const float*, int64_t count);
};

}  // namespace elbo4j

#endif
