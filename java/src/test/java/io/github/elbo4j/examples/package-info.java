/** The programs of {@code docs/embed.md}, as they stand on that page. */
@NullMarked
package io.github.elbo4j.examples;

import org.jspecify.annotations.NullMarked;
