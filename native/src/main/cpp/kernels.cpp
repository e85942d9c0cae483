/* The table of one instruction set's kernels; each is in a file of its own. */
#include "kernels.h"

#include "product.h"

#define ELBO4J_QUOTE(text) #text
#define ELBO4J_NAME(macro) ELBO4J_QUOTE(macro)

namespace elbo4j {
namespace ELBO4J_ISA {

void select_rows(const SelectRows&, elbo4j_state*);
void gather(const Gather&, const Run&, Piece);
void load_rows(const Load&, const Run&, Piece);
void list_nonzeros(const ListNonzeros&, const Run&, Piece);
int64_t list_nonzeros_units(const ListNonzeros&, const Run&);
bool rows_pay(const ListNonzeros&, const Run&);
void store_rows(const Store&, const Run&, Piece);
void reparameterize_forward(const ReparameterizeForward&, const Run&, Piece);
void reparameterize_backward(const ReparameterizeBackward&, const Run&, Piece);
void gaussian_kl_forward(const GaussianKlForward&, const Run&, Piece);
void bernoulli_forward(const BernoulliForward&, const Run&, Piece);
void bernoulli_forward_backward(const BernoulliForwardBackward&, const Run&, Piece);
void accumulate(const Accumulate&, const Run&);
uint32_t largest_gradient(const CheckGradients&, Piece);
void halt_on_gradients(const CheckGradients&, elbo4j_state*);
void adam(const Adam&, const Run&, Piece);
void sgd(const Sgd&, const Run&, Piece);
void pack_weights(const PackWeights&, Piece);
int64_t pack_weights_units(const PackWeights&);
void linear_forward(const LinearForward&, const Run&, Piece);
int64_t linear_forward_units(const LinearForward&, const Run&);
void linear_backward_input(const LinearBackwardInput&, const Run&, Piece);
int64_t linear_backward_input_units(const LinearBackwardInput&, const Run&);
void linear_backward_weights(const LinearBackwardWeights&, const Run&, Piece);
int64_t linear_backward_weights_units(const LinearBackwardWeights&, const Run&);
void linear_update(const LinearUpdate&, const Run&, Piece);
uint32_t largest_magnitude(const float*, int64_t);

extern const Kernels KERNELS;
const Kernels KERNELS = {
    ELBO4J_NAME(ELBO4J_ISA),
    select_rows,
    gather,
    load_rows,
    list_nonzeros,
    list_nonzeros_units,
    rows_pay,
    store_rows,
    reparameterize_forward,
    reparameterize_backward,
    gaussian_kl_forward,
    bernoulli_forward,
    bernoulli_forward_backward,
    accumulate,
    largest_gradient,
    halt_on_gradients,
    adam,
    sgd,
    pack_weights,
    pack_weights_units,
    linear_forward,
    linear_forward_units,
    linear_backward_input,
    linear_backward_input_units,
    linear_backward_weights,
    linear_backward_weights_units,
    linear_update,
    PANEL,
    BLOCK_ROWS,
    largest_magnitude,
};

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
