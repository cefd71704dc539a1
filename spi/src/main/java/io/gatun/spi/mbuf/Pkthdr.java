package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.M_COPYFLAGS;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;

import io.gatun.spi.ifnet.Ifnet;

/**
 * The part of an {@link Mbuf} that says what it is: its flags, and the header of the packet it begins. Every mbuf has
 * the fields; they mean something only with M_PKTHDR, and with assertions on nobody gets at them without.
 *
 * <p>Locking key: (o) the owner of the mbuf.
 *
 * @bsd pkthdr
 */
public abstract sealed class Pkthdr permits Mbuf {
    int generation;                     // (o) odd while in use
    int flags;                          // (o)
    int pktLen;                         // (o)
    private int flowid;                 // (o)
    private int csumFlags;              // (o)
    private int csumData;               // (o)
    private char etherVtag;             // (o)
    private char tsoSegsz;              // (o)
    private char fibnum;                // (o)
    private char lroNsegs;              // (o)
    private byte rsstype;               // (o)
    private byte l2hlen;                // (o)
    private byte l3hlen;                // (o)
    private byte l4hlen;                // (o)
    private long rcvTstmp;              // (o)
    private long phPer64;               // (o)
    MTag tags;                          // (o)
    private Ifnet rcvif;                // (o)
    private Object phPtr;               // (o)

    Pkthdr() {
    }

    /** True from allocation to free. */
    public final boolean live() {
        return (generation & 1) != 0;
    }

    /** Changes whenever the handle is handed out or freed. */
    public final int generation() {
        return generation;
    }

    /** One line for people: this mbuf's identity, flags and lengths. Works on freed ones too. */
    public abstract String describe();

    public final int flags() {
        assert live() : dead();
        return flags;
    }

    /** Replaces the flags; what is said of the storage (M_EXT) and of the header must stay true. */
    public final void flags(int f) {
        assert live() : dead();
        flags = f;
    }

    /** Sets bits. {@link Mbuf}.M_*. */
    public final void setFlags(int f) {
        assert live() : dead();
        flags |= f;
    }

    /** Clears bits. */
    public final void clearFlags(int f) {
        assert live() : dead();
        flags &= ~f;
    }

    /** True when any bit of {@code f} is set. */
    public final boolean has(int f) {
        assert live() : dead();
        return (flags & f) != 0;
    }

    /** Makes every header field as good as new. @bsd m_pkthdr_init */
    final void pkthdrInit() {
        rcvif = null;
        tags = null;
        phPtr = null;
        phPer64 = 0;
        rcvTstmp = 0;
        pktLen = 0;
        flowid = 0;
        csumFlags = 0;
        csumData = 0;
        etherVtag = 0;
        tsoSegsz = 0;
        fibnum = 0;
        lroNsegs = 0;
        rsstype = 0;
        l2hlen = 0;
        l3hlen = 0;
        l4hlen = 0;
    }

    /** Octets in the whole packet. */
    public final int pktLen() {
        assert hdr() : noHdr();
        return pktLen;
    }

    /** Sets it; the sum of the {@code len} of all mbufs of the packet. */
    public final void pktLen(int n) {
        assert hdr() : noHdr();
        pktLen = n;
    }

    /** Interface the packet came in by; null when it was made here. */
    public final Ifnet rcvif() {
        assert hdr() : noHdr();
        return rcvif;
    }

    public final void rcvif(Ifnet ifp) {
        assert hdr() : noHdr();
        rcvif = ifp;
    }

    /**
     * Names the flow: equal for packets whose order matters; {@link #rsstype()} says how it was made. @bsd
     * m_pkthdr.flowid
     */
    public final int flowid() {
        assert hdr() : noHdr();
        return flowid;
    }

    public final void flowid(int id) {
        assert hdr() : noHdr();
        flowid = id;
    }

    /** An M_HASHTYPE_ constant: what {@link #flowid()} was computed from. */
    public final int rsstype() {
        assert hdr() : noHdr();
        return rsstype & 0xff;
    }

    public final void rsstype(int t) {
        assert hdr() : noHdr();
        rsstype = (byte) t;
    }

    /** See {@link Csum}. */
    public final int csumFlags() {
        assert hdr() : noHdr();
        return csumFlags;
    }

    public final void csumFlags(int f) {
        assert hdr() : noHdr();
        csumFlags = f;
    }

    /** Output: where in the transport header the checksum goes. Input: the checksum the device computed. */
    public final int csumData() {
        assert hdr() : noHdr();
        return csumData;
    }

    public final void csumData(int v) {
        assert hdr() : noHdr();
        csumData = v;
    }

    /** 802.1Q tag control information; meaningful with M_VLANTAG. */
    public final int etherVtag() {
        assert hdr() : noHdr();
        return etherVtag;
    }

    public final void etherVtag(int tci) {
        assert hdr() : noHdr();
        etherVtag = (char) tci;
    }

    /** Octets of payload a segment of this packet may have, for CSUM_TSO. */
    public final int tsoSegsz() {
        assert hdr() : noHdr();
        return tsoSegsz;
    }

