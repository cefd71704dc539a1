package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Callout;

/**
 * A connection: the send and receive sequence spaces of RFC 9293 section 3.3.1, windows, timers, options, and what
 * congestion control needs. Sizes are octets, times are ns of the vnet's clock.
 *
 * <p>Life: made by {@link TcpSubr#newTcpcb} when its socket attaches, in CLOSED; ends by {@link TcpSubr#close}
 * (INP_DROPPED: no segment finds it any more) and, when its socket detaches, {@link TcpSubr#discard}, which drains its
 * callout.
 *
 * <p>Locking key: (c) constant; (i) the pcb's lock {@code inp.lock}; (q) owned by {@link TcpRele}'s list;
 * (w) lock of {@link TcpTimeWait}.
 *
 * <pre>
 *      sndUna          sndNxt     sndMax    sndUna + sndWnd
 *  -------|---------------|----------|------------|----------
 *  acked  |  in flight    | to resend|  may send  | may not
 *
 *      rcvNxt                    rcvAdv
 *  -------|-------------------------|----------
 *  taken  |   rcvWnd: may come      | may not
 * </pre>
 *
 * @bsd struct tcpcb
 */
public final class Tcpcb extends TcpCcVar implements Runnable {
    public static final int TF_ACKNOW = 0x1;
    public static final int TF_DELACK = 0x2;
    public static final int TF_NODELAY = 0x4;
    public static final int TF_NOOPT = 0x8;
    public static final int TF_SENTFIN = 0x10;
    public static final int TF_REQ_SCALE = 0x20;
    public static final int TF_RCVD_SCALE = 0x40;
    public static final int TF_REQ_TSTMP = 0x80;
    public static final int TF_RCVD_TSTMP = 0x100;
    public static final int TF_SACK_PERMIT = 0x200;
    /** The user has let go of the socket. @bsd TF_CLOSED */
    public static final int TF_CLOSED = 0x800;
    public static final int TF_NEEDFIN = 0x2000;
    public static final int TF_NOPUSH = 0x4000;
    public static final int TF_PREVVALID = 0x8000;
    public static final int TF_MORETOCOME = 0x10000;
    public static final int TF_LASTIDLE = 0x40000;
    public static final int TF_RXWIN0SENT = 0x80000;
    public static final int TF_FASTRECOVERY = 0x100000;
    public static final int TF_WASFRECOVERY = 0x200000;
    /** Segments are signed, and have to be. @bsd TF_SIGNATURE */
    public static final int TF_SIGNATURE = 0x400000;
    /** Send now whatever the windows say: a window probe. @bsd TF_FORCEDATA */
    public static final int TF_FORCEDATA = 0x800000;
    public static final int TF_TSO = 0x1000000;
    public static final int TF_CONGRECOVERY = 0x8000000;
    public static final int TF_WASCRECOVERY = 0x10000000;
    /** The connection, or listener, uses Fast Open: {@link #tfo} is there. @bsd TF_FASTOPEN */
    public static final int TF_FASTOPEN = 0x80000000;

    /** The path seems to swallow large segments: the MSS was lowered. @bsd TF2_PLPMTU_BLACKHOLE */
    public static final int TF2_PLPMTU_BLACKHOLE = 0x1;
    /** ECN is in use; with AccECN, and the handshake done. @bsd TF2_ECN_PERMIT */
    public static final int TF2_ECN_PERMIT = 0x20;
    /** CWR is to go with the next new data. @bsd TF2_ECN_SND_CWR */
    static final int TF2_ECN_SND_CWR = 0x40;
    /** ECE goes with every segment until CWR comes. @bsd TF2_ECN_SND_ECE */
    static final int TF2_ECN_SND_ECE = 0x80;
    /** AccECN is in use. @bsd TF2_ACE_PERMIT */
    public static final int TF2_ACE_PERMIT = 0x200000;
    /** New data is marked ECT(1), not ECT(0). @bsd TF2_ECN_USE_ECT1 */
    static final int TF2_ECN_USE_ECT1 = 0x400000;
    /** {@link #rcep} still says how the SYN or SYN|ACK came. */
    static final int TF2_ACE_HANDSHAKE = 0x800000;
    /** Our SYN or SYN|ACK met congestion. */
    static final int TF2_ACE_SYNCE = 0x1000000;
    /** Something on the way clears the flags: nothing of ours is marked. */
    static final int TF2_ACE_NOECT = 0x2000000;
    /** The last text came with a mark of congestion. */
    static final int TF2_ACE_LASTCE = 0x4000000;
    /** A whole window was acknowledged since congestion control last asked. @bsd CCF_ABC_SENTAWND */
    static final int TF2_ABC_SENTAWND = 0x100;
    /** The sender was limited by the window. @bsd CCF_CWND_LIMITED */
    static final int TF2_CWND_LIMITED = 0x200;
    /** Opened by a SYN at a listener. */
    static final int TF2_PASSIVE = 0x400;
    /** Our SYN was sent more than once. */
    static final int TF2_SYNLOST = 0x800;
    /** The peer's path has been seen to reorder. */
    static final int TF2_REORDERED = 0x10000;
    /** Duplicates of this round trip have been taken into account. */
    static final int TF2_DSACK_ROUND = 0x20000;
    /** A tail loss probe is out. */
    static final int TF2_TLP = 0x40000;
    /** It repeated what was sent before. */
    static final int TF2_TLP_REXMIT = 0x80000;
    /** What was in flight at a timeout is not all acknowledged yet. */
    static final int TF2_RTO_RECOVERY = 0x100000;
    /** A segment larger than the others is out, to find out whether the path takes it. */
    static final int TF2_PLPMTU_PROBE = 0x8000000;
    /** Fast recovery may yet prove needless: {@link TcpUndo}. */
    static final int TF2_UNDO = 0x10000000;
    /** Made from a cookie: whether ECN was agreed, the first packet tells that may be marked. */
    static final int TF2_ECN_UNKNOWN = 0x20000000;
    /** {@link TcpActivity#nowNs} is the instant of the event in progress. */
    static final int TF2_INEVENT = 0x1000;

