package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Signatures of segments by RFC 2385: MD5 over a pseudo-header, the TCP header without its options and with a checksum
 * of zero, the text, and a key of the {@link Sadb}. A connection signs and demands signatures when TCP_MD5SIG is set.
 *
 * <p>Locking key: (a) atomic.
 *
 * @bsd xform_tcp.c
 */
final class TcpMd5 {
    /** @bsd TCP_SIGLEN */
    private static final int SIGLEN = 16;
    private static final int CHUNK = 2048;
    private static final int CHECKSUM_AT = 16;

    /** What a computation needs. Used by one thread at a time. */
    private static final class Work {
        final MessageDigest md5;
        final byte[] octets = new byte[CHUNK];
        final byte[] digest = new byte[SIGLEN];

        Work() {
            try {
                md5 = MessageDigest.getInstance("MD5");
            } catch (final NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has MD5", e);
            }
        }
    }

    final Sadb sadb = new Sadb();
    private final Counter rcvgoodsig;
    private final Counter rcvbadsig;
    private final Counter errBuildsig;
    private final Counter errSigopt;
    private final Counter errNosigopt;
    private final AtomicReference<Work> spare = new AtomicReference<>(); // (a)

    TcpMd5(Tcp tcp) {
        rcvgoodsig = tcp.vnet.counters().counter("tcp.sig_rcvgoodsig");
        rcvbadsig = tcp.vnet.counters().counter("tcp.sig_rcvbadsig");
        errBuildsig = tcp.vnet.counters().counter("tcp.sig_err_buildsig");
        errSigopt = tcp.vnet.counters().counter("tcp.sig_err_sigopt");
        errNosigopt = tcp.vnet.counters().counter("tcp.sig_err_nosigopt");
        tcp.vnet.provide(Sadb.class, sadb);
    }

    // ---- in ------------------------------------------------------------

    /** A segment for a connection: NEXT when it is signed as that demands, otherwise DROP. Other states than LISTEN. */
    @GuardedBy("tp.inp.lock")
    Verdict arrives(Tcpcb tp, Seg seg) {
        return tp.has(Tcpcb.TF_SIGNATURE) ? demand(seg) : Verdict.NEXT;
    }

    /** It has to be signed, and well. */
    Verdict demand(Seg seg) {
        if (!seg.hasOpt(Seg.TOF_SIGNATURE)) {
            errNosigopt.increment();
            return seg.drop(DropReason.TCP_BADSIG);
        }
        return valid(seg) ? Verdict.NEXT : seg.drop(DropReason.TCP_BADSIG);
    }

    /**
     * A segment that begins a connection at a listener, or is said to: with TCP_MD5SIG a signature has to be right, and
     * only peers without a key may do without; without it none is taken.
     *
     * @bsd syncache_add
     */
    @GuardedBy("lp.inp.lock")
    Verdict begins(Tcpcb lp, Seg seg) {
        final boolean is = seg.hasOpt(Seg.TOF_SIGNATURE);
        if (!lp.has(Tcpcb.TF_SIGNATURE)) {
            if (is) {
                errSigopt.increment();
            }
            return is ? seg.drop(DropReason.TCP_BADSIG) : Verdict.NEXT;
        }
        return is || sa(seg) != null ? demand(seg) : Verdict.NEXT;
    }

    private Sadb.Sa sa(Seg seg) {
        return sadb.find(seg.v6, seg.srcHi, seg.srcLo, seg.dstHi, seg.dstLo);
    }

    /** @bsd tcp_ipsec_input */
    private boolean valid(Seg seg) {
        final Sadb.Sa sa = sa(seg);
        if (sa == null) {
            errBuildsig.increment();
            return false;
        }
        final Work w = claim();
        final Mbuf m = seg.m;
        compute(w, m, seg.th, sa.key);
        int differ = 0;
        for (int i = 0; i < SIGLEN; i++) {
            differ |= w.digest[i] & 0xff ^ m.getU8(seg.sigOff + i);
        }
        spare.setRelease(w);
        (differ == 0 ? rcvgoodsig : rcvbadsig).increment();
        return differ == 0;
    }

