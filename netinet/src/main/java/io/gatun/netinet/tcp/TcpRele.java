package io.gatun.netinet.tcp;

import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Gives back the socket references of connections that ended, at the next safe point: the last reference of a socket
 * may only go where no lock is held, and connections end under their own.
 *
 * @bsd sorele
 */
final class TcpRele extends SwiTask {
    private final VnetSide vnet;
    private final AtomicReference<Tcpcb> head = new AtomicReference<>();

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
        Tcpcb tp = head.getAndSet(null);
        while (tp != null) {
            final Tcpcb next = tp.releNext;
            tp.releNext = null;
            rele(tp);
            tp = next;
        }
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
