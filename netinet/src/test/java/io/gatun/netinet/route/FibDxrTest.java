package io.gatun.netinet.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What is looked up for a large table, against the trie it is made from. */
class FibDxrTest {
    private static final int LARGE = 256;

    private static NextHop hop(final int n) {
        return new NextHop(null, NextHop.NHF_REJECT, null, null, n);
    }

    /** Addresses of which many share many bits. */
    private static long half(final Random r) {
        final long base = 0x2001_0db8_0000_0000L;
        return switch (r.nextInt(4)) {
            case 0 -> r.nextLong();
            case 1 -> base | r.nextInt() & 0xffff_ffffL;
            case 2 -> base | r.nextInt(4) << 16 | r.nextInt(4);
            default -> base ^ 1L << r.nextInt(Long.SIZE);
        };
    }

    /** Adds and deletes prefixes of all lengths and compares answers, below and beside them. */
    private static void compare(final Random r, final int maxBits, final int changes) {
        FibTrie.Node root = FibTrie.put(FibTrie.EMPTY, 0, 0, r.nextInt(2), hop(1));
        final FibDxr dxr = new FibDxr(root);
        final long[][] known = new long[changes][];
        for (int i = 0; i < changes; i++) {
            final boolean again = i > 0 && r.nextInt(3) == 0;
            final int bits = again ? (int) known[r.nextInt(i)][2] : r.nextInt(maxBits + 1);
            final long hi = (again ? known[r.nextInt(i)][0] : half(r)) & FibTrie.maskHi(bits);
            final long lo = (maxBits > Long.SIZE ? half(r) : 0) & FibTrie.maskLo(bits);
            known[i] = new long[] {hi, lo, bits};
            root = FibTrie.put(root, hi, lo, bits, again ? null : hop(2 + r.nextInt(20)));
            dxr.update(root, hi, lo, bits);
            for (int k = 0; k < 4; k++) {
                final long[] near = known[r.nextInt(i + 1)];
                final long h = k == 0 ? half(r) : near[0] ^ (r.nextInt(3) == 0 ? 1L << r.nextInt(Long.SIZE) : 0);
                final long l = near[1] ^ (r.nextInt(3) == 0 ? 1L << r.nextInt(Long.SIZE) : 0);
                assertThat(dxr.longest(h, l)).as("%x:%x", h, l).isSameAs(FibTrie.longest(root, h, l));
            }
        }
        final FibDxr anew = new FibDxr(root);
        for (final long[] p : known) {
            assertThat(anew.longest(p[0], p[1])).isSameAs(FibTrie.longest(root, p[0], p[1]));
            assertThat(dxr.longest(p[0], p[1])).isSameAs(FibTrie.longest(root, p[0], p[1]));
        }
    }

    @Property(tries = 5)
    void randomChanges4_everyLookup_equalsTheTrie(@ForAll final long seed) {
        compare(new Random(seed), 32, 600);
    }

    @Property(tries = 5)
    void randomChanges6_everyLookup_equalsTheTrie(@ForAll final long seed) {
        compare(new Random(seed), 128, 600);
    }

