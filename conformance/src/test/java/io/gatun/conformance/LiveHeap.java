package io.gatun.conformance;

import java.lang.management.ManagementFactory;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Octets of live objects after a full collection: those of all, and of the classes that have most, so few that to keep
 * them is nothing. Not what the heap calls used: that is whole regions, of which half may be empty.
 */
record LiveHeap(long octets, Map<String, Long> most) {
    private static final int MOST = 60;
    private static final String ROW = "\\d+:";
    /** What fills the ends of regions; no object. */
    private static final String FILLER = "Filler";

    static LiveHeap now() throws JMException {
        final String histogram = (String) ManagementFactory.getPlatformMBeanServer().invoke(
            new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcClassHistogram",
            new Object[] {new String[0]}, new String[] {String[].class.getName()});
        final List<String[]> rows = histogram.lines().map(l -> l.trim().split("\\s+"))
            .filter(f -> f[0].matches(ROW) && !f[3].contains(FILLER)).toList();
        return new LiveHeap(rows.stream().mapToLong(f -> Long.parseLong(f[2])).sum(), rows.stream().limit(MOST)
            .collect(Collectors.toMap(f -> f[3], f -> Long.parseLong(f[2]), Long::sum)));
    }

    private long grown(final LiveHeap before, final String type) {
        return most.get(type) - before.most.getOrDefault(type, 0L);
    }

    /** The {@code n} classes that grew most since, of those that have most; {@code say} words the octets. */
    String growth(final LiveHeap before, final int n, final LongFunction<String> say) {
        return most.keySet().stream().sorted(Comparator.comparingLong(k -> -grown(before, k))).limit(n)
            .map(k -> k + " " + say.apply(grown(before, k))).collect(Collectors.joining(", "));
    }
}