    // ---- out ------------------------------------------------------------

    /**
     * Fills in the signature of a segment that is about to be sent.
     *
     * @param th offset of the TCP header
     * @param to its options, laid out
     * @return false when there is no key: then it must not go
     * @bsd tcp_ipsec_output
     */
    boolean sign(Mbuf m, int th, TcpOpt to) {
        final boolean v6 = IpHeader.version(m, 0) != IpHeader.IPVERSION;
        final Sadb.Sa sa = v6
            ? sadb.find(true, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), Ip6Header.dstHi(m, 0),
                Ip6Header.dstLo(m, 0))
            : sadb.find(false, 0, IpHeader.src(m, 0) & 0xffff_ffffL, 0, IpHeader.dst(m, 0) & 0xffff_ffffL);
        if (sa == null) {
            errBuildsig.increment();
            return false;
        }
        final Work w = claim();
        compute(w, m, th, sa.key);
        for (int i = 0; i < SIGLEN; i++) {
            m.put8(th + TcpHeader.SIZE + to.sigOff + i, w.digest[i]);
        }
        spare.setRelease(w);
        return true;
    }

    private Work claim() {
        final Work w = spare.getAndSet(null);
        return w == null ? new Work() : w;
    }

    /** The digest of a packet whose headers are contiguous. @bsd tcp_signature_compute */
    private static void compute(Work w, Mbuf m, int th, byte[] key) {
        final int tcplen = m.pktLen() - th;
        final byte[] b = w.octets;
        int n = pseudo(m, b, tcplen);
        m.copyData(th, TcpHeader.SIZE, b, n);
        b[n + CHECKSUM_AT] = 0;
        b[n + CHECKSUM_AT + 1] = 0;
        w.md5.update(b, 0, n + TcpHeader.SIZE);
        int at = th + TcpHeader.hlen(m, th);
        while (at < m.pktLen()) {
            n = Math.min(m.pktLen() - at, CHUNK);
            m.copyData(at, n, b, 0);
            w.md5.update(b, 0, n);
            at += n;
        }
        w.md5.update(key, 0, key.length);
        try {
            w.md5.digest(w.digest, 0, SIGLEN);
        } catch (final DigestException e) {
            throw new IllegalStateException("a digest of MD5 has 16 octets", e);
        }
    }

    /** The pseudo-header, zones of addresses left out; its length. */
    private static int pseudo(Mbuf m, byte[] b, int tcplen) {
        if (IpHeader.version(m, 0) == IpHeader.IPVERSION) {
            put(b, 0, (long) IpHeader.src(m, 0) << Integer.SIZE | IpHeader.dst(m, 0) & 0xffff_ffffL);
            put(b, Long.BYTES, ((long) InDefs.IPPROTO_TCP << Short.SIZE | tcplen) << Integer.SIZE);
            return Long.BYTES + Integer.BYTES;
        }
        put(b, 0, In6.clear(Ip6Header.srcHi(m, 0)));
        put(b, Long.BYTES, Ip6Header.srcLo(m, 0));
        put(b, 2 * Long.BYTES, In6.clear(Ip6Header.dstHi(m, 0)));
        put(b, 3 * Long.BYTES, Ip6Header.dstLo(m, 0));
        put(b, 4 * Long.BYTES, (long) tcplen << Integer.SIZE | InDefs.IPPROTO_TCP);
        return 5 * Long.BYTES;
    }

    private static void put(byte[] b, int at, long v) {
        for (int i = 0; i < Long.BYTES; i++) {
            b[at + i] = (byte) (v >>> Byte.SIZE * (Long.BYTES - 1 - i));
        }
    }
}
