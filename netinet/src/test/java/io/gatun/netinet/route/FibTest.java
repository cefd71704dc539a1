package io.gatun.netinet.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class FibTest {
    private static NextHop hop(int n) {
        return new NextHop(null, NextHop.NHF_REJECT, null, null, n);
    }

    private static SockAddr in(int a) {
        return SockAddr.in(a, 0);
    }

    private static int mask(int bits) {
        return bits == 0 ? 0 : -1 << 32 - bits;
    }

    /** Adds and deletes prefixes that share many bits and compares every answer with a linear search. */
    @Property(tries = 200)
    void randomChanges_everyLookup_equalsLinearSearch(@ForAll long seed) {
        Random r = new Random(seed);
        Fib fib = new Fib(0);
        Map<Long, Integer> model = new HashMap<>();
        for (int i = 0; i < 300; i++) {
            int bits = r.nextInt(33);
            int prefix = address(r) & mask(bits);
            long key = (long) prefix << 8 | bits;
            int generation = fib.generation();
            if (r.nextInt(3) == 0) {
                Errno e = fib.delete(in(prefix), bits);
                assertThat(e).isEqualTo(model.remove(key) == null ? Errno.ENOENT : Errno.OK);
                assertThat(fib.generation() != generation).isEqualTo(e == Errno.OK);
            } else {
                Errno e = fib.add(in(prefix | address(r) & ~mask(bits)), bits, hop(i + 1));
                assertThat(e).isEqualTo(model.putIfAbsent(key, i + 1) == null ? Errno.OK : Errno.EEXIST);
            }
            for (int k = 0; k < 5; k++) {
                int dst = address(r);
                NextHop nh = fib.lookup(dst);
                assertThat(nh == null ? null : nh.routeMtu()).isEqualTo(linear(model, dst));
            }
        }
        assertThat(fib.routes()).hasSize(model.size());
        fib.deleteIf(x -> true);
        assertThat(fib.routes()).isEmpty();
    }

    private static int address(Random r) {
        int v = r.nextBoolean() ? 0x0a000000 : 0xffffff00;
        return v ^ (r.nextBoolean() ? r.nextInt() : r.nextInt() & 0xff00ff);
    }

    private static Integer linear(Map<Long, Integer> model, int dst) {
        for (int bits = 32; bits >= 0; bits--) {
            Integer n = model.get((long) (dst & mask(bits)) << 8 | bits);
            if (n != null) {
                return n;
            }
        }
        return null;
    }

    @Property(tries = 100)
    void randomPrefixes6_everyLookup_equalsLinearSearch(@ForAll long seed) {
        Random r = new Random(seed);
        Fib fib = new Fib(0);
        List<long[]> model = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int bits = r.nextInt(129);
            long hi = 0x2001_0db8_0000_0000L ^ (r.nextInt(4) == 0 ? r.nextLong() : 0) & FibTrie.maskHi(bits);
            long lo = (r.nextBoolean() ? r.nextLong() : 0) & FibTrie.maskLo(bits);
            hi &= FibTrie.maskHi(bits);
            if (fib.add(SockAddr.in6(hi, lo, 0), bits, hop(i + 1)) == Errno.OK) {
                model.add(new long[] {hi, lo, bits, i + 1});
            }
        }
        for (int k = 0; k < 200; k++) {
            long[] like = model.get(r.nextInt(model.size()));
            long hi = like[0] ^ (r.nextBoolean() ? 0 : r.nextInt());
            long lo = like[1] ^ (r.nextBoolean() ? 0 : r.nextLong());
            long[] best = null;
            for (long[] p : model) {
                boolean covers = ((hi ^ p[0]) & FibTrie.maskHi((int) p[2])) == 0
                    && ((lo ^ p[1]) & FibTrie.maskLo((int) p[2])) == 0;
                if (covers && (best == null || p[2] > best[2])) {
                    best = p;
                }
            }
            NextHop nh = fib.lookup6(hi, lo);
            assertThat(nh == null ? 0 : nh.routeMtu()).isEqualTo(best == null ? 0 : (int) best[3]);
        }
    }

    @Test
    void badPrefixLength_add_isRefused() {
        Fib fib = new Fib(0);
        assertThat(fib.add(in(0), 33, hop(1))).isEqualTo(Errno.EINVAL);
        assertThat(fib.add(in(0), -1, hop(1))).isEqualTo(Errno.EINVAL);
        assertThat(fib.add(SockAddr.un("x"), 0, hop(1))).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(fib.delete(in(0), 0)).isEqualTo(Errno.ENOENT);
    }

    @Test
    void cachedNextHop_tableChanges_isLookedUpAgain() {
        Fib fib = new Fib(0);
        fib.add(in(0x0a000000), 8, hop(1));
        RouteCache ro = new RouteCache();
        NextHop first = ro.resolve(fib, 0x0a010203);
        assertThat(first.routeMtu()).isEqualTo(1);
        assertThat(ro.linkDst().in4()).isEqualTo(0x0a010203);
        fib.add(in(0x0a010000), 16, hop(2));
        assertThat(ro.resolve(fib, 0x0a010203).routeMtu()).isEqualTo(2);
        fib.delete(in(0x0a010000), 16);
        assertThat(ro.resolve(fib, 0x0a010203)).isSameAs(first);
        assertThat(ro.resolve(fib, 0x0b000000)).isNull();
    }

    /** A reader never sees less than the route that is always there, nor anything it should not. */
    @Test
    void writerChangesTable_readerNeverSeesAHole() throws InterruptedException {
        Fib fib = new Fib(0);
        fib.add(in(0x0a000000), 8, hop(8));
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<String> wrong = new AtomicReference<>();
        Thread reader = new Thread(() -> {
            while (!stop.get()) {
                NextHop nh = fib.lookup(0x0a010203);
                if (nh == null || nh.routeMtu() != 8 && nh.routeMtu() != 24) {
                    wrong.set(String.valueOf(nh));
                }
            }
        });
        reader.start();
        Random r = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            int bits = 9 + r.nextInt(24);
            int prefix = 0x0a010203 & mask(bits);
            if (fib.add(in(prefix), bits, hop(24)) == Errno.EEXIST) {
                fib.delete(in(prefix), bits);
            }
            int other = r.nextInt() & mask(bits);
            if ((other ^ 0x0a010203 & mask(bits)) != 0) {
                fib.change(in(other), bits, hop(99));
                fib.delete(in(other), bits);
            }
        }
        stop.set(true);
        reader.join();
        assertThat(wrong.get()).isNull();
    }

    // Several ways.

    private static NextHop via(int gateway) {
        return new NextHop(null, 0, in(gateway), null, 0);
    }

    @Test
    @Tag("RFC1122-3.3.1.2")
    void severalWays_flows_divideByWeightAndStay() {
        Fib fib = new Fib(0);
        assertThat(fib.append(in(0x0a000000), 8, via(1), 1)).isEqualTo(Errno.OK);
        assertThat(fib.append(in(0x0a000000), 8, via(2), 3)).isEqualTo(Errno.OK);
        assertThat(fib.append(in(0x0a000000), 8, via(2), 1)).isEqualTo(Errno.EEXIST);
        assertThat(fib.append(in(0x0a000000), 8, via(3), 0)).isEqualTo(Errno.EINVAL);
        Random r = new Random(3);
        int second = 0;
        for (int i = 0; i < 10_000; i++) {
            int flow = r.nextInt() | 1;
            NextHop nh = fib.lookup(0x0a010203, flow);
            assertThat(fib.lookup(0x0aff0000, flow)).isSameAs(nh);
            second += nh.gateway.in4() == 2 ? 1 : 0;
        }
        assertThat(second).isBetween(7_300, 7_700);
        assertThat(fib.deletePaths(in(0x0a000000), 8, nh -> nh.gateway.in4() == 2)).isEqualTo(Errno.OK);
        assertThat(fib.lookup(0x0a010203, 7).gateway.in4()).isEqualTo(1);
        assertThat(fib.deletePaths(in(0x0a000000), 8, nh -> nh.gateway.in4() == 2)).isEqualTo(Errno.ENOENT);
        assertThat(fib.delete(in(0x0a000000), 8)).isEqualTo(Errno.OK);
        assertThat(fib.lookup(0x0a010203)).isNull();
    }

    @Test
    void cachedWay_otherFlowOrFamily_isLookedUpAgain() {
        Fib fib = new Fib(0);
        fib.append(in(0), 0, via(1), 1);
        fib.append(in(0), 0, via(2), 1);
        fib.add(SockAddr.in6(0, 0, 0), 0, hop(6));
        RouteCache ro = new RouteCache();
        assertThat(ro.resolve(fib, 1, 1).gateway.in4()).isEqualTo(1);
        assertThat(ro.resolve(fib, 1, -1).gateway.in4()).isEqualTo(2);
        assertThat(ro.resolve6(fib, 0, 1, 3, 0).routeMtu()).isEqualTo(6);
        assertThat(ro.linkDst().lo()).isEqualTo(1);
        assertThat(ro.linkDst().scopeId()).isEqualTo(3);
        assertThat(ro.resolve6(fib, 0, 1, 4, 0).routeMtu()).isEqualTo(6);
        assertThat(ro.linkDst().scopeId()).isEqualTo(4);
        assertThat(ro.resolve(fib, 1, -1).gateway.in4()).isEqualTo(2);
    }

    @Test
    void changes_listener_hearsThemInOrder() {
        Fib fib = new Fib(5);
        List<String> heard = new ArrayList<>();
        RouteListener listener = e -> heard.add(e.kind() + " " + e.fib() + " " + e.route().prefixLen());
        fib.addListener(listener);
        fib.add(in(0x0a000000), 8, hop(1));
        fib.add(in(0x0a000000), 8, hop(1));
        fib.change(in(0x0a000000), 8, hop(2));
        fib.delete(in(0x0a000000), 8);
        fib.delete(in(0x0a000000), 8);
        fib.removeListener(listener);
        fib.add(in(0x0a000000), 9, hop(1));
        assertThat(heard).containsExactly("ADD 5 8", "CHANGE 5 8", "DELETE 5 8");
    }

    /** The table goes through known states; each look-up must give the answer of one of the two around it. */
    @Test
    void writerMovesPrefixBetweenLengths_readers_seeOnlyTableStates() throws InterruptedException {
        Fib fib = new Fib(0);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<String> wrong = new AtomicReference<>();
        // Always at least one of /8, /20, /28 covers the address: a reader that mixed two states could see none.
        int[] lengths = {8, 20, 28};
        fib.add(in(0x0a010203 & mask(8)), 8, hop(8));
        Thread[] readers = new Thread[2];
        for (int k = 0; k < readers.length; k++) {
            readers[k] = new Thread(() -> {
                while (!stop.get()) {
                    if (fib.lookup(0x0a010203) == null) {
                        wrong.set("hole");
                    }
                }
            });
            readers[k].start();
        }
        for (int i = 0; i < 30_000; i++) {
            int now = lengths[(i + 1) % 3];
            int old = lengths[i % 3];
            fib.add(in(0x0a010203 & mask(now)), now, hop(now));
            fib.delete(in(0x0a010203 & mask(old)), old);
        }
        stop.set(true);
        for (Thread t : readers) {
            t.join();
        }
        assertThat(wrong.get()).isNull();
    }

    @Property(tries = 50)
    void randomPrefixes_routes_areAllInOrder(@ForAll long seed) {
        Random r = new Random(seed);
        Fib fib = new Fib(0);
        java.util.TreeSet<String> want = new java.util.TreeSet<>();
        for (int i = 0; i < 200; i++) {
            int bits = r.nextInt(129);
            long hi = r.nextLong() & FibTrie.maskHi(bits);
            long lo = r.nextLong() & FibTrie.maskLo(bits);
            if (fib.add(SockAddr.in6(hi, lo, 0), bits, hop(i)) == Errno.OK) {
                want.add("%016x%016x/%03d".formatted(hi, lo, bits));
                assertThat(fib.exact(SockAddr.in6(hi, lo, 0), bits).nextHop().routeMtu()).isEqualTo(i);
            }
        }
        assertThat(fib.routes().stream()
            .map(x -> "%016x%016x/%03d".formatted(x.dst().hi(), x.dst().lo(), x.prefixLen())).toList())
            .containsExactlyElementsOf(want);
    }
}
