package io.gatun.cli.bench;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** One end of a workload on a thread of its own, whose failure is not lost. */
final class Worker {
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private final Thread thread;

    /** What it does. */
    @FunctionalInterface
    interface Body {
        void run() throws IOException;
    }

    private Worker(final String name, final Body body) {
        thread = Thread.ofPlatform().name(name).daemon().unstarted(() -> {
            try {
                body.run();
                done.complete(null);
            } catch (final IOException | RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
    }

    static Worker start(final String name, final Body body) {
        final Worker w = new Worker(name, body);
        w.thread.start();
        return w;
    }

    boolean failed() {
        return done.isCompletedExceptionally();
    }

    /** Waits until its thread is gone, and throws what it threw. */
    void join() throws IOException {
        try {
            thread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            done.join();
        } catch (final CompletionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw e;
        }
    }
}
