package io.gatun.cli.bench;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** One end of a workload on a thread of its own, whose failure is not lost. */
final class Worker {
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    /** What it does. */
    @FunctionalInterface
    interface Body {
        void run() throws IOException;
    }

    private Worker() {
    }

    static Worker start(final String name, final Body body) {
        final Worker w = new Worker();
        Thread.ofPlatform().name(name).daemon().start(() -> {
            try {
                body.run();
                w.done.complete(null);
            } catch (final IOException | RuntimeException | Error e) {
                w.done.completeExceptionally(e);
            }
        });
        return w;
    }

    boolean failed() {
        return done.isCompletedExceptionally();
    }

    /** Waits for its end and throws what it threw. */
    void join() throws IOException {
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
