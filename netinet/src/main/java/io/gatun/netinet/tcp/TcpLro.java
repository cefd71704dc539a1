package io.gatun.netinet.tcp;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.Seq;
import io.gatun.spi.vnet.Sysctl;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Large receive offload: segments of one connection that came in one batch, in order and alike, go up as one. That
 * saves all but one passage through IP and TCP, and all but one acknowledgment.
 *
 * <p>Merged are frames for this host whose checksums are known to be right, without fragments, IP options, extension
 * headers or TCP options but timestamps, with the same marks of congestion, whose text follows. Anything else of a
 * connection goes up in its place, and ends what was being merged.
 *
 * <p>Of merged segments acknowledgment, window and echoed timestamp are the last one's; the timestamp is the first
 * one's, which is what a receiver echoes that acknowledges them together (RFC 7323 section 4.3).
 *
 * <p>Locking key: (a) atomic; (t) owned by the thread that claimed it.
 *
 * @bsd struct lro_ctrl
 */
public final class TcpLro {
    private static final int MOST_ENTRIES = 64;
    private static final int ENTRIES = 8;

    private static final int L2 = EtherHeader.ETHER_HDR_LEN;
    private static final int IP4 = L2 + IpHeader.LEN;
    private static final int IP6_LEN = 40;
    private static final int IP6 = L2 + IP6_LEN;
    private static final int VER_HLEN = 0x45;
    private static final int IP_TOS = L2;
    private static final int IP_LEN = L2 + 2;
    private static final int IP_OFF = L2 + 6;
    private static final int IP_TTL = L2 + 8;
    private static final int IP_PROTO = L2 + 9;
    private static final int IP_ADDRS = L2 + 12;
    private static final int IP6_PLEN = L2 + 4;
    private static final int IP6_NXT = L2 + 6;
    private static final int IP6_HLIM = L2 + 7;
    private static final int IP6_ADDRS = L2 + 8;
    private static final int TCP_WIN = 14;
    private static final int TCP_ACK = 8;
    private static final int OPT_TSVAL = TcpHeader.SIZE + 4;
    private static final int OPT_TSECR = TcpHeader.SIZE + 8;
    private static final int WITH_TS = TcpHeader.SIZE + 12;
    private static final int SUM_OK = 0xffff;

    private static final int CSUM_GOOD = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int L3_GOOD = Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID;
    /** Flags that may differ, or be there. */
    private static final int HARMLESS = TcpHeader.TH_PUSH | TcpEcn.FLAGS;

    /** Not TCP. */
    private static final int OTHER = 0;
    /** TCP that cannot be merged, of a flow that is not looked into. */
    private static final int UNSUITED = -1;

    /** What is being merged. */
    private static final class Batch {
        private final Mbuf[] heads = new Mbuf[MOST_ENTRIES]; // (t)
        private final Mbuf[] tails = new Mbuf[MOST_ENTRIES]; // (t) last mbuf of each
        private final int[] next = new int[MOST_ENTRIES];    // (t) sequence number that follows
        private int used;                                    // (t)
        private int oldest;                                  // (t) to be given up when all are used

        int find(Mbuf m, int th) {
            for (int i = 0; i < used; i++) {
                if (heads[i] != null && sameFlow(heads[i], m, th)) {
                    return i;
                }
            }
            return -1;
        }

        void start(Mbuf m, int th, int most) {
            int i = 0;
            while (i < used && heads[i] != null) {
                i++;
            }
            if (i == most) {
                i = oldest++ % most;
            }
            heads[i] = m;
            tails[i] = m.last();
            next[i] = TcpHeader.seq(m, th) + text(m, th);
            used = Math.max(used, i + 1);
        }

        void clear() {
            for (int i = 0; i < used; i++) {
                heads[i] = null;
                tails[i] = null;
            }
            used = 0;
            oldest = 0;
        }
    }

    private final TcpNet net;
    private final Sysctl entries;
    private final Counter queued;
    private final Counter flushed;
    private final AtomicReference<Batch> scratch = new AtomicReference<>(new Batch()); // (a)

