/** The command line: options, reports and pictures over the library's public API. */
@NullMarked
package io.github.elbo4j.cli;

import org.jspecify.annotations.NullMarked;
