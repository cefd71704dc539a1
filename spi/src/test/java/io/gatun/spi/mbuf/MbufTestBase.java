package io.gatun.spi.mbuf;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** A small pool, found whole after every test, and chains made to measure. */
abstract class MbufTestBase {
    final MbufPool pool = MbufPool.builder().small().threads(1).name("test").build();

    MbufTestBase() {
        pool.setTracing(true);
    }

    @AfterEach
    void poolIsWhole() {
        pool.check();
        assertThat(pool.leakReport()).isEmpty();
        assertThat(pool.outstanding()).isZero();
        assertThat(pool.clustersOutstanding()).isZero();
    }

    /** Octets that tell their place. */
    static byte[] octets(int n) {
        byte[] b = new byte[n];
        for (int i = 0; i < n; i++) {
            b[i] = (byte) (i * 7 + (i >> 8));
        }
        return b;
    }

    /** A packet with one mbuf of the smallest fitting storage for each length, 16 octets into it where they fit too. */
    Mbuf chain(int... lens) {
        int total = 0;
        for (int n : lens) {
            total += n;
        }
        byte[] all = octets(total);
        Mbuf head = null;
        Mbuf tail = null;
        int done = 0;
        for (int n : lens) {
            Mbuf m = pool.get2(n, Mbuf.MT_DATA, head == null ? Mbuf.M_PKTHDR : 0);
            m.data(m.start() + Math.min(16, m.size() - n));
            m.len(n);
            MemorySegment.copy(all, done, m.seg(), Mbuf.U8, m.data(), n);
            done += n;
            if (head == null) {
                head = m;
            } else {
                tail.next(m);
            }
            tail = m;
        }
        head.pktLen(total);
        head.sanity();
        return head;
    }

    /** Read-only foreign memory with the given octets. */
    static MemorySegment foreign(byte[] b) {
        MemorySegment s = Arena.ofAuto().allocate(Math.max(b.length, 1));
        MemorySegment.copy(b, 0, s, Mbuf.U8, 0, b.length);
        return s;
    }

    static byte[] content(Mbuf m) {
        byte[] b = new byte[m.length()];
        m.copyData(0, b.length, b, 0);
        return b;
    }

    static byte[] slice(byte[] b, int from, int to) {
        return Arrays.copyOfRange(b, from, to);
    }

    static int[] lens(Mbuf m) {
        List<Integer> l = new ArrayList<>();
        for (Mbuf n = m; n != null; n = n.next()) {
            l.add(n.len());
        }
        return l.stream().mapToInt(Integer::intValue).toArray();
    }

    static void assertHolds(Mbuf m, byte[] expected) {
        m.sanity();
        assertThat(content(m)).isEqualTo(expected);
        if (m.has(Mbuf.M_PKTHDR)) {
            assertThat(m.pktLen()).isEqualTo(expected.length);
        }
    }

    /** Takes every mbuf there is; they come back linked by nextPkt. */
    Mbuf takeAllMbufs() {
        Mbuf all = null;
        for (Mbuf m = pool.get(Mbuf.MT_DATA); m != null; m = pool.get(Mbuf.MT_DATA)) {
            m.nextPkt(all);
            all = m;
        }
        return all;
    }
}
