package io.gatun.conformance.packetdrill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Many scripts, run on several threads, each with a {@link Packetdrill} of its own. */
public final class Suite {
    private Suite() {
    }

    /** The scripts of files and folders, in order of their names; a file counts whatever it is called. */
    public static List<Path> scripts(final List<Path> from) throws IOException {
        final List<Path> out = new ArrayList<>();
        for (final Path p : from) {
            if (Files.isDirectory(p)) {
                try (Stream<Path> walk = Files.walk(p)) {
                    walk.filter(f -> f.toString().endsWith(".pkt") && Files.isRegularFile(f)).sorted()
                        .forEach(out::add);
                }
            } else {
                out.add(p);
            }
        }
        return out;
    }

    /**
     * Runs scripts.
     *
     * @param absent as in {@link Packetdrill#Packetdrill(Set)}
     * @param threads at least 1
     * @param done is told of each result, by any of the threads, one at a time
     * @return the results in the order of the scripts
     * @throws IOException when a script cannot be read
     */
    public static List<Result> run(final List<Path> scripts, final Set<String> absent, final int threads,
            final Consumer<Result> done) throws IOException {
        final Result[] results = new Result[scripts.size()];
        final AtomicInteger next = new AtomicInteger();
        final List<IOException> failed = new ArrayList<>();
        final List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().name("packetdrill-" + i).daemon().start(() -> {
                final Packetdrill drill = new Packetdrill(absent);
                for (int at = next.getAndIncrement(); at < results.length; at = next.getAndIncrement()) {
                    try {
                        results[at] = drill.run(scripts.get(at));
                        synchronized (failed) {
                            done.accept(results[at]);
                        }
                    } catch (final IOException e) {
                        synchronized (failed) {
                            failed.add(e);
                        }
                        return;
                    }
                }
            }));
        }
        for (final Thread t : workers) {
            join(t);
        }
        synchronized (failed) {
            if (!failed.isEmpty()) {
                throw failed.get(0);
            }
        }
        return List.of(results);
    }

    private static void join(final Thread t) throws IOException {
        try {
            t.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
