/** Data sets: rows of pixels or values with optional labels, and the formats they are read from. */
@NullMarked
package io.github.elbo4j.data;

import org.jspecify.annotations.NullMarked;
