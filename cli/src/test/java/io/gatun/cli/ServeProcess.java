package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code gatun serve} as a process of its own in a namespace, and {@code gatun} commands to it from others. Closing it
 * presses Ctrl-C and wants a clean end: nothing outstanding, no exception, no device left.
 */
final class ServeProcess implements AutoCloseable {
    private final Netns ns;
    private final Path run;
    private final String tap;
    private final Process process;
    private final BufferedReader out;

    private ServeProcess(final Netns ns, final Path run, final String tap, final Process process) {
        this.ns = ns;
        this.run = run;
        this.tap = tap;
        this.process = process;
        out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @param run directory for control sockets
     * @param options of {@code gatun serve}, but for the device's name
     */
    static ServeProcess start(final Netns ns, final Path run, final String tap, final String... options)
            throws IOException {
        final List<String> words = new ArrayList<>(List.of("serve", "--tap", tap));
        words.addAll(List.of(options));
        final ServeProcess s = new ServeProcess(ns, run, tap, ns.start(gatun(run, words)));
        s.await("ready");
        return s;
    }

    private static String[] gatun(final Path run, final List<String> words) {
        // A build that runs in the background has its children ignore Ctrl-C.
        final List<String> all = new ArrayList<>(List.of("env", "--default-signal=INT", "GATUN_RUN_DIR=" + run));
        all.addAll(List.of(java("io.gatun.cli.Gatun")));
        all.addAll(words);
        return all.toArray(String[]::new);
    }

    /** The command of a JVM like this one with a main class of the class path. */
    static String[] java(final String main, final String... args) {
        final List<String> all = new ArrayList<>(List.of(
            ProcessHandle.current().info().command().orElse("java"), "-ea", "--enable-native-access=ALL-UNNAMED",
            "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), main));
        all.addAll(List.of(args));
        return all.toArray(String[]::new);
    }

    /** Reads on until a line with this text; fails with all that was said when there is none. */
    String await(final String text) throws IOException {
        final StringBuilder said = new StringBuilder();
        String line = out.readLine();
        while (line != null && !line.contains(text)) {
            said.append(line).append('\n');
            line = out.readLine();
        }
        assertThat(line).as("'%s' from the server: %s", text, said).isNotNull();
        return line;
    }

    /** Runs a command on it from another process; what it printed. */
    String gatun(final String line) throws IOException {
        final List<String> command = new ArrayList<>(List.of(gatun(run, List.of(line.split(" ")))));
        command.add(command.indexOf("-ea"), "-XX:TieredStopAtLevel=1"); // it has ended before C2's work pays
        final Netns.Result r = ns.exec(30, command.toArray(String[]::new));
        assertThat(r.status()).as("gatun %s%n%s", line, r.out()).isZero();
        return r.out();
    }

    @Override
    public void close() throws IOException {
        process.descendants().forEach(p -> signal(p.pid()));
        signal(process.pid());
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("server ended").isTrue();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        final String rest = String.join("\n", out.lines().toList());
        assertThat(rest).contains("mbufs outstanding 0").doesNotContain("Exception");
        assertThat(ns.exec(10, "ip", "-o", "link").out()).doesNotContain(" " + tap + ":");
    }

    private static void signal(final long pid) {
        try {
            new ProcessBuilder("kill", "-INT", Long.toString(pid)).start().waitFor();
        } catch (final IOException e) {
            throw new IllegalStateException(e);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
