package io.gatun.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
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
    private static final int GATUN = 0;
    private static final int POLL = 1;
    private static final int KERNEL = 2;
    /** Runs before the first that counts: the compiler shares the processors with threads that spin. */
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
            final Map<Workload, Sample[]> samples = measure(workloads, err);
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
        final List<Workload> all = List.of(Workload.values());
        if (only == null) {
            return all;
        }
        for (final String name : only) {
            if (all.stream().noneMatch(w -> w.label().equals(name))) {
                throw new CommandLine.ParameterException(spec.commandLine(), "no workload '" + name + "'; there are: "
                    + String.join(", ", all.stream().map(Workload::label).toList()));
            }
        }
        return all.stream().filter(w -> only.contains(w.label())).toList();
    }

    private Map<Workload, Sample[]> measure(final List<Workload> workloads, final PrintWriter err) throws IOException {
        final Stack[] stacks = {new GatunStack(), new PollStack(), new KernelStack()};
        final Map<Workload, Sample[]> samples = new EnumMap<>(Workload.class);
        for (final Workload w : workloads) {
            samples.put(w, new Sample[] {new Sample(), new Sample(), new Sample()});
        }
        final long runNs = (long) (seconds * NS_PER_S);
        for (int round = 0; round < rounds; round++) {
            final Stack.Span span = new Stack.Span(round == 0 ? FIRST_WARM * runNs : runNs / 4, runNs);
            for (final Workload w : workloads) {
                err.printf(Locale.ROOT, "\rround %d of %d: %-16s", round + 1, rounds, w.label());
                err.flush();
                for (int s = 0; s < stacks.length; s++) {
                    samples.get(w)[s].add(w.run(stacks[s], span));
                }
            }
        }
        err.printf("\r%40s\r", "");
        err.flush();
        return samples;
    }

    private static void printTable(final PrintWriter out, final Map<Workload, Sample[]> samples, final String cc) {
        out.println("Median [least-most]; ratio is Gatun with threads to the kernel, above 1: Gatun is better.");
        out.println("Kernel: 127.0.0.1 through Java NIO, congestion control " + cc + ".");
        out.printf("%-15s %-5s %-24s %-24s %-24s %7s %7s%n",
            "workload", "unit", "gatun", "poll", "kernel", "ratio", "poll");
        samples.forEach((w, s) -> out.printf(Locale.ROOT, "%-15s %-5s %-24s %-24s %-24s %7s %7s%n",
            w.label(), w.unit(), cell(s[GATUN]), cell(s[POLL]), cell(s[KERNEL]),
            ratio(w, s[GATUN], s[KERNEL], "%.2f", "-"), ratio(w, s[POLL], s[KERNEL], "%.2f", "-")));
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

    private static void printJson(final PrintWriter out, final Map<Workload, Sample[]> samples, final String cc) {
        final StringBuilder b = new StringBuilder("[");
        samples.forEach((w, s) -> {
            b.append(b.length() == 1 ? "\n" : ",\n");
            b.append(String.format(Locale.ROOT, "  {\"workload\": \"%s\", \"unit\": \"%s\", ", w.label(), w.unit()));
            b.append(field("gatun", s[GATUN])).append(field("poll", s[POLL])).append(field("kernel", s[KERNEL]));
            b.append(String.format(Locale.ROOT, "\"ratio\": %s, \"kernel_cc\": \"%s\"}",
                ratio(w, s[GATUN], s[KERNEL], "%.3f", "null"), cc));
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