    public final void tsoSegsz(int n) {
        assert hdr() : noHdr();
        tsoSegsz = (char) n;
    }

    /** Wire segments merged into this packet on receive; 0 as 1. */
    public final int lroNsegs() {
        assert hdr() : noHdr();
        return lroNsegs;
    }

    public final void lroNsegs(int n) {
        assert hdr() : noHdr();
        lroNsegs = (char) n;
    }

    /** When the packet came in, in ns of the vnet's clock; meaningful with M_TSTMP. */
    public final long rcvTstmp() {
        assert hdr() : noHdr();
        return rcvTstmp;
    }

    public final void rcvTstmp(long ns) {
        assert hdr() : noHdr();
        rcvTstmp = ns;
    }

    /** @bsd M_GETFIB */
    public final int fibnum() {
        assert hdr() : noHdr();
        return fibnum;
    }

    /** @bsd M_SETFIB */
    public final void fibnum(int n) {
        assert hdr() : noHdr();
        fibnum = (char) n;
    }

    /** Octets of link header, 0..255, where a device needs to be told. */
    public final int l2hlen() {
        assert hdr() : noHdr();
        return l2hlen & 0xff;
    }

    public final void l2hlen(int n) {
        assert hdr() : noHdr();
        l2hlen = (byte) n;
    }

    /** Octets of network header, 0..255, likewise. */
    public final int l3hlen() {
        assert hdr() : noHdr();
        return l3hlen & 0xff;
    }

    public final void l3hlen(int n) {
        assert hdr() : noHdr();
        l3hlen = (byte) n;
    }

    /** Octets of transport header, 0..255, likewise. */
    public final int l4hlen() {
        assert hdr() : noHdr();
        return l4hlen & 0xff;
    }

    public final void l4hlen(int n) {
        assert hdr() : noHdr();
        l4hlen = (byte) n;
    }

    /** A reference for the layer that owns the packet just now; forgotten by free. */
    public final Object phPtr() {
        assert hdr() : noHdr();
        return phPtr;
    }

    public final void phPtr(Object o) {
        assert hdr() : noHdr();
        phPtr = o;
    }

    /** 64 bits for the layer that owns the packet just now. */
    public final long phPer64() {
        assert hdr() : noHdr();
        return phPer64;
    }

    public final void phPer64(long v) {
        assert hdr() : noHdr();
        phPer64 = v;
    }

    /** Forgets what the garbage collector might otherwise keep for a free mbuf. */
    final void forgetRefs() {
        rcvif = null;
        phPtr = null;
    }

    final void copyHdrFields(Pkthdr from) {
        flags = from.flags & M_COPYFLAGS | flags & ~M_COPYFLAGS;
        rcvif = from.rcvif;
        phPtr = from.phPtr;
        phPer64 = from.phPer64;
        rcvTstmp = from.rcvTstmp;
        pktLen = from.pktLen;
        flowid = from.flowid;
        csumFlags = from.csumFlags;
        csumData = from.csumData;
        etherVtag = from.etherVtag;
        tsoSegsz = from.tsoSegsz;
        fibnum = from.fibnum;
        lroNsegs = from.lroNsegs;
        rsstype = from.rsstype;
        l2hlen = from.l2hlen;
        l3hlen = from.l3hlen;
        l4hlen = from.l4hlen;
    }

    // Tags.

    /** First tag, or null. @bsd m_tag_first */
    public final MTag tagFirst() {
        assert hdr() : noHdr();
        return tags;
    }

    /** First tag with this cookie and type, or null. @bsd m_tag_locate */
    public final MTag tagLocate(int cookie, int tagType) {
        assert hdr() : noHdr();
        return tags == null ? null : MbufTags.locate(tags, cookie, tagType);
    }

    /** @bsd m_tag_prepend */
    public final void tagPrepend(MTag t) {
        assert hdr() : noHdr();
        t.next = tags;
        tags = t;
    }

    /** Takes a tag off this packet and leaves it to the caller. @bsd m_tag_unlink */
    public final void tagUnlink(MTag t) {
        assert hdr() : noHdr();
        MbufTags.unlink(this, t);
    }

    /** @bsd m_tag_delete */
    public final void tagDelete(MTag t) {
        tagUnlink(t);
        t.free();
    }

    /** Drops all tags. @bsd m_tag_delete_chain */
    public final void tagDeleteChain() {
        if (tags != null) {
            MbufTags.deleteChain(this);
        }
    }

    /** Drops the tags without MTAG_PERSISTENT. @bsd m_tag_delete_nonpersistent */
    public final void tagDeleteNonpersistent() {
        assert hdr() : noHdr();
        MbufTags.deleteNonpersistent(this);
    }

    // What the assertions ask and say.

    final boolean hdr() {
        return live() && (flags & M_PKTHDR) != 0;
    }

    final String dead() {
        return "use after free: " + describe();
    }

    final String noHdr() {
        return (live() ? "no packet header: " : "use after free: ") + describe();
    }
}
