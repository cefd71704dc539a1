package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;

/** Reads the options of a segment into {@link Seg}, and chooses those of a segment to be sent. */
final class TcpOptions {
    /** NOP, NOP, kind 8, length 10: the layout of RFC 7323 appendix A. */
    static final int TS_PREFIX = 0x0101080a;
    /** Octets of the timestamps option with its padding. @bsd TCPOLEN_TSTAMP_APPA */
    static final int TCPOLEN_TSTAMP_APPA = 12;
    /**
     * The layout of a SYN's usual options, octets 0 to 7 without their values: MSS, NOP and window scale.
     */
    static final long SYN_FRONT = 0x02040000_01030300L;
    /** Octets 8 to 15: SACK permitted, timestamps. */
    static final long SYN_BACK = 0x0402080a_00000000L;
    /** Octets of such options. */
    static final int TCPOLEN_USUAL_SYN = 20;
    private static final long SYN_FRONT_MASK = 0xffff0000_ffffff00L;
    static final int TCPOLEN_MAXSEG = 4;
    static final int TCPOLEN_WINDOW = 3;

    static final int TCPOPT_EOL = 0;
    static final int TCPOPT_NOP = 1;
    static final int TCPOPT_MAXSEG = 2;
    static final int TCPOPT_WINDOW = 3;
    static final int TCPOPT_SACK_PERMITTED = 4;
    static final int TCPOPT_SACK = 5;
    static final int TCPOPT_TIMESTAMP = 8;
    static final int TCPOPT_SIGNATURE = 19;
    static final int TCPOPT_FAST_OPEN = 34;

    static final int TCPOLEN_SACK_PERMITTED = 2;
    static final int TCPOLEN_TIMESTAMP = 10;
    static final int TCPOLEN_SIGNATURE = 18;
    /** Octets of a signature with its padding. */
    static final int TCPOLEN_SIGNATURE_APPA = 20;
    static final int TCPOLEN_FAST_OPEN_EMPTY = 2;
    private static final int TCPOLEN_SACK = 8;

    private TcpOptions() {
    }

    /**
     * Parses what stands between header and payload. An option whose length does not fit ends the parse (RFC 9293
     * MUST-7); an unknown one, or one of a wrong length, is passed over (MUST-6).
     *
     * @return false when the options are malformed; what came before counts
     * @bsd tcp_dooptions
     */
    static boolean doOptions(Seg seg) {
        final Mbuf m = seg.m;
        int at = seg.th + TcpHeader.SIZE;
        final int end = seg.hdrlen;
        seg.optFlags = 0;
        if (end - at == TCPOLEN_TSTAMP_APPA && m.getInt(at) == TS_PREFIX) {
            timestamps(seg, m, at + 2);
            return true;
        }
        if (end - at == TCPOLEN_USUAL_SYN && seg.has(TcpHeader.TH_SYN) && usualSyn(seg, m, at)) {
            return true;
        }
        while (at < end) {
            final int opt = m.getU8(at);
            if (opt == TCPOPT_EOL) {
                return true;
            }
            if (opt == TCPOPT_NOP) {
                at++;
                continue;
            }
            if (end - at < 2) {
                return false;
            }
            final int optlen = m.getU8(at + 1);
            if (optlen < 2 || optlen > end - at) {
                return false;
            }
            one(seg, m, at, opt, optlen);
            at += optlen;
        }
        return true;
    }

    /** The options that nearly every SYN has, in FreeBSD's order; false, and nothing done, for any others. */
    private static boolean usualSyn(Seg seg, Mbuf m, int at) {
        final long front = m.getLong(at);
        final long back = m.getLong(at + Long.BYTES);
        if ((front & SYN_FRONT_MASK) != SYN_FRONT || back >>> 32 != SYN_BACK >>> 32) {
            return false;
        }
        seg.optFlags = Seg.TOF_MSS | Seg.TOF_SCALE | Seg.TOF_SACKPERM | Seg.TOF_TS;
        seg.mss = (int) (front >>> 32) & 0xffff;
        seg.wscale = Math.min((int) front & 0xff, TcpHeader.TCP_MAX_WINSHIFT);
        seg.tsval = (int) back;
        seg.tsecr = m.getInt(at + 2 * Long.BYTES);
        return true;
    }

