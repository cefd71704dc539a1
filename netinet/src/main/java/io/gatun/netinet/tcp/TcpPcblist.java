package io.gatun.netinet.tcp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The connections of a vnet for those who watch it: {@code vnet.service(TcpPcblist.class)}. What sockstat(1) and
 * netstat(1) read, and what tcpdrop(8) does.
 *
 * @bsd tcp_pcblist
 */
public final class TcpPcblist {
    private final Tcp tcp;

    TcpPcblist(Tcp tcp) {
        this.tcp = tcp;
    }

    /**
     * All that are there at this moment, those that a peer has begun and that have no socket yet included. Takes each
     * lock in turn, holds none afterwards.
     */
    public List<Xtcpcb> list() {
        final List<Xtcpcb> out = new ArrayList<>();
        forEach(tp -> out.add(entry(tp)));
        tcp.syncache.forEach(e -> out.add(embryonic(e.inc)));
        return out;
    }

    private void forEach(Consumer<Tcpcb> visitor) {
        for (final Inpcb inp : tcp.tcbinfo.snapshot()) {
            if (inp.ppcb instanceof Tcpcb tp) {
                tp.inp.lock.lock();
                try {
                    if (!tp.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED)) {
                        visitor.accept(tp);
                    }
                } finally {
                    tp.inp.lock.unlock();
                }
            }
        }
    }

    /**
     * What {@link #list} has, a line each, with all that the connection's state is made of: for whoever has to find out
     * why one does not go on. Takes the same locks. For reading by people; its form may change.
     *
     * @bsd db_show_tcpcb
     */
    public String describe() {
        final StringBuilder out = new StringBuilder();
        forEach(tp -> out.append(TcpDdb.print(tp)).append('\n'));
        tcp.syncache.forEach(e -> out.append(embryonic(e.inc)).append('\n'));
        return out.toString();
    }

    private static Xtcpcb embryonic(InConninfo inc) {
        final SockAddr local = new SockAddr();
        final SockAddr foreign = new SockAddr();
        if (inc.v6) {
            local.setIn6(inc.lhi, inc.llo, inc.lport, 0);
            foreign.setIn6(inc.fhi, inc.flo, inc.fport, 0);
        } else {
            local.setIn((int) inc.llo, inc.lport);
            foreign.setIn((int) inc.flo, inc.fport);
        }
        return new Xtcpcb(null, local, foreign, TcpState.SYN_RECEIVED);
    }

    private static Xtcpcb entry(Tcpcb tp) {
        final SockAddr local = new SockAddr();
        final SockAddr foreign = new SockAddr();
        tp.inp.sockaddr(local);
        tp.inp.peeraddr(foreign);
        return new Xtcpcb(tp.inp.so, local, foreign, tp.state);
    }

    /**
     * Ends a connection, as tcpdrop(8) does: its user gets ECONNABORTED, its peer a reset. One that a peer has begun
     * and that has no socket yet is forgotten, and its peer reset too.
     *
     * @return OK, or ESRCH's stand-in ENOENT when there is no such connection; listeners are not dropped
     * @bsd sysctl_drop
     */
    public Errno drop(SockAddr local, SockAddr foreign) {
        final Inpcb inp = tcp.tcbinfo.lookup(foreign, local, 0);
        final boolean done = inp != null && inp.ppcb instanceof Tcpcb tp && dropped(tp)
            || local.family() == foreign.family() && tcp.syncache.abort(local, foreign);
        tcp.vnet.netisr().swi();
        return done ? Errno.OK : Errno.ENOENT;
    }

    private static boolean dropped(Tcpcb tp) {
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED) || tp.state == TcpState.LISTEN) {
                return false;
            }
            TcpSubr.drop(tp, Errno.ECONNABORTED);
            return true;
        } finally {
            tp.inp.lock.unlock();
        }
    }
}
