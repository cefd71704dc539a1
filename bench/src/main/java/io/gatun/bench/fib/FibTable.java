package io.gatun.bench.fib;

import io.gatun.conformance.netsim.InternetTable;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;
import java.util.Random;

/** A structure filled with a table of the internet's size, and addresses to ask it for. */
final class FibTable {
    /** What can be measured. */
    enum Kind { RADIX, TREE_BITMAP, DXR, DIR24, POPTRIE }

    /** Addresses of one list of questions: a power of two, and too many for the caches. */
    static final int QUESTIONS = 1 << 20;
    private static final int ROUTES4 = 1_000_000;
    private static final int ROUTES6 = 200_000;
    private static final int NEXT_HOPS = 64;
    private static final int CHECKED = 1 << 14;
    private static final long SEED = 1;

    Lpm lpm;
    final long[] prefixes;
    final int[] lengths;
    private final NextHop[] hops = new NextHop[NEXT_HOPS];
    private final Random random = new Random(SEED);

    FibTable(final Kind kind, final boolean six) {
        for (int i = 0; i < NEXT_HOPS; i++) {
            hops[i] = new NextHop(null, 0, SockAddr.in(0x0a000001 + i, 0), null, 0);
        }
        lengths = new int[six ? ROUTES6 : ROUTES4];
        prefixes = six ? prefixes6() : prefixes4();
        lpm = structure(kind, six);
        load(lpm);
    }

    static Lpm structure(final Kind kind, final boolean six) {
        return switch (kind) {
            case RADIX -> new Radix();
            case TREE_BITMAP -> new FibLpm(false, six);
            case DXR -> new FibLpm(true, six);
            case DIR24 -> new Dir24x8();
            case POPTRIE -> new Poptrie();
        };
    }

    private void load(final Lpm into) {
        for (int i = 0; i < prefixes.length; i++) {
            into.put(prefixes[i], lengths[i], hop(i));
        }
    }

    NextHop hop(final int i) {
        return hops[i % NEXT_HOPS];
    }

    private long[] prefixes4() {
        final long[] out = new InternetTable(SEED).prefixes4(ROUTES4);
        for (int i = 0; i < out.length; i++) {
            lengths[i] = (int) out[i];
            out[i] &= -1L << Integer.SIZE;
        }
        return out;
    }

    private long[] prefixes6() {
        final SockAddr[] all = new InternetTable(SEED).prefixes6(ROUTES6, lengths);
        final long[] out = new long[all.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = all[i].hi();
        }
        return out;
    }

    /** An address below a prefix. */
    private long below(final int i) {
        return prefixes[i] | random.nextLong() & ~Radix.mask(lengths[i]);
    }

    /** Addresses below prefixes drawn evenly. */
    long[] random() {
        final long[] out = new long[QUESTIONS];
        for (int i = 0; i < out.length; i++) {
            out[i] = below(random.nextInt(prefixes.length));
        }
        return out;
    }

    /** Addresses below prefixes of which the k-th is asked for 1/k as often as the first (Zipf), one host each. */
    long[] skewed() {
        final long[] hosts = new long[prefixes.length];
        for (int i = 0; i < hosts.length; i++) {
            hosts[i] = below(i);
        }
        final long[] out = new long[QUESTIONS];
        for (int i = 0; i < out.length; i++) {
            out[i] = hosts[(int) Math.exp(random.nextDouble() * Math.log(hosts.length)) - 1];
        }
        return out;
    }

    /** Changes much, and fails unless the structure still answers as a trie with the same prefixes. */
    void check() {
        final Radix reference = new Radix();
        load(reference);
        for (int n = 0; n < CHECKED; n++) {
            final int i = random.nextInt(prefixes.length);
            final NextHop nh = random.nextBoolean() ? null : hop(random.nextInt(NEXT_HOPS));
            reference.put(prefixes[i], lengths[i], nh);
            lpm.put(prefixes[i], lengths[i], nh);
        }
        for (int n = 0; n < 4 * CHECKED; n++) {
            final long addr = (n & 1) == 0 ? below(random.nextInt(prefixes.length)) : random.nextLong();
            if (gateway(lpm.lookup(addr)) != gateway(reference.lookup(addr))) {
                throw new IllegalStateException(Long.toHexString(addr) + ": " + lpm.lookup(addr) + " instead of "
                    + reference.lookup(addr));
            }
        }
        load(lpm);
    }

    /** What tells next hops apart: a table may keep another object for a default route. */
    private static SockAddr gateway(final NextHop nh) {
        return nh == null ? null : nh.gateway;
    }
}
