package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Seq;

/**
 * Text that came out of order. The queue is a list, by nextPkt and in order of sequence numbers, of the packets
 * themselves, headers cut off; what a packet covers stands in its scratch word: sequence number in the high half,
 * octets and the FIN bit in the low one. Packets never overlap: what is there stays, what comes is cut to fit.
 *
 * <p>Bounded three ways: packets ({@code net.inet.tcp.reass.maxqueuelen}), octets (the receive window) and mbuf
 * storage (the receive buffer's storage limit), so that a peer who sends single octets gains nothing. The segment that
 * fills the gap at the front is always taken.
 *
 * @bsd tcp_reass
 */
final class TcpReass {
    private static final long FIN_BIT = 1L << 31;
    private static final long LEN_MASK = FIN_BIT - 1;

    private TcpReass() {
    }

    /**
     * Takes the text of a segment and delivers what is now in order. Clears the segment's TH_FIN, and sets it when a
     * FIN has become due. The chain is taken or dropped.
     */
    @GuardedBy("tp.inp.lock")
    static void reass(Tcpcb tp, Seg seg) {
        final boolean fin = seg.has(TcpHeader.TH_FIN);
        seg.flags &= ~TcpHeader.TH_FIN;
        final int storage = storage(seg.m);
        if (seg.seq != tp.rcvNxt && full(tp, seg, storage)) {
            tp.tcp.stat.rcvreassfull.increment();
            tp.tcp.drop(seg.take(), DropReason.TCP_REASS_FULL);
            return;
        }
        if (seg.seq != tp.rcvNxt) {
            tp.tcp.stat.rcvoopack.increment();
            tp.tcp.stat.rcvoobyte.add(seg.len);
            tp.rcvOoopack++;
        }
        insert(tp, seg, fin, storage);
        present(tp, seg);
    }

    @GuardedBy("tp.inp.lock")
    private static boolean full(Tcpcb tp, Seg seg, int storage) {
        return tp.segqCnt >= tp.tcp.sysctl.reassMaxqueuelen.getInt()
            || tp.segqOctets + seg.len > Math.max(tp.inp.so.rcv().space(), tp.rcvAdv - tp.rcvNxt)
            || tp.segqStorage + storage > tp.inp.so.rcv().mbmax();
    }

    /** Puts what is new of the segment in its place. */
    @GuardedBy("tp.inp.lock")
    private static void insert(Tcpcb tp, Seg seg, boolean fin, int storage) {
        Mbuf p = null;
        Mbuf q = tp.segq;
        while (q != null && Seq.leq(seq(q), seg.seq)) {
            p = q;
            q = q.nextPkt();
        }
        boolean withFin = fin;
        if (p != null) {
            final int overlap = end(p) - seg.seq;
            if (overlap > 0 || overlap == 0 && fin(p)) {
                if (overlap >= seg.len && !(fin && overlap == seg.len && !fin(p)) || fin(p)) {
                    tp.tcp.stat.rcvduppack.increment();
                    tp.tcp.stat.rcvdupbyte.add(seg.len);
                    tp.tcp.drop(seg.take(), DropReason.TCP_DUP);
                    return;
                }
                cutFront(tp, seg, overlap);
            }
        }
        // Whole packets behind that it covers go; one that it reaches into wins.
        while (q != null && Seq.gt(seg.seq + seg.len, seq(q))) {
            if (Seq.geq(seg.seq + seg.len, end(q)) && !(fin(q) && !withFin && seg.seq + seg.len == end(q))) {
                withFin |= fin(q);
                q = unlink(tp, p, q);
                continue;
            }
            final int beyond = seg.seq + seg.len - seq(q);
            tp.tcp.stat.rcvpartduppack.increment();
            tp.tcp.stat.rcvpartdupbyte.add(beyond);
            seg.len -= beyond;
            seg.m.adjTail(inChain(seg, seg.seq + seg.len, beyond));
            withFin = false;
            break;
        }
        link(tp, seg, p, q, withFin);
        tp.segqStorage += storage;
    }

    @GuardedBy("tp.inp.lock")
    private static void cutFront(Tcpcb tp, Seg seg, int overlap) {
        if (overlap > 0) {
            tp.tcp.stat.rcvpartduppack.increment();
            tp.tcp.stat.rcvpartdupbyte.add(overlap);
            seg.hdrlen += inChain(seg, seg.seq, overlap);
            seg.seq += overlap;
            seg.len -= overlap;
        }
    }

