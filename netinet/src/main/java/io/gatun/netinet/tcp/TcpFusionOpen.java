package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Seq;

/**
 * How connections within one stack begin and end without packets: the three segments of the handshake, a FIN behind all
 * that was sent and its acknowledgment, and a reset are made decoded and handed from one block to the other, where the
 * same code takes them as would if they had come from IP, so that both have agreed on what they would have agreed on.
 * Where {@link TcpFusion} would not join the ends, where a lock is not free, where something is under way, where the
 * backlog is full or nobody listens, packets go as ever.
 *
 * <p>The caller's block is locked; the other's is taken by tryLock only, so no order among blocks is needed.
 */
final class TcpFusionOpen {
    private static final int ECN_ASKS = 1;
    private static final int ACE_ASKS = 3;

    private TcpFusionOpen() {
    }

    // ---- the handshake ------------------------------------------------------------

    /**
     * Establishes a connection that is in SYN-SENT and has sent nothing yet, in an event of the caller's. False:
     * nothing was done.
     */
    @GuardedBy("tp.inp.lock")
    static boolean open(Tcpcb tp) {
        if (!mayOpen(tp)) {
            return false;
        }
        final Inpcb head = listener(tp);
        if (head == null || !head.lock.tryLock()) {
            return false;
        }
        try {
            return head.ppcb instanceof Tcpcb lp && handshake(tp, lp);
        } finally {
            head.lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static boolean mayOpen(Tcpcb tp) {
        final int ecn = tp.tcp.sysctl.ecnEnable.getInt();
        return tp.tcp.sysctl.fusion.getBool() && tp.state == TcpState.SYN_SENT && plain(tp)
            && ecn != ECN_ASKS && ecn != ACE_ASKS && (tp.inp.so.options() & SocketDefs.SO_DONTROUTE) == 0
            && tp.inp.options == null && tp.inp.outputOpts == null && TcpFusion.way(tp) != null;
    }

    /** Nothing about it that only segments can do. */
    @GuardedBy("tp.inp.lock")
    private static boolean plain(Tcpcb tp) {
        return tp.fb == null && tp.port == 0 && tp.inp.so != null && tp.inp.minttl == 0
            && !tp.has(Tcpcb.TF_SIGNATURE | Tcpcb.TF_FASTOPEN);
    }

    @GuardedBy("tp.inp.lock")
    private static Inpcb listener(Tcpcb tp) {
        final Inpcb inp = TcpFusion.peer(tp, InpcbInfo.INPLOOKUP_WILDCARD);
        return inp == tp.inp ? null : inp;
    }

    @GuardedBy("lp.inp.lock")
    private static boolean listens(Tcpcb lp) {
        return lp.state == TcpState.LISTEN && !lp.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED) && plain(lp);
    }

    /** Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static boolean handshake(Tcpcb tp, Tcpcb lp) {
        if (!listens(lp)) {
            return false;
        }
        final Tcp tcp = tp.tcp;
        final long now = tp.now();
        final Seg seg = tcp.segs.claimSeg();
        syn(tp, seg, now);
        final Tcpcb made = tcp.syncache.straight(lp, seg);
        if (made != null) {
            tp.sndNxt = tp.iss + 1;
            tp.sndMax = tp.iss + 1;
            tp.act().rtttimeNs = now; // else the timestamps' whole milliseconds would be taken for the round trip
            tp.act().rtseq = tp.iss;
            SynSentArrives.segment(tp, seg);
            ack(tp, seg, now);
            arrives(made, seg);
            tcp.stat.fusion.opened.increment();
        }
        tcp.segs.release(seg);
        return made != null;
    }

    /** The SYN that would be sent. */
    @GuardedBy("tp.inp.lock")
    private static void syn(Tcpcb tp, Seg seg, long now) {
        final SendPlan p = tp.tcp.segs.claimPlan();
        TcpOptions.choose(tp, TcpHeader.TH_SYN, p.to);
        bare(seg, TcpHeader.TH_SYN, tp.iss, 0, now);
        seg.rawWin = Math.min(SendDecision.receiveWindow(tp, tp.inp.so.rcv()), TcpHeader.TCP_MAXWIN);
        seg.win = seg.rawWin;
        options(seg, p.to);
        tp.tcp.segs.release(p);
        final Inpcb inp = tp.inp;
        seg.v6 = inp.isV6();
        seg.srcHi = inp.laddrHi();
        seg.srcLo = inp.laddrLo();
        seg.dstHi = inp.faddrHi();
        seg.dstLo = inp.faddrLo();
        seg.sport = inp.lport();
        seg.dport = inp.fport();
        seg.fib = TcpMss.fib(tp);
        seg.tos = inp.tos;
        seg.ttl = inp.ttl;
    }

    /** The acknowledgment that ends the handshake, which tells the window too. */
    @GuardedBy("tp.inp.lock")
    private static void ack(Tcpcb tp, Seg seg, long now) {
        final int win = SendDecision.receiveWindow(tp, tp.inp.so.rcv());
        bare(seg, TcpHeader.TH_ACK, tp.sndNxt, tp.rcvNxt, now);
        seg.rawWin = win >> tp.rcvScale;
        if (tp.timestamps()) {
            seg.optFlags = Seg.TOF_TS;
            seg.tsval = tp.tsNow();
            seg.tsecr = tp.tsRecent;
        }
        tp.rcvAdv = Seq.max(tp.rcvAdv, tp.rcvNxt + win);
        tp.lastAckSent = tp.rcvNxt;
        tp.flags &= ~(Tcpcb.TF_ACKNOW | Tcpcb.TF_DELACK);
    }

    /** A segment without text, options or endpoints. */
    static void bare(Seg seg, int flags, int seq, int ack, long now) {
        seg.reset();
        seg.flags = flags;
        seg.thflags = flags;
        seg.seq = seq;
        seg.rcvdSeq = seq;
        seg.ack = ack;
        seg.len = 0;
        seg.rcvdLen = 0;
        seg.urp = 0;
        seg.linkFlags = 0;
        seg.nowNs = now;
        seg.fastopen = TcpFastopenKeys.NONE;
    }

    static void options(Seg seg, TcpOpt to) {
        seg.optFlags = to.flags;
        seg.mss = to.mss;
        seg.wscale = to.wscale;
        seg.tsval = to.tsval;
        seg.tsecr = to.tsecr;
    }

    private static void arrives(Tcpcb made, Seg seg) {
        made.inp.lock.lock();
        try {
            if (made.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED)) {
                return; // ended by another since it was made: the client learns of it as of any end
            }
            made.act().nowNs = seg.nowNs;
            made.flags2 |= Tcpcb.TF2_INEVENT;
            final Verdict v = SegmentArrives.otherStates(made, seg);
            assert v == Verdict.NEXT && made.state == TcpState.ESTABLISHED : "handshake " + v + " " + made;
            made.flags2 &= ~Tcpcb.TF2_INEVENT;
            assert TcpCheck.check(made);
        } finally {
            made.inp.lock.unlock();
        }
    }

