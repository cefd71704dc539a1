package io.gatun.cli.bench;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The JVMs of one workload, one for each side, each started when it is first asked. They end with this, and when this
 * process is interrupted.
 */
final class BenchJvms implements AutoCloseable {
    private static final long INTERRUPT_MS = 1000;

    private final Workload workload;
    private final boolean packets;
    private final Map<Side, BenchJvm> jvms = new EnumMap<>(Side.class);
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final Thread hook = new Thread(this::kill);

    BenchJvms(final Workload workload, final boolean packets) {
        this.workload = workload;
        this.packets = packets;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** One measurement on one side. */
    double measure(final Side side, final Stack.Span span) throws IOException {
        try {
            return jvm(side).measure(span);
        } catch (final IOException e) {
            // Ctrl-C ends them too, and they may be quicker: what fails because of that is no failure to tell.
            awaitInterrupt();
            throw e;
        }
    }

    private synchronized BenchJvm jvm(final Side side) throws IOException {
        BenchJvm jvm = jvms.get(side);
        if (jvm == null) {
            jvm = BenchJvm.start(workload, side, packets);
            jvms.put(side, jvm);
        }
        return jvm;
    }

    private void awaitInterrupt() {
        try {
            if (interrupted.await(INTERRUPT_MS, TimeUnit.MILLISECONDS)) {
                new CountDownLatch(1).await(); // this JVM is on its way out
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void kill() {
        interrupted.countDown();
        synchronized (this) {
            jvms.values().forEach(BenchJvm::kill);
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (final IllegalStateException e) {
            return; // it runs
        }
        jvms.values().forEach(BenchJvm::close);
    }
}
