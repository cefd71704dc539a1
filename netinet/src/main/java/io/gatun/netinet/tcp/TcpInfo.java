package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * A connection at one moment, for TCP_INFO. Sizes are octets, times ns.
 *
 * @param state where it stands
 * @param options whether timestamps, SACK, window scaling and ECN are in use, as TCPI_OPT_* bits
 * @param sndWscale shift of the peer's windows
 * @param rcvWscale shift of ours
 * @param rtoNs retransmit timeout
 * @param sndMss payload of a full segment
 * @param sinceRcvNs since the last segment came
 * @param rttNs smoothed round trip
 * @param rttvarNs its mean deviation
 * @param rttMinNs shortest round trip
 * @param sndSsthresh slow start threshold
 * @param sndCwnd congestion window
 * @param rcvSpace receive window
 * @param sndWnd the peer's window
 * @param inFlight sent and not acknowledged
 * @param sndNxt next to send
 * @param rcvNxt next expected
 * @param retransmits timeouts in a row
 * @param sndRexmitpack segments sent again
 * @param rcvOoopack segments that came out of order
 * @param sndZerowin times the peer's window was found shut
 * @param dupacks duplicate acknowledgments in a row
 * @param congestion the congestion control algorithm
 * @param rcvMss payload that the peer may send in a segment, as far as agreed
 * @param sndUna oldest unacknowledged
 * @param sndMax highest sent, plus one
 * @param rcvNumsacks runs that wait for what is missing before them
 * @param rcvAdv right edge of the window told to the peer
 * @param deliveredCe our packets that arrived marked, as the peer tells
 * @param receivedCe the peer's packets that arrived marked
 * @param totalTlp tail loss probes sent
 * @param totalTlpBytes octets in them
 * @param maxunacktimeNs longest time without progress, 0 for any
 * @bsd struct tcp_info
 */
public record TcpInfo(
    TcpState state, int options, int sndWscale, int rcvWscale, long rtoNs, int sndMss, long sinceRcvNs, long rttNs,
    long rttvarNs, long rttMinNs, int sndSsthresh, int sndCwnd, int rcvSpace, int sndWnd, int inFlight, int sndNxt,
    int rcvNxt, int retransmits, int sndRexmitpack, int rcvOoopack, int sndZerowin, int dupacks, String congestion,
    int rcvMss, int sndUna, int sndMax, int rcvNumsacks, int rcvAdv, int deliveredCe, int receivedCe, int totalTlp,
    int totalTlpBytes, long maxunacktimeNs) {
    public static final int TCPI_OPT_TIMESTAMPS = 0x1;
    public static final int TCPI_OPT_SACK = 0x2;
    public static final int TCPI_OPT_WSCALE = 0x4;
    public static final int TCPI_OPT_ECN = 0x8;
    public static final int TCPI_OPT_TFO = 0x20;
    public static final int TCPI_OPT_ACE = 0x40;

    /** As it stands. @bsd tcp_fill_info */
    @GuardedBy("tp.inp.lock")
    public static TcpInfo of(Tcpcb tp) {
        final boolean ts = tp.timestamps();
        final boolean ws = tp.has(Tcpcb.TF_RCVD_SCALE);
        final int opts = (ts ? TCPI_OPT_TIMESTAMPS : 0) | (ws ? TCPI_OPT_WSCALE : 0)
            | (tp.has(Tcpcb.TF_SACK_PERMIT) ? TCPI_OPT_SACK : 0)
            | (tp.has(Tcpcb.TF_FASTOPEN) ? TCPI_OPT_TFO : 0)
            | (tp.has2(Tcpcb.TF2_ACE_PERMIT) ? TCPI_OPT_ACE : tp.has2(Tcpcb.TF2_ECN_PERMIT) ? TCPI_OPT_ECN : 0);
        final int past = tp.inp.so == null ? 0 : TcpFusion.octets(tp.inp.so.snd().fusion());
        final int into = tp.inp.so == null ? 0 : TcpFusion.octets(tp.inp.so.rcv().fusion());
        final int space = tp.inp.so == null ? 0 : Math.max(tp.inp.so.rcv().space(), 0);
        final long silence = tp.state.after(TcpState.LISTEN) ? tp.now() - tp.rcvtimeNs : 0;
        return new TcpInfo(tp.state, opts, tp.sndScale, tp.rcvScale, tp.rxtcurNs, tp.segData,
            silence, tp.srttNs, tp.rttvarNs, tp.rttbestNs, tp.sndSsthresh, tp.sndCwnd, space,
            tp.sndWnd, tp.sndMax - tp.sndUna, tp.sndNxt + past, tp.rcvNxt + into, tp.rxtshift, tp.sndRexmitpack,
            tp.rcvOoopack, tp.sndZerowin, tp.act().dupacks, tp.cc.name(), tp.maxseg, tp.sndUna + past,
            tp.sndMax + past, tp.act().segqCnt, tp.rcvAdv + into, tp.scep, tp.rcep, tp.tlpCnt, tp.tlpOctets,
            TcpTimers.maxunacktime(tp));
    }
}
