package io.gatun.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The kernel's default congestion control for the time of a run: cubic or reno where that may be set, since a default
 * of BBR paces the loopback. Put back at {@link #close}, and by a shutdown hook when the run is interrupted.
 */
final class CongestionControl implements AutoCloseable {
    private static final Path CONTROL = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");
    private static final Path AVAILABLE = Path.of("/proc/sys/net/ipv4/tcp_available_congestion_control");
    private static final List<String> WANTED = List.of("cubic", "reno");

    private final String before;
    private final String now;
    private final Thread hook;

    private CongestionControl(final String before, final String now) {
        this.before = before;
        this.now = now;
        hook = new Thread(this::restore);
    }

    /** Chooses cubic, else reno, else leaves what is there. */
    static CongestionControl choose() {
        final String before = read(CONTROL);
        final List<String> available = List.of(read(AVAILABLE).split(" ", -1));
        String now = before;
        for (final String name : WANTED) {
            if (now.equals(before) && !WANTED.contains(before) && available.contains(name) && write(name)) {
                now = name;
            }
        }
        final CongestionControl cc = new CongestionControl(before, now);
        if (!now.equals(before)) {
            Runtime.getRuntime().addShutdownHook(cc.hook);
        }
        return cc;
    }

    /** For the output, as in {@code cubic (bbr put back afterwards)}. */
    String describe() {
        if (now.isEmpty()) {
            return "unknown";
        }
        return now.equals(before) ? now : now + " (" + before + " is put back afterwards)";
    }

    String name() {
        return now.isEmpty() ? "unknown" : now;
    }

    private static String read(final Path path) {
        try {
            return Files.readString(path).trim();
        } catch (final IOException e) {
            return "";
        }
    }

    private static boolean write(final String name) {
        try {
            Files.writeString(CONTROL, name);
            return read(CONTROL).equals(name);
        } catch (final IOException e) {
            return false;
        }
    }

    private void restore() {
        if (!now.equals(before) && read(CONTROL).equals(now)) {
            write(before);
        }
    }

    @Override
    public void close() {
        restore();
        if (!now.equals(before)) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (final IllegalStateException e) {
                // it runs, and does the same
            }
        }
    }
}
