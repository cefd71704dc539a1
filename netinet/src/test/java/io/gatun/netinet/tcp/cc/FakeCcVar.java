package io.gatun.netinet.tcp.cc;

/** A connection made of numbers. */
final class FakeCcVar implements CcVar {
    int cwnd;
    boolean cwndLimited = true;
    int ssthresh = Cubic.MAX_CWND;
    int pipe;
    int bytesThisAck;
    int rxtshift;
    long srttNs;
    boolean ecn;
    boolean ce;
    boolean ect1;
    int markedBytes;
    final StringBuilder echoes = new StringBuilder();
    long nowNs = 1_000_000_000L;
    private final int mss;
    private Object data;
    private boolean recovery;
    private boolean congRecovery;

    FakeCcVar(final CcAlgo algo, final int mss) {
        this.mss = mss;
        cwnd = 10 * mss;
        data = algo.cbInit(this);
    }

    void leaveRecovery() {
        recovery = false;
        congRecovery = false;
    }

    @Override
    public Object ccData() {
        return data;
    }

    @Override
    public void setCcData(final Object changed) {
        data = changed;
    }

    @Override
    public int cwnd() {
        return cwnd;
    }

    @Override
    public void setCwnd(final int octets) {
        cwnd = octets;
    }

    @Override
    public int ssthresh() {
        return ssthresh;
    }

    @Override
    public void setSsthresh(final int octets) {
        ssthresh = octets;
    }

    @Override
    public int sndWnd() {
        return Cubic.MAX_CWND;
    }

    @Override
    public int pipe() {
        return pipe;
    }

    @Override
    public int maxseg() {
        return mss;
    }

    @Override
    public int initwnd() {
        return 10 * mss;
    }

    @Override
    public int bytesThisAck() {
        return bytesThisAck;
    }

    @Override
    public int nsegs() {
        return 1;
    }

    @Override
    public boolean cwndLimited() {
        return cwndLimited;
    }

    @Override
    public boolean abcSentAWnd() {
        return false;
    }

    @Override
    public boolean inFastRecovery() {
        return recovery;
    }

    @Override
    public boolean inCongRecovery() {
        return congRecovery;
    }

    @Override
    public void enterRecovery() {
        recovery = true;
        congRecovery = true;
    }

    @Override
    public void enterCongRecovery() {
        congRecovery = true;
    }

    @Override
    public int rxtshift() {
        return rxtshift;
    }

    @Override
    public boolean byteCounting() {
        return true;
    }

    @Override
    public int abcLVar() {
        return 2;
    }

    @Override
    public boolean ecn() {
        return ecn;
    }

    @Override
    public boolean ecnCe() {
        return ce;
    }

    @Override
    public int ecnMarkedBytes() {
        return markedBytes;
    }

    @Override
    public void ecnEcho(final boolean was, final boolean is) {
        echoes.append(was ? '1' : '0').append(is ? '1' : '0').append(' ');
    }

    @Override
    public void ecnUseEct1() {
        ect1 = true;
    }

    @Override
    public long srttNs() {
        return srttNs;
    }

    @Override
    public long nowNs() {
        return nowNs;
    }
}
