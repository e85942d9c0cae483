package io.github.elbo4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a copy on the device reaches, by bytes read and written; measured by a program of the kit, not by a backend. */
final class Copies {
    private static final String PROGRAM = "bin/copy_bandwidth";

    /** Sizes apart by more than this are no comparison. */
    private static final double FARTHEST = 2.1;

    private final TreeMap<Double, Double> rates = new TreeMap<>();

    private Copies() {}

    /** {@return the rates of this machine, measured unless the results have them; none on a backend without a device} */
    static Copies measure(Kit kit) throws IOException {
        Path program = kit.options().home().resolve(PROGRAM);
        if (kit.options().backend().equals("cuda") && kit.wanted("copy")) {
            Row row = new Row();
            if (Files.isExecutable(program)) {
                Child.Outcome outcome = Child.run(
                        kit.quick() ? List.of(program.toString(), "quick") : List.of(program.toString()),
                        Map.of(),
                        line -> kit.write("copy/" + line.get("bytes"), null, "none", copied(line)));
                row.put("status", outcome.status());
                if (outcome.status() != 0) {
                    row.put("error", outcome.tail());
                }
            } else {
                row.put("skipped", "no program " + program);
            }
            kit.write("copy", null, "none", row);
        }
        Copies copies = new Copies();
        for (Map<String, @Nullable Object> row : kit.results().of("kernels")) {
            if (row.get("copy_bytes") instanceof Number bytes && row.get("gb_per_s") instanceof Number rate) {
                copies.rates.put(bytes.doubleValue(), rate.doubleValue());
            }
        }
        return copies;
    }

    private static Row copied(Map<String, @Nullable Object> line) {
        Row row = new Row();
        line.forEach((key, value) -> {
            if (value != null) {
                row.put(key.equals("bytes") ? "copy_bytes" : key, value);
            }
        });
        return row;
    }

    /** {@return GB/s of a copy that reads and writes so many bytes together, between the nearest sizes measured} */
    Optional<Double> rate(double bytes) {
        Map.Entry<Double, Double> below = rates.floorEntry(bytes);
        Map.Entry<Double, Double> above = rates.ceilingEntry(bytes);
        if (below == null || above == null) {
            Map.Entry<Double, Double> only = below == null ? above : below;
            return only == null || Math.max(only.getKey() / bytes, bytes / only.getKey()) > FARTHEST
                    ? Optional.empty()
                    : Optional.of(only.getValue());
        }
        if (below.getKey().equals(above.getKey())) {
            return Optional.of(below.getValue());
        }
        double share = Math.log(bytes / below.getKey()) / Math.log(above.getKey() / below.getKey());
        return Optional.of(below.getValue() + share * (above.getValue() - below.getValue()));
    }
}
