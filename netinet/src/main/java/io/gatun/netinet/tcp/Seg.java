package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;

/**
 * One segment, decoded: the SEG.* variables of RFC 9293 in host order, its options, and the mbuf chain it came in.
 * Claimed from {@link Tcp} for the time of one input and reused.
 *
 * <p>A step that passes the chain on sets {@link #m} to null; what is still there at the end is freed once, by {@link
 * TcpInput}.
 *
 * <p>Locking key: (t) owned by the thread that claimed it.
 */
final class Seg {
    /** Option present: MSS. @bsd TOF_MSS */
    static final int TOF_MSS = 0x1;
    /** Option present: window scale. @bsd TOF_SCALE */
    static final int TOF_SCALE = 0x2;
    /** Option present: SACK permitted. @bsd TOF_SACKPERM */
    static final int TOF_SACKPERM = 0x4;
    /** Option present: timestamps. @bsd TOF_TS */
    static final int TOF_TS = 0x10;
    /** Option present: signature. @bsd TOF_SIGNATURE */
    static final int TOF_SIGNATURE = 0x40;
    /** Option present: SACK blocks. @bsd TOF_SACK */
    static final int TOF_SACK = 0x80;
    /** Option present: Fast Open. @bsd TOF_FASTOPEN */
    static final int TOF_FASTOPEN = 0x100;

    /** The chain, IP header first, until it is passed on. */
    Mbuf m;              // (t)
    /** Offset of the TCP header. */
    int th;              // (t)
    /** Octets of IP and TCP header in front of the payload. */
    int hdrlen;          // (t)
    int seq;             // (t) SEG.SEQ
    int ack;             // (t) SEG.ACK
    /** Octets of payload; the part inside the window once trimmed. */
    int len;             // (t) SEG.LEN without SYN and FIN
    /** The window field as it stands. */
    int rawWin;          // (t)
    /** The window, scaled once the connection is known. @bsd tiwin */
    int win;             // (t) SEG.WND
    int urp;             // (t) SEG.UP
    /** TH_* still to be dealt with; steps clear them. */
    int flags;           // (t)
    /** TH_* as received. */
    int thflags;         // (t)
    int sport;           // (t) the peer's
    int dport;           // (t) ours
    /** Both addresses are IPv6. */
    boolean v6;          // (t)
    long srcHi;          // (t) the peer's address; IPv6 with the zone put in
    long srcLo;          // (t)
    long dstHi;          // (t) our address
    long dstLo;          // (t)
    /** The peer's UDP port when it came encapsulated; 0 plain. */
    int port;            // (t)
    int tos;             // (t)
    int ttl;             // (t)
    int fib;             // (t) routing table of the way back
    int rcvdSeq;         // (t) SEG.SEQ before trimming
    int rcvdLen;         // (t) octets of payload before trimming
    int linkFlags;       // (t) M_BCAST, M_MCAST of the chain
    /** Segments merged on the way up, 1 when none were. */
    int nsegs;           // (t)
    /** Arrival, ns of the vnet's clock. */
    long nowNs;          // (t)

    int optFlags;        // (t) TOF_*
    int mss;             // (t)
    int wscale;          // (t)
    int tsval;           // (t)
    int tsecr;           // (t)
    int nsacks;          // (t) SACK blocks
    int sackOff;         // (t) offset of the first block from the front of m
    int sigOff;          // (t) offset of the signature
    int cookieOff;       // (t) offset of the Fast Open cookie
    int cookieLen;       // (t) its octets
    /** What that cookie is worth at a listener: one of {@link TcpFastopenKeys}. */
    int fastopen;        // (t)

    /** Whether output is wanted when all is done. @bsd needoutput */
    boolean needOutput;  // (t)
    /** Whether this segment acknowledged our FIN. @bsd ourfinisacked */
    boolean ourFinIsAcked; // (t)
    /** Some of its text was here already, which is noted. */
    boolean duplicate;   // (t)
    /** The urgent octet was taken out of the chain, which is one shorter than {@link #len} says. */
    boolean urgentOut;   // (t)
    /** The sequence number of that octet. */
    int urgentSeq;       // (t)
    /** An ACK sent for it may be withheld by the limit of RFC 5961. */
    boolean challenge;   // (t)
    DropReason reason;   // (t) why it is dropped
    /** The connection that this segment completed at a listener. */
    Tcpcb made;          // (t)

    Seg() {
        // filled by TcpInput
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    boolean hasOpt(int tof) {
        return (optFlags & tof) != 0;
    }

    /** Whether it came as a link broadcast or multicast. */
    boolean link(int mflags) {
        return (linkFlags & mflags) != 0;
    }

    /** Sequence numbers it takes up: payload, SYN and FIN. */
    int span() {
        return len + (has(TcpHeader.TH_SYN) ? 1 : 0) + (has(TcpHeader.TH_FIN) ? 1 : 0);
    }

    Verdict drop(DropReason why) {
        reason = why;
        return Verdict.DROP;
    }

    Verdict dropAfterAck(DropReason why) {
        reason = why;
        return Verdict.DROP_AFTER_ACK;
    }

    Verdict dropWithReset(DropReason why) {
        reason = why;
        return Verdict.DROP_WITH_RESET;
    }

    /** A challenge ACK of RFC 5961: subject to its limits. */
    Verdict challenge(DropReason why) {
        reason = why;
        challenge = true;
        return Verdict.DROP_AFTER_ACK;
    }

    /** The chain is somebody else's from here on. */
    Mbuf take() {
        final Mbuf taken = m;
        m = null;
        return taken;
    }

    void reset() {
        m = null;
        optFlags = 0;
        port = 0;
        nsacks = 0;
        nsegs = 1;
        needOutput = false;
        ourFinIsAcked = false;
        challenge = false;
        made = null;
        urgentOut = false;
        duplicate = false;
        reason = DropReason.OTHER;
    }
}
