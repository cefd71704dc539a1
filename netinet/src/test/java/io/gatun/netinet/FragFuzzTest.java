package io.gatun.netinet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ether.EtherHeader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Fragments of both families in all orders, with holes, duplicates and overlaps, against a model as simple as can be: a
 * datagram is delivered exactly as it was, or not at all, and each fragment is delivered or counted.
 */
class FragFuzzTest {
    private static final long SEC = 1_000_000_000L;
    private static final int UNIT = 8;
    private static final int MF = 0x2000;
    private static final int FRAGMENT = 44;

    private final TestNet6 six = new TestNet6();
    private final TestNet net = six.net.resolved();
    private long sent;
    private long joined;

    @AfterEach
    void close() {
        assertThat(net.outstanding()).isZero();
        six.close();
    }

    /** What the contract says should happen. */
    private static final class Model {
        private final List<int[]> have = new ArrayList<>();

        /** How many fragments the datagram of n units is joined of now, 0 when it is not whole. */
        int add(final int from, final int to, final int n) {
            if (from == 0 && to == n) {
                return 1; // no fragment, or an atomic one
            }
            for (final int[] h : have) {
                if (h[0] == from && h[1] == to) {
                    return 0;
                }
            }
            for (final int[] h : have) {
                if (h[0] < to && from < h[1]) {
                    have.clear();
                    return 0;
                }
            }
            have.add(new int[] {from, to});
            final int sum = have.stream().mapToInt(h -> h[1] - h[0]).sum();
            final int count = sum == n ? have.size() : 0;
            if (count > 0) {
                have.clear();
            }
            return count;
        }
    }

