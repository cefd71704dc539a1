package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MJUM16BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUM9BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUMPAGESIZE;
import static io.gatun.spi.mbuf.Mbuf.MSIZE;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_NOFREE;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;

import io.gatun.spi.ifnet.Ifnet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * All mbufs and clusters of one network stack, made once and handed out and taken back for ever. Any thread may
 * allocate and free (but see {@link MbufPoolBuilder#alone}). Nothing blocks: when the limit is reached allocation
 * answers null, and the limit is exact.
 *
 * <p>The octets lie in one page-aligned off-heap region, which can be registered with a device as a whole:
 *
 * <pre>
 *   16 KiB clusters | 9 KiB clusters (12 KiB apart) | 4 KiB clusters | 2 KiB clusters | 256 octets of each mbuf
 * </pre>
 *
 * <p>Free items are kept by number, not by reference: storing references is what a garbage collector charges for. See
 * {@link Zone} for the caches.
 *
 * <p>Locking key: (c) constant, (a) any thread, benign race: a diagnostic or a hint that only ever grows,
 * (v) volatile.
 *
 * @bsd mbuma
 */
public final class MbufPool {
    static final int Z_MBUF = 0;
    static final int Z_CLUSTER = 1;
    static final int Z_JUMBOP = 2;
    static final int Z_JUMBO9 = 3;
    static final int Z_JUMBO16 = 4;
    static final int Z_EXT = 5;
    static final int ZONES = 6;

    private static final int PAGE = 4096;
    private static final int STRIDE_JUMBO9 = 3 * PAGE;
    private static final int MAX_STRIPES = 64;
    /** What a pool assumes before interfaces and protocols say more. */
    private static final int MIN_LINKHDR = 16;
    private static final int MIN_PROTOHDR = 60;

    private final String name;          // (c)
    private final MemorySegment region; // (c)
    final Zone[] zones;                 // (c) by Z_ constant
    final Stripe[] stripes;             // (c) a power of two
    private final int stripeMask;       // (c)
    private final Stripe alone;         // (c) that of a pool without threads; else null
    final Mbuf[] mbufs;                 // (c) by number
    final Cluster[] clusters;           // (c) by number; headers of foreign storage are made when first needed
    private MbufTrace trace;            // (a) null while off
    private volatile Runnable[] lowmem = {}; // (v) replaced as a whole, under this
    private int maxLinkhdr = MIN_LINKHDR;   // (a)
    private int maxProtohdr = MIN_PROTOHDR; // (a)

    MbufPool(MbufPoolBuilder b) {
        name = b.name;
        int n = 2;
        while (n < 2 * b.threads && n < MAX_STRIPES) {
            n <<= 1;
        }
        zones = new Zone[ZONES];
        int first = 0;
        for (int z = Z_CLUSTER; z < Z_EXT; z++) {
            zones[z] = new Zone(zoneName(z), z, first, b.limit(z), octets(z), n);
            first += b.limit(z);
        }
        zones[Z_MBUF] = new Zone(zoneName(Z_MBUF), Z_MBUF, 0, b.limit(Z_MBUF), MSIZE, n);
        // Foreign storage is held by at least one mbuf each, so as many headers as mbufs always suffice.
        zones[Z_EXT] = new Zone(zoneName(Z_EXT), Z_EXT, first, b.limit(Z_MBUF), 0, n);
        stripes = new Stripe[n];
        for (int i = 0; i < n; i++) {
            stripes[i] = new Stripe(zones, !b.alone);
        }
        stripeMask = n - 1;
        alone = b.alone ? stripes[0] : null;
        region = Arena.ofAuto().allocate(b.regionOctets(), PAGE);
        clusters = new Cluster[first + b.limit(Z_MBUF)];
        mbufs = new Mbuf[b.limit(Z_MBUF)];
        layOut();
        if (Poison.ON) {
            Poison.fill(region);
        }
    }

    private void layOut() {
        long at = 0;
        for (int z = Z_JUMBO16; z >= Z_CLUSTER; z--) {
            Zone zone = zones[z];
            for (int i = 0; i < zone.limit; i++) {
                Cluster c = new Cluster(this, z, zone.first + i);
                c.seg = region;
                c.base = at;
                c.size = zone.itemOctets;
                clusters[c.id] = c;
                at += stride(z);
            }
        }
        for (int i = 0; i < mbufs.length; i++) {
            mbufs[i] = new Mbuf(this, i, region, at);
            at += MSIZE;
        }
    }

    private static String zoneName(int zone) {
        return switch (zone) {
            case Z_MBUF -> "mbuf";
            case Z_CLUSTER -> "mbuf_cluster";
            case Z_JUMBOP -> "mbuf_jumbo_page";
            case Z_JUMBO9 -> "mbuf_jumbo_9k";
            case Z_JUMBO16 -> "mbuf_jumbo_16k";
            default -> "mbuf_ext";
        };
    }

    static int octets(int zone) {
        return switch (zone) {
            case Z_CLUSTER -> MCLBYTES;
            case Z_JUMBOP -> MJUMPAGESIZE;
            case Z_JUMBO9 -> MJUM9BYTES;
            case Z_JUMBO16 -> MJUM16BYTES;
            default -> MSIZE;
        };
    }

    /** Octets from one item of the zone to the next. */
    static int stride(int zone) {
        return zone == Z_JUMBO9 ? STRIDE_JUMBO9 : octets(zone);
    }

    /** @bsd m_getzone */
    private static int zoneOf(int size) {
        return switch (size) {
            case MCLBYTES -> Z_CLUSTER;
            case MJUMPAGESIZE -> Z_JUMBOP;
            case MJUM9BYTES -> Z_JUMBO9;
            case MJUM16BYTES -> Z_JUMBO16;
            default -> throw new IllegalArgumentException("no clusters of " + size + " octets");
        };
    }

    /** A builder with the limits a stack has by default. */
    public static MbufPoolBuilder builder() {
        return new MbufPoolBuilder();
    }

    // Allocation. Everything here answers null when a limit is reached.

    /** An empty mbuf. @bsd m_get */
    public Mbuf get(int type) {
        return get(type, 0);
    }

    /** An empty mbuf with an empty packet header. @bsd m_gethdr */
    public Mbuf gethdr(int type) {
        return get(type, M_PKTHDR);
    }

    private Mbuf get(int type, int flags) {
        Stripe s = claim();
        int id = s.mbufs.take();
        s.unclaim();
        if (id < 0) {
            id = takeAnywhere(Z_MBUF);
            if (id < 0) {
                return null;
            }
        }
        return hand(id, type, flags);
    }

    /**
     * Empty packets, each as from {@link #gethdr}, linked by {@code nextPkt}: as many as there were, {@code n} at most;
     * null when there was none. Quicker than one by one, as a thread waits for the lines of all of them at once.
     *
     * @bsd m_gethdr
     */
    public Mbuf gethdrs(int n, int type) {
        Mbuf first = null;
        if (trace == null) {
            Stripe s = claim();
            try {
                first = handAll(s.mbufs, n, type);
            } finally {
                s.unclaim();
            }
        }
        return first == null && n > 0 ? gethdr(type) : first;
    }

    private Mbuf handAll(Zone.Bin bin, int n, int type) {
        Mbuf first = null;
        for (int i = 0; i < n; i++) {
            int id = bin.take();
            if (id < 0) {
                break;
            }
            Mbuf m = mbufs[id];
            m.open(type, M_PKTHDR);
            m.nextPkt = first;
            first = m;
        }
        return first;
    }

    /** An empty mbuf with a 2 KiB cluster; {@code flags} may have M_PKTHDR. @bsd m_getcl */
    public Mbuf getcl(int type, int flags) {
        return getZone(Z_CLUSTER, type, flags);
    }

    /**
     * An empty mbuf with a cluster of {@code size}, one of MCLBYTES, MJUMPAGESIZE, MJUM9BYTES, MJUM16BYTES.
     *
     * @bsd m_getjcl
     */
    public Mbuf getjcl(int type, int flags, int size) {
        return getZone(zoneOf(size), type, flags);
    }

    private Mbuf getZone(int zone, int type, int flags) {
        Stripe s = claim();
        int cl = s.bins[zone].take();
        int id = cl < 0 ? -1 : s.mbufs.take();
        s.unclaim();
        if (id < 0) {
            return getZoneSlow(zone, cl, type, flags);
        }
        return hand(id, cl, type, flags);
    }

    /** An mbuf with its cluster. */
    private Mbuf hand(int id, int cl, int type, int flags) {
        Cluster c = clusters[cl];
        c.open();
        Mbuf m = hand(id, type, flags);
        if (m == null) {
            c.bare = true;
            clfree(c);
            return null;
        }
        m.attach(c);
        return m;
    }

    private Mbuf getZoneSlow(int zone, int had, int type, int flags) {
        int cl = had >= 0 ? had : takeAnywhere(zone);
        if (cl < 0) {
            return null;
        }
        int id = takeAnywhere(Z_MBUF);
        if (id < 0) {
            Stripe s = claim();
            s.bins[zone].putBack(cl);
            s.unclaim();
            return null;
        }
        return hand(id, cl, type, flags);
    }

    /** An item from wherever there is one; -1 when the limit is reached. */
    private int takeAnywhere(int zone) {
        int item = zones[zone].takeAnywhere(stripes);
        if (item < 0) {
            lowmem(zone);
        }
        return item;
    }

    /** Who finds no large cluster takes small ones: no shortage, and nothing to give up data of peers for. */
    private void lowmem(int zone) {
        if (zone > Z_CLUSTER) {
            return;
        }
        Runnable[] told = lowmem;
        for (Runnable r : told) {
            r.run();
        }
    }

    /**
     * Has {@code told} run whenever a request for an mbuf or a cluster of 2 KiB is refused, by the asking thread and
     * under the locks it holds: it may note that, and no more. A vnet does so for its protocols
     * ({@code VnetSide.onLowmem}).
     *
     * @bsd mbuf_lowmem
     */
    public synchronized void onLowmem(Runnable told) {
        Runnable[] more = Arrays.copyOf(lowmem, lowmem.length + 1);
        more[lowmem.length] = told;
        lowmem = more;
    }

    /** Ends {@link #onLowmem}; a call under way may still end later. */
    public synchronized void offLowmem(Runnable told) {
        lowmem = Arrays.stream(lowmem).filter(r -> r != told).toArray(Runnable[]::new);
    }

    private Mbuf hand(int id, int type, int flags) {
        Mbuf m = mbufs[id];
        m.open(type, flags);
        return trace == null || traced(m) ? m : null;
    }

    /** Notes where an mbuf is taken; false when it is not to be had, and is free again. */
    private boolean traced(Mbuf m) {
        MbufTrace t = trace;
        if (t == null) {
            return true;
        }
        if (t.refuses()) {
            Stripe s = claim();
            put(s, m);
            s.unclaim();
            zones[Z_MBUF].deny();
            lowmem(Z_MBUF);
            return false;
        }
        t.taken(m);
        return true;
    }

    /**
     * The smallest single mbuf with storage for {@code size} octets, up to MJUM16BYTES; null for more.
     *
     * @bsd m_get2
     */
    public Mbuf get2(int size, int type, int flags) {
        if (size <= MHLEN) {
            return get(type, flags);
        }
        if (size <= MCLBYTES) {
            return getZone(Z_CLUSTER, type, flags);
        }
        if (size > MJUM16BYTES) {
            return null;
        }
        return getZone(size <= MJUMPAGESIZE ? Z_JUMBOP : size <= MJUM9BYTES ? Z_JUMBO9 : Z_JUMBO16, type, flags);
    }

    /**
     * A chain of empty mbufs with storage for {@code len} octets, in the largest clusters that are filled and to be
     * had. It is put behind {@code m} unless that is null. Consumes m and returns it (or the new chain); when mbufs
     * run out m is as it was and null is returned. {@code flags}: M_PKTHDR for a new chain, M_EOR for its last mbuf.
     *
     * @bsd m_getm2
     */
    public Mbuf getm2(Mbuf m, int len, int type, int flags) {
        assert len > 0 : "m_getm2 of " + len;
        Mbuf top = getUpTo(len, type, m == null ? flags & M_PKTHDR : 0);
        if (top == null) {
            return null;
        }
        Mbuf tail = top;
        int left = len - top.size;
        while (left > 0) {
            Mbuf n = getUpTo(left, type, 0);
            if (n == null) {
                top.freeChain();
                return null;
            }
            tail.next = n;
            tail = n;
            left -= n.size;
        }
        tail.flags |= flags & M_EOR;
        if (m == null) {
            return top;
        }
        m.last().next = top;
        return m;
    }

    private Mbuf getUpTo(int len, int type, int flags) {
        if (len <= MHLEN) {
            return get(type, flags);
        }
        Mbuf m = null;
        if (len > MJUM9BYTES) {
            m = getZone(Z_JUMBO16, type, flags);
        }
        if (m == null && len > MJUMPAGESIZE) {
            m = getZone(Z_JUMBO9, type, flags);
        }
        if (m == null && len > MCLBYTES) {
            m = getZone(Z_JUMBOP, type, flags);
        }
        return m != null ? m : getZone(Z_CLUSTER, type, flags);
    }

    /** Gives an empty mbuf a 2 KiB cluster. Borrows m. False, with m unchanged, when there is none. @bsd m_clget */
    public boolean clget(Mbuf m) {
        return cljget(m, MCLBYTES);
    }

    /**
     * Gives an empty mbuf a cluster of {@code size}. Borrows m. False, with m unchanged, when there is none.
     *
     * @bsd m_cljget
     */
    public boolean cljget(Mbuf m, int size) {
        assert m.live() && m.pool == this && !m.has(M_EXT) && m.len == 0 : m.describe();
        Cluster c = takeCluster(zoneOf(size));
        if (c == null) {
            return false;
        }
        c.open();
        m.attach(c);
        return true;
    }

    /**
     * A cluster without an mbuf, for a device to fill; it goes on with {@link #cljset} or {@link #clfree}. Null when
     * there is none.
     *
     * @bsd m_cljget
     */
    public Cluster cljget(int size) {
        Cluster c = takeCluster(zoneOf(size));
        if (c != null) {
            c.open();
            c.bare = true;
        }
        return c;
    }

    /** Gives an empty mbuf a cluster from {@link #cljget(int)}. Borrows m, consumes c. @bsd m_cljset */
    public void cljset(Mbuf m, Cluster c) {
        assert m.live() && m.pool == this && !m.has(M_EXT) && m.len == 0 : m.describe();
        assert c.pool == this && c.bare : c;
        c.bare = false;
        m.attach(c);
    }

    /** Frees a cluster from {@link #cljget(int)}. Consumes c. */
    public void clfree(Cluster c) {
        if (c.pool != this || !c.bare) {
            throw new IllegalStateException("not a bare cluster of " + name + ": " + c);
        }
        c.bare = false;
        if (c.unref()) {
            Stripe s = claim();
            putCluster(s, c);
            s.unclaim();
        }
    }

    private Cluster takeCluster(int zone) {
        MbufTrace t = trace;
        if (t != null && zone != Z_EXT && t.refuses()) {
            zones[zone].deny();
            lowmem(zone);
            return null;
        }
        Stripe s = claim();
        int cl = s.bins[zone].take();
        s.unclaim();
        if (cl < 0) {
            cl = takeAnywhere(zone);
        }
        if (cl < 0) {
            return null;
        }
        Cluster c = clusters[cl];
        if (c == null) {
            c = new Cluster(this, zone, cl);
            clusters[cl] = c;
        }
        return c;
    }

    Cluster extAdd(Mbuf m, MemorySegment foreign, long off, int octets) {
        if (!foreign.isNative() || off < 0 || octets < 0 || octets > foreign.byteSize() - off) {
            throw new IllegalArgumentException("m_extadd of " + off + "+" + octets + " of " + foreign);
        }
        Cluster c = takeCluster(Z_EXT);
        assert c != null : "more foreign storage than mbufs";
        c.openForeign(foreign, off, octets);
        m.attach(c);
        return c;
    }

    /**
     * Copies a received frame into a new packet, with room for a link header in front.
     *
     * @bsd m_devget
     */
    public Mbuf devget(MemorySegment src, long off, int len, Ifnet rcvif) {
        int lead = maxLinkhdr;
        Mbuf m = getm2(null, len + lead, Mbuf.MT_DATA, M_PKTHDR);
        if (m == null) {
            return null;
        }
        m.data += lead;
        m.rcvif(rcvif);
        m.pktLen = len;
        int done = 0;
        for (Mbuf n = m; n != null; n = n.next) {
            n.len = Math.min(len - done, (int) (n.start + n.size - n.data));
            MemorySegment.copy(src, off + done, n.seg, n.data, n.len);
            done += n.len;
        }
        return m;
    }

    /**
     * A deep, writable copy of a packet in this pool, for a device that joins two vnets. Borrows m, which may come from
     * another pool. Null when out of mbufs.
     *
     * @bsd m_dup
     */
    public Mbuf dupFrom(Mbuf m) {
        return MbufCopy.dup(m, this);
    }

    // Freeing; reached by Mbuf.free and its like.

    void free(Mbuf m) {
        if (!m.plain()) {
            freeWithCare(m);
            return;
        }
        Stripe s = claim();
        try {
            put(s, m);
        } finally {
            s.unclaim();
        }
    }

    /** Frees from {@code first} on what one claim of a stripe can free; returns what is left of the chain. */
    Mbuf freeRun(Mbuf first) {
        if (first.next == null || !first.plain()) {
            return first.free();
        }
        Stripe s = claim();
        Mbuf m = first;
        try {
            while (m != null && m.pool == this && m.plain()) {
                Mbuf n = m.next;
                put(s, m);
                m = n;
            }
        } finally {
            s.unclaim();
        }
        return m;
    }

    private void put(Stripe s, Mbuf m) {
        if ((m.flags & M_EXT) != 0) {
            Cluster c = m.ext;
            if (c.unref()) {
                putCluster(s, c);
            }
        }
        m.close();
        if (Poison.ON) {
            Poison.fill(region, m.home, MSIZE);
        }
        s.mbufs.put(m.id);
    }

    private void putCluster(Stripe s, Cluster c) {
        if (Poison.ON && !c.foreign()) {
            Poison.fill(region, c.base, c.size);
        }
        s.bins[c.zone].put(c.id);
    }

    /** Frees an mbuf with tags, foreign storage or M_NOFREE (which leaves the empty handle to its owner). */
    private void freeWithCare(Mbuf m) {
        if (!m.live()) {
            throw new IllegalStateException("double free: " + describe(m));
        }
        if ((m.flags & M_PKTHDR) != 0) {
            m.tagDeleteChain();
        }
        Cluster c = m.ext();
        boolean last = c != null && c.unref();
        ExtFree release = last ? c.takeExtFree() : null;
        Object arg1 = last ? c.takeArg1() : null;
        Object arg2 = last ? c.takeArg2() : null;
        m.detach();
        Stripe s = claim();
        try {
            if (last) {
                putCluster(s, c);
            }
            if ((m.flags & M_NOFREE) == 0) {
                put(s, m);
            }
        } finally {
            s.unclaim();
        }
        if (release != null) {
            release.free(arg1, arg2);
        }
    }

    private Stripe claim() {
        if (alone != null) {
            return alone;
        }
        int i = (int) Thread.currentThread().threadId() & stripeMask;
        Stripe s = stripes[i];
        return s.tryClaim() ? s : Stripe.claimAny(stripes, i);
    }

    // Headers to leave room for.

    /** Octets to leave for link headers. @bsd max_linkhdr */
    public int maxLinkhdr() {
        return maxLinkhdr;
    }

    /** Octets of the longest network and transport headers. @bsd max_protohdr */
    public int maxProtohdr() {
        return maxProtohdr;
    }

    /** @bsd max_hdr */
    public int maxHdr() {
        return maxLinkhdr + maxProtohdr;
    }

    /** Called when an interface is attached. @bsd max_linkhdr_grow */
    public synchronized void maxLinkhdrGrow(int octets) {
        if (octets > maxLinkhdr && octets + maxProtohdr <= MHLEN) {
            maxLinkhdr = octets;
        }
    }

    /** Called when a protocol is added. @bsd max_protohdr_grow */
    public synchronized void maxProtohdrGrow(int octets) {
        if (octets > maxProtohdr && octets + maxLinkhdr <= MHLEN) {
            maxProtohdr = octets;
        }
    }

    // Looking.

    public String name() {
        return name;
    }

    /** The memory of all clusters and mbufs. */
    public MemorySegment region() {
        return region;
    }

    /** Offset of a cluster of this pool in {@link #region()}. */
    public long regionOffset(Cluster c) {
        assert c.pool == this && !c.foreign() : c;
        return c.base;
    }

    /**
     * The cluster that holds the octet at this offset of the region; null if it is an mbuf's own or between clusters.
     */
    public Cluster clusterAt(long regionOff) {
        long at = regionOff;
        for (int z = Z_JUMBO16; z >= Z_CLUSTER; z--) {
            Zone zone = zones[z];
            long i = at / stride(z);
            if (i < zone.limit) {
                return at % stride(z) < zone.itemOctets ? clusters[zone.first + (int) i] : null;
            }
            at -= (long) zone.limit * stride(z);
        }
        return null;
    }

    /** Mbufs in use. */
    public int outstanding() {
        return zones[Z_MBUF].limit - freeOf(Z_MBUF);
    }

    /** Clusters in use, of all sizes. */
    public int clustersOutstanding() {
        int n = 0;
        for (int z = Z_CLUSTER; z < Z_EXT; z++) {
            n += zones[z].limit - freeOf(z);
        }
        return n;
    }

    /** Allocations asked of all zones so far, the denied ones included. */
    public long requests() {
        long n = denied();
        for (int z = Z_MBUF; z < ZONES; z++) {
            n += takenOf(z);
        }
        return n;
    }

    /** Allocations refused because a limit was reached. */
    public long denied() {
        long n = 0;
        for (Zone z : zones) {
            n += z.denied();
        }
        return n;
    }

    private int freeOf(int zone) {
        int n = zones[zone].free();
        for (Stripe s : stripes) {
            s.claim();
            n += s.bins[zone].n;
            s.unclaim();
        }
        return n;
    }

    private long takenOf(int zone) {
        long n = zones[zone].taken();
        for (Stripe s : stripes) {
            s.claim();
            n += s.bins[zone].taken;
            s.unclaim();
        }
        return n;
    }

    /** Numbers for {@code netstat -m}; consistent when nobody allocates meanwhile. */
    public MbufStats snapshot() {
        return new MbufStats(name, zoneStats(Z_MBUF), zoneStats(Z_CLUSTER), zoneStats(Z_JUMBOP), zoneStats(Z_JUMBO9),
                zoneStats(Z_JUMBO16));
    }

    private MbufStats.ZoneStats zoneStats(int zone) {
        Zone z = zones[zone];
        int free = freeOf(zone);
        return new MbufStats.ZoneStats(z.name, z.itemOctets, z.limit, z.limit - free, free - z.free(), takenOf(zone),
                z.denied());
    }

    /** Turns the recording of allocation sites on or off. Costs a stack trace an mbuf. */
    public void setTracing(boolean on) {
        trace = on ? new MbufTrace(mbufs.length) : null;
    }

    /**
     * For tests: answers so many requests as if the limit were reached, from the {@code n}-th from now on. 0 refusals
     * end it.
     *
     * @bsd KFAIL_POINT_CODE
     */
    public void refuse(long n, long refusals) {
        trace = refusals == 0 ? null : new MbufTrace(n, refusals);
    }

    /** Where the last of those requests came from; empty while there was none. */
    public String refusedAt() {
        MbufTrace t = trace;
        return t == null ? "" : t.refusedAt();
    }

    /**
     * Who took the mbufs that are in use: one paragraph an allocation site if tracing is on. Empty when there are
     * none.
     */
    public String leakReport() {
        return MbufTrace.report(trace, mbufs);
    }

    /**
     * Recounts everything and throws if an item is lost, free twice, or a reference count is wrong. Only when no
     * other thread allocates, frees or shares.
     */
    public void check() {
        MbufAudit.check(this);
    }

    private String describe(Mbuf m) {
        MbufTrace t = trace;
        return m.describe() + (t == null ? "" : t.site(m));
    }

    @Override
    public String toString() {
        return name;
    }
}
