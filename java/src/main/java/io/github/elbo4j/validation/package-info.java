/**
 * Checks any backend against the pure-Java reference: every kernel over awkward sizes and settings, every element of
 * every output, by one rule of tolerance.
 */
@NullMarked
package io.github.elbo4j.validation;

import org.jspecify.annotations.NullMarked;