    private byte[] frame(final int family, final byte[] data, final int from, final int to) {
        final byte[] part = Arrays.copyOfRange(data, from * UNIT, Math.min(to * UNIT, data.length));
        final boolean more = to * UNIT < data.length;
        final long mac = EtherHeader.addr(net.wire0.ifp.lladdr());
        if (family == 4) {
            return Packets.ether(mac, TestNet.PEER0_MAC, 0x0800, Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO,
                9, from | (more ? MF : 0), part));
        }
        return Packets.ether(mac, TestNet6.PEER_MAC, 0x86dd, TestNet6.with(
            TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, TestNet.PROTO, part), FRAGMENT,
            TestNet6.fragHeader(TestNet.PROTO, from * UNIT, more, 9)));
    }

    /** All parts of a datagram of n units, at {@code from * (n + 1) + to}. */
    private byte[][] frames(final int family, final byte[] data, final int n) {
        final byte[][] out = new byte[n * (n + 1) + n][];
        for (int from = 0; from < n; from++) {
            for (int to = from + 1; to <= n; to++) {
                out[from * (n + 1) + to] = frame(family, data, from, to);
            }
        }
        return out;
    }

    private String prefix(final int family) {
        return family == 4 ? "ip" : "ip6";
    }

    private int waiting(final int family) {
        return family == 4 ? net.inet.ipReass.frags() : six.inet6.frag6.frags();
    }

    private void run(
        final int family, final byte[][] frames, final byte[] data, final int n, final int[] pick, final String what) {
        net.got.clear();
        final Model model = new Model();
        int wholes = 0;
        for (final int p : pick) {
            final int count = model.add(p / (n + 1), p % (n + 1), n);
            wholes += count > 0 ? 1 : 0;
            final boolean counted = family == 6 || p != n;
            sent += counted ? 1 : 0;
            joined += counted ? count : 0;
            net.wire0.receive(frames[p].clone());
        }
        final int head = family == 4 ? 20 : 40;
        assertThat(net.got.size()).as("%s %s", what, Arrays.toString(pick)).isEqualTo(wholes);
        for (final byte[] g : net.got) {
            assertThat(Packets.tail(g, head)).as("%s %s", what, Arrays.toString(pick)).isEqualTo(data);
        }
        assertThat(waiting(family)).as("%s %s", what, Arrays.toString(pick)).isEqualTo(model.have.size());
        if (!model.have.isEmpty()) {
            six.advance(61 * SEC);
        }
        net.wire0.sent.clear();
        six.sent0.clear();
        assertThat(waiting(family)).isZero();
    }

    /** Each fragment was joined or counted as dropped. */
    private void account(final int family) {
        assertThat(net.stat(prefix(family) + ".fragments")).isEqualTo(sent);
        assertThat(net.stat(prefix(family) + ".fragdropped") + joined).isEqualTo(sent);
    }

    /** Every sequence of six of the six parts of three units. */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void everySequenceOfSix_ofAllParts(final int family) {
        final byte[] data = Packets.pattern(3 * UNIT);
        final byte[][] frames = frames(family, data, 3);
        final int[] parts = {1, 2, 3, 6, 7, 11};
        final int[] pick = new int[6];
        for (int i = 0; i < 46_656; i++) {
            int v = i;
            for (int k = 0; k < pick.length; k++) {
                pick[k] = parts[v % parts.length];
                v /= parts.length;
            }
            run(family, frames, data, 3, pick, "three units");
        }
        account(family);
    }

    /** Every way to cut six units into up to five, in every order, with every other part put in at every place. */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void everyCutInEveryOrder_withAnIntruder(final int family) {
        final int n = 6;
        final byte[] data = Packets.pattern(n * UNIT - 3);
        final byte[][] frames = frames(family, data, n);
        for (int cuts = 1; cuts < 1 << n - 1; cuts++) {
            final List<Integer> parts = new ArrayList<>();
            int from = 0;
            for (int at = 1; at <= n; at++) {
                if (at == n || (cuts >>> at - 1 & 1) != 0) {
                    parts.add(from * (n + 1) + at);
                    from = at;
                }
            }
            if (parts.size() == n) {
                permute(parts, 0, order -> run(family, frames, data, n, order, "six units"));
            } else {
                permute(parts, 0, order -> intrude(family, frames, data, order));
            }
        }
        account(family);
    }

    private void intrude(final int family, final byte[][] frames, final byte[] data, final int[] order) {
        final int n = 6;
        final int[] pick = new int[order.length + 1];
        for (int intruder = 0; intruder < frames.length; intruder++) {
            for (int at = 0; at < pick.length && frames[intruder] != null; at++) {
                System.arraycopy(order, 0, pick, 0, at);
                pick[at] = intruder;
                System.arraycopy(order, at, pick, at + 1, order.length - at);
                run(family, frames, data, n, pick, "intruder");
            }
        }
    }

    @FunctionalInterface
    private interface Order {
        void is(int[] order);
    }

    private static void permute(final List<Integer> parts, final int at, final Order then) {
        if (at == parts.size()) {
            then.is(parts.stream().mapToInt(i -> i).toArray());
            return;
        }
        for (int i = at; i < parts.size(); i++) {
            Collections.swap(parts, at, i);
            permute(parts, at + 1, then);
            Collections.swap(parts, at, i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void random_manyFragments_exactlyOrNotAtAll(final int family) {
        final long seed = Long.getLong("gatun.seed", 11L);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int round = 0; round < 1500; round++) {
            final int n = r.nextInt(2, 40);
            final byte[] data = Packets.pattern(n * UNIT - r.nextInt(8));
            final List<Integer> pick = new ArrayList<>();
            int from = 0;
            while (from < n) {
                final int to = Math.min(n, from + r.nextInt(1, 8));
                pick.add(from * (n + 1) + to);
                from = to;
            }
            final int mischief = r.nextInt(4);
            for (int i = 0; i < mischief; i++) {
                final int a = r.nextInt(n);
                final int b = r.nextInt(a + 1, n + 1);
                pick.add(r.nextInt(pick.size() + 1), r.nextBoolean() ? pick.get(r.nextInt(pick.size()))
                    : a * (n + 1) + b);
            }
            for (int i = pick.size() - 1; i > 0 && r.nextInt(4) != 0; i--) {
                Collections.swap(pick, i, r.nextInt(i + 1));
            }
            final byte[][] frames = frames(family, data, n);
            run(family, frames, data, n, pick.stream().mapToInt(i -> i).toArray(), "seed=" + seed + " round " + round);
        }
        account(family);
    }

    /** However many begin, no more are held than the sysctls say, and service goes on. */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void flood_memoryIsBounded(final int family) {
        final String node = family == 4 ? "net.inet.ip" : "net.inet6.ip6";
        net.vnet.sysctl().set(node + ".maxfrags", "50");
        net.vnet.sysctl().set(node + ".maxfragpackets", "20");
        net.vnet.sysctl().set(node + ".maxfragbucketsize", "2");
        final SplittableRandom r = new SplittableRandom(5);
        final byte[] data = Packets.pattern(100 * UNIT);
        for (int i = 0; i < 5000; i++) {
            final int from = r.nextInt(98);
            final byte[] f = frame(family, data, from, from + 1);
            if (family == 4) {
                Packets.put(f, 18, r.nextInt(300), 2);
                net.wire0.receive(Packets.ether(Packets.mac(f, 0), Packets.mac(f, 6), 0x0800,
                    Packets.fixIp(Packets.tail(f, 14))));
            } else {
                Packets.put(f, 58, r.nextInt(300), 4);
                net.wire0.receive(f);
            }
            assertThat(waiting(family)).isLessThanOrEqualTo(50);
            assertThat(family == 4 ? net.inet.ipReass.packets() : six.inet6.frag6.packets()).isLessThanOrEqualTo(20);
        }
        assertThat(net.stat(prefix(family) + ".fragments")).isEqualTo(5000);
        six.advance(61 * SEC);
        net.wire0.sent.clear();
        assertThat(waiting(family)).isZero();
        final byte[] small = Packets.pattern(2 * UNIT);
        final byte[][] frames = frames(family, small, 2);
        net.wire0.receive(frames[1]);
        net.wire0.receive(frames[5]);
        assertThat(net.got).hasSize(1);
    }
}