    TcpLro(Tcp tcp) {
        net = tcp.net;
        entries = tcp.vnet.sysctl().addInt("net.inet.tcp.lro.entries", ENTRIES, 0, MOST_ENTRIES,
            "Connections whose segments are merged at a time; 0 merges none");
        queued = tcp.vnet.counters().counter("tcp.lro_queued");
        flushed = tcp.vnet.counters().counter("tcp.lro_flushed");
    }

    /**
     * Merges what can be of Ethernet frames linked by nextPkt, in place: the first stays first. Consumes what it takes
     * out of the list. No lock is held.
     *
     * @bsd tcp_lro_rx
     */
    public void merge(Ifnet ifp, Mbuf first) {
        final int most = entries.getInt();
        if (most == 0) {
            return;
        }
        final Batch claimed = scratch.getAndSet(null);
        final Batch b = claimed == null ? new Batch() : claimed;
        Mbuf before = null;
        Mbuf m = first;
        while (m != null) {
            final Mbuf after = m.nextPkt();
            if (take(b, ifp, m, most)) {
                before.nextPkt(after); // the first is never taken: there is nothing yet to merge it with
            } else {
                before = m;
            }
            m = after;
        }
        b.clear();
        scratch.setRelease(b);
    }

    /** Whether a frame was merged into one before it. */
    private boolean take(Batch b, Ifnet ifp, Mbuf m, int most) {
        final int th = tcpOffset(m);
        if (th == OTHER) {
            return false;
        }
        if (th == UNSUITED) {
            b.clear(); // it may belong to any of them, and must not be overtaken
            return false;
        }
        final int i = b.find(m, th);
        if (i >= 0) {
            if (follows(b.heads[i], m, th, b.next[i])) {
                append(b, i, m, th);
                return true;
            }
            b.heads[i] = null;
        }
        if (mayStart(ifp, m, th)) {
            b.start(m, th, most);
        }
        return false;
    }

    /** Offset of the TCP header of a frame that has nothing unusual; {@link #OTHER} or {@link #UNSUITED}. */
    private static int tcpOffset(Mbuf m) {
        if (m.len() < IP4) {
            return UNSUITED;
        }
        final int type = EtherHeader.type(m);
        final int th;
        final boolean plain;
        if (type == EtherHeader.ETHERTYPE_IP) {
            if (m.getU8(IP_PROTO) != InDefs.IPPROTO_TCP) {
                return OTHER;
            }
            th = IP4;
            plain = m.getU8(L2) == VER_HLEN && m.getU16(IP_LEN) == m.pktLen() - L2
                && (m.getU16(IP_OFF) & (IpHeader.IP_MF | IpHeader.IP_OFFMASK)) == 0
                && ((m.csumFlags() & L3_GOOD) == L3_GOOD || InCksum.fold(InCksum.sum(m, L2, IpHeader.LEN)) == SUM_OK);
        } else if (type == EtherHeader.ETHERTYPE_IPV6) {
            if (m.getU8(IP6_NXT) == InDefs.IPPROTO_UDP) {
                return OTHER;
            }
            th = IP6;
            plain = m.getU8(IP6_NXT) == InDefs.IPPROTO_TCP && m.getU8(L2) >>> 4 == 6
                && m.getU16(IP6_PLEN) == m.pktLen() - IP6;
        } else {
            return type == EtherHeader.ETHERTYPE_VLAN ? UNSUITED : OTHER;
        }
        final int sums = m.csumFlags();
        return plain && m.len() >= th + TcpHeader.SIZE && (sums & CSUM_GOOD) == CSUM_GOOD && (sums & Csum.CSUM_TSO) == 0
            && m.tsoSegsz() == 0 && !m.has(Mbuf.M_VLANTAG) && plainOptions(m, th) ? th : UNSUITED;
    }

    private static boolean plainOptions(Mbuf m, int th) {
        final int hlen = TcpHeader.hlen(m, th);
        return m.len() >= th + hlen && th + hlen <= m.pktLen() && (hlen == TcpHeader.SIZE
            || hlen == WITH_TS && m.getInt(th + TcpHeader.SIZE) == TcpOptions.TS_PREFIX);
    }

    private static int text(Mbuf m, int th) {
        return m.pktLen() - th - TcpHeader.hlen(m, th);
    }

