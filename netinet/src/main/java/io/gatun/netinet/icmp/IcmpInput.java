package io.gatun.netinet.icmp;

import static io.gatun.netinet.icmp.Icmp.ADVLEN;
import static io.gatun.netinet.icmp.Icmp.CODE;
import static io.gatun.netinet.icmp.Icmp.ICMP_ECHO;
import static io.gatun.netinet.icmp.Icmp.ICMP_ECHOREPLY;
import static io.gatun.netinet.icmp.Icmp.ICMP_MINLEN;
import static io.gatun.netinet.icmp.Icmp.ICMP_PARAMPROB;
import static io.gatun.netinet.icmp.Icmp.ICMP_REDIRECT;
import static io.gatun.netinet.icmp.Icmp.ICMP_TIMXCEED;
import static io.gatun.netinet.icmp.Icmp.ICMP_TSTAMP;
import static io.gatun.netinet.icmp.Icmp.ICMP_TSTAMPREPLY;
import static io.gatun.netinet.icmp.Icmp.ICMP_UNREACH;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * ICMP on its way in: answers echo and timestamp requests, and tells the transports of errors about their packets.
 * Source quenches are counted and ignored (RFC 6633).
 *
 * @bsd icmp_input
 */
public final class IcmpInput {
    private static final int MAX_UNREACH_CODE = 15;
    private static final int TSLEN = 20;
    private static final int RTIME = 12;
    private static final int TTIME = 16;

    private final Inet inet;
    private final VnetSide vnet;
    private final IcmpStat stat;
    private final Sysctl bmcastecho;
    private final Sysctl tstamprepl;
    private final IcmpRedirect redirect;

    public IcmpInput(Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        stat = inet.icmp.stat;
        SysctlTree tree = vnet.sysctl();
        bmcastecho = tree.addBool("net.inet.icmp.bmcastecho", false, "echo requests to all or a group are answered");
        tstamprepl = tree.addBool("net.inet.icmp.tstamprepl", true, "timestamp requests are answered");
        redirect = new IcmpRedirect(inet);
    }

    /** Takes a message from IP. Consumes m. @bsd icmp_input */
    public int input(Mbuf m0, int off, int proto) {
        int len = IpHeader.len(m0, 0) - off;
        if (len < ICMP_MINLEN) {
            return drop(m0, stat.tooshort, DropReason.ICMP_TOOSHORT);
        }
        Mbuf m = m0.len() >= off + ICMP_MINLEN ? m0 : m0.pullup(off + ICMP_MINLEN);
        if (m == null) {
            return drop(null, stat.tooshort, DropReason.MBUF_NOMEM);
        }
        if (!Icmp.checksumOk(m, off)) {
            return drop(m, stat.checksum, DropReason.ICMP_BADSUM);
        }
        int type = m.getU8(off);
        stat.in(type).increment();
        switch (type) {
            case ICMP_ECHO -> echo(m, off);
            case ICMP_TSTAMP -> timestamp(m, off, len);
            case ICMP_UNREACH, ICMP_TIMXCEED, ICMP_PARAMPROB, ICMP_REDIRECT -> error(m, off, len, type);
            default -> rawInput(m, off, proto);
        }
        return InDefs.IPPROTO_DONE;
    }

    private int drop(Mbuf m, Counter counter, DropReason reason) {
        counter.increment();
        vnet.drop(m, reason);
        return InDefs.IPPROTO_DONE;
    }

    /** What nobody here answers: for raw sockets, if there are any. Consumes m. */
    private void rawInput(Mbuf m, int off, int proto) {
        if (!inet.rip.input(m, off, proto)) {
            vnet.drop(m, DropReason.ICMP_BADTYPE);
        }
    }

    private void echo(Mbuf m0, int off) {
        if (m0.has(Mbuf.M_BCAST | Mbuf.M_MCAST) && !bmcastecho.getBool()) {
            drop(m0, stat.bmcastecho, DropReason.ICMP_BCAST);
            return;
        }
        Mbuf m = writable(m0, off + ICMP_MINLEN);
        if (m != null) {
            retype(m, off, ICMP_ECHOREPLY);
            inet.icmp.reflect(m, ICMP_ECHOREPLY);
        }
    }

    /** Consumes m; null, counted, when out of mbufs. */
    private Mbuf writable(Mbuf m, int n) {
        Mbuf w = IpHeader.writable(m, n);
        if (w == null) {
            vnet.drop(null, DropReason.MBUF_NOMEM);
        }
        return w;
    }

