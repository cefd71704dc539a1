package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Seq;

/**
 * Text that came out of order. The queue is a list, by nextPkt and in order of sequence numbers, of runs: a run is a
 * chain of all the text that lies side by side, so that one lost segment makes one run behind it however much follows.
 * Runs neither overlap nor touch. What is there stays, what comes is cut to fit. The runs are also what is selectively
 * acknowledged: see {@link TcpSack}.
 *
 * <p>What a run covers stands in the packet header of its first mbuf: sequence number in the high half of phPer64,
 * octets and the FIN bit in the low one; phPtr is its last mbuf, csumData the storage it holds, flowid its mbufs,
 * rcvTstmp the stamp of the last segment that came into it.
 *
 * <p>Bounded four ways: runs ({@code net.inet.tcp.reass.maxqueuelen}), octets (the receive window) and mbuf storage
 * (twice the receive buffer's storage limit), so that a peer who sends single octets gains nothing; and mbufs of all
 * connections together ({@code net.inet.tcp.reass.maxsegments}), so that many peers with a gap each do not empty the
 * pool, which nobody could read empty. The segment that fills the gap at the front is always taken.
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
        final Mbuf p = before(tp, seg.seq);
        if (seg.seq != tp.rcvNxt) {
            if (full(tp, seg, p)) {
                tp.tcp.stat.rcvreassfull.increment();
                tp.tcp.drop(seg.take(), DropReason.TCP_REASS_FULL);
                return;
            }
            tp.tcp.stat.rcvoopack.increment();
            tp.tcp.stat.rcvoobyte.add(seg.len);
            tp.rcvOoopack++;
        }
        insert(tp, seg, p, fin);
        present(tp, seg);
    }

    /** The last run that begins at or before a sequence number; mostly the last of all. */
    @GuardedBy("tp.inp.lock")
    private static Mbuf before(Tcpcb tp, int seq) {
        if (tp.act().segqLast != null && Seq.leq(seq(tp.act().segqLast), seq)) {
            return tp.act().segqLast;
        }
        Mbuf p = null;
        for (Mbuf q = tp.act().segq; q != null && Seq.leq(seq(q), seq); q = q.nextPkt()) {
            p = q;
        }
        return p;
    }

    /** No storage left for it; or it would begin one run too many. */
    @GuardedBy("tp.inp.lock")
    private static boolean full(Tcpcb tp, Seg seg, Mbuf p) {
        final SockBuf rcv = tp.inp.so.rcv();
        // DIFFERS: not within the buffer's own limit, which a window full of clusters that are not would exceed.
        if (tp.act().segqStorage + storage(seg.m) > 2L * rcv.mbmax()) {
            return true;
        }
        if (tp.tcp.reassSegs.get() + mbufs(seg.m) > tp.tcp.sysctl.reassMaxsegments.getInt()) {
            return true;
        }
        final int most = Math.min(rcv.hiwat() / tp.maxseg + 1, tp.tcp.sysctl.reassMaxqueuelen.getInt());
        if (tp.act().segqCnt < most || p != null && Seq.geq(end(p), seg.seq)) {
            return false;
        }
        final Mbuf q = p == null ? tp.act().segq : p.nextPkt();
        return q == null || Seq.lt(seg.seq + seg.len, seq(q));
    }

    /** Puts what is new of the segment in its place behind p. */
    @GuardedBy("tp.inp.lock")
    private static void insert(Tcpcb tp, Seg seg, Mbuf p, boolean fin) {
        if (p != null && Seq.geq(end(p), seg.seq) && (fin(p) || Seq.gt(end(p), seg.seq))
            && !cutFront(tp, seg, p, fin)) {
            return;
        }
        final boolean withFin = cutBack(tp, seg, p, fin);
        final Mbuf q = p == null ? tp.act().segq : p.nextPkt();
        final boolean left = p != null && end(p) == seg.seq && !fin(p);
        final boolean right = q != null && seq(q) == seg.seq + seg.len && !withFin;
        final Mbuf m = seg.take();
        m.adjHead(seg.hdrlen);
        final Mbuf run;
        if (left) {
            append(tp, p, m, seg.len, withFin);
            run = p;
        } else {
            run = link(tp, seg, m, p, withFin);
        }
        if (right) {
            join(tp, run, q);
        }
        run.rcvTstmp(++tp.act().segqStamp);
    }

    /** Cuts off what run p has already; false when that is all, and the segment is gone. */
    @GuardedBy("tp.inp.lock")
    private static boolean cutFront(Tcpcb tp, Seg seg, Mbuf p, boolean fin) {
        final int overlap = end(p) - seg.seq;
        if (overlap > 0 && seq(p) != tp.rcvNxt) { // text of a SYN that met ours is bound to come twice
            TcpSack.duplicate(tp, seg, seg.seq, Seq.min(end(p), seg.seq + seg.len));
        }
        if (fin(p) || overlap > seg.len || overlap == seg.len && !fin) {
            tp.tcp.stat.rcvduppack.increment();
            tp.tcp.stat.rcvdupbyte.add(seg.len);
            p.rcvTstmp(++tp.act().segqStamp);
            tp.tcp.drop(seg.take(), DropReason.TCP_DUP);
            return false;
        }
        tp.tcp.stat.rcvpartduppack.increment();
        tp.tcp.stat.rcvpartdupbyte.add(overlap);
        seg.hdrlen += inChain(seg, seg.seq, overlap);
        seg.seq += overlap;
        seg.len -= overlap;
        return true;
    }

    /**
     * Runs behind p that the segment covers go; one that it only reaches into wins.
     *
     * @return whether the segment ends with a FIN, its own or that of a run it replaces
     */
    @GuardedBy("tp.inp.lock")
    private static boolean cutBack(Tcpcb tp, Seg seg, Mbuf p, boolean fin) {
        boolean withFin = fin;
        Mbuf q = p == null ? tp.act().segq : p.nextPkt();
        while (q != null && Seq.gt(seg.seq + seg.len, seq(q))) {
            final int segEnd = seg.seq + seg.len;
            TcpSack.duplicate(tp, seg, seq(q), Seq.min(end(q), segEnd));
            if (Seq.lt(segEnd, end(q)) || segEnd == end(q) && fin(q) && !withFin) {
                final int beyond = segEnd - seq(q);
                tp.tcp.stat.rcvpartduppack.increment();
                tp.tcp.stat.rcvpartdupbyte.add(beyond);
                seg.len -= beyond;
                seg.m.adjTail(inChain(seg, seg.seq + seg.len, beyond));
                return false;
            }
            withFin |= fin(q);
            q = unlink(tp, p, q);
        }
        return withFin;
    }

    /** Octets of the chain behind a range of sequence numbers: the urgent one may have been taken out. */
    private static int inChain(Seg seg, int from, int n) {
        return seg.urgentOut && Seq.within(seg.urgentSeq, from, from + n) ? n - 1 : n;
    }

    /** A run of its own, behind p. Consumes m. */
    @GuardedBy("tp.inp.lock")
    private static Mbuf link(Tcpcb tp, Seg seg, Mbuf m, Mbuf p, boolean fin) {
        m.phPer64((long) seg.seq << 32 | seg.len | (fin ? FIN_BIT : 0));
        m.phPtr(m.last());
        m.csumData(storage(m));
        m.flowid(mbufs(m));
        if (p == null) {
            m.nextPkt(tp.act().segq);
            tp.act().segq = m;
        } else {
            m.nextPkt(p.nextPkt());
            p.nextPkt(m);
        }
        if (tp.act().segqLast == p) {
            tp.act().segqLast = m;
        }
        tp.act().segqCnt++;
        tp.act().segqStorage += m.csumData();
        tp.tcp.reassSegs.addAndGet(m.flowid());
        return m;
    }

    /** Puts a chain at the end of run p. Consumes m. @bsd tcp_reass_append */
    @GuardedBy("tp.inp.lock")
    private static void append(Tcpcb tp, Mbuf p, Mbuf m, int n, boolean fin) {
        p.pktLen(p.pktLen() + m.pktLen());
        m.demote(true, 0);
        final Mbuf tail = (Mbuf) p.phPtr();
        final int had = storageOf(tail);
        tail.cat(m);
        grow(tp, p, storage(tail) - had, mbufs(tail) - 1);
        p.phPtr(tail.last());
        p.phPer64(p.phPer64() + n | (fin ? FIN_BIT : 0));
    }

    /** Puts run q, which follows run p, at p's end. @bsd tcp_reass_prepend */
    @GuardedBy("tp.inp.lock")
    private static void join(Tcpcb tp, Mbuf p, Mbuf q) {
        p.nextPkt(q.nextPkt());
        q.nextPkt(null);
        if (tp.act().segqLast == q) {
            tp.act().segqLast = p;
        }
        tp.act().segqCnt--;
        p.pktLen(p.pktLen() + q.pktLen());
        p.phPer64(p.phPer64() + len(q) | (fin(q) ? FIN_BIT : 0));
        p.csumData(p.csumData() + q.csumData());
        p.flowid(p.flowid() + q.flowid());
        final Mbuf tail = (Mbuf) p.phPtr();
        p.phPtr(q.phPtr());
        final Mbuf rest = q.next(); // only the first of a run has a header
        q.next(null);
        q.demote(true, 0);
        q.next(rest);
        tail.next(q);
    }

    @GuardedBy("tp.inp.lock")
    private static void grow(Tcpcb tp, Mbuf p, int storage, int mbufs) {
        p.csumData(p.csumData() + storage);
        p.flowid(p.flowid() + mbufs);
        tp.act().segqStorage += storage;
        tp.tcp.reassSegs.addAndGet(mbufs);
    }

    /** Takes run q, which follows p, out of the queue; answers its successor. */
    @GuardedBy("tp.inp.lock")
    private static Mbuf remove(Tcpcb tp, Mbuf p, Mbuf q) {
        final Mbuf next = q.nextPkt();
        if (p == null) {
            tp.act().segq = next;
        } else {
            p.nextPkt(next);
        }
        if (next == null) {
            tp.act().segqLast = p;
        }
        q.nextPkt(null);
        tp.act().segqCnt--;
        tp.act().segqStorage -= q.csumData();
        tp.tcp.reassSegs.addAndGet(-q.flowid());
        return next;
    }

    @GuardedBy("tp.inp.lock")
    private static Mbuf unlink(Tcpcb tp, Mbuf p, Mbuf q) {
        final Mbuf next = remove(tp, p, q);
        tp.tcp.stat.rcvduppack.increment();
        tp.tcp.stat.rcvdupbyte.add(len(q));
        tp.tcp.drop(q, DropReason.TCP_DUP);
        return next;
    }

    /**
     * Delivers what follows on rcvNxt, and sets the segment's TH_FIN when a FIN has become due. Text of a SYN that met
     * ours waits for the handshake's end; that of a Fast Open does not.
     */
    @GuardedBy("tp.inp.lock")
    static void present(Tcpcb tp, Seg seg) {
        if (!tp.state.haveEstablished() && !tp.has(Tcpcb.TF_FASTOPEN)) {
            return;
        }
        while (tp.act().segq != null && seq(tp.act().segq) == tp.rcvNxt) {
            final Mbuf m = tp.act().segq;
            final int n = len(m);
            final boolean fin = fin(m);
            remove(tp, null, m);
            m.phPtr(null);
            m.csumData(0);
            m.flowid(0);
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

    /** Gives up what waits, mbufs having run out; the peer has kept it, and the next ACK selects none of it. */
    @GuardedBy("tp.inp.lock")
    static void drain(Tcpcb tp) {
        if (tp.isQuiet()) {
            return;
        }
        Mbuf run = tp.act().segq;
        forget(tp);
        while (run != null) {
            final Mbuf next = run.nextPkt();
            run.nextPkt(null);
            tp.tcp.drop(run, DropReason.MBUF_LOWMEM);
            run = next;
        }
    }

    /** Frees the queue. @bsd tcp_reass_flush */
    @GuardedBy("tp.inp.lock")
    static void flush(Tcpcb tp) {
        final Mbuf q = tp.act().segq;
        forget(tp);
        if (q != null) {
            q.freePkts();
        }
    }

    /** Takes the runs off the books; they are the caller's then. */
    @GuardedBy("tp.inp.lock")
    private static void forget(Tcpcb tp) {
        for (Mbuf m = tp.act().segq; m != null; m = m.nextPkt()) {
            tp.tcp.reassSegs.addAndGet(-m.flowid());
        }
        tp.act().segq = null;
        tp.act().segqLast = null;
        tp.act().segqCnt = 0;
        tp.act().segqStorage = 0;
    }

    static int seq(Mbuf m) {
        return (int) (m.phPer64() >>> 32);
    }

    static int len(Mbuf m) {
        return (int) (m.phPer64() & LEN_MASK);
    }

    private static boolean fin(Mbuf m) {
        return (m.phPer64() & FIN_BIT) != 0;
    }

    static int end(Mbuf m) {
        return seq(m) + len(m);
    }

    /** Octets of mbufs and clusters in a chain. Cutting octets off a chain may free some of its mbufs. */
    private static int storage(Mbuf first) {
        int n = 0;
        for (Mbuf m = first; m != null; m = m.next()) {
            n += storageOf(m);
        }
        return n;
    }

    private static int mbufs(Mbuf first) {
        int n = 0;
        for (Mbuf m = first; m != null; m = m.next()) {
            n++;
        }
        return n;
    }

    private static int storageOf(Mbuf m) {
        return Mbuf.MSIZE + (m.ext() == null ? 0 : m.size());
    }

    /** Recounts and fails on a difference; for assertions. */
    @GuardedBy("tp.inp.lock")
    static boolean check(Tcpcb tp) {
        int cnt = 0;
        int stored = 0;
        for (Mbuf m = tp.act().segq; m != null; m = m.nextPkt()) {
            cnt++;
            stored += storage(m);
            assert storage(m) == m.csumData() : "storage of a run";
            assert mbufs(m) == m.flowid() : "mbufs of a run";
            assert m.last() == m.phPtr() : "last mbuf of a run";
            assert m.length() == m.pktLen() && m.pktLen() <= len(m) : "octets of a run";
            assert m.nextPkt() != null || tp.act().segqLast == m : "last run";
            assert m.nextPkt() == null || fin(m) || Seq.lt(end(m), seq(m.nextPkt())) : "runs touch";
            assert Seq.gt(seq(m), tp.rcvNxt) || len(m) == 0 || !tp.state.haveEstablished()
                : "deliverable text in the queue";
        }
        assert tp.act().segq != null || tp.act().segqLast == null : "last run of none";
        assert cnt == tp.act().segqCnt && stored == tp.act().segqStorage
            : cnt + " " + stored + " counted as " + tp.act().segqCnt + " " + tp.act().segqStorage;
        return true;
    }
}
