/** The seam between the models and the backends that run their kernels. */
@NullMarked
package io.github.elbo4j.backend;

import org.jspecify.annotations.NullMarked;
