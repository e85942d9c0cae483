/** Using a trained model: frozen snapshots of weights, the sessions that serve them, and latent codes. */
@NullMarked
package io.github.elbo4j.inference;

import org.jspecify.annotations.NullMarked;
