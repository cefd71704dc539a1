package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;

/**
 * RFC 9293 section 3.10.7.2: a segment arrives at a listener. A good SYN makes an entry in the {@link Syncache}, the
 * ACK of our answer to it a socket.
 */
final class ListenArrives {
    private ListenArrives() {
    }

    /**
     * First what may complete a connection, then RST, ACK, SYN, anything else. {@code tp} is the listener. DIFFERS: a
     * SYN with an ACK is not answered by a reset, as the RFC has it, but passed over, as in FreeBSD.
     */
    @GuardedBy("tp.inp.lock")
    static Verdict segment(Tcpcb tp, Seg seg) {
        final Tcp tcp = tp.tcp;
        switch (seg.flags & (TcpHeader.TH_RST | TcpHeader.TH_ACK | TcpHeader.TH_SYN)) {
            case TcpHeader.TH_ACK -> {
                return handOver(tp, seg, tcp.syncache.expand(tp, seg));
            }
            case TcpHeader.TH_SYN -> {
                if (!endpoints(seg)) {
                    tcp.stat.badaddr.increment();
                    return seg.drop(DropReason.TCP_BADADDR);
                }
                return handOver(tp, seg, tcp.syncache.add(tp, seg));
            }
            case TcpHeader.TH_SYN | TcpHeader.TH_ACK -> tcp.syncache.badack(seg);
            default -> {
                if (seg.has(TcpHeader.TH_RST)) {
                    tcp.syncache.chkrst(seg);
                    return seg.drop(DropReason.TCP_LISTEN_BADSEG);
                }
            }
        }
        tcp.stat.badsyn.increment();
        return seg.drop(DropReason.TCP_LISTEN_BADSEG);
    }

    /** The new connection, if there is one, takes the segment from here. */
    @GuardedBy("tp.inp.lock")
    private static Verdict handOver(Tcpcb tp, Seg seg, Verdict v) {
        final Tcpcb made = seg.made;
        if (made == null) {
            return v;
        }
        made.inp.lock.lock();
        try {
            tp.tcp.input.arrives(made, seg);
        } finally {
            made.inp.lock.unlock();
        }
        return Verdict.DONE;
    }

    /** MUST-57: not to or from what cannot be one host; and not from ourselves (the "land" attack). */
    private static boolean endpoints(Seg seg) {
        if (seg.v6) {
            final boolean group = In6.isMulticast(seg.srcHi) || In6.isMulticast(seg.dstHi);
            final boolean land = seg.srcHi == seg.dstHi && seg.srcLo == seg.dstLo && seg.sport == seg.dport;
            return !group && !seg.link(Mbuf.M_BCAST | Mbuf.M_MCAST) && !In6.isAny(seg.srcHi, seg.srcLo)
                && seg.sport != 0 && !land;
        }
        final int src = (int) seg.srcLo;
        final int dst = (int) seg.dstLo;
        if (seg.link(Mbuf.M_BCAST | Mbuf.M_MCAST) || src >>> 28 >= 0xe || dst >>> 28 >= 0xe || src == 0) {
            return false;
        }
        return seg.sport != 0 && !(src == dst && seg.sport == seg.dport);
    }
}
