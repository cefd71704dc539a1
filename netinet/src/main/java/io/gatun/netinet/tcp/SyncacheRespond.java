package io.gatun.netinet.tcp;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.sys.Errno;

/** The segments of an entry of the syncache: SYN|ACK, and what it is challenged or reset with. @bsd syncache_respond */
final class SyncacheRespond {
    private final Tcp tcp; // (c)

    SyncacheRespond(Tcp tcp) {
        this.tcp = tcp;
    }

    /**
     * Sends SYN|ACK, or an ACK as a challenge.
     *
     * @param nowNs the instant of the event in progress
     * @bsd syncache_respond
     */
    Errno transmit(SyncacheEntry sc, TcpBare b, int flags, long nowNs) {
        final boolean syn = (flags & TcpHeader.TH_SYN) != 0;
        b.inc.set(sc.inc);
        b.seq = syn ? sc.iss : sc.iss + 1;
        b.ack = sc.irs + 1;
        b.flags = syn ? flags | TcpEcnShake.syncacheRespond(tcp, sc) : flags;
        b.win = sc.wnd;
        b.ttl = sc.ttl >= 0 ? sc.ttl : sc.inc.v6 ? 0 : IpHeader.IPDEFTTL;
        b.tos = sc.inc.v6 ? (sc.tos & 0xff) << Ip6Header.TCLASS_SHIFT : sc.tos;
        b.df = tcp.sysctl.pathMtuDiscovery.getBool() && !sc.has(SyncacheEntry.SCF_UNREACH);
        b.port = sc.port;
        b.flowid = sc.flowid;
        b.to.flags = 0;
        if (!sc.has(SyncacheEntry.SCF_NOOPT)) {
            options(sc, b, syn, nowNs);
        }
        final Errno e = tcp.respond.send(b);
        if (e == Errno.OK) {
            tcp.stat.sndacks.increment();
        }
        return e;
    }

    /** The SYN|ACK as its receiver would decode it. */
    void straight(SyncacheEntry sc, TcpBare b, Seg seg) {
        TcpFusionOpen.bare(seg, TcpHeader.TH_SYN | TcpHeader.TH_ACK, sc.iss, sc.irs + 1, seg.nowNs);
        seg.rawWin = sc.wnd;
        seg.win = sc.wnd;
        b.to.flags = 0;
        if (!sc.has(SyncacheEntry.SCF_NOOPT)) {
            options(sc, b, true, seg.nowNs);
        }
        TcpFusionOpen.options(seg, b.to);
    }

    private void options(SyncacheEntry sc, TcpBare b, boolean syn, long nowNs) {
        final TcpOpt to = b.to;
        if (syn) {
            to.flags = Seg.TOF_MSS;
            final int mss = TcpMss.mssOpt(tcp, sc, b.route) - (sc.port != 0 ? tcp.tunnel.overhead() : 0);
            to.mss = Math.max(mss, tcp.sysctl.minmss.getInt());
            if (sc.has(SyncacheEntry.SCF_WINSCALE)) {
                to.flags |= Seg.TOF_SCALE;
                to.wscale = sc.rScale;
            }
            if (sc.has(SyncacheEntry.SCF_SACK)) {
                to.flags |= Seg.TOF_SACKPERM;
            }
            if (sc.has(SyncacheEntry.SCF_FASTOPEN)) {
                to.flags |= Seg.TOF_FASTOPEN;
                to.cookieLen = TcpFastopenKeys.COOKIE_LEN;
                to.setCookie(sc.cookie, 0);
                sc.flags &= ~SyncacheEntry.SCF_FASTOPEN; // not when it is sent again
            }
        }
        if (sc.has(SyncacheEntry.SCF_SIGNATURE)) {
            to.flags |= Seg.TOF_SIGNATURE;
        }
        if (sc.has(SyncacheEntry.SCF_TIMESTAMP)) {
            to.flags |= Seg.TOF_TS;
            to.tsval = (int) (nowNs / Tcp.NS_PER_MS) + sc.tsoff;
            to.tsecr = sc.tsreflect;
        }
    }
}
