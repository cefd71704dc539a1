package io.gatun.spi.mbuf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Pooled handle over octets: a link of a packet. Accessors are named as the fields of {@code struct mbuf} without
 * their prefix; multi-octet access is in network order and relative to the first valid octet.
 *
 * <pre>
 *      start             data             data + len          start + size
 *        |  leadingSpace   |   valid octets   |  trailingSpace   |
 * </pre>
 *
 * <p>Life cycle: a {@link MbufPool} hands it out, {@link #free} or {@link #freeChain} gives it back, and then nobody
 * may touch it. With assertions on every access checks this, and freed octets are spoilt; freeing twice is always
 * detected.
 *
 * <p>Every method that takes a chain, {@code this} included, says whether it consumes or borrows it. One that
 * "consumes" and returns a chain frees it and returns null when mbufs run out. Methods that change octets need a
 * writable mbuf.
 *
 * <p>Locking key: (c) constant, (o) the owner of the mbuf.
 *
 * @bsd mbuf
 */
public final class Mbuf extends Pkthdr {
    /** Octets of an mbuf. */
    public static final int MSIZE = 256;
    /** Octets an mbuf has of its own. The header lives on the heap, so it costs none of them. */
    public static final int MLEN = MSIZE;
    /** As {@link #MLEN}: a packet header takes no room. */
    public static final int MHLEN = MSIZE;
    /** Octets from which on a cluster is worth it. */
    public static final int MINCLSIZE = MHLEN + 1;
    /** Octets of a cluster, and of the jumbo ones below. */
    public static final int MCLBYTES = 2048;
    public static final int MJUMPAGESIZE = 4096;
    public static final int MJUM9BYTES = 9 * 1024;
    public static final int MJUM16BYTES = 16 * 1024;
    /** As a length: all there is. */
    public static final int M_COPYALL = 1_000_000_000;

    /** Has a cluster or external storage. */
    public static final int M_EXT = 0x00000001;
    /** The first of a packet: the fields of {@link Pkthdr} count. */
    public static final int M_PKTHDR = 0x00000002;
    /** The end of a record. */
    public static final int M_EOR = 0x00000004;
    /** The octets may not be changed. */
    public static final int M_RDONLY = 0x00000008;
    /** Came, or goes, to all stations of the link. */
    public static final int M_BCAST = 0x00000010;
    /** Came, or goes, to a group of stations of the link. */
    public static final int M_MCAST = 0x00000020;
    /** Was for another station. */
    public static final int M_PROMISC = 0x00000040;
    /** {@link #etherVtag()} holds a tag. */
    public static final int M_VLANTAG = 0x00000080;
    /** The handle is its owner's: freeing gives back what it holds and leaves the handle. */
    public static final int M_NOFREE = 0x00000200;
    /** {@link #rcvTstmp()} holds a time. */
    public static final int M_TSTMP = 0x00000400;
    /** That time is of high precision: the device took it. */
    public static final int M_TSTMP_HPREC = 0x00000800;
    /** That time is of a merged packet. */
    public static final int M_TSTMP_LRO = 0x00001000;
    /** The first of eleven bits that belong to one layer at a time; see {@link #clrProtoFlags}. */
    public static final int M_PROTO1 = 0x00002000;
    public static final int M_PROTO2 = 0x00004000;
    public static final int M_PROTO3 = 0x00008000;
    public static final int M_PROTO4 = 0x00010000;
    public static final int M_PROTO5 = 0x00020000;
    public static final int M_PROTO6 = 0x00040000;
    public static final int M_PROTO7 = 0x00080000;
    public static final int M_PROTO8 = 0x00100000;
    public static final int M_PROTO9 = 0x00200000;
    public static final int M_PROTO10 = 0x00400000;
    public static final int M_PROTO11 = 0x00800000;
    public static final int M_PROTOFLAGS = 0x00ffe000;
    /** What goes with a packet header. DIFFERS: M_RDONLY stays behind, for it speaks of the storage. */
    public static final int M_COPYFLAGS = M_PKTHDR | M_EOR | M_BCAST | M_MCAST | M_PROMISC | M_VLANTAG
            | M_TSTMP | M_TSTMP_HPREC | M_TSTMP_LRO | M_PROTOFLAGS;

    /** Kinds of mbufs, for diagnosis, and where control and addresses stand before data in a socket buffer. */
    public static final int MT_DATA = 1;
    public static final int MT_HEADER = MT_DATA;
    public static final int MT_SONAME = 8;
    public static final int MT_CONTROL = 14;
    public static final int MT_EXTCONTROL = 15;
    public static final int MT_OOBDATA = 16;
    public static final int MT_NOINIT = 255;

    /** Of {@link #rsstype()}: the flow id is a hash. */
    public static final int M_HASHTYPE_HASHPROP = 0x80;
    public static final int M_HASHTYPE_INNER = 0x40;
    public static final int M_HASHTYPE_NONE = 0;
    public static final int M_HASHTYPE_RSS_IPV4 = M_HASHTYPE_HASHPROP | 1;
    public static final int M_HASHTYPE_RSS_TCP_IPV4 = M_HASHTYPE_HASHPROP | 2;
    public static final int M_HASHTYPE_RSS_IPV6 = M_HASHTYPE_HASHPROP | 3;
    public static final int M_HASHTYPE_RSS_TCP_IPV6 = M_HASHTYPE_HASHPROP | 4;
    public static final int M_HASHTYPE_RSS_UDP_IPV4 = M_HASHTYPE_HASHPROP | 7;
    public static final int M_HASHTYPE_RSS_UDP_IPV6 = M_HASHTYPE_HASHPROP | 9;
    public static final int M_HASHTYPE_OPAQUE = 63;
    public static final int M_HASHTYPE_OPAQUE_HASH = M_HASHTYPE_HASHPROP | M_HASHTYPE_OPAQUE;

    /** The layouts every access to packet octets uses. */
    public static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    public static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    public static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    public static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int LONG_ALIGN = -Long.BYTES;

    final MbufPool pool;                // (c)
    final int id;                       // (c) number in the pool
    final long home;                    // (c) offset of the mbuf's own octets in the region
    int len;                            // (o)
    int size;                           // (o) octets of storage
    long start;                         // (o) first octet of storage
    long data;                          // (o) first valid octet
    MemorySegment seg;                  // (o) what start and data count in
    Mbuf next;                          // (o)
    Mbuf nextPkt;                       // (o)
    Cluster ext;                        // (o) meaningful with M_EXT; else left from the life before
    private byte type;                  // (o)

    Mbuf(MbufPool pool, int id, MemorySegment seg, long home) {
        this.pool = pool;
        this.id = id;
        this.seg = seg;
        this.home = home;
    }

    // The pool's side of the life cycle.

    void open(int mtype, int mflags) {
        assert !live() : "handed out twice: " + describe();
        assert !Poison.ON || Poison.intact(seg, home, MSIZE) : "written after free: " + describe();
        generation++;
        type = (byte) mtype;
        flags = mflags;
        len = 0;
        size = MSIZE;
        start = home;
        data = home;
        if ((mflags & M_PKTHDR) != 0) {
            pkthdrInit();
        }
    }

    /** Points this mbuf to a cluster it gets a reference of. */
    void attach(Cluster c) {
        // Stores of references are what costs: keep those that change nothing out.
        if (ext != c) {
            ext = c;
        }
        if (c.foreign()) {
            seg = c.seg;
        }
        flags |= M_EXT;
        size = c.size;
        start = c.base;
        data = c.base;
    }

    /** Shares the storage of {@code from}, from its octet {@code off} on. @bsd mb_dupcl */
    void share(Mbuf from, int off, int n) {
        from.ext.ref();
        attach(from.ext);
        flags |= from.flags & M_RDONLY;
        data = from.data + off;
        len = n;
    }

    /** Makes the handle unusable and drops what it refers to, except storage. */
    void close() {
        generation++;
        next = null;
        nextPkt = null;
        if ((flags & M_PKTHDR) != 0) {
            forgetRefs();
        }
    }

    /** Points this mbuf to its own octets again; the reference to the cluster is the caller's business. */
    void detach() {
        if ((flags & M_EXT) != 0 && ext.foreign()) {
            ext = null;
            seg = pool.region();
        }
        flags &= ~M_EXT;
        len = 0;
        size = MSIZE;
        start = home;
        data = home;
    }

    /**
     * True when freeing this takes no more than to put it back: no tags, no foreign storage, nothing out of the
     * ordinary.
     */
    boolean plain() {
        int f = flags;
        return live() && (f & M_NOFREE) == 0
                && ((f & M_PKTHDR) == 0 || tags == null)
                && ((f & M_EXT) == 0 || ext.zone != MbufPool.Z_EXT);
    }

    // Links, length, flags.

    /** The next mbuf of the packet, or null. @bsd m_next */
    public Mbuf next() {
        assert live() : dead();
        return next;
    }

    public void next(Mbuf m) {
        assert live() : dead();
        next = m;
    }

    /** The next packet of a list, or null. @bsd m_nextpkt */
    public Mbuf nextPkt() {
        assert live() : dead();
        return nextPkt;
    }

    public void nextPkt(Mbuf m) {
        assert live() : dead();
        nextPkt = m;
    }

    /** Valid octets in this mbuf alone. */
    public int len() {
        assert live() : dead();
        return len;
    }

    /** Sets it; at most what the storage holds behind {@link #data()}. */
    public void len(int n) {
        assert live() : dead();
        assert n >= 0 && n <= start + size - data : "len " + n + " of " + describe();
        len = n;
    }

    /** Clears what belongs to one layer only. @bsd m_clrprotoflags */
    public void clrProtoFlags() {
        for (Mbuf m = this; m != null; m = m.next) {
            m.clearFlags(M_PROTOFLAGS);
        }
    }

    /** MT_*. @bsd m_type */
    public int type() {
        assert live() : dead();
        return type & 0xff;
    }

    /** @bsd m_chtype */
    public void type(int t) {
        assert live() : dead();
        type = (byte) t;
    }

    // Storage.

    /** Where it is freed to. */
    public MbufPool pool() {
        return pool;
    }

    /** Segment {@link #data()} counts in. */
    public MemorySegment seg() {
        assert live() : dead();
        return seg;
    }

    /** Offset of the first valid octet in {@link #seg()}. @bsd mtod */
    public long data() {
        assert live() : dead();
        return data;
    }

    /** Moves the first valid octet, within the storage; {@code len} stays. */
    public void data(long off) {
        assert live() : dead();
        assert off >= start && off <= start + size : "data " + (off - start) + " of " + describe();
        data = off;
    }

    /** Cluster or external storage, or null. */
    public Cluster ext() {
        assert live() : dead();
        return (flags & M_EXT) != 0 ? ext : null;
    }

    /** Octets of storage. @bsd M_SIZE */
    public int size() {
        assert live() : dead();
        return size;
    }

    /** Offset of the storage in {@link #seg()}. @bsd M_START */
    public long start() {
        assert live() : dead();
        return start;
    }

    /** True when the octets are nobody else's and may be changed. @bsd M_WRITABLE */
    public boolean writable() {
        assert live() : dead();
        return (flags & M_RDONLY) == 0 && ((flags & M_EXT) == 0 || ext.refCnt() == 1);
    }

    /** Octets that may be written before the data; 0 when not writable. @bsd M_LEADINGSPACE */
    public int leadingSpace() {
        return writable() ? (int) (data - start) : 0;
    }

    /** Octets that may be written behind the data; 0 when not writable. @bsd M_TRAILINGSPACE */
    public int trailingSpace() {
        return writable() ? (int) (start + size - data) - len : 0;
    }

    /** Puts the data pointer of an empty mbuf so that {@code n} octets end at the end of the storage. @bsd m_align */
    public void align(int n) {
        assert live() : dead();
        assert len == 0 && n >= 0 && n <= size : "align " + n + " of " + describe();
        data = start + (size - n & LONG_ALIGN);
    }

    /**
     * Attaches foreign memory, from {@code off}, {@code octets} long; it must be native. {@code release} is called
     * once, when the last mbuf sharing it is freed. The mbuf's len stays 0; set M_RDONLY when the octets must not
     * change.
     *
     * @return this
     * @bsd m_extadd
     */
    public Mbuf extAdd(MemorySegment foreign, long off, int octets, ExtFree release, Object arg1, Object arg2) {
        assert live() && (flags & M_EXT) == 0 && len == 0 : describe();
        pool.extAdd(this, foreign, off, octets).onLast(release, arg1, arg2);
        return this;
    }

    // Octets, relative to the first valid one.

    /**
     * An octet of this mbuf, 0..255, as all that follow: {@code off} counts from the first valid octet, words are in
     * network order, and all of it must lie in this mbuf ({@link #pullup} first). That is checked by assertions alone:
     * without them an offset beyond {@link #len()} reads what lies there.
     */
    public int getU8(int off) {
        assert inside(off, Byte.BYTES) : outside(off);
        return seg.get(U8, data + off) & 0xff;
    }

    /** 0..65535. */
    public int getU16(int off) {
        assert inside(off, Short.BYTES) : outside(off);
        return seg.get(U16, data + off) & 0xffff;
    }

    public int getInt(int off) {
        assert inside(off, Integer.BYTES) : outside(off);
        return seg.get(U32, data + off);
    }

    public long getLong(int off) {
        assert inside(off, Long.BYTES) : outside(off);
        return seg.get(U64, data + off);
    }

    /** Sets an octet; who shares the storage sees it, so {@link #writable} first. Bounds as for {@link #getU8}. */
    public void put8(int off, int v) {
        assert inside(off, Byte.BYTES) : outside(off);
        seg.set(U8, data + off, (byte) v);
    }

    public void put16(int off, int v) {
        assert inside(off, Short.BYTES) : outside(off);
        seg.set(U16, data + off, (short) v);
    }

    public void putInt(int off, int v) {
        assert inside(off, Integer.BYTES) : outside(off);
        seg.set(U32, data + off, v);
    }

    public void putLong(int off, long v) {
        assert inside(off, Long.BYTES) : outside(off);
        seg.set(U64, data + off, v);
    }

    // Packet header: see Pkthdr.

    /** Takes the packet header, tags and queue link of {@code from}, which keeps its octets. @bsd m_move_pkthdr */
    public void moveHdrFrom(Mbuf from) {
        assert from.hdr() : from.noHdr();
        assert live() && ((flags & M_PKTHDR) == 0 || tags == null) : describe();
        copyHdrFields(from);
        tags = from.tags;
        nextPkt = from.nextPkt;
        from.tags = null;
        from.nextPkt = null;
        from.forgetRefs();
        from.flags &= ~M_COPYFLAGS;
    }

    /**
     * Copies the packet header of {@code from}. False, with no header here, when a tag could not be copied.
     *
     * @bsd m_dup_pkthdr
     */
    public boolean dupHdrFrom(Mbuf from) {
        assert from.hdr() : from.noHdr();
        assert live() && ((flags & M_PKTHDR) == 0 || tags == null) : describe();
        copyHdrFields(from);
        tags = null;
        if (from.tags == null || MbufTags.copyChain(this, from)) {
            return true;
        }
        flags &= ~M_COPYFLAGS;
        return false;
    }

    /**
     * Drops the packet headers and all flags outside {@code keep} from this chain; the first mbuf is spared unless
     * {@code all}.
     *
     * @bsd m_demote
     */
    public void demote(boolean all, int keep) {
        for (Mbuf m = all ? this : next; m != null; m = m.next) {
            if (m.has(M_PKTHDR)) {
                m.tagDeleteChain();
                m.forgetRefs();
            }
            m.flags &= M_EXT | M_RDONLY | M_NOFREE | keep;
        }
    }

    // Freeing.

    /** Frees this mbuf alone (consumes it) and returns the next of the chain. @bsd m_free */
    public Mbuf free() {
        Mbuf n = next;
        pool.free(this);
        return n;
    }

    /** Frees this chain, not what follows by {@code nextPkt}. Consumes it. @bsd m_freem */
    public void freeChain() {
        Mbuf m = this;
        do {
            m = m.pool.freeRun(m);
        } while (m != null);
    }

    /** Frees this packet and those linked behind it by {@code nextPkt}. Consumes them. @bsd m_freemp */
    public void freePkts() {
        Mbuf m = this;
        do {
            Mbuf n = m.nextPkt;
            m.freeChain();
            m = n;
        } while (m != null);
    }

    // Shape.

    /**
     * Makes room for {@code n} octets before the data, their content undefined; lengths grow accordingly. Consumes
     * the chain; returns its new head, or null.
     *
     * @bsd M_PREPEND
     */
    public Mbuf prepend(int n) {
        if (leadingSpace() < n) {
            return MbufShape.prepend(this, n);
        }
        data -= n;
        len += n;
        if ((flags & M_PKTHDR) != 0) {
            pktLen += n;
        }
        return this;
    }

    /**
     * Makes the first {@code n} octets lie in the first mbuf. Consumes the chain; returns its new head, or null when
     * mbufs ran out, the chain is shorter, or {@code n} exceeds the largest cluster.
     *
     * @bsd m_pullup
     */
    public Mbuf pullup(int n) {
        return len() >= n ? this : MbufShape.pullup(this, n);
    }

    /** Trims {@code n} octets (all, if there are fewer) from the front; emptied mbufs stay. @bsd m_adj */
    public void adjHead(int n) {
        assert n >= 0;
        if (len() < n) {
            MbufShape.adjHead(this, n);
            return;
        }
        data += n;
        len -= n;
        if ((flags & M_PKTHDR) != 0) {
            pktLen -= n;
        }
    }

    /** Trims {@code n} octets (all, if there are fewer) from the end; emptied mbufs stay. @bsd m_adj */
    public void adjTail(int n) {
        assert n >= 0;
        MbufShape.adjTail(this, n);
    }

    /**
     * Cuts the chain: this keeps {@code len0} octets, the rest is returned (an empty mbuf if there is no rest), with
     * a header of its own if this has one. Returns null and changes nothing when mbufs run out. Shared storage stays
     * shared.
     *
     * @bsd m_split
     */
    public Mbuf split(int len0) {
        return MbufShape.split(this, len0);
    }

    /**
     * Puts {@code n} behind this chain, compacting where it fits. Consumes n. No packet header is changed.
     *
     * @bsd m_cat
     */
    public void cat(Mbuf n) {
        MbufShape.cat(this, n);
    }

    /** Puts the packet {@code n} behind this packet. Consumes n. @bsd m_catpkt */
    public void catPkt(Mbuf n) {
        assert hdr() : noHdr();
        pktLen += n.pktLen();
        n.demote(true, 0);
        MbufShape.cat(this, n);
    }

    /**
     * Replaces every mbuf that is not writable by a private copy. Consumes the chain; returns it, or null.
     *
     * @bsd m_unshare
     */
    public Mbuf unshare() {
        return MbufShape.unshare(this);
    }

    /**
     * Moves the packet to as few mbufs as possible, all of them writable.
     *
     * @return the new packet (this is consumed), or null with this as it was
     * @bsd m_defrag
     */
    public Mbuf defrag() {
        return MbufShape.defrag(this);
    }

    /**
     * Reduces the chain to at most {@code maxfrags} mbufs, with as little copying as seems possible.
     *
     * @return the chain (this is consumed), or null with the same octets still in this chain
     * @bsd m_collapse
     */
    public Mbuf collapse(int maxfrags) {
        return MbufShape.collapse(this, maxfrags);
    }

    // Copies.

    /**
     * Copies {@code n} octets from {@code off} on (M_COPYALL: all of them): clusters are shared, an mbuf's own octets
     * copied. The packet header goes with them when {@code off} is 0. Borrows this; null when out of mbufs.
     *
     * @bsd m_copym
     */
    public Mbuf copyM(int off, int n) {
        return MbufCopy.copyM(this, off, n);
    }

    /**
     * A deep, writable copy of the whole chain, in as few mbufs as possible. Borrows this; null when out of mbufs.
     *
     * @bsd m_dup
     */
    public Mbuf dup() {
        return MbufCopy.dup(this, pool);
    }

    /** Copies octets out; they must exist. Borrows this. @bsd m_copydata */
    public void copyData(int off, int n, MemorySegment dst, long dstOff) {
        MbufCopy.copyData(this, off, n, dst, dstOff);
    }

    /** Copies octets out; they must exist. Borrows this. @bsd m_copydata */
    public void copyData(int off, int n, byte[] dst, int dstOff) {
        MbufCopy.copyData(this, off, n, dst, dstOff);
    }

    /**
     * Writes octets into the chain, which is lengthened as needed (a gap is filled with zeros). The mbufs written to
     * must be writable. Borrows this. False, with nothing changed, when out of mbufs.
     *
     * @bsd m_copyback
     */
    public boolean copyBack(int off, int n, MemorySegment src, long srcOff) {
        return MbufCopy.copyBack(this, off, n, src, srcOff);
    }

    /** As the other {@code copyBack}, from an array. @bsd m_copyback */
    public boolean copyBack(int off, int n, byte[] src, int srcOff) {
        return MbufCopy.copyBack(this, off, n, src, srcOff);
    }

    /**
     * Writes octets behind the last one. Borrows this. False, with nothing changed, when out of mbufs.
     *
     * @bsd m_append
     */
    public boolean append(MemorySegment src, long off, int n) {
        return MbufCopy.copyBack(this, length(), n, src, off);
    }

    /**
     * Writes octets behind the last one. Borrows this. False, with nothing changed, when out of mbufs.
     *
     * @bsd m_append
     */
    public boolean append(byte[] src, int off, int n) {
        return MbufCopy.copyBack(this, length(), n, src, off);
    }

    // Looking.

    /** Octets in this chain, counted. @bsd m_length */
    public int length() {
        int total = 0;
        for (Mbuf m = this; m != null; m = m.next) {
            total += m.len();
        }
        return total;
    }

    /** Sets the packet length to what the chain has, and returns it. @bsd m_fixhdr */
    public int fixHdr() {
        pktLen(length());
        return pktLen;
    }

    /** Last mbuf of this chain. @bsd m_last */
    public Mbuf last() {
        assert live() : dead();
        Mbuf m = this;
        while (m.next != null) {
            m = m.next;
        }
        return m;
    }

    /**
     * Shows {@code f} every contiguous piece of {@code n} octets from {@code off} on; they must exist. Empty mbufs
     * are skipped.
     *
     * @return 0, or what {@code f} stopped with
     * @bsd m_apply
     */
    public int apply(int off, int n, MbufVisitor f, Object arg) {
        return MbufShape.apply(this, off, n, f, arg);
    }

    /**
     * The mbuf that holds octet {@code off}, or, when that is the chain's length, the last one; null beyond. The
     * place within it is {@link #getPtrOff}.
     *
     * @bsd m_getptr
     */
    public Mbuf getPtr(int off) {
        return MbufShape.getPtr(this, off);
    }

    /** Offset of octet {@code off} of the chain within the mbuf {@link #getPtr} answers; -1 beyond the end. */
    public int getPtrOff(int off) {
        return MbufShape.getPtrOff(this, off);
    }

    /**
     * Throws if the chain contradicts itself: dead or misplaced mbufs, data outside storage, wrong packet length.
     *
     * @bsd m_sanity
     */
    public void sanity() {
        MbufDebug.sanity(this);
    }

    @Override
    public String describe() {
        return MbufDebug.describe(this);
    }

    @Override
    public String toString() {
        return describe();
    }

    // What the assertions ask and say.

    private boolean inside(int off, int width) {
        return live() && off >= 0 && off + width <= len;
    }

    private String outside(int off) {
        return (live() ? "octet " + off + " of " : "use after free: ") + describe();
    }
}
