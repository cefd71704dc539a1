package io.gatun.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** A line that grows; on a terminal only, so that a log stays readable. */
final class ProgressBar {
    private static final int WIDTH = 40;
    private static final double NS_PER_S = 1e9;
    private static final int PERCENT = 100;
    private static final double MEGA = 1e6;

    private final PrintWriter err;
    private final String title;
    private final long total;
    private final boolean counts;
    @SuppressWarnings("SystemConsoleNull") // with JDK 25's own console it is null again where there is no terminal
    private final boolean shown = System.console() != null && System.console().isTerminal();
    private final long startNs = System.nanoTime();

    /** Of octets, with their rate. */
    ProgressBar(final PrintWriter err, final String title, final long total) {
        this(err, title, total, false);
    }

    /** @param counts of things, without a rate */
    ProgressBar(final PrintWriter err, final String title, final long total, final boolean counts) {
        this.counts = counts;
        this.err = err;
        this.title = title;
        this.total = total;
    }

    void update(final long done) {
        if (shown) {
            final int filled = (int) (total == 0 ? WIDTH : done * WIDTH / total);
            final double seconds = (System.nanoTime() - startNs) / NS_PER_S;
            err.printf(Locale.ROOT, "\r%-45s [%s%s] %3d %% %s", title, "#".repeat(filled),
                ".".repeat(WIDTH - filled), total == 0 ? PERCENT : done * PERCENT / total,
                counts ? done + " of " + total
                    : String.format(Locale.ROOT, "%7.1f MB/s", done / MEGA / seconds));
            err.flush();
        }
    }

    void end() {
        if (shown) {
            err.print("\r" + " ".repeat(2 * WIDTH + PERCENT / 2) + "\r");
            err.flush();
        }
    }
}