    /** A timer sends the last segment again. */
    static final byte FORCE_TAIL = 1;
    /** A timer, or F-RTO, sends new data. */
    static final byte FORCE_NEW = 2;
    /** A timer sends what is lost again. */
    static final byte FORCE_LOST = 3;

    /** An urgent octet waits in {@link #iobc}. */
    public static final int TCPOOB_HAVEDATA = 0x1;
    /** The urgent octet has been read. */
    public static final int TCPOOB_HADDATA = 0x2;

    public final Inpcb inp;                     // (c)
    public final Tcp tcp;                       // (c)
    final Callout callout;                      // (c) the one timer
    private TcpActivity activity;                          // (i) null while all is quiet
    /** Its stack; null for the base stack. @bsd t_fb */
    TcpFunctionBlock fb;                        // (i)
    /** What the stack keeps of it. @bsd t_fb_ptr */
    public Object fbPtr;                        // (i)

    public TcpState state = TcpState.CLOSED;    // (i)
    public int flags;                           // (i) TF_*
    int flags2;                                 // (i) TF2_*

    // ---- send sequence space ------------------------------------------------------------
    public int sndUna;        // (i) oldest unacknowledged
    public int sndNxt;        // (i) next to send
    public int sndMax;        // (i) highest sent, plus one
    public int sndUp;         // (i) urgent pointer
    public int sndWl1;        // (i) sequence number of the segment that last moved the window
    public int sndWl2;        // (i) its acknowledgment number
    public int iss;           // (i) initial send sequence number
    public int sndWnd;        // (i) the peer's window
    public int maxSndwnd;     // (i) largest window the peer ever offered
    public int sndCwnd;       // (i) congestion window
    public int sndSsthresh;   // (i) slow start threshold
    public int sndRecover;    // (i) where recovery ends
    int bytesAcked;           // (i) octets acknowledged in congestion avoidance
    int sndRetransOctets;     // (i) octets sent again, for TCP_INFO
    int sndRexmitpack;        // (i) segments sent again

    // ---- receive sequence space ------------------------------------------------------------
    public int rcvNxt;        // (i) next expected
    public int rcvAdv;        // (i) right edge told to the peer
    public int rcvWnd;        // (i) window at the last segment
    public int rcvUp;         // (i) urgent pointer
    public int irs;           // (i) the peer's initial sequence number
    public int lastAckSent;   // (i) RFC 7323's Last.ACK.sent

    // ---- segment sizes, options ------------------------------------------------------------
    /** Largest segment, options included: the MSS agreed. @bsd t_maxseg */
    public int maxseg;        // (i)
    /** Payload of a full segment: maxseg less the options every segment carries. @bsd tcp_maxseg */
    public int segData;       // (i)
    int tsoMax;               // (i) longest IP packet one output may make
    /** The peer's UDP port, through which it is reached; 0 plain. @bsd t_port */
    int port;                 // (i)
    public byte sndScale;     // (i) shift of the windows we get
    public byte rcvScale;     // (i) shift of the windows we send
    public byte requestRScale; // (i) the shift we ask for
    int tsRecent;             // (i) the timestamp to echo
    long tsRecentAge;         // (i) when it was taken, ns
    int tsOffset;             // (i) added to our timestamps

    // ---- time ------------------------------------------------------------
    long rcvtimeNs;           // (i) last segment received
    long srttNs;              // (i) smoothed round trip; 0 none yet
    long rttvarNs;            // (i) its mean deviation
    long rttbestNs;           // (i) shortest seen; 0 none
    int rttupdated;           // (i) samples
    long rxtcurNs;            // (i) present retransmit timeout
    int rxtshift;             // (i) retransmissions in a row
    long sndtimeNs;           // (i) last data sent
    long calloutAtNs = TcpTimers.OFF;               // (i) what the callout is armed for; TT_KEEP while all is quiet
    TcpUserOpts user = TcpUserOpts.DEFAULT;         // (i)
    short keepprobes;         // (i) probes without an answer

