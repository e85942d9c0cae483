/**
 * The GPU kit: parts that prove and measure a backend through the public API, each a list of rows in one JSON-lines
 * file. {@code docs/benchmarking.md} says what each number means.
 */
@NullMarked
package io.github.elbo4j.benchmarks;

import org.jspecify.annotations.NullMarked;
