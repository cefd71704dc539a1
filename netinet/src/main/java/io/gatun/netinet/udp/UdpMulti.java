package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.DropReason;

/**
 * Delivery of a datagram to all or a group: everybody at the port who wants it gets a copy, the last one the packet
 * itself. One who did not offer to share the port is the only one.
 *
 * @bsd udp_multi_input, udp6_multi_input
 */
final class UdpMulti {
    private static final int REUSE = SocketDefs.SO_REUSEADDR | SocketDefs.SO_REUSEPORT | SocketDefs.SO_REUSEPORT_LB;

    /** What differs by address family. */
    interface Family {
        /** Whether a block, not locked, hears a datagram. Borrows m. @bsd udp_multi_match */
        boolean wants(Inpcb inp, Mbuf m, int off);

        /** Puts a datagram into its socket's buffer. Consumes m. Under the pcb's lock. @bsd udp_append */
        void append(Inpcb inp, Mbuf m, int off);
    }

    private final Udp udp;
    private final Family family;

    UdpMulti(final Udp udp, final Family family) {
        this.udp = udp;
        this.family = family;
    }

    /**
     * Gives it to all who want it.
     *
     * @param connected the block whose peer is the sender, or null
     * @return true when somebody took it, and m is consumed; false when nobody did, and m is still the caller's
     */
    boolean input(final Mbuf m, final int off, final Inpcb connected) {
        final Inpcb[] all = udp.udbinfo.unconnected(UdpHeader.dport(m, off));
        Inpcb last = connected != null && family.wants(connected, m, off) ? connected : null;
        for (int i = 0; i < all.length; i++) {
            if (all[i] == last || !family.wants(all[i], m, off)) {
                continue;
            }
            if (last != null) {
                copyTo(last, m, off);
            }
            last = all[i];
            if (!shares(last)) {
                break;
            }
        }
        if (last != null) {
            give(last, m, off);
        }
        return last != null;
    }

    private static boolean shares(final Inpcb inp) {
        inp.lock.lock();
        try {
            return inp.so != null && (inp.so.options() & REUSE) != 0;
        } finally {
            inp.lock.unlock();
        }
    }

    private void copyTo(final Inpcb inp, final Mbuf m, final int off) {
        final Mbuf n = m.copyM(0, Mbuf.M_COPYALL);
        if (n == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        final Mbuf whole = n.len() >= off + UdpHeader.LEN ? n : n.pullup(off + UdpHeader.LEN);
        if (whole == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        give(inp, whole, off);
    }

    /** To a block found before; it may have gone meanwhile. Consumes m. */
    private void give(final Inpcb inp, final Mbuf m, final int off) {
        final UdpTunnels.Input tunnel;
        inp.lock.lock();
        try {
            tunnel = inp.has(Inpcb.INP_FREED) ? null : ((Udpcb) inp.ppcb).tunFunc;
            if (tunnel != null) {
                m.setFlags(Mbuf.M_BCAST);
            } else if (inp.so == null || inp.has(Inpcb.INP_DROPPED)) {
                udp.vnet.drop(m, DropReason.SO_CLOSED);
            } else {
                family.append(inp, m, off);
            }
        } finally {
            inp.lock.unlock();
        }
        if (tunnel != null) {
            tunnel.input(m, off);
        }
    }
}
