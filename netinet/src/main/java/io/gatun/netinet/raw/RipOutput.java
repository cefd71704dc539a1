package io.gatun.netinet.raw;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOutput;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** IPv4 packets of raw sockets. @bsd rip_send */
final class RipOutput {
    private final Rip rip;

    RipOutput(final Rip rip) {
        this.rip = rip;
    }

    /**
     * Sends a packet, with a header made here or, with IP_HDRINCL, the sender's. Consumes m. Under the pcb's lock.
     *
     * @param nam destination, borrowed; null for the peer
     * @return OK; EISCONN, ENOTCONN, EAFNOSUPPORT, EMSGSIZE, EINVAL for a header that is none, ENOBUFS, what IP says
     */
    Errno output(final Ripcb r, final Mbuf m, final SockAddr nam) {
        final Errno no = refused(r, nam);
        if (no != Errno.OK) {
            return drop(m, no);
        }
        final int dst = nam == null ? (int) r.flo : nam.in4();
        if (m.pktLen() > IpHeader.IP_MAXPACKET - (r.inp.has(Inpcb.INP_HDRINCL) ? 0 : IpHeader.LEN)) {
            return drop(m, Errno.EMSGSIZE);
        }
        m.csumFlags(0);
        m.fibnum(r.inp.so.fibnum());
        return r.inp.has(Inpcb.INP_HDRINCL) ? included(r, m) : made(r, m, dst);
    }

    static Errno refused(final Ripcb r, final SockAddr nam) {
        if (nam == null) {
            return r.connected() ? Errno.OK : Errno.ENOTCONN;
        }
        if (r.connected()) {
            return Errno.EISCONN;
        }
        return nam.family() == r.inp.family ? Errno.OK : Errno.EAFNOSUPPORT;
    }

    static Errno drop(final Mbuf m, final Errno e) {
        m.freeChain();
        return e;
    }

    private Errno noMem() {
        rip.vnet.drop(null, DropReason.MBUF_NOMEM);
        return Errno.ENOBUFS;
    }

    private Errno made(final Ripcb r, final Mbuf data, final int dst) {
        final Mbuf m = data.prepend(IpHeader.LEN);
        if (m == null) {
            return noMem();
        }
        final Inpcb inp = r.inp;
        IpHeader.init(m, 0, m.pktLen(), inp.tos);
        final boolean group = dst >>> 28 == 0xe;
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(group ? 1 : inp.ttl4(), r.proto), (int) r.llo, dst);
        if (inp.has(Inpcb.INP_DONTFRAG)) {
            IpHeader.off(m, 0, IpHeader.IP_DF);
        }
        return send(r, m, 0);
    }

    /** The header is the sender's; only its checksum, and a missing id or source address, are filled in. */
    private Errno included(final Ripcb r, final Mbuf m0) {
        if (m0.pktLen() < IpHeader.LEN) {
            return drop(m0, Errno.EINVAL);
        }
        Mbuf m = IpHeader.writable(m0, IpHeader.LEN);
        if (m == null) {
            return noMem();
        }
        final int hlen = IpHeader.hlen(m, 0);
        if (IpHeader.version(m, 0) != IpHeader.IPVERSION || hlen < IpHeader.LEN || hlen > m.pktLen()
            || IpHeader.len(m, 0) != m.pktLen()) {
            return drop(m, Errno.EINVAL);
        }
        m = m.len() >= hlen ? m : m.pullup(hlen);
        if (m == null) {
            return noMem();
        }
        if (!optionsOk(m, hlen)) {
            return drop(m, Errno.EINVAL);
        }
        return send(r, m, IpOutput.IP_RAWOUTPUT);
    }

    /** Whether the options fill their room: no length leads out of it. */
    private static boolean optionsOk(final Mbuf m, final int hlen) {
        int at = IpHeader.LEN;
        while (at < hlen && m.getU8(at) != 0) {
            if (m.getU8(at) == 1) {
                at++;
                continue;
            }
            if (at + 1 >= hlen || m.getU8(at + 1) < 2 || at + m.getU8(at + 1) > hlen) {
                return false;
            }
            at += m.getU8(at + 1);
        }
        return true;
    }

    /** Raw sockets may broadcast. */
    private Errno send(final Ripcb r, final Mbuf m, final int how) {
        final Inpcb inp = r.inp;
        int flags = how | IpOutput.IP_ALLOWBROADCAST | (inp.has(Inpcb.INP_ONESBCAST) ? IpOutput.IP_SENDONES : 0);
        if ((inp.so.options() & SocketDefs.SO_DONTROUTE) != 0) {
            flags |= IpOutput.IP_ROUTETOIF;
        }
        final Moptions imo = IpHeader.dst(m, 0) >>> 28 == 0xe ? inp.moptions : null;
        final byte[] options = (how & IpOutput.IP_RAWOUTPUT) == 0 ? inp.options : null;
        return rip.inet.ipOutput.output(m, options, r.route, flags, imo);
    }
}
