/** The common training step in another library; see {@code docs/benchmarking.md}. */
@NullMarked
package io.github.elbo4j.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
