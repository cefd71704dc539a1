package io.gatun.uipc;

import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.SwiTask;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What a protocol's call upwards cannot do under the locks it holds, done at the next safe point: ending children of
 * listeners, and completing connections that an upcall said yes to.
 *
 * <p>A socket waits here at most once, with the work to do in {@link Socket#deferred}; whoever asks gives a reference
 * with the work.
 *
 * <p>Locking key: all fields are constant.
 *
 * @bsd taskqueue_swi
 */
final class SoDefer extends SwiTask {
    /** Abort a child that left its queue; gives back the queue's reference and the one on the listener. */
    static final int ABORT = 1;
    /** As {@link #ABORT}, for a child whose connection is gone already. */
    static final int RELE = 2;
    /** Call isConnected. */
    static final int CONNECTED = 4;

    private final Netisr netisr;
    private final AtomicReference<Socket> head = new AtomicReference<>();

    SoDefer(final Netisr netisr) {
        this.netisr = netisr;
    }

    /** Ends a child. The caller took it off its queue. May be called with locks held. */
    void child(final Socket so, final boolean abort) {
        put(so, abort ? ABORT : RELE);
    }

    /** Completes a connection. May be called with locks held. */
    void connected(final Socket so) {
        so.ref();
        if (!put(so, CONNECTED)) {
            // Cannot be the last one: the work waiting holds another.
            so.dropExtraRef();
        }
    }

    /** False when that work waits already. */
    private boolean put(final Socket so, final int work) {
        final int before = so.deferWork(work);
        if ((before & work) != 0) {
            return false;
        }
        if (before == 0) {
            Socket h;
            do {
                h = head.get();
                so.deferNext = h;
            } while (!head.compareAndSet(h, so));
        }
        netisr.schedule(this);
        return true;
    }

    @Override
    protected void run() {
        Socket so = head.getAndSet(null);
        while (so != null) {
            final Socket next = so.deferNext;
            so.deferNext = null;
            // After this the socket may be queued again.
            perform(so, so.takeDeferred());
            so = next;
        }
    }

    private static void perform(final Socket so, final int work) {
        if ((work & CONNECTED) != 0) {
            so.isConnected();
            so.rele();
        }
        if ((work & (ABORT | RELE)) != 0) {
            SoClose.abortChild(so, (work & ABORT) != 0);
        }
    }
}
