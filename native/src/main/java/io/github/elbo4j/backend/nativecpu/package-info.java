/**
 * The native CPU backend. A recorded step is a program of the library in {@code src/main/cpp}, whose interface is {@code
 * elbo4j.h}, and runs by one call; everything before that (loading, checking, binding) is done here.
 */
@org.jspecify.annotations.NullMarked
package io.github.elbo4j.backend.nativecpu;
