package io.gatun.drivers.tap;

import io.gatun.drivers.linux.TapDevice;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.NoOpIdleStrategy;

/**
 * The thread that reads a tap: takes up what is there in batches, looks again for a while if that has paid of late,
 * and then sleeps in the kernel until a frame comes or somebody wakes it. It also goes on with frames that another
 * thread could not write.
 *
 * <p>Locking key: (o) the agent's own thread, (c) constant once started.
 */
final class TapAgent implements Agent {
    /** Frames taken up before others get a turn. */
    private static final int BATCH = 64;
    private static final int MAX_LOOKS = 64;
    private static final int RETRY_MS = 1;

    private final Ifnet ifp;
    private final TapDevice device;
    private final TapRx rx;
    private final TapTx tx;
    private AgentRunner runner; // (c)
    private int looks = 1;      // (o) empty reads before sleeping, doubled when one finds a frame and halved when not

    TapAgent(final Ifnet ifp, final TapDevice device, final TapRx rx, final TapTx tx) {
        this.ifp = ifp;
        this.device = device;
        this.rx = rx;
        this.tx = tx;
    }

    void start() {
        runner = new AgentRunner(NoOpIdleStrategy.INSTANCE, this::failed, null, this);
        AgentRunner.startOnThread(runner, task -> {
            final Thread t = new Thread(task, roleName());
            t.setDaemon(true);
            return t;
        });
    }

    private void failed(final Throwable t) {
        if (!(t instanceof AgentTerminationException)) {
            ifp.vnet().uncaught(t);
        }
    }

    @Override
    public String roleName() {
        return ifp.vnet().name() + "-" + ifp.xname();
    }

    /** A handler above may throw: its bug, which must not end the interface, nor may an interrupt that it left. */
    @Override
    public int doWork() {
        try {
            return work();
        } catch (final AgentTerminationException e) {
            throw e;
        } catch (final Throwable t) {
            ifp.vnet().uncaught(t);
            return 1;
        } finally {
            if (Thread.currentThread().isInterrupted()) {
                var _ = Thread.interrupted();
            }
        }
    }

    private int work() {
        int frames = rx.batch(BATCH);
        for (int i = 0; frames == 0 && i < looks; i++) {
            Thread.onSpinWait();
            frames = rx.batch(BATCH);
            if (frames > 0) {
                looks = Math.min(2 * looks, MAX_LOOKS);
            }
        }
        if (frames > 0) {
            ifp.vnet().netisr().swi();
            return frames;
        }
        if (frames < 0) {
            throw gone();
        }
        looks = Math.max(looks / 2, 1);
        ifp.vnet().netisr().swi(); // nothing waits, unless a handler has thrown
        final int ready = device.await(tx.stalled() ? RETRY_MS : -1);
        if (ready < 0) {
            throw gone();
        }
        if ((ready & TapDevice.READABLE) == 0) {
            tx.kick();
        }
        return 0;
    }

    /** Closed by us, or deleted by somebody on the machine. */
    private AgentTerminationException gone() {
        if (device.isOpen()) {
            ifp.setDrvFlagBits(0, Ifnet.IFF_DRV_RUNNING);
            ifp.linkStateChange(LinkState.DOWN);
        }
        return new AgentTerminationException();
    }

    /** Waits until the thread has ended; the device is closed already. */
    void close() {
        runner.close();
    }
}