    /** More ranges below one slot than a search should have, and prefixes longer than ranges tell apart. */
    @Test
    void denseSlot_comesAndGoes_equalsTheTrie() {
        FibTrie.Node root = FibTrie.EMPTY;
        final FibDxr dxr = new FibDxr(root);
        final long base = 0x2001_0db8_0000_0000L;
        final int n = 3000;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < n; i++) {
                final long hi = base | (long) i << 16 | i % 5;
                root = FibTrie.put(root, hi, i, 128, pass == 0 ? hop(i) : null);
                dxr.update(root, hi, i, 128);
                assertThat(dxr.longest(hi, i)).isSameAs(FibTrie.longest(root, hi, i));
                assertThat(dxr.longest(hi, i + 1)).isNull();
            }
            for (int i = 0; i < n; i++) {
                final long hi = base | (long) i << 16 | i % 5;
                assertThat(dxr.longest(hi, i)).isSameAs(FibTrie.longest(root, hi, i));
            }
        }
    }

    @Test
    void moreNextHopsThanShortIndices_everyLookup_equalsTheTrie() {
        final Fib fib = new Fib(0);
        final int n = 70_000;
        for (int i = 0; i < n; i++) {
            fib.add(SockAddr.in(0x0a000000 + (i << 4), 0), 28, hop(i + 1));
        }
        assertThat(fib.large(SockAddr.AF_INET)).isTrue();
        for (int i = 0; i < n; i++) {
            assertThat(fib.lookup(0x0a000000 + (i << 4) + 15).routeMtu()).isEqualTo(i + 1);
        }
        assertThat(fib.lookup(0x0a000000 + (n << 4))).isNull();
    }

    /** Slots of which every value of six bits has an answer of its own, or none: the longest of the shortest form. */
    @Test
    void everyPrefixOf24Bits_eachWithItsOwnAnswer_everyLookup_equalsTheTrie() {
        FibTrie.Node root = FibTrie.EMPTY;
        final FibDxr dxr = new FibDxr(root);
        final int n = 1 << 10;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < n; i++) {
                final long hi = 0x0a00_0000_0000_0000L | (long) i << 40;
                if (pass == 0 || i % 3 == 0) {
                    root = FibTrie.put(root, hi, 0, 24, pass == 0 ? hop(i) : null);
                    dxr.update(root, hi, 0, 24);
                }
            }
            for (int i = 0; i <= n; i++) {
                final long hi = 0x0a00_0000_0000_0000L | (long) i << 40;
                assertThat(dxr.longest(hi | 0xffL << 32, 0)).as("%d", i).isSameAs(FibTrie.longest(root, hi, 0));
                assertThat(dxr.longest(hi, 0) == null).isEqualTo(i == n || pass == 1 && i % 3 == 0);
            }
        }
    }

    /** A route that gets a new next hop again and again leaves no more dead ones than live. */
    @Test
    void nextHops_replacedForEver_memoryStays() {
        final Fib fib = new Fib(0);
        for (int i = 0; i < LARGE; i++) {
            fib.add(SockAddr.in(i << 16, 0), 24, hop(i));
        }
        final long before = fib.memory(SockAddr.AF_INET);
        for (int i = 0; i < 50_000; i++) {
            fib.change(SockAddr.in(0x00010000, 0), 24, hop(i));
            assertThat(fib.lookup(0x00010001).routeMtu()).isEqualTo(i);
        }
        assertThat(fib.memory(SockAddr.AF_INET)).isLessThan(2 * before);
    }

    @Test
    void table_growsAndShrinks_isLargeOnlyWhileItIs() {
        final Fib fib = new Fib(0);
        final SockAddr[] dst = new SockAddr[LARGE];
        for (int i = 0; i < LARGE; i++) {
            assertThat(fib.large(SockAddr.AF_INET6)).isFalse();
            dst[i] = SockAddr.in6(0x2001_0db8_0000_0000L | i, 0, 0);
            fib.add(dst[i], 64, hop(i));
        }
        assertThat(fib.large(SockAddr.AF_INET6)).isTrue();
        assertThat(fib.large(SockAddr.AF_INET)).isFalse();
        for (int i = 0; i < LARGE; i++) {
            assertThat(fib.lookup6(dst[i].hi(), 1).routeMtu()).isEqualTo(i);
            fib.delete(dst[i], 64);
            assertThat(fib.lookup6(dst[i].hi(), 1)).isNull();
        }
        assertThat(fib.large(SockAddr.AF_INET6)).isFalse();
    }

    /** The prefixes over an address change while it is looked up in a large table: there is always one. */
    @Test
    void writerMovesPrefixBetweenLengths_readersOfALargeTable_seeNoHole() throws InterruptedException {
        final Fib fib = new Fib(0);
        for (int i = 0; i < LARGE; i++) {
            fib.add(SockAddr.in(0x0a010000 | i << 8, 0), 26, hop(1));
        }
        final int[] lengths = {13, 20, 25, 27};
        final AtomicBoolean stop = new AtomicBoolean();
        final AtomicReference<String> wrong = new AtomicReference<>();
        fib.add(SockAddr.in(0x0a010200, 0), lengths[0], hop(2));
        final Thread reader = new Thread(() -> {
            while (!stop.get()) {
                final NextHop nh = fib.lookup(0x0a010245);
                if (nh == null || nh.routeMtu() != 2 && nh.routeMtu() != 3) {
                    wrong.set("at the address: " + nh);
                }
            }
        });
        reader.start();
        for (int i = 0; i < 20_000; i++) {
            final int now = lengths[(i + 1) % lengths.length];
            fib.add(SockAddr.in(0x0a010240, 0), now, hop(2 + i % 2));
            fib.delete(SockAddr.in(0x0a010240, 0), lengths[i % lengths.length]);
        }
        stop.set(true);
        reader.join();
        assertThat(fib.large(SockAddr.AF_INET)).isTrue();
        assertThat(wrong.get()).isNull();
    }
}