    private static void one(Seg seg, Mbuf m, int at, int opt, int optlen) {
        final boolean syn = seg.has(TcpHeader.TH_SYN);
        switch (opt) {
            case TCPOPT_MAXSEG -> {
                if (optlen == TCPOLEN_MAXSEG && syn) {
                    seg.optFlags |= Seg.TOF_MSS;
                    seg.mss = m.getU16(at + 2);
                }
            }
            case TCPOPT_WINDOW -> {
                if (optlen == TCPOLEN_WINDOW && syn) {
                    seg.optFlags |= Seg.TOF_SCALE;
                    seg.wscale = Math.min(m.getU8(at + 2), TcpHeader.TCP_MAX_WINSHIFT);
                }
            }
            case TCPOPT_TIMESTAMP -> {
                if (optlen == TCPOLEN_TIMESTAMP) {
                    timestamps(seg, m, at);
                }
            }
            case TCPOPT_SACK_PERMITTED -> {
                if (optlen == TCPOLEN_SACK_PERMITTED && syn) {
                    seg.optFlags |= Seg.TOF_SACKPERM;
                }
            }
            case TCPOPT_SACK -> {
                if (optlen > 2 && (optlen - 2) % TCPOLEN_SACK == 0 && !syn) {
                    seg.optFlags |= Seg.TOF_SACK;
                    seg.nsacks = (optlen - 2) / TCPOLEN_SACK;
                    seg.sackOff = at + 2;
                }
            }
            case TCPOPT_SIGNATURE -> {
                if (optlen == TCPOLEN_SIGNATURE) {
                    seg.optFlags |= Seg.TOF_SIGNATURE;
                    seg.sigOff = at + 2;
                }
            }
            case TCPOPT_FAST_OPEN -> {
                if (syn) {
                    seg.optFlags |= Seg.TOF_FASTOPEN;
                    seg.cookieLen = optlen - TCPOLEN_FAST_OPEN_EMPTY;
                    seg.cookieOff = at + 2;
                }
            }
            default -> { }
        }
    }

    /**
     * Chooses the options of a segment with these flags into {@code to}, and answers their length.
     *
     * @bsd tcp_output
     */
    @GuardedBy("tp.inp.lock")
    static int choose(Tcpcb tp, int flags, TcpOpt to) {
        to.flags = 0;
        if (tp.has(Tcpcb.TF_NOOPT)) {
            return 0;
        }
        final boolean syn = (flags & TcpHeader.TH_SYN) != 0;
        if (syn) {
            syn(tp, to);
        }
        if (tp.has(Tcpcb.TF_RCVD_TSTMP) || syn && tp.has(Tcpcb.TF_REQ_TSTMP)) {
            to.flags |= Seg.TOF_TS; // RFC 7323 3.2: in a RST too
            to.tsval = tp.tsNow();
            to.tsecr = tp.tsRecent;
        }
        if (tp.has(Tcpcb.TF_SIGNATURE)) {
            to.flags |= Seg.TOF_SIGNATURE;
        }
        if (tp.act().segq != null || tp.act().dsackStart != tp.act().dsackEnd) {
            TcpSack.blocks(tp, flags, to);
        }
        return to.length();
    }

    @GuardedBy("tp.inp.lock")
    private static void syn(Tcpcb tp, TcpOpt to) {
        to.flags = Seg.TOF_MSS;
        to.mss = TcpMss.mssOpt(tp);
        if (tp.has(Tcpcb.TF_REQ_SCALE)) {
            to.flags |= Seg.TOF_SCALE;
            to.wscale = tp.requestRScale;
        }
        if (tp.has(Tcpcb.TF_SACK_PERMIT)) {
            to.flags |= Seg.TOF_SACKPERM;
        }
        TcpFastopen.option(tp, to);
    }

    private static void timestamps(Seg seg, Mbuf m, int at) {
        seg.optFlags |= Seg.TOF_TS;
        seg.tsval = m.getInt(at + 2);
        seg.tsecr = m.getInt(at + 2 + Integer.BYTES);
    }
}
