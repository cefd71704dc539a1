package io.gatun.cli;

import io.gatun.conformance.packetdrill.HtmlReport;
import io.gatun.conformance.packetdrill.Result;
import io.gatun.conformance.packetdrill.Suite;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun packetdrill}: runs packetdrill scripts against the stack, in this process and on a virtual clock. */
@Command(
        name = "packetdrill",
        mixinStandardHelpOptions = true,
        description = "Runs packetdrill scripts against the stack, in this process and on a virtual clock.",
        footer = {"A script that is still running after a minute fails.",
            "Ends with status 0 when no script failed, else 1."})
public final class PacketdrillCommand implements Callable<Integer> {
    private static final double NS_PER_S = 1e9;

    @Parameters(arity = "1..*", paramLabel = "FILE|DIR", description = "Scripts, and folders with *.pkt below them.")
    private List<Path> paths;
    @Option(names = "--report", paramLabel = "FILE", description = "Writes the results as one HTML page.")
    private Path report;
    @Option(names = "--quiet", description = "The table only, not the failures.")
    private boolean quiet;
    @Option(names = "--absent", split = ",", paramLabel = "SYSCTL",
            description = "Sysctls that the stack may lack: setting them is passed over.")
    private Set<String> absent = Set.of();
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /** For picocli. */
    public PacketdrillCommand() {
        // options are set by picocli
    }

    @Override
    public Integer call() throws IOException {
        for (final Path p : paths) {
            if (!Files.isReadable(p)) {
                throw new CommandLine.ParameterException(spec.commandLine(), "cannot read " + p);
            }
        }
        if (report != null && (Files.isDirectory(report) || !Files.isWritable(Files.exists(report) ? report
            : report.toAbsolutePath().getParent()))) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--report: cannot write " + report);
        }
        final List<Path> scripts = Suite.scripts(paths);
        if (scripts.isEmpty()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "no scripts (*.pkt) in "
                + String.join(", ", paths.stream().map(Path::toString).toList()));
        }
        final PrintWriter out = spec.commandLine().getOut();
        final ProgressBar bar = new ProgressBar(spec.commandLine().getErr(), "packetdrill", scripts.size(), true);
        final AtomicInteger done = new AtomicInteger();
        final long start = System.nanoTime();
        final int threads = Math.min(scripts.size(), Runtime.getRuntime().availableProcessors());
        final List<Result> results =
            Suite.run(scripts, absent, threads, r -> bar.update(done.incrementAndGet()));
        final double seconds = (System.nanoTime() - start) / NS_PER_S;
        bar.end();
        if (!quiet) {
            results.stream().filter(r -> r.outcome() == Result.Outcome.FAILED)
                .forEach(r -> out.println(r.message() + "\n"));
        }
        final boolean failed = table(out, results, seconds);
        if (report != null) {
            Files.writeString(report, HtmlReport.page(results), StandardCharsets.UTF_8);
            out.println("report: " + report);
        }
        out.flush();
        return failed ? 1 : 0;
    }

    private static boolean table(final PrintWriter out, final List<Result> results, final double seconds) {
        final int[] sum = new int[Result.Outcome.values().length];
        out.printf(Locale.ROOT, "%-58s %7s %7s %7s%n", "group", "passed", "failed", "skipped");
        HtmlReport.groups(results).forEach((group, n) -> {
            out.printf(Locale.ROOT, "%-58s %7d %7d %7d%n", group, n[0], n[1], n[2]);
            for (int i = 0; i < n.length; i++) {
                sum[i] += n[i];
            }
        });
        out.printf(Locale.ROOT, "%-58s %7d %7d %7d   in %.1f s%n", "all", sum[0], sum[1], sum[2], seconds);
        return sum[Result.Outcome.FAILED.ordinal()] != 0;
    }
}
