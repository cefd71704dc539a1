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
public final class Seg {
    /** Option present: MSS. @bsd TOF_MSS */
    public static final int TOF_MSS = 0x1;
    /** Option present: window scale. @bsd TOF_SCALE */
    public static final int TOF_SCALE = 0x2;
    /** Option present: SACK permitted. @bsd TOF_SACKPERM */
    public static final int TOF_SACKPERM = 0x4;
    /** Option present: timestamps. @bsd TOF_TS */
    public static final int TOF_TS = 0x10;
    /** Option present: signature. @bsd TOF_SIGNATURE */
    public static final int TOF_SIGNATURE = 0x40;
    /** Option present: SACK blocks. @bsd TOF_SACK */
    public static final int TOF_SACK = 0x80;
    /** Option present: Fast Open. @bsd TOF_FASTOPEN */
    public static final int TOF_FASTOPEN = 0x100;

    /** The chain, IP header first, until it is passed on. */
    public Mbuf m;              // (t)
    /** Offset of the TCP header. */
    public int th;              // (t)
    /** Octets of IP and TCP header in front of the payload. */
    public int hdrlen;          // (t)
    public int seq;             // (t) SEG.SEQ
    public int ack;             // (t) SEG.ACK
    /** Octets of payload; the part inside the window once trimmed. */
    public int len;             // (t) SEG.LEN without SYN and FIN
    /** The window field as it stands. */
    public int rawWin;          // (t)
    /** The window, scaled once the connection is known. @bsd tiwin */
    public int win;             // (t) SEG.WND
    public int urp;             // (t) SEG.UP
    /** TH_* still to be dealt with; steps clear them. */
    public int flags;           // (t)
    /** TH_* as received. */
    public int thflags;         // (t)
    public int sport;           // (t) the peer's
    public int dport;           // (t) ours
    /** Both addresses are IPv6. */
    public boolean v6;          // (t)
    public long srcHi;          // (t) the peer's address; IPv6 with the zone put in
    public long srcLo;          // (t)
    public long dstHi;          // (t) our address
    public long dstLo;          // (t)
    /** The peer's UDP port when it came encapsulated; 0 plain. */
    public int port;            // (t)
    public int tos;             // (t)
    public int ttl;             // (t)
    public int fib;             // (t) routing table of the way back
    public int rcvdSeq;         // (t) SEG.SEQ before trimming
    public int rcvdLen;         // (t) octets of payload before trimming
    public int linkFlags;       // (t) M_BCAST, M_MCAST of the chain
    /** Segments merged on the way up, 1 when none were. */
    public int nsegs;           // (t)
    /** Arrival, ns of the vnet's clock. */
    public long nowNs;          // (t)

    public int optFlags;        // (t) TOF_*
    public int mss;             // (t)
    public int wscale;          // (t)
    public int tsval;           // (t)
    public int tsecr;           // (t)
    public int nsacks;          // (t) SACK blocks
    public int sackOff;         // (t) offset of the first block from the front of m
    public int sigOff;          // (t) offset of the signature
    public int cookieOff;       // (t) offset of the Fast Open cookie
    public int cookieLen;       // (t) its octets
    /** What that cookie is worth at a listener: one of {@link TcpFastopenKeys}. */
    public int fastopen;        // (t)

    /** Whether output is wanted when all is done. @bsd needoutput */
    public boolean needOutput;  // (t)
    /** Whether this segment acknowledged our FIN. @bsd ourfinisacked */
    public boolean ourFinIsAcked; // (t)
    /** Some of its text was here already, which is noted. */
    public boolean duplicate;   // (t)
    /** The urgent octet was taken out of the chain, which is one shorter than {@link #len} says. */
    public boolean urgentOut;   // (t)
    /** The sequence number of that octet. */
    public int urgentSeq;       // (t)
    /** An ACK sent for it may be withheld by the limit of RFC 5961. */
    public boolean challenge;   // (t)
    public DropReason reason;   // (t) why it is dropped
    /** The connection that this segment completed at a listener. */
    Tcpcb made;          // (t)

    Seg() {
        // filled by TcpInput
    }

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    public boolean hasOpt(int tof) {
        return (optFlags & tof) != 0;
    }

    /** Whether it came as a link broadcast or multicast. */
    public boolean link(int mflags) {
        return (linkFlags & mflags) != 0;
    }

    /** Sequence numbers it takes up: payload, SYN and FIN. */
    public int span() {
        return len + (has(TcpHeader.TH_SYN) ? 1 : 0) + (has(TcpHeader.TH_FIN) ? 1 : 0);
    }

    public Verdict drop(DropReason why) {
        reason = why;
        return Verdict.DROP;
    }

    public Verdict dropAfterAck(DropReason why) {
        reason = why;
        return Verdict.DROP_AFTER_ACK;
    }

    public Verdict dropWithReset(DropReason why) {
        reason = why;
        return Verdict.DROP_WITH_RESET;
    }

    /** A challenge ACK of RFC 5961: subject to its limits. */
    public Verdict challenge(DropReason why) {
        reason = why;
        challenge = true;
        return Verdict.DROP_AFTER_ACK;
    }

    /** The chain is somebody else's from here on. */
    public Mbuf take() {
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
