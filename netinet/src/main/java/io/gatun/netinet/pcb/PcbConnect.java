package io.gatun.netinet.pcb;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/** Gives a control block a peer. @bsd in_pcbconnect_setup */
final class PcbConnect {
    private PcbConnect() {
    }

    static Errno connect(final Inpcb inp, final SockAddr nam, final Ucred who) {
        if (nam.family() != inp.family) {
            return Errno.EAFNOSUPPORT;
        }
        if (nam.port() == 0) {
            return Errno.EADDRNOTAVAIL;
        }
        if (inp.fport != 0) {
            return Errno.EISCONN;
        }
        inp.info.hashLock.lock();
        try {
            final Endpoints to = inp.info.scratch;
            final Errno e = resolve(inp, nam, to);
            return e == Errno.OK ? commit(inp, to, who) : e;
        } finally {
            inp.info.hashLock.unlock();
        }
    }

    /** Real addresses of both ends into {@code to}. */
    private static Errno resolve(final Inpcb inp, final SockAddr nam, final Endpoints to) {
        final InpcbInfo info = inp.info;
        final SockAddr dst = info.scratchDst;
        dst.set(nam);
        info.addrs.foreign(dst);
        if (inp.localSet()) {
            to.lhi = inp.lhi;
            to.llo = inp.llo;
        } else {
            final SockAddr src = info.scratchSrc;
            final Errno e = source(inp, dst, src);
            if (e != Errno.OK) {
                return e;
            }
            to.lhi = src.hi();
            to.llo = src.lo();
        }
        to.fhi = dst.hi();
        to.flo = dst.lo();
        to.fport = dst.port();
        return Errno.OK;
    }

    /** The source address towards {@code dst}, which for a group is the chosen interface's. */
    static Errno source(final Inpcb inp, final SockAddr dst, final SockAddr src) {
        if (dst.isMulticast() && inp.moptions != null && inp.moptions.source(inp.family, src)) {
            return Errno.OK;
        }
        return inp.info.addrs.source(dst, inp.so.fibnum(), src);
    }

    private static Errno commit(final Inpcb inp, final Endpoints to, final Ucred who) {
        final InpcbInfo info = inp.info;
        int lport = inp.lport;
        if (lport == 0) {
            lport = info.portAlloc.toward(inp, to, who);
            if (lport < 0) {
                return Errno.of(lport);
            }
            inp.setFlagBits(Inpcb.INP_ANONPORT, 0);
        } else if (info.exists(inp.family, to, lport)) {
            return Errno.EADDRINUSE;
        }
        inp.lport = lport;
        set(inp, to);
        return Errno.OK;
    }

    private static void set(final Inpcb inp, final Endpoints to) {
        inp.lhi = to.lhi;
        inp.llo = to.llo;
        inp.fhi = to.fhi;
        inp.flo = to.flo;
        inp.fport = to.fport;
        inp.flowid = inp.info.flowHash(to, inp.lport);
        inp.info.insertLocked(inp);
    }

    /** Endpoints that a packet gives. Under the hash lock. */
    static Errno adopt(final Inpcb inp, final long flo, final int fport, final long llo, final int lport) {
        final Endpoints to = inp.info.scratch;
        to.fhi = 0;
        to.lhi = 0;
        to.flo = flo;
        to.llo = llo;
        to.fport = fport;
        if (inp.info.exists(inp.family, to, lport)) {
            return Errno.EADDRINUSE;
        }
        inp.lport = lport;
        set(inp, to);
        return Errno.OK;
    }
}
