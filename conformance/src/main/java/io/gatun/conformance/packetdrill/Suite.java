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
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Many scripts, run on several threads, each with a {@link Packetdrill} of its own. */
public final class Suite {
    /** Of real time, for one script. */
    static final long LIMIT_S = 60;
    private static final long NS_PER_S = 1_000_000_000;

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
     * Runs scripts. One that is still running after a minute fails and is left to itself.
     *
     * @param absent as in {@link Packetdrill#Packetdrill(Set)}
     * @param threads at least 1
     * @param done is told of each result, by any of the threads, one at a time
     * @return the results in the order of the scripts
     * @throws IOException when the calling thread is interrupted
     */
    public static List<Result> run(final List<Path> scripts, final Set<String> absent, final int threads,
            final Consumer<Result> done) throws IOException {
        return new Workers(scripts, () -> new Packetdrill(absent)::run, done, System::nanoTime).run(threads);
    }

    /** The threads of a run, and who watches over them. All fields but the final ones are guarded by this. */
    static final class Workers {
        private static final int IDLE = -1;
        private static final long TICK_MS = 100;

        private final List<Path> scripts;
        private final Supplier<Function<Path, Result>> runners;
        private final Consumer<Result> done;
        private final LongSupplier clockNs;
        private final Result[] results;
        private final List<Worker> workers = new ArrayList<>();
        private int next;
        private int left;
        private Throwable failure;

        /** A thread and what it is at. */
        private static final class Worker {
            private int at = IDLE;
            private long startNs;
            private boolean givenUp;
        }

        /** @param runners gives each thread what runs its scripts */
        Workers(final List<Path> scripts, final Supplier<Function<Path, Result>> runners, final Consumer<Result> done,
                final LongSupplier clockNs) {
            this.scripts = scripts;
            this.runners = runners;
            this.done = done;
            this.clockNs = clockNs;
            results = new Result[scripts.size()];
            left = results.length;
        }

        synchronized List<Result> run(final int threads) throws IOException {
            for (int i = 0; i < threads; i++) {
                start();
            }
            while (left > 0 && failure == null) {
                try {
                    wait(TICK_MS);
                } catch (final InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
                List.copyOf(workers).forEach(this::watch);
            }
            if (failure != null) {
                throw new IllegalStateException("the run of scripts broke", failure);
            }
            return List.of(results);
        }

        private void start() {
            final Worker w = new Worker();
            workers.add(w);
            Thread.ofPlatform().name("packetdrill-" + workers.size()).daemon().start(() -> work(w));
        }

        private void work(final Worker w) {
            try {
                final Function<Path, Result> runner = runners.get();
                for (Path p = take(w); p != null; p = take(w)) {
                    give(w, runner.apply(p));
                }
            } catch (final RuntimeException | Error e) {
                broke(e);
            }
        }

        /** The next script; null when there is none, or the worker was given up. */
        private synchronized Path take(final Worker w) {
            if (w.givenUp || next == results.length) {
                return null;
            }
            w.at = next++;
            w.startNs = clockNs.getAsLong();
            return scripts.get(w.at);
        }

        private synchronized void give(final Worker w, final Result r) {
            if (!w.givenUp) {
                final int at = w.at;
                w.at = IDLE;
                finish(at, r);
            }
        }

        private void finish(final int at, final Result r) {
            results[at] = r;
            left--;
            done.accept(r);
            notifyAll();
        }

        private synchronized void broke(final Throwable e) {
            failure = failure == null ? e : failure;
            notifyAll();
        }

        private void watch(final Worker w) {
            final long ns = clockNs.getAsLong() - w.startNs;
            if (w.at != IDLE && ns > LIMIT_S * NS_PER_S) {
                w.givenUp = true;
                workers.remove(w);
                start();
                final String file = scripts.get(w.at).toString();
                finish(w.at, new Result(file, Result.Outcome.FAILED, 1,
                    file + ":1:1: still running after " + LIMIT_S + " s: given up", ns));
            }
        }
    }
}
