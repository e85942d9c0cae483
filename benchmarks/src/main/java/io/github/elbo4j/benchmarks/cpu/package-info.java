/**
 * The CPU benchmarks: one run measures the machine, every kernel, sessions and training steps, and the steps of other
 * libraries beside ours. {@code docs/benchmarking.md} says what each number means.
 */
@NullMarked
package io.github.elbo4j.benchmarks.cpu;

import org.jspecify.annotations.NullMarked;
