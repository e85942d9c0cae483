/** The contract that every backend keeps, as JUnit classes to subclass; published as a test-jar. */
@NullMarked
package io.github.elbo4j.testkit;

import org.jspecify.annotations.NullMarked;
