package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_COPYALL;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Random sequences of operations on a few packets, which must hold what arrays treated alike hold. */
final class MbufModelTest {
    enum Kind {
        NEW, NEW_FOREIGN, PREPEND, PULLUP, ADJ_HEAD, ADJ_TAIL, SPLIT, CAT, COPYM, DUP, COPY_BACK, APPEND, UNSHARE,
        DEFRAG, COLLAPSE, EMPTY, FREE, LOOK
    }

    record Op(Kind kind, int which, int a, int b) {
    }

    private static final int MAX_PACKETS = 5;
    private static final int MAX_OCTETS = 40_000;

    private MbufPool pool;
    private final List<Mbuf> packets = new ArrayList<>();
    private final List<byte[]> arrays = new ArrayList<>();
    private int released;
    private int attached;

    @Provide
    Arbitrary<List<Op>> ops() {
        Arbitrary<Integer> size = Arbitraries.oneOf(Arbitraries.integers().between(0, 70),
                Arbitraries.integers().between(200, 300), Arbitraries.integers().between(0, 20_000));
        Arbitrary<Integer> which = Arbitraries.integers().between(0, MAX_PACKETS);
        return Combinators.combine(Arbitraries.of(Kind.class), which, size, size)
                .as(Op::new).list().ofMaxSize(60);
    }

    @Property(tries = 500)
    void plentyOfMbufs_chainsHoldWhatArraysHold(@ForAll("ops") List<Op> ops) {
        run(ops, MbufPool.builder().nmbufs(2000).nmbclusters(400).nmbjumbop(100).nmbjumbo9(60).nmbjumbo16(60));
    }

    @Property(tries = 500)
    void fewMbufs_failuresLoseNothing(@ForAll("ops") List<Op> ops) {
        run(ops, MbufPool.builder().nmbufs(12).nmbclusters(6).nmbjumbop(3).nmbjumbo9(2).nmbjumbo16(3));
    }

    private void run(List<Op> ops, MbufPoolBuilder limits) {
        pool = limits.threads(1).name("model").build();
        packets.clear();
        arrays.clear();
        released = 0;
        attached = 0;
        for (Op op : ops) {
            apply(op);
            if (packets.size() > MAX_PACKETS) {
                packets.getFirst().freeChain();
                forget(0);
            }
            for (int i = 0; i < packets.size(); i++) {
                MbufTestBase.assertHolds(packets.get(i), arrays.get(i));
            }
        }
        pool.check();
        packets.forEach(Mbuf::freeChain);
        pool.check();
        assertThat(pool.outstanding()).isZero();
        assertThat(pool.clustersOutstanding()).isZero();
        assertThat(released).isEqualTo(attached);
    }

    private void apply(Op op) {
        if (op.kind == Kind.NEW || op.kind == Kind.NEW_FOREIGN || packets.isEmpty()) {
            create(op);
            return;
        }
        int i = op.which % packets.size();
        Mbuf m = packets.get(i);
        byte[] b = arrays.get(i);
        switch (op.kind) {
            case PREPEND, PULLUP, UNSHARE, DEFRAG, COLLAPSE -> reshape(op, i, m, b);
            case ADJ_HEAD -> {
                m.adjHead(op.a);
                arrays.set(i, Arrays.copyOfRange(b, Math.min(op.a, b.length), b.length));
            }
            case ADJ_TAIL -> {
                m.adjTail(op.a);
                arrays.set(i, Arrays.copyOf(b, Math.max(b.length - op.a, 0)));
            }
            case SPLIT -> {
                int at = op.a % (b.length + 1);
                if (add(m.split(at), Arrays.copyOfRange(b, at, b.length))) {
                    arrays.set(i, Arrays.copyOf(b, at));
                }
            }
            case CAT -> cat(i, op.a % packets.size());
            case COPYM -> {
                int off = op.a % (b.length + 1);
                int n = op.b % (b.length - off + 1);
                add(header(m.copyM(off, op.b % 2 == 0 ? n : M_COPYALL)),
                        Arrays.copyOfRange(b, off, op.b % 2 == 0 ? off + n : b.length));
            }
            case DUP -> add(m.dup(), b);
            case COPY_BACK, APPEND -> write(op, i, m, b);
            case EMPTY -> insertEmpty(op, m);
            case FREE -> {
                m.freeChain();
                forget(i);
            }
            default -> look(op, m, b);
        }
    }

