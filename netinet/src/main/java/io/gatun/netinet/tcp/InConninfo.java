package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.spi.socket.SockAddr;

/**
 * The endpoints of a connection, whether there is a control block or not. An IPv4 address is the low 32 bits of the
 * low word, the high word 0. Ports are in host order.
 *
 * <p>Locking key: (o) its owner.
 *
 * @bsd struct in_conninfo
 */
final class InConninfo {
    /** Both are IPv6 addresses. */
    boolean v6;  // (o)
    long fhi;    // (o) the peer's address
    long flo;    // (o)
    long lhi;    // (o) our address
    long llo;    // (o)
    int fport;   // (o)
    int lport;   // (o)
    /** Routing table of the way to the peer. */
    int fib;     // (o)
    /** No packet longer than every IPv6 path takes. @bsd INC_IPV6MINMTU */
    boolean minMtu; // (o)

    InConninfo() {
        // filled by one of the setters
    }

    /** Those of a segment that came. */
    void set(Seg seg) {
        v6 = seg.v6;
        fhi = seg.srcHi;
        flo = seg.srcLo;
        lhi = seg.dstHi;
        llo = seg.dstLo;
        fport = seg.sport;
        lport = seg.dport;
        fib = seg.fib;
        minMtu = false;
    }

    /** Those of a connection. */
    @GuardedBy("tp.inp.lock")
    void set(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        v6 = inp.isV6();
        fhi = v6 ? inp.faddrHi() : 0;
        flo = v6 ? inp.faddrLo() : inp.faddr4() & 0xffff_ffffL;
        lhi = v6 ? inp.laddrHi() : 0;
        llo = v6 ? inp.laddrLo() : inp.laddr4() & 0xffff_ffffL;
        fport = tp.inp.fport();
        lport = tp.inp.lport();
        fib = TcpMss.fib(tp);
        minMtu = TcpMss.minMtu(inp);
    }

    /** Those of two addresses of one family. */
    void set(SockAddr local, SockAddr foreign) {
        v6 = local.family() == SockAddr.AF_INET6;
        fhi = v6 ? foreign.hi() : 0;
        flo = v6 ? foreign.lo() : foreign.in4() & 0xffff_ffffL;
        lhi = v6 ? local.hi() : 0;
        llo = v6 ? local.lo() : local.in4() & 0xffff_ffffL;
        fport = foreign.port();
        lport = local.port();
        fib = 0;
        minMtu = false;
    }

    void set(InConninfo other) {
        v6 = other.v6;
        fhi = other.fhi;
        flo = other.flo;
        lhi = other.lhi;
        llo = other.llo;
        fport = other.fport;
        lport = other.lport;
        fib = other.fib;
        minMtu = other.minMtu;
    }

    /** Both ports in one word. */
    int ports() {
        return fport << 16 | lport;
    }

    /** Their flow, the same as a control block that adopts them has. */
    int flow(InpcbInfo info) {
        return info.flowHash(fhi, flo, lhi, llo, InpcbInfo.ports(lport, fport));
    }

    /** Octets of IP and TCP header without options. @bsd min_protoh */
    int minProtoHdr() {
        return (v6 ? Ip6Header.LEN : IpHeader.LEN) + TcpHeader.SIZE;
    }

    /** Whether both name the same connection. */
    boolean same(InConninfo other) {
        return flo == other.flo && ports() == other.ports() && llo == other.llo && fhi == other.fhi
            && lhi == other.lhi && v6 == other.v6;
    }
}
