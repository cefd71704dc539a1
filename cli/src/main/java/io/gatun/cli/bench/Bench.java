package io.gatun.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun bench}. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures Gatun's loopback beside the kernel's, interleaved in one run.")
public final class Bench implements Callable<Integer> {
    private static final double NS_PER_S = 1e9;
    /** Runs before the first that counts, twice: the compiler shares the processors with threads that spin. */
    private static final int FIRST_WARM = 4;

    @Option(names = "--json", description = "Print an array of objects instead of a table.")
    private boolean json;
    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5",
            description = "Rounds, 1..100 (default: ${DEFAULT-VALUE}).")
    private int rounds;
    @Option(names = "--seconds", paramLabel = "S", defaultValue = "1.0",
            description = "Seconds of each measurement, 0.05..60 (default: ${DEFAULT-VALUE}).")
    private double seconds;
    @Option(names = "--only", paramLabel = "WORKLOAD", split = ",",
            description = "Workloads to run, by name, divided by commas.")
    private List<String> only;
    @Option(names = "--side", paramLabel = "SIDE", split = ",",
            description = "Sides to run, of gatun, poll and kernel, divided by commas.")
    private List<String> side;
    @Option(names = "--packets",
            description = "Gatun sends all in packets over lo0: net.inet.tcp.fusion=0, net.inet.udp.fusion=0.")
    private boolean packets;
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /** For picocli. */
    public Bench() {
        // options are set by picocli
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        final List<Workload> workloads = chosen();
        final PrintWriter out = spec.commandLine().getOut();
        final PrintWriter err = spec.commandLine().getErr();
        try (CongestionControl cc = CongestionControl.choose()) {
            final Map<Workload, Map<Side, Sample>> samples = new EnumMap<>(Workload.class);
            for (final Workload w : workloads) {
                samples.put(w, measure(w, err));
            }
            if (json) {
                printJson(out, samples, cc.name());
            } else {
                printTable(out, samples, cc.describe());
            }
        }
        return 0;
    }

    private void checkArguments() {
        if (rounds < 1 || rounds > 100 || !(seconds >= 0.05 && seconds <= 60)) {
            throw new CommandLine.ParameterException(spec.commandLine(),
                "--rounds must be in 1..100 and --seconds in 0.05..60");
        }
    }

    private List<Workload> chosen() {
        final List<String> labels = Stream.of(Workload.values()).map(Workload::label).toList();
        final List<String> sides = Stream.of(Side.values()).map(Side::label).toList();
        checkNames("workload", only, labels);
        checkNames("side", side, sides);
        return Stream.of(Workload.values())
            .filter(w -> (only == null || only.contains(w.label())) && !sidesOf(w).isEmpty()).toList();
    }

    private void checkNames(final String what, final List<String> names, final List<String> all) {
        for (final String name : names == null ? List.<String>of() : names) {
            if (!all.contains(name)) {
                throw new CommandLine.ParameterException(spec.commandLine(),
                    "no " + what + " '" + name + "'; there are: " + String.join(", ", all));
            }
        }
    }

    private List<Side> sidesOf(final Workload w) {
        return w.sides().stream().filter(s -> side == null || side.contains(s.label())).toList();
    }

    private Map<Side, Sample> measure(final Workload w, final PrintWriter err) throws IOException {
        final Map<Side, Sample> samples = new EnumMap<>(Side.class);
        for (final Side s : Side.values()) {
            samples.put(s, new Sample());
        }
        final long runNs = (long) (seconds * NS_PER_S);
        try (BenchJvms jvms = new BenchJvms(w, packets)) {
            for (int round = 0; round < rounds; round++) {
                err.printf(Locale.ROOT, "\r%-16s round %d of %d", w.label(), round + 1, rounds);
                err.flush();
                final Stack.Span span = new Stack.Span(round == 0 ? FIRST_WARM * runNs : runNs / 4, runNs);
                for (final Side s : sidesOf(w)) {
                    if (round == 0) {
                        // Does not count: its end, and the next beginning, are news that make the compiler begin anew.
                        jvms.measure(s, new Stack.Span(0, FIRST_WARM * runNs));
                    }
                    samples.get(s).add(jvms.measure(s, span));
                }
            }
        } finally {
            err.printf("\r%40s\r", "");
            err.flush();
        }
        return samples;
    }

    private void printTable(
        final PrintWriter out, final Map<Workload, Map<Side, Sample>> samples, final String cc) {
        out.println("Median [least-most]; ratio is Gatun with threads to the kernel, above 1: Gatun is better.");
        out.println(packets ? "Gatun: all goes in packets over lo0 (--packets)."
            : "Gatun: between its own sockets what can goes past the packets of lo0; --packets turns that off.");
        out.println("Poll: one thread, and so the serial collector unless another is chosen.");
        out.println("Kernel: 127.0.0.1 through Java NIO, congestion control " + cc + ".");
        out.printf("%-15s %-5s %-24s %-24s %-24s %7s %7s%n",
            "workload", "unit", "gatun", "poll", "kernel", "ratio", "poll");
        samples.forEach((w, s) -> out.printf(Locale.ROOT, "%-15s %-5s %-24s %-24s %-24s %7s %7s%n",
            w.label(), w.unit(), cell(s.get(Side.GATUN)), cell(s.get(Side.POLL)), cell(s.get(Side.KERNEL)),
            ratio(w, s.get(Side.GATUN), s.get(Side.KERNEL), "%.2f", "-"),
            ratio(w, s.get(Side.POLL), s.get(Side.KERNEL), "%.2f", "-")));
        out.flush();
    }

    private static String ratio(
        final Workload w, final Sample ours, final Sample theirs, final String format, final String none) {
        return ours.isEmpty() || theirs.isEmpty() ? none
            : String.format(Locale.ROOT, format, w.ratio(ours.median(), theirs.median()));
    }

    private static String cell(final Sample s) {
        return s.isEmpty() ? "-" : String.format(Locale.ROOT, "%.3g [%.3g-%.3g]", s.median(), s.min(), s.max());
    }

    private void printJson(
        final PrintWriter out, final Map<Workload, Map<Side, Sample>> samples, final String cc) {
        final StringBuilder b = new StringBuilder("[");
        samples.forEach((w, s) -> {
            b.append(b.length() == 1 ? "\n" : ",\n");
            b.append(String.format(Locale.ROOT, "  {\"workload\": \"%s\", \"unit\": \"%s\", ", w.label(), w.unit()));
            s.forEach((side, sample) -> b.append(field(side.label(), sample)));
            b.append(String.format(Locale.ROOT, "\"ratio\": %s, \"kernel_cc\": \"%s\", "
                + "\"packets\": %s}", ratio(w, s.get(Side.GATUN), s.get(Side.KERNEL), "%.3f", "null"), cc, packets));
        });
        out.println(b.append("\n]"));
        out.flush();
    }

    private static String field(final String name, final Sample s) {
        if (s.isEmpty()) {
            return "\"" + name + "\": null, ";
        }
        return String.format(Locale.ROOT, "\"%s\": %.4f, \"%s_min\": %.4f, \"%s_max\": %.4f, ",
            name, s.median(), name, s.min(), name, s.max());
    }
}
