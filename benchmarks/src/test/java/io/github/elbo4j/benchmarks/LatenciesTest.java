package io.github.elbo4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LatenciesTest {
    @Test
    void percentilesAreDurationsThatWereMeasured() {
        assertThat(row(upTo(10_000)))
                .containsEntry("calls", 10_000)
                .containsEntry("min_us", 1.0)
                .containsEntry("p50_us", 5000.0)
                .containsEntry("p99_us", 9900.0)
                .containsEntry("p999_us", 9990.0);
        assertThat(upTo(10_000).seconds()).isEqualTo(50.005);
    }

    @Test
    void aPercentileThatSoFewCallsCannotTellIsLeftOut() {
        assertThat(row(upTo(1))).containsOnlyKeys("calls", "min_us", "p50_us").containsEntry("p50_us", 1.0);
        assertThat(row(upTo(99))).containsOnlyKeys("calls", "min_us", "p50_us").containsEntry("p50_us", 50.0);
        assertThat(row(upTo(100))).containsEntry("p99_us", 99.0).doesNotContainKey("p999_us");
        assertThat(row(upTo(1000))).containsEntry("p99_us", 990.0).containsEntry("p999_us", 999.0);
    }

    @Test
    void callsOfSeveralThreadsCountTogether() {
        Latencies all = upTo(3);
        all.add(upTo(5000));
        assertThat(all.count()).isEqualTo(5003);
        assertThat(row(all)).containsEntry("p50_us", 2499.0);
    }

    /** {@return calls of 1 to n microseconds, the longest first} */
    private static Latencies upTo(int n) {
        Latencies latencies = new Latencies();
        for (int i = n; i > 0; i--) {
            latencies.add(i * 1000L);
        }
        return latencies;
    }

    private static Map<String, @Nullable Object> row(Latencies latencies) {
        Row row = new Row();
        latencies.into(row);
        return row.values();
    }
}
