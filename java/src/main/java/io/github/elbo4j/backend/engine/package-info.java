/**
 * For those who write a backend: everything about tensors, workspaces, recordings and their lifetimes that is the same on
 * every backend. What differs is an {@link io.github.elbo4j.backend.engine.Engine}; {@link
 * io.github.elbo4j.backend.engine.EngineBackend} makes a backend of it.
 */
@org.jspecify.annotations.NullMarked
package io.github.elbo4j.backend.engine;
