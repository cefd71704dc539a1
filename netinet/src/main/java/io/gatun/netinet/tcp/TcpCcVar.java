package io.gatun.netinet.tcp;

import io.gatun.netinet.tcp.cc.CcVar;

/** A connection as its congestion control sees it. Called with the pcb's lock held. @bsd struct cc_var */
final class TcpCcVar implements CcVar {
    private final Tcpcb tp;
    int bytesThisAck; // (i)
    int nsegs = 1;    // (i)
    boolean ecnCe;    // (i) of the segment in progress, as the next
    int ecnMarked;    // (i) packets that it says were marked

    TcpCcVar(Tcpcb tp) {
        this.tp = tp;
    }

    @Override
    public Object ccData() {
        return tp.ccData;
    }

    @Override
    public void setCcData(Object data) {
        tp.ccData = data;
    }

    @Override
    public int cwnd() {
        return tp.sndCwnd;
    }

    @Override
    public void setCwnd(int octets) {
        tp.sndCwnd = octets;
    }

    @Override
    public int ssthresh() {
        return tp.sndSsthresh;
    }

    @Override
    public void setSsthresh(int octets) {
        tp.sndSsthresh = octets;
    }

    @Override
    public int sndWnd() {
        return tp.sndWnd;
    }

    @Override
    public int pipe() {
        return tp.sndMax - tp.sndUna;
    }

    @Override
    public int maxseg() {
        return tp.segData;
    }

    @Override
    @SuppressWarnings("GuardedBy") // the hooks run under the lock, as the interface says
    public int initwnd() {
        return TcpMss.initialWindow(tp);
    }

    @Override
    public int bytesThisAck() {
        return bytesThisAck;
    }

    @Override
    public int nsegs() {
        return nsegs;
    }

    @Override
    public boolean cwndLimited() {
        return tp.has2(Tcpcb.TF2_CWND_LIMITED);
    }

    @Override
    public boolean abcSentAWnd() {
        final boolean sent = tp.has2(Tcpcb.TF2_ABC_SENTAWND);
        tp.flags2 &= ~Tcpcb.TF2_ABC_SENTAWND;
        return sent;
    }

    @Override
    public boolean inFastRecovery() {
        return tp.inFastRecovery();
    }

    @Override
    public boolean inCongRecovery() {
        return tp.inCongRecovery();
    }

    @Override
    public void enterRecovery() {
        tp.flags |= Tcpcb.TF_FASTRECOVERY | Tcpcb.TF_CONGRECOVERY;
    }

    @Override
    public void enterCongRecovery() {
        tp.flags |= Tcpcb.TF_CONGRECOVERY;
    }

    @Override
    public int rxtshift() {
        return tp.rxtshift;
    }

    @Override
    public boolean byteCounting() {
        return tp.tcp.sysctl.rfc3465.getBool();
    }

    @Override
    public int abcLVar() {
        return tp.tcp.sysctl.abcLVar.getInt();
    }

    @Override
    public boolean ecn() {
        return tp.has2(Tcpcb.TF2_ECN_PERMIT);
    }

    @Override
    public boolean ecnCe() {
        return ecnCe;
    }

    @Override
    public int ecnMarkedBytes() {
        if (ecnMarked == 0) {
            return 0;
        }
        return tp.has2(Tcpcb.TF2_ACE_PERMIT) ? (int) Math.min((long) ecnMarked * tp.segData, bytesThisAck)
            : bytesThisAck;
    }

    @Override
    @SuppressWarnings("GuardedBy") // the hooks run under the lock, as the interface says
    public void ecnEcho(boolean was, boolean is) {
        TcpEcn.echo(tp, was, is);
    }

    @Override
    public void ecnUseEct1() {
        tp.flags2 |= Tcpcb.TF2_ECN_USE_ECT1;
    }

    @Override
    public long srttNs() {
        return tp.srttNs;
    }

    @Override
    public long nowNs() {
        return tp.now();
    }
}
