package io.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A network namespace of a test's own, with programs run inside it. Gone, with every process it started, when closed.
 */
final class Netns implements AutoCloseable {
    /** A busy machine takes so many times as long. */
    private static final int SLACK = 4;

    private final String name;
    private final List<Process> started = new ArrayList<>();

    /** What a program printed and how it ended. */
    record Result(int status, String out) {
    }

    private Netns(final String name) {
        this.name = name;
    }

    /** Why there can be none here, or null. */
    static String unavailable() {
        if (!Files.isWritable(Path.of("/dev/net/tun"))) {
            return "no rights on /dev/net/tun";
        }
        try {
            final String name = "gt-probe-" + ProcessHandle.current().pid();
            final Result r = run(List.of("ip", "netns", "add", name), 10);
            if (r.status != 0) {
                return "ip netns add: " + r.out.trim();
            }
            run(List.of("ip", "netns", "del", name), 10);
            return null;
        } catch (final IOException e) {
            return e.getMessage();
        }
    }

    /** Whether a program is installed. */
    static boolean has(final String program) {
        for (final String dir : System.getenv("PATH").split(":", -1)) {
            if (Files.isExecutable(Path.of(dir, program))) {
                return true;
            }
        }
        return false;
    }

    static Netns create(final String name) throws IOException {
        final Result r = run(List.of("ip", "netns", "add", name), 10);
        if (r.status != 0) {
            throw new IOException("ip netns add " + name + ": " + r.out);
        }
        final Netns ns = new Netns(name);
        ns.exec(10, "ip", "link", "set", "lo", "up");
        return ns;
    }

    /** Starts a program inside; standard error goes with standard output. */
    Process start(final String... command) throws IOException {
        final List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(List.of(command));
        final Process p = new ProcessBuilder(all).redirectErrorStream(true).start();
        started.add(p);
        return p;
    }

    /** Runs a program inside to its end. */
    Result exec(final int seconds, final String... command) throws IOException {
        return finish(start(command), seconds);
    }

    /** Runs a shell line inside to its end. */
    Result sh(final int seconds, final String line) throws IOException {
        return exec(seconds, "bash", "-c", line);
    }

    /** Waits for a program that takes so long at most; one that takes several times longer is killed: status -1. */
    static Result finish(final Process p, final int seconds) {
        final CompletableFuture<String> out = CompletableFuture.supplyAsync(() -> drain(p.getInputStream()));
        try {
            if (!p.waitFor(SLACK * (long) seconds, TimeUnit.SECONDS)) {
                p.descendants().forEach(ProcessHandle::destroyForcibly);
                p.destroyForcibly();
                return new Result(-1, out.join() + "\n(killed after " + SLACK * seconds + " s)");
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(-1, "interrupted");
        }
        return new Result(p.exitValue(), out.join());
    }

    private static Result run(final List<String> command, final int seconds) throws IOException {
        return finish(new ProcessBuilder(command).redirectErrorStream(true).start(), seconds);
    }

    private static String drain(final InputStream in) {
        try (in) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (final IOException e) {
            return "(" + e.getMessage() + ")";
        }
    }

    @Override
    public void close() throws IOException {
        for (final Process p : started) {
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            p.destroyForcibly();
        }
        run(List.of("ip", "netns", "del", name), 10);
    }
}
