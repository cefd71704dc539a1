package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.sys.Seq;

/**
 * Loss detection and recovery of a connection with a {@link TcpSendMap}: RACK-TLP (RFC 8985; RFC 6675's rule where
 * {@code net.inet.tcp.rack.enable} is off), proportional rate reduction (RFC 6937), recovery after a timeout with the
 * scoreboard kept, and F-RTO (RFC 5682). A connection without one recovers in {@link AckArrives}.
 */
final class TcpRack {
    /** Shortest probe timeout: below it timers cost more than they gain. */
    private static final long TLP_MIN_NS = 10 * Tcp.NS_PER_MS;
    /** How long a peer may sit on the acknowledgment of a lone segment. */
    private static final long MAX_ACK_DELAY_NS = 200 * Tcp.NS_PER_MS;
    private static final int PERSIST_ROUNDS = 16;
    /** What makes every acknowledgment worth a look. */
    private static final int LOUD = Tcpcb.TF2_RTO_RECOVERY | Tcpcb.TF2_TLP | Tcpcb.TF2_PLPMTU_PROBE;
    private static final int MAX_MULT = 64;

    /** F-RTO: an acknowledgment of anything sent before the timeout is awaited. */
    private static final byte FRTO_FIRST = 1;
    /** F-RTO: the first said nothing; two new segments went out, and the second decides. */
    private static final byte FRTO_SECOND = 2;

    private TcpRack() {
    }

    // ---- acknowledgments ------------------------------------------------------------

    /** The fifth check where there is a map. {@code seg.ack} lies within what is in flight. @bsd tcp_sack_doack */
    @GuardedBy("tp.inp.lock")
    static Verdict ack(Tcpcb tp, Seg seg) {
        final TcpSendMap map = tp.map;
        final int acked = seg.ack - tp.sndUna;
        assert map.start() == tp.sndUna && map.end() == tp.sndNxt
            : map.start() - tp.iss + ".." + (map.end() - tp.iss) + " is not " + (tp.sndUna - tp.iss) + ".."
            + (tp.sndNxt - tp.iss);
        assert map.check();
        begin(tp, seg);
        final boolean dsack = seg.hasOpt(Seg.TOF_SACK) && TcpSack.doAck(tp, seg);
        map.ack(seg.ack);
        countDups(tp, seg, acked);
        if (map.reneged()) {
            tp.tcp.stat.rack.sackReneged.increment();
            map.renege();
        }
        adapt(tp, seg, dsack);
        probeAnswered(tp, seg, acked, dsack);
        if (tp.has2(Tcpcb.TF2_PLPMTU_PROBE)) {
            tp.tcp.plpmtud.acked(tp, seg.ack);
        }
        Verdict v = Verdict.NEXT;
        if (acked > 0) {
            if (tp.inFastRecovery() && Seq.geq(seg.ack, tp.sndRecover)) {
                AckArrives.postRecovery(tp, seg);
                leave(tp);
            }
            v = AckArrives.advance(tp, seg);
        }
        if (dsack && v == Verdict.NEXT) {
            TcpUndo.duplicate(tp, seg);
        }
        if (tp.map == map && v == Verdict.NEXT) {
            recover(tp, acked);
            seg.needOutput |= map.delivered() > 0 || dsack;
        }
        return v;
    }

    /** An acknowledgment of new data that has nothing else to say, by prediction. */
    @GuardedBy("tp.inp.lock")
    static void predicted(Tcpcb tp, Seg seg) {
        if (tp.map != null) {
            begin(tp, seg);
            tp.map.ack(seg.ack);
        }
    }

    /** Whether prediction may take an acknowledgment. */
    @GuardedBy("tp.inp.lock")
    static boolean quiet(Tcpcb tp) {
        return tp.map == null || tp.map.clean() && !tp.has2(LOUD);
    }

    @GuardedBy("tp.inp.lock")
    private static void begin(Tcpcb tp, Seg seg) {
        final boolean ecr = tp.timestamps() && seg.hasOpt(Seg.TOF_TS) && seg.tsecr != 0;
        // The timestamp stands for all of its millisecond.
        final long since = ecr ? (tp.tsNow() - seg.tsecr) * Tcp.NS_PER_MS : 0;
        tp.map.begin(seg.nowNs, tp.rttbestNs, ecr && since >= 0,
            (seg.nowNs / Tcp.NS_PER_MS + 1) * Tcp.NS_PER_MS - since);
    }

