package io.github.elbo4j.cli;

import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.util.Arrays;
import picocli.CommandLine.Mixin;

/** What every command shares that writes decoded latent codes. */
abstract class DecodeCommand extends ModelCommand {
    @Mixin
    final OutFile out = new OutFile();

    DecodeCommand(Streams streams) {
        super(streams);
    }

    /** Makes latent codes, part by part. */
    @FunctionalInterface
    interface Codes {
        /** {@return the codes of some rows, {@code [count, latent]}} */
        float[] rows(long first, int count);

        /** {@return parts of codes that are all there} */
        static Codes of(float[] codes, int latent) {
            return (first, count) -> Arrays.copyOfRange(codes, (int) first * latent, ((int) first + count) * latent);
        }
    }

    /** Writes what codes decode to. */
    final void decode(FrozenModel frozen, long n, Codes codes) throws IOException {
        VaeConfig config = frozen.config();
        int chunk = chunk(config, n);
        int size = config.input().size();
        try (InferenceSession session = frozen.session(chunk)) {
            out.write(streams, OutFile.Table.ofImages(n, config.input(), false), sink -> {
                for (long first = 0; first < n; first += chunk) {
                    int count = (int) Math.min(chunk, n - first);
                    float[] images = session.decode(codes.rows(first, count));
                    for (int i = 0; i < count; i++) {
                        sink.add(first + i, RowSink.NO_LABEL, images, i * size);
                    }
                }
            });
        }
    }

    /** Says what was written. */
    final void report(String event, long n, String what) {
        if (json) {
            streams.json(event(event, n, out));
        } else if (!out.isStandardOutput()) {
            streams.out().println(what + ": " + out.name());
        }
    }
}
