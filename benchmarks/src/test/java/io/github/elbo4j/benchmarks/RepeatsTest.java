package io.github.elbo4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class RepeatsTest {
    @Test
    void spreadIsMedianAndDeciles() {
        Repeats.Spread spread = Repeats.Spread.of(new double[] {11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6});
        assertThat(spread).isEqualTo(new Repeats.Spread(6, 2, 10, 11));
        assertThat(Repeats.Spread.of(new double[] {1, 2}).median()).isCloseTo(1.5, within(1e-12));
    }

    @Test
    void timeIsThatOfOneUnit() {
        List<Long> asked = new ArrayList<>();
        Repeats.Spread micros = Repeats.of(true)
                .measure(
                        times -> {
                            asked.add(times);
                            long end = System.nanoTime() + times * 100_000;
                            while (System.nanoTime() < end) {
                                LockSupport.parkNanos(end - System.nanoTime());
                            }
                        },
                        1000);
        // Never faster than the work is; how much slower is the machine's affair.
        assertThat(micros.p10()).isGreaterThanOrEqualTo(100);
        assertThat(micros.count()).isEqualTo(3);
        assertThat(asked.subList(asked.size() - 3, asked.size())).containsOnly(asked.getLast());
    }

    @Test
    void noMoreUnitsThanAllowedAreAskedFor() {
        List<Long> asked = new ArrayList<>();
        Repeats.of(true).measure(asked::add, 3);
        assertThat(asked).allMatch(times -> times <= 3).contains(3L);
    }
}