    @GuardedBy("tp.inp.lock")
    private static void countDups(Tcpcb tp, Seg seg, int acked) {
        if (acked > 0) {
            tp.act().dupacks = 0;
        } else if (tp.map.delivered() > 0) {
            tp.act().dupacks++;
            tp.tcp.stat.rcvdupack.increment();
        } else if (seg.len == 0 && seg.win == tp.sndWnd) {
            tp.tcp.stat.rcvdupack.increment();
        }
    }

    /** RFC 8985 section 6.2 step 4: the reordering window grows with each round of duplicates that we caused. */
    @GuardedBy("tp.inp.lock")
    private static void adapt(Tcpcb tp, Seg seg, boolean dsack) {
        if (tp.map.reordered() && !tp.has2(Tcpcb.TF2_REORDERED)) {
            tp.flags2 |= Tcpcb.TF2_REORDERED;
            tp.tcp.stat.rack.rackReordering.increment();
        }
        if (tp.has2(Tcpcb.TF2_DSACK_ROUND) && Seq.geq(seg.ack, tp.act().rackRound)) {
            tp.flags2 &= ~Tcpcb.TF2_DSACK_ROUND;
        }
        if (dsack && !tp.has2(Tcpcb.TF2_DSACK_ROUND)) {
            tp.flags2 |= Tcpcb.TF2_DSACK_ROUND | Tcpcb.TF2_REORDERED;
            tp.act().rackRound = tp.sndNxt;
            tp.rackMult = (byte) Math.min(tp.rackMult + 1, MAX_MULT);
            tp.rackPersist = PERSIST_ROUNDS;
        }
    }

    /** A recovery is over: the wide window is kept for a number of them. */
    @GuardedBy("tp.inp.lock")
    private static void leave(Tcpcb tp) {
        if (tp.rackPersist > 0 && --tp.rackPersist == 0) {
            tp.rackMult = 1;
        }
    }

    /** @bsd rack_calc_thresh_rack */
    @GuardedBy("tp.inp.lock")
    private static long reoWnd(Tcpcb tp) {
        if (!tp.has2(Tcpcb.TF2_REORDERED)
            && (tp.inFastRecovery() || tp.has2(Tcpcb.TF2_RTO_RECOVERY) || tp.map.dupThresh(tp.segData))) {
            return 0;
        }
        return Math.min(tp.rackMult * (tp.rttbestNs / 4), tp.srttNs);
    }

    /** Finds what is lost; the timer runs while more may prove to be. @bsd rack_detect_loss */
    @GuardedBy("tp.inp.lock")
    private static void detect(Tcpcb tp) {
        final TcpSendMap map = tp.map;
        if (!tp.tcp.sysctl.rackEnable.getBool()) {
            if (map.sacked() > 0) {
                map.detectLoss6675(tp.segData, tp.tcp.sysctl.doLrd.getBool());
            }
            return;
        }
        final long wait = map.detectLoss(tp.act().nowNs, reoWnd(tp));
        if (wait > 0) {
            TcpTimers.activate(tp, TcpTimers.TT_RACK, wait);
        } else {
            TcpTimers.stop(tp, TcpTimers.TT_RACK);
        }
    }

    /** What was delivered is taken into account: losses are found, recovery begins or goes on. */
    @GuardedBy("tp.inp.lock")
    private static void recover(Tcpcb tp, int acked) {
        final TcpSendMap map = tp.map;
        if (tp.has2(Tcpcb.TF2_RTO_RECOVERY)) {
            if (Seq.geq(tp.sndUna, tp.sndRecover)) {
                tp.flags2 &= ~Tcpcb.TF2_RTO_RECOVERY;
                tp.act().frto = 0;
                leave(tp);
            } else if (frto(tp, acked)) {
                return;
            }
        }
        final int lostBefore = map.lost();
        detect(tp);
        if (map.lost() > 0 && !tp.inFastRecovery() && !tp.has2(Tcpcb.TF2_RTO_RECOVERY)
            && (!tp.has2(Tcpcb.TF2_PLPMTU_PROBE) || !tp.tcp.plpmtud.lost(tp))) {
            enter(tp);
        }
        if (tp.inFastRecovery() && map.delivered() > 0) {
            prr(tp, acked > 0 && map.lost() <= lostBefore);
        }
    }

