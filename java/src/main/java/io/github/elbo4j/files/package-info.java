/** Files: safetensors, atomic replacement, and the error that every reader throws. */
@NullMarked
package io.github.elbo4j.files;

import org.jspecify.annotations.NullMarked;
