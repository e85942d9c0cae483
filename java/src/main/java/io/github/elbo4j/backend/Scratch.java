package io.github.elbo4j.backend;

/**
 * An intermediate of one {@link Recording}. It cannot be downloaded and lives nowhere else, so a backend may share its
 * memory with another or never store it at all.
 */
public non-sealed interface Scratch extends Operand {}
