package io.gatun.spi.mbuf;

/** Limits of a pool, fixed once it is built. The names of the methods are those of FreeBSD's tunables. */
public final class MbufPoolBuilder {
    private static final int SMALL_MBUFS = 1024;
    private static final int SMALL_CLUSTERS = 512;
    private static final int SMALL_JUMBOP = 64;
    private static final int SMALL_JUMBO9 = 8;
    private static final int SMALL_JUMBO16 = 32;

    String name = "mbufs";
    int threads = Runtime.getRuntime().availableProcessors();
    boolean alone;
    private final int[] limits = new int[MbufPool.ZONES];

    MbufPoolBuilder() {
        nmbufs(16_384).nmbclusters(8192).nmbjumbop(2048).nmbjumbo9(256).nmbjumbo16(1024);
    }

    /** Limits for tests and for stacks by the hundred: about 2 MiB in all. */
    public MbufPoolBuilder small() {
        return nmbufs(SMALL_MBUFS).nmbclusters(SMALL_CLUSTERS).nmbjumbop(SMALL_JUMBOP).nmbjumbo9(SMALL_JUMBO9)
                .nmbjumbo16(SMALL_JUMBO16);
    }

    /** Name in reports. */
    public MbufPoolBuilder name(String s) {
        name = s;
        return this;
    }

    /** Threads expected to allocate at the same time; the number of processors by default. */
    public MbufPoolBuilder threads(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("threads " + n);
        }
        threads = n;
        return this;
    }

    /**
     * Only one thread at a time will ever use the pool, and whoever lets another take over sees to it that it sees what
     * the first has done, as with a vnet without threads. Spares the atomic operations.
     */
    public MbufPoolBuilder alone() {
        alone = true;
        return threads(1);
    }

    /** Mbufs, of 256 octets each; 16,384 by default. @bsd kern.ipc.nmbufs */
    public MbufPoolBuilder nmbufs(int n) {
        return limit(MbufPool.Z_MBUF, n);
    }

    /** Clusters of 2 KiB; 8,192 by default. @bsd kern.ipc.nmbclusters */
    public MbufPoolBuilder nmbclusters(int n) {
        return limit(MbufPool.Z_CLUSTER, n);
    }

    /** Clusters of 4 KiB; 2,048 by default. @bsd kern.ipc.nmbjumbop */
    public MbufPoolBuilder nmbjumbop(int n) {
        return limit(MbufPool.Z_JUMBOP, n);
    }

    /** Clusters of 9 KiB; 256 by default. @bsd kern.ipc.nmbjumbo9 */
    public MbufPoolBuilder nmbjumbo9(int n) {
        return limit(MbufPool.Z_JUMBO9, n);
    }

    /** Clusters of 16 KiB; 1,024 by default. @bsd kern.ipc.nmbjumbo16 */
    public MbufPoolBuilder nmbjumbo16(int n) {
        return limit(MbufPool.Z_JUMBO16, n);
    }

    private MbufPoolBuilder limit(int zone, int n) {
        if (n < 0) {
            throw new IllegalArgumentException("limit " + n);
        }
        limits[zone] = n;
        return this;
    }

    int limit(int zone) {
        return limits[zone];
    }

    long regionOctets() {
        long n = 0;
        for (int z = MbufPool.Z_MBUF; z < MbufPool.Z_EXT; z++) {
            n += (long) limits[z] * MbufPool.stride(z);
        }
        return n;
    }

    /** Takes the memory, once: it is given back only when the pool is garbage. */
    public MbufPool build() {
        return new MbufPool(this);
    }
}
