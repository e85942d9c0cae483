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
    void (*gather)(const Gather&, const Run&, Piece);                          /* rows */
    void (*load)(const Load&, const Run&, Piece);                              /* rows */
    void (*store)(const Store&, const Run&, Piece);                            /* rows before folding */
    void (*reparameterize_forward)(const ReparameterizeForward&, const Run&, Piece);   /* rows before folding */
    void (*reparameterize_backward)(const ReparameterizeBackward&, const Run&, Piece); /* rows before folding */
    void (*gaussian_kl_forward)(const GaussianKlForward&, const Run&, Piece);  /* rows */
    void (*bernoulli_forward)(const BernoulliForward&, const Run&, Piece);     /* rows, folded */
    void (*bernoulli_forward_backward)(const BernoulliForwardBackward&, const Run&, Piece); /* rows, folded */
    /* Once for the whole call. */
    void (*accumulate)(const Accumulate&, const Run&);
    /* Elements of the ranges, one range after another; gives the largest magnitude as the bits of a float, NaN above all. */
    uint32_t (*largest_gradient)(const CheckGradients&, Piece);
    /* Once for the whole call, if a magnitude is too large: finds the first view and sets the flag. */
    void (*halt_on_gradients)(const CheckGradients&, elbo4j_state*);
    void (*adam)(const Adam&, const Run&, Piece); /* elements of the group */
    void (*sgd)(const Sgd&, const Run&, Piece);   /* elements of the group */

    /* Panels of the product; see product.h. */
    void (*pack_weights)(const PackWeights&, Piece);
    void (*linear_forward)(const LinearForward&, const Run&, Piece);
    void (*linear_backward_input)(const LinearBackwardInput&, const Run&, Piece);
    void (*linear_backward_weights)(const LinearBackwardWeights&, const Run&, Piece);
};

}  // namespace elbo4j

#endif