    /** Octets of the chain behind a range of sequence numbers: the urgent one may have been taken out. */
    private static int inChain(Seg seg, int from, int n) {
        return seg.urgentOut && Seq.within(seg.urgentSeq, from, from + n) ? n - 1 : n;
    }

    @GuardedBy("tp.inp.lock")
    private static void link(Tcpcb tp, Seg seg, Mbuf p, Mbuf q, boolean fin) {
        final Mbuf m = seg.take();
        m.adjHead(seg.hdrlen);
        m.phPer64((long) seg.seq << 32 | seg.len | (fin ? FIN_BIT : 0));
        m.nextPkt(q);
        if (p == null) {
            tp.segq = m;
        } else {
            p.nextPkt(m);
        }
        tp.segqCnt++;
        tp.segqOctets += seg.len;
    }

    @GuardedBy("tp.inp.lock")
    private static Mbuf unlink(Tcpcb tp, Mbuf p, Mbuf q) {
        final Mbuf next = q.nextPkt();
        if (p == null) {
            tp.segq = next;
        } else {
            p.nextPkt(next);
        }
        q.nextPkt(null);
        tp.segqCnt--;
        tp.segqOctets -= len(q);
        tp.segqStorage -= storage(q);
        tp.tcp.stat.rcvduppack.increment();
        tp.tcp.stat.rcvdupbyte.add(len(q));
        tp.tcp.drop(q, DropReason.TCP_DUP);
        return next;
    }

    /** Delivers what follows on rcvNxt. */
    @GuardedBy("tp.inp.lock")
    private static void present(Tcpcb tp, Seg seg) {
        while (tp.segq != null && seq(tp.segq) == tp.rcvNxt) {
            final Mbuf m = tp.segq;
            final int n = len(m);
            final boolean fin = fin(m);
            tp.segq = m.nextPkt();
            m.nextPkt(null);
            tp.segqCnt--;
            tp.segqOctets -= n;
            tp.segqStorage -= storage(m);
            tp.rcvNxt += n;
            if (n > 0) {
                tp.tcp.stat.rcvpack.increment();
                tp.tcp.stat.rcvbyte.add(n);
                SegmentText.deliver(tp, m, 0);
            } else {
                m.freeChain();
            }
            if (fin) {
                seg.flags |= TcpHeader.TH_FIN;
                flush(tp); // nothing can follow a FIN
            }
        }
    }

    /** Frees the queue. @bsd tcp_reass_flush */
    @GuardedBy("tp.inp.lock")
    static void flush(Tcpcb tp) {
        final Mbuf q = tp.segq;
        tp.segq = null;
        tp.segqCnt = 0;
        tp.segqOctets = 0;
        tp.segqStorage = 0;
        if (q != null) {
            q.freePkts();
        }
    }

    private static int seq(Mbuf m) {
        return (int) (m.phPer64() >>> 32);
    }

    private static int len(Mbuf m) {
        return (int) (m.phPer64() & LEN_MASK);
    }

    private static boolean fin(Mbuf m) {
        return (m.phPer64() & FIN_BIT) != 0;
    }

    private static int end(Mbuf m) {
        return seq(m) + len(m);
    }

    /** Octets of mbufs and clusters in a chain. Cutting octets off a chain may free some of its mbufs. */
    private static int storage(Mbuf first) {
        int n = 0;
        for (Mbuf m = first; m != null; m = m.next()) {
            n += Mbuf.MSIZE + (m.ext() == null ? 0 : m.size());
        }
        return n;
    }

    /** Recounts and fails on a difference; for assertions. */
    @GuardedBy("tp.inp.lock")
    static boolean check(Tcpcb tp) {
        int cnt = 0;
        int octets = 0;
        int stored = 0;
        for (Mbuf m = tp.segq; m != null; m = m.nextPkt()) {
            cnt++;
            octets += len(m);
            stored += storage(m);
            assert m.nextPkt() == null || Seq.leq(end(m), seq(m.nextPkt())) : "overlap in the queue";
            assert Seq.gt(seq(m), tp.rcvNxt) || len(m) == 0 : "deliverable text in the queue";
        }
        assert cnt == tp.segqCnt && octets == tp.segqOctets && stored == tp.segqStorage
            : cnt + " " + octets + " " + stored + " counted as " + tp.segqCnt + " " + tp.segqOctets + " "
            + tp.segqStorage;
        return true;
    }
}
