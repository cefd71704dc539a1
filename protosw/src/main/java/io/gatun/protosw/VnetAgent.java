package io.gatun.protosw;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.vnet.VnetSide;
import java.util.function.IntSupplier;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;

/**
 * A thread of a vnet that does one kind of work and sleeps between. It is started by the first {@link #wake}, so a vnet
 * that never needs it costs no thread. Nothing ends it but {@link #close}: what a handler throws is told to the vnet,
 * and an interrupt that a handler has left is forgotten.
 *
 * <p>Locking key: (l) {@code this}, (v) volatile.
 */
final class VnetAgent implements Agent {
    private final VnetSide vnet;
    private final String name;
    private final IntSupplier work;
    private final ParkingIdle idle;
    private volatile AgentRunner runner; // (v) written under (l)
    @GuardedBy("this")
    private Thread thread; // (l) of the runner
    @GuardedBy("this")
    private boolean closed; // (l)

    /**
     * @param kind of work, for the name of the thread
     * @param work one turn; answers how much it did
     * @param idle how it waits after a turn that did nothing
     */
    VnetAgent(VnetSide vnet, String kind, IntSupplier work, ParkingIdle idle) {
        this.vnet = vnet;
        this.name = vnet.name() + '-' + kind;
        this.work = work;
        this.idle = idle;
    }

    /** Has the thread look for work, starting it if need be. Any thread, any lock. */
    void wake() {
        if (runner == null) {
            start();
        }
        idle.wake();
    }

    private synchronized void start() {
        if (runner == null && !closed) {
            AgentRunner r = new AgentRunner(idle, vnet::uncaught, null, this);
            runner = r;
            thread = AgentRunner.startOnThread(r, task -> {
                Thread t = new Thread(task, name);
                t.setDaemon(true);
                return t;
            });
        }
    }

    /** Whether the caller is this agent's thread. */
    boolean isCurrent() {
        AgentRunner r = runner;
        return r != null && r.thread() == Thread.currentThread();
    }

    /** Throws nothing: the runner would end the thread over an error. */
    @Override
    public int doWork() {
        try {
            return work.getAsInt();
        } catch (Throwable t) {
            vnet.uncaught(t);
            return 1;
        }
    }

    @Override
    public String roleName() {
        return name;
    }

    /** Ends the thread and waits until it is gone, unless it is the caller. */
    void close() {
        AgentRunner r;
        Thread t;
        synchronized (this) {
            closed = true;
            r = runner;
            t = thread;
        }
        if (r != null) {
            idle.close();
            r.close();
            join(t);
        }
    }

    private static void join(Thread t) {
        boolean interrupted = false;
        while (t != Thread.currentThread() && t.isAlive()) {
            try {
                t.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
