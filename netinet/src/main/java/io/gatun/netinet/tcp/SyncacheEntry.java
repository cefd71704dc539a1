package io.gatun.netinet.tcp;

/**
 * A connection whose SYN came and whose SYN|ACK was answered with: all there is of it until the third segment makes it
 * a socket. Pooled.
 *
 * <p>Locking key: (s) lock of its {@link SyncacheShard}; until it is inserted it is its maker's.
 *
 * @bsd struct syncache
 */
final class SyncacheEntry {
    /** The peer's window scale option was accepted. @bsd SCF_WINSCALE */
    static final int SCF_WINSCALE = 0x02;
    /** Timestamps were accepted. @bsd SCF_TIMESTAMP */
    static final int SCF_TIMESTAMP = 0x04;
    /** Segments are signed. @bsd SCF_SIGNATURE */
    static final int SCF_SIGNATURE = 0x08;
    /** An ICMP unreachable came for it. @bsd SCF_UNREACH */
    static final int SCF_UNREACH = 0x10;
    /** No options. @bsd SCF_NOOPT */
    static final int SCF_NOOPT = 0x01;
    /** The next SYN|ACK gives a Fast Open cookie along. */
    static final int SCF_FASTOPEN = 0x1000;
    /** SACK was permitted. @bsd SCF_SACK */
    static final int SCF_SACK = 0x80;

    /** Classic ECN was asked for. @bsd SCF_ECN */
    static final int SCF_ECN = 0x100;
    /** Nobody remembers what was: a cookie does not. */
    static final int SCF_ECN_UNKNOWN = 0x200;
    /** AccECN was; the SYN came with no mark. @bsd SCF_ACE_N */
    static final int SCF_ACE_N = 0x400;
    /** AccECN was; the SYN came with ECT(0). @bsd SCF_ACE_0 */
    static final int SCF_ACE_0 = 0x500;
    /** AccECN was; the SYN came with ECT(1). @bsd SCF_ACE_1 */
    static final int SCF_ACE_1 = 0x600;
    /** AccECN was; the SYN met congestion. @bsd SCF_ACE_CE */
    static final int SCF_ACE_CE = 0x700;
    /** What was agreed of ECN. @bsd SCF_ECN_MASK */
    static final int SCF_ECN_MASK = 0x700;

    final InConninfo inc = new InConninfo(); // (s)
    int irs;          // (s) the peer's ISS
    int iss;          // (s) ours
    int flags;        // (s) SCF_*
    int wnd;          // (s) the window we offered
    int peerMss;      // (s) the MSS option that came, 0 none
    int rScale;       // (s) the shift we asked for
    int sScale;       // (s) the peer's
    int tsreflect;    // (s) timestamp to echo
    int tsoff;        // (s) added to our timestamps
    int ttl;          // (s)
    int tos;          // (s)
    int port;         // (s) the peer's UDP port, 0 plain
    /** That which the connection will have. */
    int flowid;       // (s)
    /** That cookie, its first octet lowest. @bsd sc_tfo_cookie */
    long cookie;      // (s)
    int rxmits;       // (s) SYN|ACKs sent
    long rxttimeNs;   // (s) when the next is due

    SyncacheEntry hashNext; // (s) in its bucket, newest first; or in the free list
    SyncacheEntry hashPrev; // (s)
    SyncacheEntry tqNext;   // (s) in the timer queue of its level
    SyncacheEntry tqPrev;   // (s)
    int bucket;             // (s)
    int level;              // (s)

    /** Nothing is agreed. */
    void clear() {
        flags = 0;
        peerMss = 0;
        rScale = 0;
        sScale = 0;
        tsreflect = 0;
        tsoff = 0;
        flowid = 0;
        rxmits = 0;
    }

    boolean has(int scf) {
        return (flags & scf) != 0;
    }
}
