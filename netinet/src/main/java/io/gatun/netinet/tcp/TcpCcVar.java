package io.gatun.netinet.tcp;

import io.gatun.netinet.tcp.cc.CcVar;

/** A connection as its congestion control sees it. Called with the pcb's lock held. @bsd struct cc_var */
abstract sealed class TcpCcVar implements CcVar permits Tcpcb {
    private Tcpcb tp() {
        return (Tcpcb) this;
    }

    /** An acknowledgment of so many octets, by so many segments merged into one. */
    final void setAcked(int octets, int segs) {
        final TcpActivity act = tp().act();
        act.bytesThisAck = octets;
        act.nsegs = (short) segs;
    }

    @Override
    public final Object ccData() {
        return tp().ccData;
    }

    @Override
    public final void setCcData(Object data) {
        tp().ccData = data;
    }

    @Override
    public final int cwnd() {
        return tp().sndCwnd;
    }

    @Override
    public final void setCwnd(int octets) {
        tp().sndCwnd = octets;
    }

    @Override
    public final int ssthresh() {
        return tp().sndSsthresh;
    }

    @Override
    public final void setSsthresh(int octets) {
        tp().sndSsthresh = octets;
    }

    @Override
    public final int sndWnd() {
        return tp().sndWnd;
    }

    @Override
    public final int pipe() {
        return tp().sndMax - tp().sndUna;
    }

    @Override
    public final int maxseg() {
        return tp().segData;
    }

    @Override
    @SuppressWarnings("GuardedBy") // the hooks run under the lock, as the interface says
    public final int initwnd() {
        return TcpMss.initialWindow(tp());
    }

    @Override
    public final int bytesThisAck() {
        return tp().act().bytesThisAck;
    }

    @Override
    public final int nsegs() {
        return Math.max(tp().act().nsegs, 1);
    }

    @Override
    public final boolean cwndLimited() {
        return tp().has2(Tcpcb.TF2_CWND_LIMITED);
    }

    @Override
    public final boolean abcSentAWnd() {
        final boolean sent = tp().has2(Tcpcb.TF2_ABC_SENTAWND);
        tp().flags2 &= ~Tcpcb.TF2_ABC_SENTAWND;
        return sent;
    }

    @Override
    public final void enterRecovery() {
        tp().flags |= Tcpcb.TF_FASTRECOVERY | Tcpcb.TF_CONGRECOVERY;
    }

    @Override
    public final void enterCongRecovery() {
        tp().flags |= Tcpcb.TF_CONGRECOVERY;
    }

    @Override
    public final int rxtshift() {
        return tp().rxtshift;
    }

    @Override
    public final boolean byteCounting() {
        return tp().tcp.sysctl.rfc3465.getBool();
    }

    @Override
    public final int abcLVar() {
        return tp().tcp.sysctl.abcLVar.getInt();
    }

    @Override
    public final boolean ecn() {
        return tp().has2(Tcpcb.TF2_ECN_PERMIT);
    }

    @Override
    public final boolean ecnCe() {
        return tp().act().ecnCe;
    }

    @Override
    public final int ecnMarkedBytes() {
        final TcpActivity act = tp().act();
        if (act.ecnMarked == 0) {
            return 0;
        }
        final long most = tp().has2(Tcpcb.TF2_ACE_PERMIT) ? (long) act.ecnMarked * tp().segData : Long.MAX_VALUE;
        return (int) Math.min(most, act.bytesThisAck);
    }

    @Override
    @SuppressWarnings("GuardedBy") // the hooks run under the lock, as the interface says
    public final void ecnEcho(boolean was, boolean is) {
        TcpEcn.echo(tp(), was, is);
    }

    @Override
    public final void ecnUseEct1() {
        tp().flags2 |= Tcpcb.TF2_ECN_USE_ECT1;
    }

    @Override
    public final long srttNs() {
        return tp().srttNs;
    }

    @Override
    public final long nowNs() {
        return tp().now();
    }
}