    // ---- the end ------------------------------------------------------------

    /** The other end, if it may be told of something at once: all that was sent has come there. Not locked; or null. */
    @GuardedBy("tp.inp.lock")
    private static Inpcb reached(Tcpcb tp) {
        if (!tp.tcp.sysctl.fusion.getBool() || !tp.state.haveEstablished() || !plain(tp) || tp.sndNxt != tp.sndMax) {
            return null;
        }
        final Inpcb peer = TcpFusion.way(tp) == null ? null : TcpFusion.peer(tp, 0);
        return peer == tp.inp ? null : peer;
    }

    /** Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static boolean hasAll(Tcpcb tp, Tcpcb to) {
        if (to.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED) || !to.state.haveEstablished()
            || to.state == TcpState.TIME_WAIT || !plain(to)) {
            return false;
        }
        TcpFusion.settle(to);
        TcpFusion.settle(tp);
        return to.rcvNxt == tp.sndNxt && to.act().segq == null;
    }

    /** Tells the peer that the connection is reset, as a segment would. False: nothing was done. */
    @GuardedBy("tp.inp.lock")
    static boolean reset(Tcpcb tp) {
        final Inpcb peer = reached(tp);
        if (peer == null || !peer.lock.tryLock()) {
            return false;
        }
        try {
            return peer.ppcb instanceof Tcpcb to && reset(tp, to);
        } finally {
            peer.lock.unlock();
        }
    }

    /** Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static boolean reset(Tcpcb tp, Tcpcb to) {
        if (!hasAll(tp, to)) {
            return false;
        }
        SegmentArrives.reset(to);
        return true;
    }

    /**
     * Sends a FIN that is due, the user having closed, and takes its acknowledgment. False: nothing was done.
     *
     * @return true when the FIN was sent and acknowledged
     */
    @GuardedBy("tp.inp.lock")
    static boolean fin(Tcpcb tp) {
        final boolean due = (tp.state == TcpState.FIN_WAIT_1 || tp.state == TcpState.LAST_ACK)
            && !tp.has(Tcpcb.TF_SENTFIN | Tcpcb.TF_ACKNOW | Tcpcb.TF_DELACK) && tp.sndUna == tp.sndMax;
        final Inpcb peer = due && tp.inp.so != null && tp.inp.so.snd().used() == 0 ? reached(tp) : null;
        if (peer == null || !peer.lock.tryLock()) {
            return false;
        }
        try {
            return peer.ppcb instanceof Tcpcb to && fin(tp, to);
        } finally {
            peer.lock.unlock();
        }
    }

    /** Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static boolean fin(Tcpcb tp, Tcpcb to) {
        if (!hasAll(tp, to) || to.sndUna != to.sndMax || to.sndMax != tp.rcvNxt
            || to.state != TcpState.ESTABLISHED && to.state != TcpState.FIN_WAIT_2) {
            return false;
        }
        final Seg seg = tp.tcp.segs.claimSeg();
        final long now = tp.tcp.clock.nanoTime();
        TcpRack.forget(tp);
        tp.act().nowNs = now;
        tp.flags2 |= Tcpcb.TF2_INEVENT;
        ack(tp, seg, now);
        seg.flags |= TcpHeader.TH_FIN;
        seg.thflags = seg.flags;
        tp.flags |= Tcpcb.TF_SENTFIN;
        tp.sndNxt++;
        tp.sndMax++;
        TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs); // until its acknowledgment, just below
        to.act().nowNs = now;
        to.flags2 |= Tcpcb.TF2_INEVENT;
        final boolean last = to.state == TcpState.FIN_WAIT_2;
        SegmentArrives.otherStates(to, seg); // in TIME-WAIT it has sent its acknowledgment by now
        if (!last) {
            ack(to, seg, now);
            SegmentArrives.otherStates(tp, seg);
        }
        to.flags2 &= ~Tcpcb.TF2_INEVENT;
        tp.flags2 &= ~Tcpcb.TF2_INEVENT;
        tp.tcp.segs.release(seg);
        return true;
    }
}
