package io.gatun.cli.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A JVM that runs one workload on one side, with the flags of this one: what the compiler learns from one workload, or
 * one mode, makes another slower or faster than it is for a program that does it alone. It is told round by round to
 * measure, and waits in between.
 */
final class BenchJvm implements AutoCloseable {
    /** Longer than any set-up takes. */
    private static final long PATIENCE_NS = TimeUnit.MINUTES.toNanos(5);
    private static final long END_MS = 5000;
    private static final int LINES_TOLD = 3;

    private final String what;
    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private volatile boolean ended;

    private BenchJvm(final String what, final Process process) {
        this.what = what;
        this.process = process;
        Thread.ofPlatform().name("bench answers").daemon().start(this::listen);
    }

    static BenchJvm start(final Workload workload, final Side side, final boolean packets) throws IOException {
        final String w = workload.label();
        return start(w + ", " + side.label(),
            command(side.flags(), BenchChild.class, w, side.label(), packets ? BenchChild.PACKETS : BenchChild.PAST));
    }

    /** For tests: any command that answers as {@link BenchChild} does. */
    static BenchJvm start(final String what, final List<String> command) throws IOException {
        return new BenchJvm(what, new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** The command that starts a JVM as this one was started, with another main class. */
    static List<String> command(final Class<?> main, final String... args) {
        return command(List.of(), main, args);
    }

    /** With more flags, but for a collector where this JVM was started with one that was chosen. */
    static List<String> command(final List<String> more, final Class<?> main, final String... args) {
        final List<String> c = new ArrayList<>();
        c.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (final String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-Djdk.module.main") && !flag.startsWith("-agentlib:jdwp")) {
                c.add(flag);
            }
        }
        final boolean chosen = c.stream().anyMatch(BenchJvm::isCollector);
        more.stream().filter(flag -> !(chosen && isCollector(flag))).forEach(c::add);
        final Module module = main.getModule();
        if (module.isNamed()) {
            c.addAll(List.of("--module", module.getName() + "/" + main.getName()));
        } else {
            c.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        }
        c.addAll(List.of(args));
        return c;
    }

    static boolean isCollector(final String flag) {
        return flag.startsWith("-XX:+Use") && flag.endsWith("GC");
    }

    private void listen() {
        try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
            String line = in.readLine();
            while (line != null) {
                lines.add(line);
                line = in.readLine();
            }
        } catch (final IOException e) {
            // as its end
        }
        ended = true;
        lines.add("");
    }

    /** One measurement: the figure. Fails with one line that says which workload, and why. */
    double measure(final Stack.Span span) throws IOException {
        ask(span.warmNs() + " " + span.runNs() + "\n");
        final List<String> said = new ArrayList<>();
        final long until = System.nanoTime() + span.warmNs() + span.runNs() + PATIENCE_NS;
        try {
            while (true) {
                final String line = lines.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (line == null) {
                    throw new IOException(what + ": no answer from its JVM");
                } else if (line.startsWith(BenchChild.FIGURE)) {
                    return Double.parseDouble(line.substring(BenchChild.FIGURE.length()));
                } else if (line.startsWith(BenchChild.FAILURE)) {
                    throw new IOException(what + ": " + line.substring(BenchChild.FAILURE.length()));
                } else if (ended && lines.isEmpty()) {
                    throw new IOException(what + ": its JVM ended with status " + process.waitFor()
                        + (said.isEmpty() ? "" : ": " + String.join("; ", said)));
                } else if (said.size() < LINES_TOLD && !line.isBlank()) {
                    said.add(line);
                }
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(what + ": interrupted", e);
        }
    }

    /** For tests. */
    Process process() {
        return process;
    }

    /** Asks, and does not wait for the answer. */
    void ask(final String line) {
        try {
            final OutputStream out = process.getOutputStream();
            out.write(line.getBytes(StandardCharsets.US_ASCII));
            out.flush();
        } catch (final IOException e) {
            // it is gone, and what it said is there to be read
        }
    }

    /** Ends it at once, whatever it does, and waits for that. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Ends it: it waits for a question, and there will be none. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (process.waitFor(END_MS, TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (final IOException e) {
            // it is gone, or will be
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        kill();
    }
}
