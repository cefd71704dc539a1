package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;

/** Segment sizes: from the path, from what the peer says, from what ICMP says; and the windows that follow. */
final class TcpMss {
    private static final int LEAST = 64;
    private static final int IW_OCTETS = 1460;

    private TcpMss() {
    }

    /** Octets of the largest packet towards the peer, as far as known; 0 without a route. @bsd tcp_maxmtu */
    @GuardedBy("tp.inp.lock")
    static int maxMtu(Tcpcb tp) {
        return maxMtu(tp, linkMtu(tp));
    }

    /** @param link {@link #linkMtu} */
    @GuardedBy("tp.inp.lock")
    private static int maxMtu(Tcpcb tp, int link) {
        final int learnt = link == 0 ? 0 : TcpPath.mtu(tp);
        return learnt == 0 ? link : Math.min(learnt, link);
    }

    /** Octets of the largest packet that may go out towards the peer, whatever the path takes; 0 without a route. */
    @GuardedBy("tp.inp.lock")
    static int linkMtu(Tcpcb tp) {
        final NextHop nh = TcpPath.route(tp);
        if (nh == null || nh.ifp == null) {
            return 0;
        }
        return tp.inp.isV6() && minMtu(tp.inp) ? Math.min(Ip6Header.IPV6_MMTU, nh.mtu()) : nh.mtu();
    }

    /** The user wants no more than every IPv6 path takes. @bsd INC_IPV6MINMTU */
    static boolean minMtu(Inpcb inp) {
        return inp.outputOpts != null && inp.outputOpts.minmtu == Ip6PktOpts.MINMTU_ALL;
    }

    /** IPV6_USE_MIN_MTU has been set. @bsd tcp6_use_min_mtu */
    @GuardedBy("tp.inp.lock")
    static void useMinMtu(Tcpcb tp) {
        if (minMtu(tp.inp) && tp.inp.isV6() && tp.state.after(TcpState.LISTEN)) {
            tp.maxseg = Math.min(tp.maxseg, Ip6Header.IPV6_MMTU - TcpPath.minProtoHdr(tp));
            resize(tp);
        }
    }

    @GuardedBy("tp.inp.lock")
    static int fib(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        return so == null ? 0 : so.fibnum();
    }

    /** What the peer takes when it does not say. @bsd V_tcp_v6mssdflt */
    @GuardedBy("tp.inp.lock")
    static int mssdflt(Tcpcb tp) {
        return (tp.inp.isV6() ? tp.tcp.sysctl.v6mssdflt : tp.tcp.sysctl.mssdflt).getInt();
    }

    /** The MSS option we send: what our link takes, or the path as far as it is known. @bsd tcp_mssopt */
    @GuardedBy("tp.inp.lock")
    static int mssOpt(Tcpcb tp) {
        final int mtu = maxMtu(tp);
        if (mtu == 0) {
            return mssdflt(tp);
        }
        final int mss = mtu - TcpPath.minProtoHdr(tp);
        return tp.user.maxseg() != 0 ? Math.min(mss, tp.user.maxseg()) : mss;
    }

    /** As the other, where there is no control block yet. The caller's route is used. @bsd tcp_mssopt */
    static int mssOpt(Tcp tcp, SyncacheEntry sc, RouteCache ro) {
        final int mtu = tcp.respond.maxMtu(sc, ro);
        if (mtu == 0) {
            return (sc.inc.v6 ? tcp.sysctl.v6mssdflt : tcp.sysctl.mssdflt).getInt();
        }
        return mtu - sc.inc.minProtoHdr();
    }

    /**
     * Sets the segment size.
     *
     * @param offer the peer's MSS option; 0 when it sent none (RFC 9293 MUST-15); -1 to keep to what it said before
     * @bsd tcp_mss_update
     */
    @GuardedBy("tp.inp.lock")
    static void update(Tcpcb tp, int offer) {
        final TcpSysctl s = tp.tcp.sysctl;
        final int before = tp.maxseg;
        final int link = linkMtu(tp);
        final int mtu = maxMtu(tp, link);
        int mss = mtu == 0 ? mssdflt(tp) : mtu - TcpPath.minProtoHdr(tp);
        if (!s.pathMtuDiscovery.getBool() && !TcpPath.local(tp)) {
            mss = Math.min(mss, mssdflt(tp));
        }
        final int most = most(tp, offer);
        tp.maxseg = Math.max(Math.min(mss, most), LEAST);
        if (offer < 0) {
            tp.tcp.plpmtud.lowered(tp, before);
        } else if (tp.tcp.plpmtud.may(tp)) {
            tp.tcp.plpmtud.opened(tp, Math.min(most, link - TcpPath.minProtoHdr(tp)));
        }
        resize(tp);
    }

