package io.gatun.netinet.tcp;

import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Gives back the socket references of connections that ended, at the next safe point: the last reference of a socket
 * may only go where no lock is held, and connections end under their own.
 *
 * <p>Many may end at once, and freeing a socket is much more work than a packet is. So each run gives back a few and
 * then stands in line again: netisr's budgets count what is done, and timers wait for few of them.
 *
 * <p>Locking key: (c) constant, (v) atomic.
 *
 * @bsd sorele
 */
final class TcpRele extends SwiTask {
    /** References given back in one run. */
    static final int BATCH = 8;

    private final VnetSide vnet; // (c)
    private final AtomicReference<Tcpcb> head = new AtomicReference<>(); // (v) by releNext, the latest first

    TcpRele(VnetSide vnet) {
        this.vnet = vnet;
    }

    /** Under the pcb's lock: its INP_SOCKREF reference is given back soon. Once per connection. */
    void later(Tcpcb tp) {
        Tcpcb first;
        do {
            first = head.get();
            tp.releNext = first;
        } while (!head.compareAndSet(first, tp));
        vnet.netisr().schedule(this);
    }

    @Override
    protected void run() {
        for (int i = 0; i < BATCH; i++) {
            final Tcpcb tp = take();
            if (tp == null) {
                return;
            }
            rele(tp);
        }
        if (head.get() != null) {
            vnet.netisr().schedule(this);
        }
    }

    /** The vnet goes: gives back all. No lock is held. */
    void destroy() {
        Tcpcb tp = take();
        while (tp != null) {
            rele(tp);
            tp = take();
        }
    }

    /** Takes one off. A block is put on once in its life, so a head that is the same has the same follower. */
    private Tcpcb take() {
        Tcpcb first;
        do {
            first = head.get();
        } while (first != null && !head.compareAndSet(first, first.releNext));
        if (first != null) {
            first.releNext = null;
        }
        return first;
    }

    private static void rele(Tcpcb tp) {
        final SocketSide so;
        tp.inp.lock.lock();
        try {
            so = tp.inp.so;
        } finally {
            tp.inp.lock.unlock();
        }
        if (so != null) {
            so.rele();
        }
    }
}