    /** Fast recovery begins. RFC 6675 section 5, RFC 6937 section 3. */
    @GuardedBy("tp.inp.lock")
    private static void enter(Tcpcb tp) {
        tp.tcp.stat.rack.sackRecoveryEpisode.increment();
        tp.tcp.stat.rack.fastrexmit.increment();
        final TcpSendMap map = tp.map;
        TcpTimers.stop(tp, TcpTimers.TT_TLP);
        TcpUndo.begins(tp);
        TcpCc.congSignal(tp, CcAlgo.Signal.NDUPACK);
        tp.sndRecover = tp.sndMax;
        tp.act().prrDelivered = 0;
        tp.act().prrOut = 0;
        tp.act().recoverFs = Math.max(map.pipe() + map.lost() + map.delivered(), 1);
        if (map.delivered() == 0) {
            prr(tp, false);
        }
    }

    /** RFC 6937 (with the safe acknowledgment of its successor): how much may go out now. @bsd tcp_do_prr_ack */
    @GuardedBy("tp.inp.lock")
    private static void prr(Tcpcb tp, boolean safe) {
        final int delivered = tp.map.delivered();
        final int pipe = tp.map.pipe();
        if (tp.act().recoverFs == 0) { // recovery began while there was no map
            tp.act().recoverFs = Math.max(pipe + tp.map.lost() + delivered, 1);
        }
        tp.act().prrDelivered += delivered;
        int send;
        if (pipe > tp.sndSsthresh) {
            final long share = (long) tp.act().prrDelivered * tp.sndSsthresh + tp.act().recoverFs - 1;
            send = (int) (share / tp.act().recoverFs) - tp.act().prrOut;
        } else {
            send = Math.max(tp.act().prrDelivered - tp.act().prrOut, delivered) + (safe ? tp.segData : 0);
            send = Math.min(tp.sndSsthresh - pipe, send);
        }
        if (tp.act().prrOut == 0) {
            send = Math.max(send, tp.segData); // the fast retransmit itself
        }
        tp.sndCwnd = pipe + Math.max(send, 0);
    }

    // ---- timers ------------------------------------------------------------

    /** The time for reordering is over. @bsd rack_timeout_rack */
    @GuardedBy("tp.inp.lock")
    static void reorderTimeout(Tcpcb tp) {
        if (tp.map == null || tp.map.isEmpty()) {
            return;
        }
        tp.map.begin(tp.act().nowNs, tp.rttbestNs, false, 0);
        recover(tp, 0);
        TcpOutput.output(tp);
    }

    /**
     * Arms the probe timer where RFC 8985 section 7.2 wants it: something in flight, and all of it in order. A FIN
     * alone is no data that someone waits for: it goes again no sooner than the retransmit timer would send it.
     */
    @GuardedBy("tp.inp.lock")
    static void armProbe(Tcpcb tp) {
        final TcpSendMap map = tp.map;
        if (map == null || !map.clean() || map.isEmpty() || tp.srttNs == 0 || tp.inRecovery()
            || tp.has2(Tcpcb.TF2_TLP | Tcpcb.TF2_RTO_RECOVERY) || !TcpTimers.active(tp, TcpTimers.TT_REXMT)
            || !tp.tcp.sysctl.rackEnable.getBool()) {
            TcpTimers.stop(tp, TcpTimers.TT_TLP);
            return;
        }
        final long rto = tp.act().timers[TcpTimers.TT_REXMT] - tp.now();
        long pto = tp.inp.so.snd().avail() == 0 ? rto : Math.max(2 * tp.srttNs, TLP_MIN_NS);
        if (tp.sndMax - tp.sndUna <= tp.segData) {
            pto += MAX_ACK_DELAY_NS;
        }
        TcpTimers.activate(tp, TcpTimers.TT_TLP, Math.min(pto, rto - 1));
    }

    /** Nothing came for two round trips: a probe, new data or the last segment again. @bsd rack_timeout_tlp */
    @GuardedBy("tp.inp.lock")
    static void probeTimeout(Tcpcb tp) {
        if (tp.map == null || tp.map.isEmpty() || tp.has2(Tcpcb.TF2_TLP) || tp.tcp.blackhole.waits(tp)) {
            return;
        }
        tp.tcp.stat.rack.tlpresends.increment();
        final int inFlight = tp.sndNxt - tp.sndUna;
        final boolean fresh = tp.inp.so.snd().avail() > inFlight && tp.sndWnd - inFlight >= tp.segData;
        tp.act().force = fresh ? Tcpcb.FORCE_NEW : Tcpcb.FORCE_TAIL;
        tp.act().forceSegs = 1;
        final int before = tp.sndMax + tp.sndRetransOctets;
        tp.flags2 |= fresh ? Tcpcb.TF2_TLP : Tcpcb.TF2_TLP | Tcpcb.TF2_TLP_REXMIT;
        TcpOutput.output(tp);
        tp.act().force = 0;
        tp.tlpCnt++;
        tp.tlpOctets += tp.sndMax + tp.sndRetransOctets - before;
        if (tp.inp.has(Inpcb.INP_DROPPED)) {
            return;
        }
        tp.act().tlpEnd = tp.sndNxt;
        TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
    }

