package io.gatun.netinet.tcp;

import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Mbuf;

/**
 * What a connection needs only while something happens on it: timers, the way to the peer, recovery, reassembly. A
 * connection begins and ends with one; {@link TcpTimers} gives it back to {@link TcpActivities} when all is quiet, and
 * {@link Tcpcb#act} takes another with the first thing that happens, so that idle connections, which are many, are
 * small.
 *
 * <p>Locking key: (c) constant; (i) the pcb's lock of the connection that has it; (p) the pool's;
 * (w) lock of {@link TcpTimeWait}, in whose list it stays as long as the connection is in TIME-WAIT.
 */
final class TcpActivity {
    TcpActivity nextFree;     // (p)
    TcpActivity nextChain;    // (p)
    int chained;              // (p) how many follow by nextFree
    final RouteCache route = new RouteCache();      // (c)
    final long[] timers = new long[TcpTimers.TT_N]; // (i) deadlines; TcpTimers.OFF for none

    // ---- time ------------------------------------------------------------
    /** The instant of the event in progress, while TF2_INEVENT is set. */
    long nowNs;               // (i)
    long rtttimeNs;           // (i) start of the round trip being timed; 0 none
    int rtseq;                // (i) its sequence number
    int badrxtTs;             // (i) our timestamp clock at the last timeout
    long badrxtwinNs;         // (i) until when an ACK proves a timeout spurious
    long stalledNs;           // (i) since when nothing was acknowledged; of use while rxtshift is not 0

    // ---- loss recovery ------------------------------------------------------------
    int dupacks;              // (i) duplicate acknowledgments in a row
    int sndLimited;           // (i) segments sent by limited transmit
    int sndCwndPrev;          // (i) before the last timeout, as the next two; or before fast recovery
    int sndSsthreshPrev;      // (i)
    int sndRecoverPrev;       // (i)
    int rackRound;            // (i) where the round with the last duplicate ends
    int tlpEnd;               // (i) what was in flight with the probe ends here
    byte force;               // (i) FORCE_*, whatever cwnd says
    byte frto;                // (i) acknowledgments awaited since a timeout
    int forceSegs;            // (i) segments force is for
    int prrDelivered;         // (i) octets since recovery began
    int prrOut;               // (i) octets sent since
    int recoverFs;            // (i) octets in flight when it began
    int undoStart;            // (i) where fast recovery began, while TF2_UNDO is set
    int undoOctets;           // (i) octets it sent again that were not reported as duplicates

    // ---- reassembly ------------------------------------------------------------
    Mbuf segq;                // (i) by nextPkt, in order; see TcpReass
    Mbuf segqLast;            // (i) its last run
    int segqCnt;              // (i) runs in it
    int segqStorage;          // (i) octets of mbuf storage it holds
    long segqStamp;           // (i) counts what came into it, for the order of SACK blocks
    int dsackStart;           // (i) duplicate text to report (RFC 2883)
    int dsackEnd;             // (i) its end; the same when there is none

    // ---- buffers, limits ------------------------------------------------------------
    long rfbufTsNs;           // (i) receive autotuning: start of the measurement; 0 none
    int rfbufCnt;             // (i) octets since
    int challengeCnt;         // (i) challenge ACKs in the window
    long challengeEndNs;      // (i) where that window ends

    // ---- TIME-WAIT ------------------------------------------------------------
    Tcpcb twNext;             // (w)
    Tcpcb twPrev;             // (w)

    /** Octets that had gone past the segments when it was last looked whether all is quiet. */
    long fusedOctets;         // (i)
    int unchecked;            // (i) events since TcpCheck recounted the buffers

    // ---- the segment in progress, for congestion control -------------------------------------
    int bytesThisAck;         // (i)
    int ecnMarked;            // (i) packets that it says were marked
    short nsegs;              // (i)
    boolean ecnCe;            // (i)

    TcpActivity() {
        TcpTimers.clear(timers);
    }

    /** As new. Nothing waits for reassembly. */
    void reset() {
        assert segq == null : "activity ends with octets in reassembly";
        TcpTimers.clear(timers);
        route.pass();
        rtttimeNs = 0;
        rtseq = 0;
        badrxtTs = 0;
        badrxtwinNs = 0;
        stalledNs = 0;
        resetRecovery();
        segqLast = null;
        segqCnt = 0;
        segqStorage = 0;
        segqStamp = 0;
        dsackStart = 0;
        dsackEnd = 0;
        rfbufTsNs = 0;
        rfbufCnt = 0;
        challengeCnt = 0;
        challengeEndNs = 0;
        bytesThisAck = 0;
        ecnMarked = 0;
        nsegs = 0;
        ecnCe = false;
        unchecked = 0;
        fusedOctets = 0;
    }

    private void resetRecovery() {
        dupacks = 0;
        sndLimited = 0;
        sndCwndPrev = 0;
        sndSsthreshPrev = 0;
        sndRecoverPrev = 0;
        rackRound = 0;
        tlpEnd = 0;
        force = 0;
        frto = 0;
        forceSegs = 0;
        prrDelivered = 0;
        prrOut = 0;
        recoverFs = 0;
        undoStart = 0;
        undoOctets = 0;
    }
}
