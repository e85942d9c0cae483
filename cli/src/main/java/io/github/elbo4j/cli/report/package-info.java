/** The report of a run: one page that opens anywhere, with charts and pictures in it. It knows no model, only plain data. */
@NullMarked
package io.github.elbo4j.cli.report;

import org.jspecify.annotations.NullMarked;
