/** JMH suites over the public API; {@code JmhPart} runs them and records what they find. */
@NullMarked
package io.github.elbo4j.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
