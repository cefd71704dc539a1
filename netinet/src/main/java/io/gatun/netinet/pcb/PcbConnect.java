package io.gatun.netinet.pcb;

import io.gatun.netinet.ip6.In6;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/** Gives a control block a peer. @bsd in_pcbconnect_setup */
final class PcbConnect {
    private PcbConnect() {
    }

    static Errno connect(final Inpcb inp, final SockAddr nam, final Ucred who) {
        final Errno no = refused(inp, nam);
        if (no != Errno.OK) {
            return no;
        }
        inp.info.hashLock.lock();
        try {
            final Endpoints to = inp.info.scratch;
            Errno e = resolve(inp, nam, to);
            if (e == Errno.OK) {
                e = commit(inp, to, who);
            }
            if (e != Errno.OK) {
                inp.flowid = 0;
            }
            return e;
        } finally {
            inp.info.hashLock.unlock();
        }
    }

    /** What is wrong with the name of the peer. */
    private static Errno refused(final Inpcb inp, final SockAddr nam) {
        if (nam.family() != inp.family) {
            return Errno.EAFNOSUPPORT;
        }
        if (nam.port() == 0) {
            return Errno.EADDRNOTAVAIL;
        }
        if (inp.connected()) {
            return Errno.EISCONN;
        }
        if (nam.family() == SockAddr.AF_INET) {
            return Errno.OK;
        }
        final boolean four = In6.isV4Mapped(nam.hi(), nam.lo());
        if (four && inp.has(Inpcb.IN6P_IPV6_V6ONLY)) {
            return Errno.EINVAL;
        }
        return (inp.vflag() & (four ? Inpcb.INP_IPV4 : Inpcb.INP_IPV6)) == 0 ? Errno.EAFNOSUPPORT : Errno.OK;
    }

    /** Real addresses of both ends into {@code to}. */
    private static Errno resolve(final Inpcb inp, final SockAddr nam, final Endpoints to) {
        final InpcbInfo info = inp.info;
        final SockAddr dst = info.scratchDst;
        dst.set(PcbWire.of(inp, nam, dst));
        final int af = dst.family();
        info.addrs(af).foreign(dst);
        long hi = inp.laddrHi();
        long lo = inp.laddrLo();
        if (!inp.localSet()) {
            final SockAddr src = info.scratchSrc;
            inp.flowid = info.drawFlow(dst); // the address is that of the way which the flow takes
            final Errno e = source(inp, dst, src);
            if (e != Errno.OK) {
                return e;
            }
            hi = src.hi();
            lo = src.lo();
        }
        to.set(af == SockAddr.AF_INET ? Inpcb.INP_IPV4 : Inpcb.INP_IPV6, hi, lo);
        to.peer(dst.hi(), dst.lo(), dst.port());
        return Errno.OK;
    }

    /** The source address towards {@code dst}, which for a group is the chosen interface's. */
    static Errno source(final Inpcb inp, final SockAddr dst, final SockAddr src) {
        final int af = dst.family();
        if (dst.isMulticast() && af == SockAddr.AF_INET && inp.moptions != null && inp.moptions.source(af, src)) {
            return Errno.OK;
        }
        return inp.info.addrs(af).source(inp, dst, inp.so.fibnum(), inp.info.route, src);
    }

    private static Errno commit(final Inpcb inp, final Endpoints to, final Ucred who) {
        final InpcbInfo info = inp.info;
        int lport = inp.lport();
        if (lport == 0) {
            lport = info.portAlloc.toward(inp, to, who);
            if (lport < 0) {
                return Errno.of(lport);
            }
            inp.setFlagBits(Inpcb.INP_ANONPORT, 0);
        } else if (info.exists(to, lport)) {
            return Errno.EADDRINUSE;
        }
        set(inp, to, lport);
        return Errno.OK;
    }

    private static void set(final Inpcb inp, final Endpoints to, final int lport) {
        if (inp.flowid == 0) {
            inp.flowid = inp.info.flowHash(to, lport);
        }
        inp.info.insertLocked(inp, new PcbNode(inp, to, lport));
    }

    /** Endpoints that a packet gives. Under the hash lock. */
    static Errno adopt(final Inpcb inp, final Endpoints to, final int lport) {
        if (inp.info.exists(to, lport)) {
            return Errno.EADDRINUSE;
        }
        set(inp, to, lport);
        return Errno.OK;
    }
}