    private void create(Op op) {
        byte[] b = MbufTestBase.octets(op.a);
        Mbuf m = pool.gethdr(MT_DATA);
        if (m == null) {
            return;
        }
        if (op.kind == Kind.NEW_FOREIGN) {
            m.extAdd(MbufTestBase.foreign(b), 0, b.length, (x, y) -> released++, null, null);
            m.len(b.length);
            m.pktLen(b.length);
            attached++;
        } else if (!m.append(b, 0, b.length)) {
            b = new byte[0];
        }
        add(m, b);
    }

    /** Operations that consume the chain, or leave it when they fail (defrag, collapse). */
    private void reshape(Op op, int i, Mbuf m, byte[] b) {
        byte[] after = b;
        Mbuf r = switch (op.kind) {
            case PREPEND -> m.prepend(op.a);
            case PULLUP -> m.pullup(op.a);
            case UNSHARE -> m.unshare();
            case DEFRAG -> m.defrag();
            default -> m.collapse(op.a % 10 + 1);
        };
        if (op.kind == Kind.PREPEND && r != null) {
            after = new byte[b.length + op.a];
            System.arraycopy(b, 0, after, op.a, b.length);
            assertThat(r.copyBack(0, op.a, after, 0)).isTrue();
        }
        if (op.kind == Kind.PULLUP && r != null) {
            assertThat(r.len()).isGreaterThanOrEqualTo(op.a);
        }
        if (r == null && (op.kind == Kind.DEFRAG || op.kind == Kind.COLLAPSE)) {
            r = m;
        }
        if (r == null) {
            forget(i);
        } else {
            packets.set(i, r);
            arrays.set(i, after);
        }
    }

    private void cat(int i, int j) {
        if (i == j || arrays.get(i).length + arrays.get(j).length > MAX_OCTETS) {
            return;
        }
        byte[] a = arrays.get(i);
        byte[] b = arrays.get(j);
        packets.get(i).catPkt(packets.get(j));
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        arrays.set(i, both);
        forget(j);
    }

    private void write(Op op, int i, Mbuf m, byte[] b) {
        int off = op.kind == Kind.APPEND ? b.length : op.b % (b.length + 300);
        int n = op.a;
        if (off + n > MAX_OCTETS) {
            return;
        }
        Mbuf w = m;
        if (off < b.length) {
            w = m.unshare();
        }
        if (w == null) {
            forget(i);
            return;
        }
        packets.set(i, w);
        byte[] src = MbufTestBase.octets(n + 3);
        boolean array = op.which % 2 == 0;
        if (array ? w.copyBack(off, n, src, 3) : w.copyBack(off, n, MbufTestBase.foreign(src), 3)) {
            byte[] after = Arrays.copyOf(b, Math.max(b.length, off + n));
            System.arraycopy(src, 3, after, off, n);
            arrays.set(i, after);
        }
    }

    private void insertEmpty(Op op, Mbuf m) {
        Mbuf e = pool.get2(op.b, MT_DATA, 0);
        if (e != null) {
            Mbuf at = m.getPtr(op.a % (m.pktLen() + 1));
            e.next(at.next());
            at.next(e);
        }
    }

    private static void look(Op op, Mbuf m, byte[] b) {
        int off = op.a % (b.length + 1);
        int n = op.b % (b.length - off + 1);
        byte[] seen = new byte[n];
        m.copyData(off, n, seen, 0);
        assertThat(seen).isEqualTo(Arrays.copyOfRange(b, off, off + n));
        int[] sum = new int[1];
        m.apply(off, n, (seg, at, len, arg) -> {
            sum[0] += len;
            return 0;
        }, null);
        assertThat(sum[0]).isEqualTo(n);
        if (off < b.length) {
            Mbuf p = m.getPtr(off);
            assertThat(p.seg().get(Mbuf.U8, p.data() + m.getPtrOff(off))).isEqualTo(b[off]);
        }
    }

    /** Makes a part of a packet a packet. */
    private static Mbuf header(Mbuf m) {
        if (m == null || m.has(Mbuf.M_PKTHDR)) {
            return m;
        }
        Mbuf h = m.pool().gethdr(MT_DATA);
        if (h == null) {
            m.freeChain();
            return null;
        }
        h.next(m);
        h.fixHdr();
        return h;
    }

    private boolean add(Mbuf m, byte[] b) {
        if (m == null) {
            return false;
        }
        packets.add(m);
        arrays.add(b);
        return true;
    }

    private void forget(int i) {
        packets.remove(i);
        arrays.remove(i);
    }
}
