package io.gatun.conformance.packetdrill;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Many scripts, run on several threads, each with a {@link Packetdrill} of its own. */
public final class Suite {
    private Suite() {
    }

    /** The scripts of files and folders, in order of their names; a file counts whatever it is called. */
    public static List<Path> scripts(final List<Path> from) throws IOException {
        final List<Path> out = new ArrayList<>();
        for (final Path p : from) {
            if (Files.isDirectory(p)) {
                out.addAll(below(p));
            } else {
                out.add(p);
            }
        }
        return out;
    }

    /** Those in a folder, and what cannot be looked at: it fails when it is run. */
    private static List<Path> below(final Path folder) throws IOException {
        final List<Path> out = new ArrayList<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(final Path file, final BasicFileAttributes attrs) {
                final boolean lost = attrs.isSymbolicLink() && !Files.exists(file);
                if (file.toString().endsWith(".pkt") && (lost || Files.isRegularFile(file))) {
                    out.add(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(final Path file, final IOException e) {
                out.add(file);
                return FileVisitResult.CONTINUE;
            }
        });
        out.sort(null);
        return out;
    }

    /**
     * Runs scripts.
     *
     * @param absent as in {@link Packetdrill#Packetdrill(Set)}
     * @param threads at least 1
     * @param done is told of each result, by any of the threads, one at a time
     * @return the results in the order of the scripts
     * @throws IOException when the calling thread is interrupted
     */
    public static List<Result> run(final List<Path> scripts, final Set<String> absent, final int threads,
            final Consumer<Result> done) throws IOException {
        final Result[] results = new Result[scripts.size()];
        final AtomicInteger next = new AtomicInteger();
        final List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().name("packetdrill-" + i).daemon().start(() -> {
                final Packetdrill drill = new Packetdrill(absent);
                for (int at = next.getAndIncrement(); at < results.length; at = next.getAndIncrement()) {
                    results[at] = drill.run(scripts.get(at));
                    synchronized (results) {
                        done.accept(results[at]);
                    }
                }
            }));
        }
        for (final Thread t : workers) {
            join(t);
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
