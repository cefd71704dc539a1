package io.gatun.spi.mbuf;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Storage an mbuf may point into instead of its own 256 octets: a piece of the pool's region of fixed size, or
 * foreign memory attached by {@link Mbuf#extAdd}. Counted: every mbuf that points here holds one reference, and the
 * octets may be changed in place only while there is exactly one.
 *
 * <p>Locking key: (c) constant, (v) VarHandle, (o) written by the sole owner before it shares the cluster.
 *
 * @bsd m_ext
 */
public final class Cluster {
    private static final VarHandle REF_CNT;

    static {
        try {
            REF_CNT = MethodHandles.lookup().findVarHandle(Cluster.class, "refCnt", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final MbufPool pool;                // (c)
    final int zone;                     // (c) a MbufPool.Z_ constant
    final int id;                       // (c) index in the pool's table of clusters
    MemorySegment seg;                  // (c) the region; (o) when foreign
    long base;                          // (c) offset of the first octet in seg; (o) when foreign
    int size;                           // (c); (o) when foreign
    boolean bare;                       // (o) held by a driver without an mbuf
    private ExtFree extFree;            // (o) foreign only
    private Object arg1;                // (o)
    private Object arg2;                // (o)
    @SuppressWarnings("unused")
    private int refCnt;                 // (v) 0 while free

    Cluster(MbufPool pool, int zone, int id) {
        this.pool = pool;
        this.zone = zone;
        this.id = id;
    }

    public MbufPool pool() {
        return pool;
    }

    /** Segment {@link #base()} counts in. */
    public MemorySegment seg() {
        return seg;
    }

    /** Offset of the first octet of the storage in {@link #seg()}. @bsd M_START */
    public long base() {
        return base;
    }

    /** Octets of storage. @bsd M_SIZE */
    public int size() {
        return size;
    }

    /** True when the storage is not of the pool's region. */
    public boolean foreign() {
        return zone == MbufPool.Z_EXT;
    }

    /** Mbufs pointing here. @bsd m_extrefcnt */
    public int refCnt() {
        // Acquire: whoever reads 1 also sees that the former sharers are done with the octets.
        return (int) REF_CNT.getAcquire(this);
    }

    /** Takes a free cluster into use with one reference. */
    void open() {
        assert refCnt() == 0 : "cluster in use: " + this;
        assert !Poison.ON || foreign() || Poison.intact(seg, base, size) : "written after free: " + this;
        REF_CNT.setOpaque(this, 1);
    }

    /** Takes a free header into use for foreign storage. */
    void openForeign(MemorySegment s, long off, int octets) {
        seg = s;
        base = off;
        size = octets;
        open();
    }

    void onLast(ExtFree f, Object a1, Object a2) {
        extFree = f;
        arg1 = a1;
        arg2 = a2;
    }

    /** Adds a reference; the caller holds one already. @bsd mb_dupcl */
    void ref() {
        // A sole owner has nobody to race with.
        if (refCnt() == 1) {
            REF_CNT.setOpaque(this, 2);
        } else {
            REF_CNT.getAndAdd(this, 1);
        }
    }

    /** Drops a reference. True when it was the last, and the caller must give the cluster back. @bsd mb_free_ext */
    boolean unref() {
        int n = refCnt();
        if (n == 1) {
            REF_CNT.setOpaque(this, 0);
            return true;
        }
        if (n <= 0) {
            throw new IllegalStateException("double free of " + this);
        }
        return (int) REF_CNT.getAndAdd(this, -1) == 1;
    }

    ExtFree takeExtFree() {
        ExtFree f = extFree;
        extFree = null;
        return f;
    }

    Object takeArg1() {
        Object a = arg1;
        arg1 = null;
        return a;
    }

    Object takeArg2() {
        Object a = arg2;
        arg2 = null;
        return a;
    }

    @Override
    public String toString() {
        String kind = foreign() ? "foreign cluster " : "cluster ";
        return kind + id + " base " + base + " size " + size + " refs " + refCnt();
    }
}
