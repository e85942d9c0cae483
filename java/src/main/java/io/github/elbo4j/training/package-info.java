/** Training and evaluation of models, and the folder that a run keeps on disk. */
@NullMarked
package io.github.elbo4j.training;

import org.jspecify.annotations.NullMarked;
