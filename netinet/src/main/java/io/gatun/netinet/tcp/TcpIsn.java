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
    private static final long IN4 = 0xffff_ffffL;

    private final VnetSide vnet;
    private final SipHash key;
    private final SipHash tsKey;

    TcpIsn(VnetSide vnet) {
        this.vnet = vnet;
        key = new SipHash(vnet.secret(), PURPOSE_ISN);
        tsKey = new SipHash(vnet.secret(), PURPOSE_TS);
    }

    /**
     * The keyed hash of the endpoints of a connection: its numbers begin at one half of it, its timestamps at the
     * other.
     */
    long hash(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        return inp.isV6() ? hash6(inp.faddrHi(), inp.faddrLo(), inp.laddrHi(), inp.laddrLo(), inp.fport(), inp.lport())
            : hash4(inp.faddr4() & IN4, inp.fport(), inp.laddr4() & IN4, inp.lport());
    }

    /** As {@link #hash(Tcpcb)}. */
    long hash(InConninfo inc) {
        return inc.v6 ? hash6(inc.fhi, inc.flo, inc.lhi, inc.llo, inc.fport, inc.lport)
            : hash4(inc.flo, inc.fport, inc.llo, inc.lport);
    }

    private long hash4(long faddr, int fport, long laddr, int lport) {
        return key.hashOctets(faddr | laddr << 32, (long) fport << 16 | lport, Long.BYTES + Integer.BYTES);
    }

    @SuppressWarnings("ArgumentSelectionDefectChecker") // halves of two addresses, each in a place of its own
    private long hash6(long fhi, long flo, long lhi, long llo, int fport, int lport) {
        return key.hash(key.hash(fhi, flo, lhi), llo, (long) fport << 16 | lport);
    }

    /**
     * @param hash of {@link #hash(Tcpcb)}
     * @param nowNs the instant of the event in progress
     * @bsd tcp_new_isn
     */
    static int newIsn(long hash, long nowNs) {
        return (int) hash + (int) (nowNs / TICK_NS);
    }

    /** That of an IPv4 connection. */
    int newIsn(int faddr, int fport, int laddr, int lport) {
        return newIsn(hash4(faddr & IN4, fport, laddr & IN4, lport), vnet.clock().nanoTime());
    }

    /**
     * Where the timestamps of a connection start.
     *
     * @param hash of {@link #hash(Tcpcb)}
     * @param perConn false: all connections between the two hosts start at the same, so that a later one is known by it
     * @bsd tcp_new_ts_offset
     */
    int newTsOffset(Tcpcb tp, long hash, boolean perConn) {
        if (perConn) {
            return (int) (hash >>> 32);
        }
        final Inpcb inp = tp.inp;
        return inp.isV6() ? ofHosts(true, inp.faddrHi(), inp.faddrLo(), inp.laddrHi(), inp.laddrLo())
            : ofHosts(false, 0, inp.faddr4() & IN4, 0, inp.laddr4() & IN4);
    }

    /** As {@link #newTsOffset(Tcpcb, long, boolean)}. */
    int newTsOffset(InConninfo inc, long hash, boolean perConn) {
        return perConn ? (int) (hash >>> 32) : ofHosts(inc.v6, inc.fhi, inc.flo, inc.lhi, inc.llo);
    }

    @SuppressWarnings("ArgumentSelectionDefectChecker") // as above
    private int ofHosts(boolean v6, long fhi, long flo, long lhi, long llo) {
        return (int) tsKey.hash(v6 ? tsKey.hash(fhi, flo, lhi) : flo, llo, 0);
    }
}