    // ---- loss recovery, congestion control ------------------------------------------------------------
    CcAlgo cc;                // (i)
    int roundEnd;             // (i) its acknowledgment ends the present round trip
    int roundCount;           // (i)
    Object ccData;            // (i)
    TcpSendMap map;           // (i) from sndUna to sndNxt; null when nothing is in flight, or without SACK
    byte rackMult = 1;        // (i) window of reordering, in quarters of the shortest round trip
    byte rackPersist;         // (i) recoveries until that is 1 again
    int tlpCnt;               // (i) tail loss probes, for TCP_INFO
    int tlpOctets;            // (i) their payload, for TCP_INFO
    int scep;                 // (i) marks of congestion the peer told of; AccECN counts them from 5
    int rcep;                 // (i) packets that came marked; AccECN counts them from 5
    TcpPacer pacer;           // (i) holds back what goes too fast; null for none
    int pmtudSavedMaxseg;     // (i) before a black hole was suspected
    TcpPlpmtudCb plpmtud;     // (i) the search for larger segments; null for none

    TcpFastopenCb tfo;        // (i) null without TCP_FASTOPEN

    // ---- urgent data, errors, buffers ------------------------------------------------------------
    public byte oobflags;     // (i) TCPOOB_*
    public short iobc;        // (i) the urgent octet
    public Errno softerror = Errno.OK; // (i) possible error, not yet certain
    int rcvOoopack;           // (i) for TCP_INFO
    int sndZerowin;           // (i) for TCP_INFO
    Tcpcb releNext;           // (q)
    boolean twQueued;         // (w) in the list of TIME-WAIT

    Tcpcb(Tcp tcp, Inpcb inp) {
        this.tcp = tcp;
        this.inp = inp;
        callout = tcp.vnet.callout("tcp", inp.lock, this);
        activity = tcp.activities.claim();
    }

    /** What the callout does. @bsd tcp_timer_enter */
    @Override
    public void run() {
        TcpTimers.fire(this);
    }

    /** The socket; null once detached. @bsd tptosocket */
    @GuardedBy("this.inp.lock")
    public SocketSide so() {
        return inp.so;
    }

    /** What it needs while something happens; from the call on something does. Not null. */
    TcpActivity act() {
        final TcpActivity a = activity;
        return a != null ? a : wake();
    }

    /** Whether it has nothing of the kind. */
    boolean isQuiet() {
        return activity == null;
    }

    private TcpActivity wake() {
        final TcpActivity a = tcp.activities.claim();
        a.timers[TcpTimers.TT_KEEP] = calloutAtNs;
        activity = a;
        return a;
    }

    /** All is quiet, and what is left of recovery past proving wrong. No timer runs but for keepalive. */
    void quiet() {
        assert !twQueued : "quiet in TIME-WAIT";
        final TcpActivity a = activity;
        if (a != null) {
            flags &= ~TF_PREVVALID;
            flags2 &= ~(TF2_UNDO | TF2_DSACK_ROUND | TF2_INEVENT);
            activity = null;
            tcp.activities.release(a);
        }
    }

    boolean has(int tf) {
        return (flags & tf) != 0;
    }

    boolean has2(int tf2) {
        return (flags2 & tf2) != 0;
    }

    /** The instant of the event in progress; outside of one, the clock's. */
    long now() {
        return (flags2 & TF2_INEVENT) != 0 ? act().nowNs : tcp.clock.nanoTime();
    }

    /** In fast recovery. @bsd IN_FASTRECOVERY */
    @Override
    public boolean inFastRecovery() {
        return (flags & TF_FASTRECOVERY) != 0;
    }

    /** @bsd IN_CONGRECOVERY */
    @Override
    public boolean inCongRecovery() {
        return (flags & TF_CONGRECOVERY) != 0;
    }

    /** @bsd IN_RECOVERY */
    public boolean inRecovery() {
        return (flags & (TF_FASTRECOVERY | TF_CONGRECOVERY)) != 0;
    }

    /** @bsd EXIT_RECOVERY */
    void exitRecovery() {
        flags &= ~(TF_FASTRECOVERY | TF_CONGRECOVERY);
    }

    /** Timestamps were agreed: every segment carries them. */
    boolean timestamps() {
        return (flags & TF_RCVD_TSTMP) != 0;
    }

    /** Our timestamp clock, ms. @bsd tcp_ts_getticks */
    int tsNow() {
        return (int) (now() / Tcp.NS_PER_MS) + tsOffset;
    }

    /** As netstat shows it. */
    @Override
    public String toString() {
        return inp + " " + state;
    }
}