    private static boolean sameFlow(Mbuf a, Mbuf m, int th) {
        if (a.getInt(th) != m.getInt(th) || a.getLong(0) != m.getLong(0) || a.getInt(8) != m.getInt(8)
            || EtherHeader.type(a) != EtherHeader.type(m)) {
            return false;
        }
        if (th == IP4) {
            return a.getLong(IP_ADDRS) == m.getLong(IP_ADDRS);
        }
        for (int i = IP6_ADDRS; i < IP6; i += Long.BYTES) {
            if (a.getLong(i) != m.getLong(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether a segment continues what {@code a} has so far and says nothing that would be lost. */
    private static boolean follows(Mbuf a, Mbuf m, int th, int next) {
        final int hlen = TcpHeader.hlen(m, th);
        final int text = text(m, th);
        if (text <= 0 || TcpHeader.seq(m, th) != next || hlen != TcpHeader.hlen(a, th)
            || ((TcpHeader.flags(a, th) ^ TcpHeader.flags(m, th)) & ~TcpHeader.TH_PUSH) != 0
            || Seq.lt(TcpHeader.ack(m, th), TcpHeader.ack(a, th))
            || a.pktLen() + text > IpHeader.IP_MAXPACKET + L2 || !sameService(a, m, th)) {
            return false;
        }
        return hlen == TcpHeader.SIZE || Seq.geq(m.getInt(th + OPT_TSVAL), a.getInt(th + OPT_TSVAL));
    }

    private static boolean sameService(Mbuf a, Mbuf m, int th) {
        if (th == IP4) {
            return a.getU16(IP_TOS) == m.getU16(IP_TOS) && a.getU8(IP_TTL) == m.getU8(IP_TTL)
                && a.getU16(IP_OFF) == m.getU16(IP_OFF);
        }
        return a.getInt(L2) == m.getInt(L2) && a.getU8(IP6_HLIM) == m.getU8(IP6_HLIM);
    }

    private boolean mayStart(Ifnet ifp, Mbuf m, int th) {
        return (TcpHeader.flags(m, th) & ~HARMLESS) == TcpHeader.TH_ACK && text(m, th) > 0 && m.writable()
            && local(ifp, m, th);
    }

    /** What is passed on to other hosts must go as it came. */
    private boolean local(Ifnet ifp, Mbuf m, int th) {
        if (th == IP4) {
            return net.local(m.getInt(IP_ADDRS + Integer.BYTES));
        }
        final long hi = m.getLong(IP6_ADDRS + 2 * Long.BYTES);
        return net.local6(In6.zoned(hi) ? In6.embed(hi, ifp.index()) : hi, m.getLong(IP6_ADDRS + 3 * Long.BYTES));
    }

    /** Puts the text of a frame behind that of the entry's. Consumes m. @bsd tcp_lro_append */
    private void append(Batch b, int i, Mbuf m, int th) {
        final Mbuf a = b.heads[i];
        final int text = text(m, th);
        final int hlen = TcpHeader.hlen(m, th);
        a.putInt(th + TCP_ACK, TcpHeader.ack(m, th));
        a.put16(th + TCP_WIN, TcpHeader.win(m, th));
        TcpHeader.flags(a, th, TcpHeader.flags(a, th) | TcpHeader.flags(m, th) & TcpHeader.TH_PUSH);
        if (hlen == WITH_TS) {
            a.putInt(th + OPT_TSECR, m.getInt(th + OPT_TSECR));
        }
        final int at = th == IP4 ? IP_LEN : IP6_PLEN;
        a.put16(at, a.getU16(at) + text);
        a.pktLen(a.pktLen() + text);
        final int already = a.lroNsegs();
        if (already == 0) {
            flushed.increment();
            queued.increment();
        }
        queued.increment();
        a.lroNsegs(Math.max(already, 1) + 1);
        a.csumFlags(a.csumFlags() | L3_GOOD | Csum.CSUM_COALESCED); // the header's sum was right; its length is new
        m.nextPkt(null);
        m.adjHead(th + hlen);
        m.demote(true, 0);
        final Mbuf data = m.len() == 0 ? m.free() : m; // the first mbuf often has headers alone
        b.tails[i].next(data);
        b.tails[i] = data.last();
        b.next[i] += text;
    }
}
