package io.gatun.cli.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * One workload on one side in a JVM of its own: {@code BenchChild WORKLOAD SIDE}. A line {@code WARM_NS RUN_NS} on its
 * standard input asks for a measurement, and one line answers: {@code = FIGURE}, or {@code ! WHY NOT}, which is its
 * last. Between two measurements nothing of it runs. It ends when its standard input does, in a measurement too: so it
 * never outlives who started it.
 */
public final class BenchChild {
    /** Begins the line with a figure. */
    static final String FIGURE = "= ";
    /** Begins the line that says what went wrong. */
    static final String FAILURE = "! ";

    /** All that Gatun sends to itself goes in packets. */
    static final String PACKETS = "packets";
    /** What can goes past them. */
    static final String PAST = "past";

    private BenchChild() {
    }

    /** Runs it; for {@code gatun bench} alone. */
    public static void main(final String[] args) throws InterruptedException {
        final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        final Thread reader = new Thread(() -> {
            read(asked);
            System.exit(0);
        }, "bench questions");
        reader.setDaemon(true);
        reader.start();
        final Workload workload = Workload.of(args[0]);
        final Stack stack = Side.valueOf(args[1].toUpperCase(Locale.ROOT))
            .stack(args.length > 2 && args[2].equals(PACKETS));
        boolean well = true;
        while (well) {
            well = answer(workload, stack, asked.take(), System.out);
        }
        System.exit(1);
    }

    private static void read(final BlockingQueue<String> asked) {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            String line = in.readLine();
            while (line != null) {
                asked.add(line);
                line = in.readLine();
            }
        } catch (final IOException e) {
            // who asks is gone
        }
    }

    /** Answers one line. False when there will be no more answers. */
    static boolean answer(final Workload workload, final Stack stack, final String line, final PrintStream out) {
        String answer;
        try {
            final String[] ns = line.split(" ", -1);
            answer = FIGURE + workload.run(stack, new Stack.Span(Long.parseLong(ns[0]), Long.parseLong(ns[1])));
        } catch (final IOException | RuntimeException | Error e) {
            answer = FAILURE + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
                .replaceAll("\\s+", " ");
        }
        out.println(answer);
        out.flush();
        return answer.startsWith(FIGURE);
    }
}
