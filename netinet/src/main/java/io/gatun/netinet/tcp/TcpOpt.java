package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The options of one segment that is to be sent: which ones, their values, and how they are laid out. Their order and
 * padding are FreeBSD's: MSS, window scale, SACK permitted, timestamps, signature, SACK blocks, Fast Open. One that no
 * longer fits is left out, and its bit in {@link #flags} cleared.
 *
 * <p>Locking key: (t) owned by the thread that claimed it.
 *
 * @bsd struct tcpopt
 */
final class TcpOpt {
    /** Most SACK blocks: four fill the space when nothing else is there. @bsd TCP_MAX_SACK */
    static final int MAX_SACKS = 4;
    /** Longest cookie of a Fast Open option. @bsd TCP_FASTOPEN_MAX_COOKIE_LEN */
    static final int MAX_COOKIE = 16;
    private static final int SACK_HDR = 2;
    private static final int SACK_LEN = 8;
    private static final int NEVER = -1;
    /** What nearly every SYN has, and the octets it takes up. */
    private static final int USUAL_SYN = Seg.TOF_MSS | Seg.TOF_SCALE | Seg.TOF_SACKPERM | Seg.TOF_TS;

    /** TOF_* of {@link Seg}. */
    int flags;            // (t)
    int mss;              // (t)
    int wscale;           // (t)
    int tsval;            // (t)
    int tsecr;            // (t)
    /** SACK blocks in {@link #sacks}, the most recent first. */
    int nsacks;           // (t)
    /** Left and right edges by turns. */
    final int[] sacks = new int[2 * MAX_SACKS]; // (t)
    /** Octets of cookie in {@link #cookie}; 0 asks for one. */
    int cookieLen;        // (t)
    final byte[] cookie = new byte[MAX_COOKIE]; // (t)
    /** Where the signature's 16 octets stand, from the front of the options, once laid out. */
    int sigOff = NEVER;   // (t)

    private Mbuf out;     // (t) null while only counting
    private int base;     // (t)
    private int at;       // (t) octets laid out so far

    boolean has(int tof) {
        return (flags & tof) != 0;
    }

    /** Octets they take up, padding included. Clears the bits of those that do not fit. */
    int length() {
        if (flags == 0) {
            return 0;
        }
        if (flags == Seg.TOF_TS) {
            return TcpOptions.TCPOLEN_TSTAMP_APPA;
        }
        if (flags == USUAL_SYN) {
            return TcpOptions.TCPOLEN_USUAL_SYN;
        }
        return layOut(null, 0);
    }

    /** Writes them at an offset of m, whose room the caller has seen to; answers their length. @bsd tcp_addoptions */
    int addOptions(Mbuf m, int off) {
        if (flags == Seg.TOF_TS) {
            m.putLong(off, (long) TcpOptions.TS_PREFIX << 32 | tsval & 0xffff_ffffL);
            m.putInt(off + Long.BYTES, tsecr);
            return TcpOptions.TCPOLEN_TSTAMP_APPA;
        }
        if (flags == USUAL_SYN) {
            m.putLong(off, TcpOptions.SYN_FRONT | (long) (mss & 0xffff) << 32 | wscale & 0xff);
            m.putLong(off + Long.BYTES, TcpOptions.SYN_BACK | tsval & 0xffff_ffffL);
            m.putInt(off + 2 * Long.BYTES, tsecr);
            return TcpOptions.TCPOLEN_USUAL_SYN;
        }
        return flags == 0 ? 0 : layOut(m, off);
    }

    /** Sets {@link #cookieLen} octets of cookie, the first of them lowest. */
    void setCookie(long lo, long hi) {
        for (int i = 0; i < cookieLen; i++) {
            cookie[i] = (byte) ((i < Long.BYTES ? lo : hi) >>> Byte.SIZE * (i % Long.BYTES));
        }
    }

    private int layOut(Mbuf m, int off) {
        out = m;
        base = off;
        at = 0;
        if (has(Seg.TOF_MSS)) {
            kind(TcpOptions.TCPOPT_MAXSEG, TcpOptions.TCPOLEN_MAXSEG);
            put16(mss);
        }
        if (has(Seg.TOF_SCALE)) {
            pad(2, 1);
            kind(TcpOptions.TCPOPT_WINDOW, TcpOptions.TCPOLEN_WINDOW);
            put8(wscale);
        }
        if (has(Seg.TOF_SACKPERM)) {
            pad(2, 0);
            kind(TcpOptions.TCPOPT_SACK_PERMITTED, TcpOptions.TCPOLEN_SACK_PERMITTED);
        }
        if (has(Seg.TOF_TS)) {
            pad(4, 2);
            kind(TcpOptions.TCPOPT_TIMESTAMP, TcpOptions.TCPOLEN_TIMESTAMP);
            putInt(tsval);
            putInt(tsecr);
        }
        if (has(Seg.TOF_SIGNATURE)) {
            signature();
        }
        if (has(Seg.TOF_SACK)) {
            sack();
        }
        if (has(Seg.TOF_FASTOPEN)) {
            fastOpen();
        }
        while (at % 4 != 0) {
            put8(TcpOptions.TCPOPT_EOL);
        }
        out = null;
        return at;
    }

    /** The digest is left zero: it is taken over the finished segment. */
    private void signature() {
        final int from = at + (2 - at % 4 + 4) % 4;
        if (TcpHeader.TCP_MAXOLEN - from < TcpOptions.TCPOLEN_SIGNATURE) {
            flags &= ~Seg.TOF_SIGNATURE;
            return;
        }
        pad(4, 2);
        kind(TcpOptions.TCPOPT_SIGNATURE, TcpOptions.TCPOLEN_SIGNATURE);
        sigOff = at;
        for (int i = 0; i < (TcpOptions.TCPOLEN_SIGNATURE - 2) / Integer.BYTES; i++) {
            putInt(0);
        }
    }

    /** As many blocks as fit. */
    private void sack() {
        final int from = at + (2 - at % 4 + 4) % 4;
        final int n = Math.min(nsacks, (TcpHeader.TCP_MAXOLEN - from - SACK_HDR) / SACK_LEN);
        if (n <= 0) {
            flags &= ~Seg.TOF_SACK;
            return;
        }
        pad(4, 2);
        kind(TcpOptions.TCPOPT_SACK, SACK_HDR + n * SACK_LEN);
        for (int i = 0; i < 2 * n; i++) {
            putInt(sacks[i]);
        }
    }

    private void fastOpen() {
        final int len = TcpOptions.TCPOLEN_FAST_OPEN_EMPTY + cookieLen;
        if (TcpHeader.TCP_MAXOLEN - at < len) {
            flags &= ~Seg.TOF_FASTOPEN;
            return;
        }
        kind(TcpOptions.TCPOPT_FAST_OPEN, len);
        for (int i = 0; i < cookieLen; i++) {
            put8(cookie[i]);
        }
    }

    /** NOPs until the next octet stands at {@code rest} modulo {@code unit}. */
    private void pad(int unit, int rest) {
        while (at % unit != rest) {
            put8(TcpOptions.TCPOPT_NOP);
        }
    }

    private void kind(int opt, int len) {
        put8(opt);
        put8(len);
    }

    private void put8(int v) {
        if (out != null) {
            out.put8(base + at, v);
        }
        at++;
    }

    private void put16(int v) {
        put8(v >> 8);
        put8(v);
    }

    private void putInt(int v) {
        if (out != null) {
            out.putInt(base + at, v);
        }
        at += Integer.BYTES;
    }
}