    /** RFC 8985 section 7.4.2: the probe's answer tells whether it made good a loss, which counts as congestion. */
    @GuardedBy("tp.inp.lock")
    private static void probeAnswered(Tcpcb tp, Seg seg, int acked, boolean dsack) {
        if (!tp.has2(Tcpcb.TF2_TLP) || Seq.lt(seg.ack, tp.act().tlpEnd)) {
            return;
        }
        final boolean again = tp.has2(Tcpcb.TF2_TLP_REXMIT);
        if (again && acked == 0 && !dsack && seg.len == 0 && !seg.hasOpt(Seg.TOF_SACK)) {
            tp.flags2 &= ~(Tcpcb.TF2_TLP | Tcpcb.TF2_TLP_REXMIT); // both arrived
            return;
        }
        if (again && !dsack && acked == 0) {
            return;
        }
        tp.flags2 &= ~(Tcpcb.TF2_TLP | Tcpcb.TF2_TLP_REXMIT);
        if (again && !dsack && tp.map.delivered() > tp.map.deliveredOnce() && !tp.inRecovery()) {
            tp.tcp.stat.rack.tlpRecovered.increment();
            TcpCc.congSignal(tp, CcAlgo.Signal.NDUPACK);
            tp.exitRecovery();
            tp.sndCwnd = Math.min(tp.sndCwnd, Math.max(tp.sndSsthresh, tp.segData));
        }
    }

    /**
     * The retransmit timeout: the oldest goes out at once. What was received selectively stays so the first time; a
     * second timeout no longer trusts it. With F-RTO the rest counts as lost only once an acknowledgment says so.
     */
    @GuardedBy("tp.inp.lock")
    static void timeout(Tcpcb tp) {
        final TcpSendMap map = tp.map;
        final boolean again = tp.has2(Tcpcb.TF2_RTO_RECOVERY);
        if (tp.has2(Tcpcb.TF2_PLPMTU_PROBE)) {
            tp.tcp.plpmtud.inconclusive(tp);
        }
        tp.flags2 &= ~(Tcpcb.TF2_TLP | Tcpcb.TF2_TLP_REXMIT);
        tp.flags2 |= Tcpcb.TF2_RTO_RECOVERY;
        map.markTimeout();
        TcpTimers.stop(tp, TcpTimers.TT_TLP);
        TcpTimers.stop(tp, TcpTimers.TT_RACK);
        if (tp.rxtshift > 1) {
            map.renege();
            tp.act().frto = 0;
        } else if (!again && map.lost() == 0 && tp.tcp.sysctl.frto.getBool()) {
            map.loseFirst(tp.segData);
            tp.act().frto = FRTO_FIRST;
        } else {
            map.loseAll();
            tp.act().frto = 0;
        }
        tp.act().force = Tcpcb.FORCE_LOST;
        tp.act().forceSegs = 1;
    }

    /**
     * RFC 5682 section 3.1: an acknowledgment of what was sent once only, before the timeout, proves that one spurious.
     *
     * @return true while it is not decided
     */
    @GuardedBy("tp.inp.lock")
    private static boolean frto(Tcpcb tp, int acked) {
        final TcpSendMap map = tp.map;
        if (tp.act().frto == 0 || map.delivered() == 0 && acked == 0) {
            return false;
        }
        if (map.deliveredOld() > 0 && tp.has(Tcpcb.TF_PREVVALID)) {
            TcpCc.congSignal(tp, CcAlgo.Signal.RTO_ERR);
            return false;
        }
        final int inFlight = tp.sndNxt - tp.sndUna;
        if (tp.act().frto == FRTO_FIRST && acked > 0 && tp.inp.so.snd().avail() > inFlight
            && tp.sndWnd - inFlight >= tp.segData) {
            tp.act().frto = FRTO_SECOND;
            tp.act().force = Tcpcb.FORCE_NEW;
            tp.act().forceSegs = 2;
            return true;
        }
        tp.act().frto = 0;
        map.loseAll();
        return false;
    }

    /** The timeout was spurious: nothing is lost after all. */
    @GuardedBy("tp.inp.lock")
    static void undo(Tcpcb tp) {
        tp.flags2 &= ~Tcpcb.TF2_RTO_RECOVERY;
        tp.act().frto = 0;
        tp.act().force = 0;
        if (tp.map != null) {
            tp.map.loseNone();
        }
    }

