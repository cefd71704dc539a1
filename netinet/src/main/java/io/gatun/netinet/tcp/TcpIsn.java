package io.gatun.netinet.tcp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.SipHash;
import io.gatun.spi.vnet.VnetSide;

/**
 * Initial sequence numbers by RFC 6528: a clock of 4 us plus a keyed hash of the endpoints, so that numbers of one
 * connection's successors rise and those of others tell nothing.
 *
 * @bsd tcp_new_isn
 */
final class TcpIsn {
    private static final long PURPOSE_ISN = 0x69736e;
    private static final long PURPOSE_TS = 0x7473;
    private static final long TICK_NS = 4000;

    private final VnetSide vnet;
    private final SipHash isnKey;
    private final SipHash tsKey;

    TcpIsn(VnetSide vnet) {
        this.vnet = vnet;
        isnKey = new SipHash(vnet.secret(), PURPOSE_ISN);
        tsKey = new SipHash(vnet.secret(), PURPOSE_TS);
    }

    /** @bsd tcp_new_isn */
    int newIsn(Tcpcb tp) {
        return hash(isnKey, tp) + (int) (vnet.clock().nanoTime() / TICK_NS);
    }

    int newIsn(InConninfo inc) {
        return (int) hash(isnKey, inc) + (int) (vnet.clock().nanoTime() / TICK_NS);
    }

    /** As {@link #newTsOffset(Tcpcb, boolean)}. */
    int newTsOffset(InConninfo inc, boolean perConn) {
        return offset(inc.v6, inc.fhi, inc.flo, inc.lhi, inc.llo, perConn ? inc.ports() : 0);
    }

    private static long hash(SipHash key, InConninfo inc) {
        if (inc.v6) {
            return key.hash(key.hash(inc.fhi, inc.flo, inc.lhi), inc.llo, inc.ports());
        }
        return hash(key, (int) inc.flo, inc.fport, (int) inc.llo, inc.lport);
    }

    int newIsn(int faddr, int fport, int laddr, int lport) {
        return hash(isnKey, faddr, fport, laddr, lport) + (int) (vnet.clock().nanoTime() / TICK_NS);
    }

    /**
     * Where the timestamps of a connection start.
     *
     * @param perConn false: all connections between the two hosts start at the same, so that a later one is known by it
     * @bsd tcp_new_ts_offset
     */
    int newTsOffset(Tcpcb tp, boolean perConn) {
        final Inpcb inp = tp.inp;
        final int ports = perConn ? inp.fport() << 16 | inp.lport() : 0;
        return inp.isV6() ? offset(true, inp.faddrHi(), inp.faddrLo(), inp.laddrHi(), inp.laddrLo(), ports)
            : offset(false, 0, inp.faddr4() & 0xffff_ffffL, 0, inp.laddr4() & 0xffff_ffffL, ports);
    }

    @SuppressWarnings("ArgumentSelectionDefectChecker") // halves of two addresses, each in a place of its own
    private int offset(boolean v6, long fhi, long flo, long lhi, long llo, int ports) {
        return (int) tsKey.hash(v6 ? tsKey.hash(fhi, flo, lhi) : flo, llo, ports);
    }

    private static int hash(SipHash key, int faddr, int fport, int laddr, int lport) {
        return (int) key.hash(faddr & 0xffff_ffffL | (long) fport << 32, laddr & 0xffff_ffffL | (long) lport << 32, 0);
    }

    private static int hash(SipHash key, Tcpcb tp) {
        final Inpcb inp = tp.inp;
        if (!inp.isV6()) {
            return hash(key, inp.faddr4(), inp.fport(), inp.laddr4(), inp.lport());
        }
        final long foreign = key.hash(inp.faddrHi(), inp.faddrLo(), inp.fport());
        return (int) key.hash(inp.laddrHi() ^ foreign, inp.laddrLo(), inp.lport());
    }
}
