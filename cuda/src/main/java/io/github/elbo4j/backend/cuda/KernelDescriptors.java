package io.github.elbo4j.backend.cuda;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What the build says of its kernels: the targets in the image, and the parameter types of each kernel, a letter each: p
 * pointer, l 64-bit integer, i and u 32-bit integers, f binary32, d binary64.
 *
 * @param targets {@code sm_90} and {@code compute_75} for two; empty if the build did not say
 * @param kernels letters by name
 */
record KernelDescriptors(List<String> targets, Map<String, String> kernels) {
    private static final Pattern LINE = Pattern.compile("([A-Za-z_][A-Za-z_0-9]*)(?: ([pliufd]*))?");

    /**
     * Reads {@code name letters} lines; a first line that begins with # names the targets.
     *
     * @throws IllegalArgumentException if a line is none, with its number
     */
    static KernelDescriptors parse(String text) {
        List<String> lines = text.lines().toList();
        List<String> targets = List.of();
        Map<String, String> kernels = new LinkedHashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (i == 0 && line.startsWith("#")) {
                String names = line.substring(1).strip();
                targets = names.isEmpty() ? List.of() : List.of(names.split("\\s+", -1));
            } else if (!line.isEmpty()) {
                var matcher = LINE.matcher(line);
                String codes = matcher.matches() ? matcher.group(2) : null;
                if (!matcher.matches() || kernels.put(matcher.group(1), codes == null ? "" : codes) != null) {
                    throw new IllegalArgumentException("kernels.txt, line " + (i + 1) + ": '" + line
                            + "' is no kernel with letters of pliufd, or" + " comes twice; build the jar again");
                }
            }
        }
        return new KernelDescriptors(targets, Map.copyOf(kernels));
    }
}
