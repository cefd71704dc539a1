package io.gatun.netinet.pcb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The hash of connected control blocks. Readers take no lock: they read a published table and published links. Writers
 * hold the hash lock. Growing builds a new table of new nodes, which the blocks have from then on, and publishes it; a
 * reader in the old one sees the past, which is as if it had looked a moment earlier.
 *
 * <p>Locking key: (h) the owner's hash lock; (v) published by VarHandle.
 *
 * @bsd ipi_hash_exact
 */
final class PcbHash {
    private static final VarHandle BUCKET = MethodHandles.arrayElementVarHandle(PcbNode[].class);
    private static final int INITIAL = 512;
    private static final int LARGEST = 1 << 22;

    private final long k0;
    private final long k1;
    private volatile PcbNode[] table = new PcbNode[INITIAL]; // (v)
    private int count; // (h)

    PcbHash(final SipHash key) {
        k0 = key.key0();
        k1 = key.key1();
    }

    /** IPv4 match, or null. */
    PcbNode find4(final int faddr, final int laddr, final long ports) {
        final long flo = faddr & 0xffff_ffffL;
        final long llo = laddr & 0xffff_ffffL;
        final PcbNode[] t = table;
        PcbNode n = (PcbNode) BUCKET.getAcquire(t, index(hash4(flo, llo, ports), t.length));
        while (n != null && !n.matches4(flo, llo, ports)) {
            n = n.nextAcquire();
        }
        return n;
    }

    /** Match of any family, or null. */
    PcbNode find(final long fhi, final long flo, final long lhi, final long llo, final long ports) {
        final PcbNode[] t = table;
        PcbNode n = (PcbNode) BUCKET.getAcquire(t, index(hash(fhi, flo, lhi, llo, ports), t.length));
        while (n != null && !(n.matches4(flo, llo, ports) && n.fhi == fhi && n.lhi == lhi)) {
            n = n.nextAcquire();
        }
        return n;
    }

    /** Adds a node at the head of its chain. Under the hash lock. */
    void insert(final PcbNode n) {
        PcbNode[] t = table;
        if (count >= t.length && t.length < LARGEST) {
            t = grow(t);
        }
        final int i = index(hash(n), t.length);
        n.nextRelease(t[i]);
        BUCKET.setRelease(t, i, n);
        count++;
    }

    /** Unlinks a node. Under the hash lock. */
    void remove(final PcbNode gone) {
        final PcbNode[] t = table;
        final int i = index(hash(gone), t.length);
        if (t[i] == gone) {
            BUCKET.setRelease(t, i, gone.nextAcquire());
        } else {
            PcbNode n = t[i];
            while (n.nextAcquire() != gone) {
                n = n.nextAcquire();
            }
            n.nextRelease(gone.nextAcquire());
        }
        count--;
    }

    /** Under the hash lock. */
    int count() {
        return count;
    }

    /** Recounts; under the hash lock. */
    boolean check() {
        int seen = 0;
        final PcbNode[] t = table;
        for (int i = 0; i < t.length; i++) {
            for (PcbNode n = t[i]; n != null; n = n.nextAcquire()) {
                assert index(hash(n), t.length) == i : "node in a wrong chain";
                seen++;
            }
        }
        assert seen == count : seen + " nodes, counted " + count;
        return true;
    }

    private PcbNode[] grow(final PcbNode[] old) {
        final PcbNode[] t = new PcbNode[old.length * 2];
        for (final PcbNode head : old) {
            for (PcbNode n = head; n != null; n = n.nextAcquire()) {
                final int i = index(hash(n), t.length);
                t[i] = new PcbNode(n, t[i]);
                n.inp.at = t[i];
            }
        }
        table = t;
        return t;
    }

    private long hash(final PcbNode n) {
        return hash(n.fhi, n.flo, n.lhi, n.llo, n.ports);
    }

    private long hash(final long fhi, final long flo, final long lhi, final long llo, final long ports) {
        if (fhi == 0 && lhi == 0 && (flo | llo) >>> 32 == 0) {
            return hash4(flo, llo, ports);
        }
        return mix(mix(flo ^ k0, llo ^ k1) ^ fhi ^ k1, mix(lhi ^ k0, ports ^ k1) ^ k0);
    }

    private long hash4(final long flo, final long llo, final long ports) {
        return mix((flo << 32 | llo) ^ k0, ports ^ k1);
    }

    private static long mix(final long a, final long b) {
        return a * b ^ Math.unsignedMultiplyHigh(a, b);
    }

    private static int index(final long hash, final int length) {
        return (int) (hash ^ hash >>> 32) & length - 1;
    }
}