    // ---- sending ------------------------------------------------------------

    /** Something was sent: it is noted, and the probe timer armed. From where sequence numbers stood before. */
    @GuardedBy("tp.inp.lock")
    static void sent(Tcpcb tp, SendPlan p, int from, int to) {
        if (tp.map == null) {
            // From the oldest on: a map can know all that is in flight.
            // Not in a recovery that began without one, which sends the oldest again and goes on where it was.
            if (from != tp.sndUna || tp.inFastRecovery() || !tp.has(Tcpcb.TF_SACK_PERMIT)
                || !tp.state.haveEstablished()) {
                return;
            }
            tp.map = tp.tcp.sendMaps.claim();
            if (tp.map == null) {
                return;
            }
        }
        if (p.rexmit) {
            tp.map.sentAgain(from, to, tp.act().nowNs);
            TcpUndo.sentAgain(tp, to - from);
            tp.tcp.stat.rack.sackRexmits.increment();
            tp.tcp.stat.rack.sackRexmitBytes.add(to - from);
        } else if (tp.map.isEmpty() || Seq.gt(to, tp.map.end())) {
            tp.map.sent(tp.map.isEmpty() ? from : tp.map.end(), to, tp.act().nowNs);
        }
        if (tp.inFastRecovery()) {
            tp.act().prrOut += to - from;
        }
        if (tp.act().forceSegs > 0 && --tp.act().forceSegs == 0) {
            tp.act().force = 0;
        }
        armProbe(tp);
    }

    /** Forgets what is in flight: it is given up, or all acknowledged, or the connection ends. */
    @GuardedBy("tp.inp.lock")
    static void forget(Tcpcb tp) {
        final TcpSendMap map = tp.map;
        if (map == null) {
            return;
        }
        tp.map = null;
        tp.tcp.sendMaps.release(map);
        if (tp.has2(Tcpcb.TF2_PLPMTU_PROBE)) {
            tp.tcp.plpmtud.inconclusive(tp);
        }
        tp.flags2 &= ~(Tcpcb.TF2_TLP | Tcpcb.TF2_TLP_REXMIT | Tcpcb.TF2_RTO_RECOVERY);
        tp.act().force = 0;
        tp.act().frto = 0;
        TcpTimers.stop(tp, TcpTimers.TT_TLP);
        TcpTimers.stop(tp, TcpTimers.TT_RACK);
    }

    /**
     * Chooses what is sent next where there is a map: something lost, or what a timer forces; false for new data.
     * Fills offset, length and sequence number.
     *
     * @bsd tcp_sack_output
     */
    @GuardedBy("tp.inp.lock")
    static boolean choose(Tcpcb tp, SendPlan p) {
        final TcpSendMap map = tp.map;
        final boolean forced = tp.act().force == Tcpcb.FORCE_LOST || tp.act().force == Tcpcb.FORCE_TAIL;
        final int seq;
        final int len;
        if (tp.act().force == Tcpcb.FORCE_TAIL && !map.isEmpty()) {
            seq = map.lastFrom(tp.segData, tp.has(Tcpcb.TF_SENTFIN));
            len = map.end() - seq;
        } else if (map.lost() > 0) {
            seq = map.nextLost();
            len = map.nextLostLen();
        } else {
            return false;
        }
        final int mss = tp.segData;
        final int room = forced ? mss : tp.sndCwnd - map.pipe();
        int n = Math.min(len, room < len ? room / mss * mss : room);
        final int open = tp.sndWnd - (seq - tp.sndUna);
        if (n > open + 1) { // one octet may be a FIN, which takes no room
            n = open < mss ? open : open / mss * mss; // the window shrank: what lies within it goes again (SHLD-16)
        }
        if (n <= 0) {
            return false;
        }
        p.rexmit = true;
        p.seq = seq;
        p.off = seq - tp.sndUna;
        p.len = n;
        return true;
    }

    /** New octets that the congestion window lets out. */
    @GuardedBy("tp.inp.lock")
    static int room(Tcpcb tp) {
        if (tp.act().force == Tcpcb.FORCE_NEW) {
            return tp.segData;
        }
        if (tp.act().force != 0) {
            return 0;
        }
        final TcpSendMap map = tp.map;
        // Without limited transmit (RFC 3042) what arrived out of order lets nothing out before recovery.
        final int inFlight = tp.inFastRecovery() || tp.tcp.sysctl.rfc3042.getBool() ? map.pipe()
            : map.end() - map.start();
        return tp.sndCwnd - inFlight;
    }
}
