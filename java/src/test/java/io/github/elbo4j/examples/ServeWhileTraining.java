package io.github.elbo4j.examples;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.inference.SessionPool;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.EpochReport;
import io.github.elbo4j.training.Trainer;
import io.github.elbo4j.training.TrainingConfig;
import io.github.elbo4j.training.TrainingListener;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Answers requests on many threads while the model is trained, and serves the weights of each epoch from then on. */
final class ServeWhileTraining {
    private static final int SESSIONS = 2;
    private static final int CLIENTS = 4;
    private static final long SEED = 1;

    private ServeWhileTraining() {}

    static void main() throws Exception {
        DataSplit digits = Digits.split(600);
        byte[] picture = Digits.generate(7, 0, 1).values().toArray(ValueLayout.JAVA_BYTE);
        VaeConfig config = VaeConfig.builder()
                .input(digits.train().shape())
                .hidden(64)
                .latent(8)
                .build();
        TrainingConfig training =
                TrainingConfig.builder().epochs(3).batch(50).seed(SEED).build();
        List<Future<Long>> answers = new ArrayList<>();
        AtomicBoolean stopped = new AtomicBoolean();
        try (Backend backend = Backends.best();
                Vae vae = Vae.create(backend, config, SEED);
                Trainer trainer = Trainer.create(vae, training, digits);
                SessionPool pool = pool(vae);
                ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(EpochReport report) {
                    // On the thread that trains, between two steps, so that the weights stand still.
                    try (FrozenModel next = FrozenModel.of(vae)) {
                        pool.swap(next);
                    }
                    IO.println("serving epoch " + report.epoch());
                }
            });
            try {
                for (int i = 0; i < CLIENTS; i++) {
                    answers.add(clients.submit(() -> {
                        long count = 0;
                        while (!stopped.get()) {
                            score(pool, picture);
                            count++;
                        }
                        return count;
                    }));
                }
                IO.println("ELBO before: " + score(pool, picture) + " nats");
                trainer.run();
                IO.println("ELBO after: " + score(pool, picture) + " nats");
            } finally {
                stopped.set(true);
            }
            for (Future<Long> count : answers) {
                IO.println("a client was answered " + count.get() + " times");
            }
        }
    }

    private static SessionPool pool(Vae vae) {
        // The pool holds the weights itself, so the model may be closed.
        try (FrozenModel model = FrozenModel.of(vae)) {
            return new SessionPool(model, SESSIONS, 1, 1);
        }
    }

    /** One request; a service would answer 503 to what is thrown when all sessions stay busy. */
    private static float score(SessionPool pool, byte[] picture) throws InterruptedException, TimeoutException {
        float[] score = new float[Score.COLUMNS];
        try (SessionPool.Lease lease = pool.borrow(Duration.ofSeconds(30))) {
            lease.session().score(HostRows.ofBytes(picture), 1, SEED, HostRows.of(score));
        }
        return score[2];
    }
}
