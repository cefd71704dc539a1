package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_COPYALL;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Operations that copy octets. */
final class MbufCopyTest extends MbufTestBase {
    @Test
    void copyM_everyRange_sameOctets() {
        Mbuf m = chain(0, 100, 0, 300, 5);
        for (int off = 0; off <= 405; off += 9) {
            for (int n = 0; n <= 405 - off; n += 31) {
                Mbuf c = m.copyM(off, n);
                assertHolds(c, slice(octets(405), off, off + n));
                assertThat(c.has(M_PKTHDR)).isEqualTo(off == 0);
                c.freeChain();
            }
            Mbuf rest = m.copyM(off, M_COPYALL);
            assertHolds(rest, slice(octets(405), off, 405));
            rest.freeChain();
        }
        m.freeChain();
    }

    @Test
    void copyM_headerGoesAlong_onlyFromTheStart() {
        Mbuf m = chain(100, 3000);
        m.csumFlags(Csum.CSUM_TCP);
        m.setFlags(Mbuf.M_MCAST);
        Mbuf c = m.copyM(0, 50);
        assertThat(c.pktLen()).isEqualTo(50);
        assertThat(c.csumFlags()).isEqualTo(Csum.CSUM_TCP);
        assertThat(c.has(Mbuf.M_MCAST)).isTrue();
        c.freeChain();
        m.freeChain();
    }

    @Test
    void copyM_ownOctets_copied_clusterShared() {
        Mbuf m = chain(100, 1000);
        Mbuf c = m.copyM(0, M_COPYALL);
        assertThat(c.data()).isNotEqualTo(m.data());
        assertThat(c.writable()).isTrue();
        assertThat(c.next().data()).isEqualTo(m.next().data());
        assertThat(m.next().ext().refCnt()).isEqualTo(2);
        Mbuf d = c.copyM(0, M_COPYALL);
        assertThat(m.next().ext().refCnt()).isEqualTo(3);
        m.freeChain();
        c.freeChain();
        assertHolds(d, octets(1100));
        d.freeChain();
    }

    @Test
    void copyM_beyondEnd_caught() {
        Mbuf m = chain(10, 10);
        int before = pool.outstanding();
        assertThatThrownBy(() -> m.copyM(21, 1)).isInstanceOf(AssertionError.class);
        assertThat(pool.outstanding()).isEqualTo(before);
        m.freeChain();
    }

    @Test
    void copyM_exhaustedAtAnyPoint_nullAndNothingLost() {
        Mbuf m = chain(100, 1000, 100, 1000);
        Mbuf all = takeAllMbufs();
        for (int spare = 0; spare < 4; spare++) {
            assertThat(m.copyM(0, M_COPYALL)).isNull();
            assertThat(m.next().ext().refCnt()).isEqualTo(1);
            Mbuf n = all.nextPkt();
            all.free();
            all = n;
        }
        Mbuf c = m.copyM(0, M_COPYALL);
        assertHolds(c, octets(2200));
        c.freeChain();
        m.freeChain();
        all.freePkts();
    }

    @Test
    void dup_sharedAndForeign_writable() {
        Mbuf m = chain(100, 0, 3000);
        Mbuf s = m.copyM(0, M_COPYALL);
        Mbuf d = s.dup();
        for (Mbuf n = d; n != null; n = n.next()) {
            assertThat(n.writable()).isTrue();
        }
        d.copyBack(0, 3100, new byte[3100], 0);
        assertHolds(s, octets(3100));
        assertHolds(d, new byte[3100]);
        d.freeChain();
        s.freeChain();
        m.freeChain();
    }

    @Test
    void dup_everySize_roundTrips() {
        for (int n = 0; n < 70_000; n = n * 3 / 2 + 1) {
            Mbuf m = pool.gethdr(MT_DATA);
            assertThat(m.append(octets(n), 0, n)).isTrue();
            Mbuf d = m.dup();
            assertHolds(d, octets(n));
            d.freeChain();
            m.freeChain();
        }
    }

    @Test
    void dup_exhausted_null() {
        Mbuf m = chain(1000);
        Mbuf all = takeAllMbufs();
        assertThat(m.dup()).isNull();
        m.freeChain();
        all.freePkts();
    }

    @Test
    void copyData_everyRange_arrayAndSegment() {
        Mbuf m = chain(0, 10, 300, 0, 3);
        MemorySegment dst = foreign(new byte[400]);
        for (int off = 0; off <= 313; off += 4) {
            for (int n = 0; n <= 313 - off; n += 13) {
                byte[] b = new byte[n + 2];
                m.copyData(off, n, b, 1);
                assertThat(slice(b, 1, n + 1)).isEqualTo(slice(octets(313), off, off + n));
                assertThat(b[0] | b[n + 1]).isZero();
                m.copyData(off, n, dst, 7);
                for (int i = 0; i < n; i++) {
                    assertThat(dst.get(Mbuf.U8, 7 + i)).isEqualTo(octets(313)[off + i]);
                }
            }
        }
        m.freeChain();
    }

    @Test
    void copyBack_inside_overwrites() {
        Mbuf m = chain(10, 0, 300, 20);
        byte[] expect = octets(330);
        byte[] patch = new byte[300];
        Arrays.fill(patch, (byte) 9);
        assertThat(m.copyBack(5, 300, patch, 0)).isTrue();
        System.arraycopy(patch, 0, expect, 5, 300);
        assertHolds(m, expect);
        assertThat(m.copyBack(0, 330, foreign(octets(330)), 0)).isTrue();
        assertHolds(m, octets(330));
        m.freeChain();
    }

    @Test
    void copyBack_beyondEnd_gapIsZeroAndChainGrows() {
        for (int off : new int[] {0, 5, 10, 11, 200, 256, 300, 2500, 20_000}) {
            Mbuf m = chain(10);
            byte[] expect = Arrays.copyOf(octets(10), Math.max(10, off + 500));
            System.arraycopy(octets(500), 0, expect, off, 500);
            assertThat(m.copyBack(off, 500, octets(500), 0)).isTrue();
            assertHolds(m, expect);
            m.freeChain();
        }
    }

    @Test
    void copyBack_sharedLast_newMbufBehind() {
        Mbuf m = chain(1000);
        Mbuf c = m.copyM(0, M_COPYALL);
        assertThat(c.append(octets(10), 0, 10)).isTrue();
        assertThat(lens(c)).containsExactly(1000, 10);
        assertHolds(m, octets(1000));
        assertThatThrownBy(() -> c.copyBack(0, 1, new byte[1], 0)).isInstanceOf(AssertionError.class);
        c.freeChain();
        m.freeChain();
    }

    @Test
    void copyBack_exhausted_falseAndUnchanged() {
        Mbuf m = chain(10);
        Mbuf all = takeAllMbufs();
        assertThat(m.copyBack(5, 300, new byte[300], 0)).isFalse();
        assertThat(m.append(foreign(new byte[300]), 0, 300)).isFalse();
        assertHolds(m, octets(10));
        assertThat(m.append(new byte[100], 0, 100)).isTrue();
        assertThat(m.pktLen()).isEqualTo(110);
        m.freeChain();
        all.freePkts();
    }

    @Test
    void append_repeatedly_fillsWhatIsThere() {
        Mbuf m = pool.getcl(MT_DATA, M_PKTHDR);
        MemorySegment src = foreign(octets(5000));
        for (int at = 0; at < 5000; at += 100) {
            assertThat(m.append(src, at, 100)).isTrue();
        }
        assertHolds(m, octets(5000));
        assertThat(m.len()).isEqualTo(Mbuf.MCLBYTES);
        m.freeChain();
    }
}