    /** What peer and user allow. */
    @GuardedBy("tp.inp.lock")
    private static int most(Tcpcb tp, int offer) {
        final int peer = offer < 0 ? tp.maxseg : offer == 0 ? mssdflt(tp)
            : Math.max(offer, tp.tcp.sysctl.minmss.getInt());
        return tp.user.maxseg() != 0 ? Math.min(peer, tp.user.maxseg()) : peer;
    }

    /** After maxseg or the options in use have changed. */
    @GuardedBy("tp.inp.lock")
    static void resize(Tcpcb tp) {
        final int ts = tp.timestamps() ? TcpOptions.TCPOLEN_TSTAMP_APPA : 0;
        final int sig = tp.has(Tcpcb.TF_SIGNATURE) ? TcpOptions.TCPOLEN_SIGNATURE_APPA : 0;
        tp.segData = tp.maxseg - (tp.has(Tcpcb.TF_NOOPT) ? 0 : ts + sig);
        final Ifnet ifp = TcpPath.ifp(tp);
        final int wanted = tp.inp.isV6() ? Ifnet.IFCAP_TSO6 : Ifnet.IFCAP_TSO4;
        final boolean device = ifp != null && (ifp.capenable() & wanted) != 0;
        tp.tsoMax = device ? Math.min(ifp.tsoMax(), TcpHeader.TCP_MAXWIN) : TcpHeader.TCP_MAXWIN;
        // No device cuts what is within UDP, nor signs.
        if (tp.tcp.sysctl.tso.getBool() && tp.port == 0 && sig == 0) {
            tp.flags |= Tcpcb.TF_TSO;
        } else {
            tp.flags &= ~Tcpcb.TF_TSO;
        }
    }

    /**
     * Sets the segment size from the peer's SYN, and rounds the buffers up to whole segments; buffers of the default
     * size up to what has filled the path to this host before.
     *
     * @bsd tcp_mss
     */
    @GuardedBy("tp.inp.lock")
    static void mss(Tcpcb tp, int offer) {
        update(tp, offer);
        final SocketSide so = tp.inp.so;
        if (so == null) {
            return;
        }
        final TcpSysctl s = tp.tcp.sysctl;
        final HostCache.Entry known = TcpHostcache.of(tp);
        final boolean snd = known != null && so.snd().hiwat() == s.sendspace.getInt();
        final boolean rcv = known != null && so.rcv().hiwat() == s.recvspace.getInt();
        // Nobody else has a child's socket yet.
        final boolean child = tp.state == TcpState.SYN_RECEIVED && (tp.flags2 & Tcpcb.TF2_PASSIVE) != 0;
        roundUp(so.snd(), tp.maxseg, Math.max(2 * tp.maxseg, snd ? known.sendpipe() : 0), child);
        roundUp(so.rcv(), tp.maxseg, Math.max(tp.maxseg, rcv ? known.recvpipe() : 0), child);
    }

    /** @param alone whether nobody else has the socket: then its lock is not needed */
    private static void roundUp(SockBuf sb, int mss, int least, boolean alone) {
        final int have = sb.hiwat();
        // Fits an unsigned int, which is divided in half the time of a long.
        final int most = Math.max(have, least) + mss - 1;
        final int want = most - Integer.remainderUnsigned(most, mss);
        if (Integer.compareUnsigned(want, have) <= 0) {
            return;
        }
        if (alone) {
            sb.reserveLocked(Integer.toUnsignedLong(want)); // refused beyond the limit: then it stays as it is
            return;
        }
        sb.lock().lock();
        try {
            sb.reserveLocked(Integer.toUnsignedLong(want));
        } finally {
            sb.lock().unlock();
        }
    }

    /**
     * RFC 6928: ten segments, less when they are large. DIFFERS: on a loopback interface large ones count too.
     *
     * @bsd tcp_compute_initwnd
     */
    @GuardedBy("tp.inp.lock")
    static int initialWindow(Tcpcb tp) {
        final int segs = tp.tcp.sysctl.initcwndSegments.getInt();
        final Ifnet ifp = TcpPath.ifp(tp);
        if (ifp != null && (ifp.flags() & Ifnet.IFF_LOOPBACK) != 0) {
            return segs * tp.segData;
        }
        return Math.min(segs * tp.segData, Math.max(2 * tp.segData, segs * IW_OCTETS));
    }
}
