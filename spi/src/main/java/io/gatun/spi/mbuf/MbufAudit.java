package io.gatun.spi.mbuf;

/** The recount of a pool that nobody uses meanwhile. */
final class MbufAudit {
    private MbufAudit() {
    }

    /** Throws if an item is lost, free twice, or a reference count is wrong. */
    static void check(MbufPool p) {
        boolean[] freeMbufs = new boolean[p.mbufs.length];
        boolean[] freeClusters = new boolean[p.clusters.length];
        for (Zone z : p.zones) {
            boolean[] seen = z.kind == MbufPool.Z_MBUF ? freeMbufs : freeClusters;
            z.mark(seen);
            for (Stripe s : p.stripes) {
                s.claim();
                try {
                    Zone.markAll(z.name + " bin", s.bins[z.kind].items, s.bins[z.kind].n, seen);
                } finally {
                    s.unclaim();
                }
            }
        }
        int[] refs = new int[p.clusters.length];
        for (Mbuf m : p.mbufs) {
            require(p, m.live() != freeMbufs[m.id], m.live() ? "in use and free" : "lost", m);
            if (m.live() && m.has(Mbuf.M_EXT)) {
                refs[m.ext.id]++;
            }
        }
        for (Cluster c : p.clusters) {
            if (c != null) {
                int expect = refs[c.id] + (c.bare ? 1 : 0);
                require(p, c.refCnt() == expect, "reference count should be " + expect, c);
                require(p, expect == 0 == freeClusters[c.id], expect == 0 ? "lost" : "in use and free", c);
            }
        }
    }

    private static void require(MbufPool p, boolean ok, String what, Object item) {
        if (!ok) {
            throw new IllegalStateException(p.name() + ": " + what + ": " + item);
        }
    }
}