    /** Changes the type and keeps the checksum right, whatever the size of the message. */
    private static void retype(Mbuf m, int off, int type) {
        int before = m.getU16(off);
        int after = type << Byte.SIZE | before & 0xff;
        m.put16(off, after);
        m.put16(off + Icmp.CKSUM, InCksum.update(m.getU16(off + Icmp.CKSUM), before, after));
    }

    private void timestamp(Mbuf m0, int off, int len) {
        if (!tstamprepl.getBool()) {
            vnet.drop(m0, DropReason.ICMP_NOERROR);
            return;
        }
        if (m0.has(Mbuf.M_BCAST | Mbuf.M_MCAST)) {
            drop(m0, stat.bmcasttstamp, DropReason.ICMP_BCAST);
            return;
        }
        if (len < TSLEN) {
            drop(m0, stat.badlen, DropReason.ICMP_BADLEN);
            return;
        }
        if (!inet.icmp.bandlim(Icmp.Bandlim.ICMP_TSTAMP)) {
            vnet.drop(m0, DropReason.ICMP_RATELIMIT);
            return;
        }
        Mbuf m = writable(m0, off + TSLEN);
        if (m == null) {
            return;
        }
        int now = inet.icmp.iptime();
        m.putInt(off + RTIME, now);
        m.putInt(off + TTIME, now);
        m.put8(off, ICMP_TSTAMPREPLY);
        m.put16(off + Icmp.CKSUM, 0);
        m.put16(off + Icmp.CKSUM, InCksum.cksumSkip(m, IpHeader.len(m, 0), off));
        inet.icmp.reflect(m, ICMP_TSTAMPREPLY);
    }

    /** An error about a packet of ours: the transport that sent it is told. Consumes m. */
    private void error(Mbuf m0, int off, int len, int type) {
        int ip = off + ICMP_MINLEN;
        if (type == ICMP_UNREACH && m0.getU8(off + CODE) > MAX_UNREACH_CODE) {
            drop(m0, stat.badcode, DropReason.ICMP_BADCODE);
            return;
        }
        if (len < ICMP_MINLEN + IpHeader.LEN + ADVLEN) {
            drop(m0, stat.badlen, DropReason.ICMP_BADLEN);
            return;
        }
        Mbuf m = m0.pullup(ip + IpHeader.LEN);
        if (m == null) {
            drop(null, stat.badlen, DropReason.MBUF_NOMEM);
            return;
        }
        int inner = IpHeader.hlen(m, ip);
        if (IpHeader.version(m, ip) != IpHeader.IPVERSION || inner < IpHeader.LEN
                || len < ICMP_MINLEN + inner + ADVLEN) {
            drop(m, stat.badlen, DropReason.ICMP_BADLEN);
            return;
        }
        boolean carrier = IpHeader.p(m, ip) == InDefs.IPPROTO_UDP && len >= ICMP_MINLEN + inner + 2 * ADVLEN;
        m = m.pullup(ip + inner + (carrier ? 2 * ADVLEN : ADVLEN)); // what a tunnel carries has to be seen
        if (m == null) {
            drop(null, stat.badlen, DropReason.MBUF_NOMEM);
            return;
        }
        boolean headless = (IpHeader.off(m, ip) & IpHeader.IP_OFFMASK) != 0;
        if (headless || !inet.addrs.isLocal(IpHeader.src(m, ip))) {
            drop(m, stat.badaddr, DropReason.ICMP_NOERROR); // not about anything this host sent
            return;
        }
        tell(m, off, type);
    }

    private void tell(Mbuf m, int off, int type) {
        if (type == ICMP_REDIRECT) {
            redirect.input(m, off);
        } else {
            tellTransport(m, off);
        }
        if (!inet.rip.input(m, off, InDefs.IPPROTO_ICMP)) {
            m.freeChain();
        }
    }

    private void tellTransport(Mbuf m, int off) {
        int ip = off + ICMP_MINLEN;
        int proto = IpHeader.p(m, ip);
        IpprotoTable.Ctlinput ctl = vnet.ipproto().ctlinput(SockAddr.AF_INET, proto);
        if (ctl != null) {
            ctl.ctlinput(m, off); // who sends packets knows which are his, and what a path takes is for him to believe
        } else if (inet.rip.sends(proto, IpHeader.src(m, ip), IpHeader.dst(m, ip))) {
            inet.icmp.updateMtu(m, off);
        }
    }

    /** The domain goes. */
    public void destroy() {
        redirect.destroy();
    }
}
