/** Variational autoencoders: their configuration, their weights on a backend, and the steps they record. */
@NullMarked
package io.github.elbo4j.model;

import org.jspecify.annotations.NullMarked;
