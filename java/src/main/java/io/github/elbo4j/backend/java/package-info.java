/**
 * The pure-Java reference: the same contract as every backend, in the plainest readable form.
 *
 * <p>The kernel classes are written once, in binary32. The build copies them to binary64 by exchanging the type, and the
 * copies, named {@code ...F64}, are the oracle that the others are judged by; see
 * {@code docs/decisions/0003-binary64-twin.md}.
 */
@NullMarked
package io.github.elbo4j.backend.java;

import org.jspecify.annotations.NullMarked;
