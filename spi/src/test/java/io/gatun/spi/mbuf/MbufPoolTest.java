package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MJUM16BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUM9BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUMPAGESIZE;
import static io.gatun.spi.mbuf.Mbuf.MSIZE;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Allocation, limits, caches and layout. */
final class MbufPoolTest extends MbufTestBase {
    private static final int[] SIZES = {MCLBYTES, MJUMPAGESIZE, MJUM9BYTES, MJUM16BYTES};

    @Test
    void get_fresh_emptyWithItsOwnOctets() {
        Mbuf m = pool.get(MT_DATA);
        assertThat(m.flags()).isZero();
        assertThat(m.len()).isZero();
        assertThat(m.size()).isEqualTo(MSIZE);
        assertThat(m.trailingSpace()).isEqualTo(MHLEN);
        assertThat(m.ext()).isNull();
        assertThat(m.pool()).isSameAs(pool);
        m.free();
    }

    @Test
    void getjcl_everySize_thatMuchStorage() {
        for (int size : SIZES) {
            Mbuf m = pool.getjcl(MT_DATA, M_PKTHDR, size);
            assertThat(m.flags()).isEqualTo(M_EXT | M_PKTHDR);
            assertThat(m.trailingSpace()).isEqualTo(size);
            assertThat(m.ext().refCnt()).isEqualTo(1);
            assertThat(m.append(octets(size), 0, size)).isTrue();
            assertHolds(m, octets(size));
            m.free();
        }
        assertThatThrownBy(() -> pool.getjcl(MT_DATA, 0, 1000)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void gethdrs_moreThanThereAre_allThatAre() {
        assertThat(pool.gethdrs(0, MT_DATA)).isNull();
        int n = 0;
        Mbuf all = null;
        Mbuf first = pool.gethdrs(5, MT_DATA);
        while (first != null) {
            int here = 0;
            while (first != null) {
                Mbuf next = first.nextPkt();
                assertThat(first.flags()).isEqualTo(M_PKTHDR);
                assertThat(first.pktLen()).isZero();
                assertThat(first.trailingSpace()).isEqualTo(MHLEN);
                first.nextPkt(all);
                all = first;
                first = next;
                here++;
            }
            assertThat(here).isBetween(1, 5);
            n += here;
            first = pool.gethdrs(5, MT_DATA);
        }
        assertThat(n).isEqualTo(pool.outstanding()).isEqualTo(pool.snapshot().mbufs().limit());
        while (all != null) {
            Mbuf next = all.nextPkt();
            all.nextPkt(null);
            all.free();
            all = next;
        }
    }

    @Test
    void gethdrs_traced_oneByOne() {
        pool.refuse(2, 1);
        Mbuf m = pool.gethdrs(3, MT_DATA);
        assertThat(m.nextPkt()).isNull();
        assertThat(pool.gethdrs(3, MT_DATA)).isNull();
        pool.refuse(0, 0);
        m.free();
    }

    @Test
    void get2_everySize_smallestThatFits() {
        int[] want = {1, MHLEN, MHLEN + 1, MCLBYTES, MCLBYTES + 1, MJUMPAGESIZE + 1, MJUM9BYTES + 1, MJUM16BYTES};
        int[] size = {MHLEN, MHLEN, MCLBYTES, MCLBYTES, MJUMPAGESIZE, MJUM9BYTES, MJUM16BYTES, MJUM16BYTES};
        for (int i = 0; i < want.length; i++) {
            Mbuf m = pool.get2(want[i], MT_DATA, 0);
            assertThat(m.size()).isEqualTo(size[i]);
            m.free();
        }
        assertThat(pool.get2(MJUM16BYTES + 1, MT_DATA, 0)).isNull();
    }

    @Test
    void refuse_fromTheSecondOnTwo_nothingIsLost() {
        pool.refuse(2, 2);
        Mbuf m = pool.get(MT_DATA);
        assertThat(pool.refusedAt()).isEmpty();
        assertThat(pool.getcl(MT_DATA, M_PKTHDR)).isNull();
        assertThat(pool.refusedAt()).contains("MbufPoolTest");
        assertThat(pool.clget(m)).isFalse();
        assertThat(pool.clget(m)).isTrue();
        assertThat(pool.denied()).isEqualTo(2);
        pool.refuse(1, 1);
        pool.refuse(0, 0);
        Mbuf n = pool.getjcl(MT_DATA, M_PKTHDR, MJUM16BYTES);
        assertThat(n).isNotNull();
        n.free();
        m.free();
    }

    @Test
    void getm2_newChain_roomForAll() {
        for (int n = 1; n < 100_000; n = n * 2 + 1) {
            Mbuf m = pool.getm2(null, n, MT_DATA, M_PKTHDR | M_EOR);
            int room = 0;
            for (Mbuf p = m; p != null; p = p.next()) {
                assertThat(room).isLessThan(n);
                assertThat(p.len()).isZero();
                assertThat(p.has(M_PKTHDR)).isEqualTo(p == m);
                assertThat(p.has(M_EOR)).isEqualTo(p.next() == null);
                room += p.size();
            }
            assertThat(room).isGreaterThanOrEqualTo(n);
            m.freeChain();
        }
    }

    @Test
    void getm2_behindChain_returnsIt() {
        Mbuf m = chain(10);
        assertThat(pool.getm2(m, 3000, MT_DATA, M_PKTHDR)).isSameAs(m);
        assertThat(m.next().has(M_PKTHDR)).isFalse();
        assertHolds(m, octets(10));
        m.freeChain();
    }

    @Test
    void getm2_largeClustersUsedUp_takesSmaller() {
        Mbuf big = null;
        for (Mbuf m = pool.getjcl(MT_DATA, 0, MJUM16BYTES); m != null; m = pool.getjcl(MT_DATA, 0, MJUM16BYTES)) {
            m.nextPkt(big);
            big = m;
        }
        Mbuf m = pool.getm2(null, 16_000, MT_DATA, 0);
        assertThat(m.size()).isEqualTo(MJUM9BYTES);
        m.freeChain();
        big.freePkts();
    }

    @Test
    void getm2_exhausted_nullAndChainUntouched() {
        Mbuf m = chain(10);
        Mbuf all = takeAllMbufs();
        assertThat(pool.getm2(m, 1, MT_DATA, 0)).isNull();
        Mbuf rest = all.nextPkt();
        all.free();
        assertThat(pool.getm2(m, 20_000, MT_DATA, 0)).isNull();
        assertHolds(m, octets(10));
        assertThat(pool.clustersOutstanding()).isZero();
        m.free();
        rest.freePkts();
    }

    @Test
    void clget_emptyMbuf_getsCluster() {
        Mbuf m = pool.gethdr(MT_DATA);
        assertThat(pool.clget(m)).isTrue();
        assertThat(m.trailingSpace()).isEqualTo(MCLBYTES);
        Mbuf n = pool.get(MT_DATA);
        assertThat(pool.cljget(n, MJUM9BYTES)).isTrue();
        assertThat(n.size()).isEqualTo(MJUM9BYTES);
        m.free();
        n.free();
    }

    @Test
    void clget_noClusters_falseAndUnchanged() {
        List<Cluster> all = new ArrayList<>();
        for (Cluster c = pool.cljget(MCLBYTES); c != null; c = pool.cljget(MCLBYTES)) {
            all.add(c);
        }
        assertThat(all).hasSize(512);
        Mbuf m = pool.get(MT_DATA);
        assertThat(pool.clget(m)).isFalse();
        assertThat(m.has(M_EXT)).isFalse();
        assertThat(pool.getcl(MT_DATA, 0)).isNull();
        m.free();
        all.forEach(pool::clfree);
    }

    @Test
    void bareCluster_filledByDevice_becomesPacket() {
        Cluster c = pool.cljget(MCLBYTES);
        pool.check();
        assertThat(pool.clustersOutstanding()).isEqualTo(1);
        c.seg().set(Mbuf.U32, pool.regionOffset(c), 0x01020304);
        assertThat(pool.clusterAt(pool.regionOffset(c) + 5)).isSameAs(c);
        Mbuf m = pool.gethdr(MT_DATA);
        pool.cljset(m, c);
        m.len(4);
        assertThat(m.getInt(0)).isEqualTo(0x01020304);
        assertThatThrownBy(() -> pool.clfree(c)).isInstanceOf(IllegalStateException.class);
        m.free();
    }

    @Test
    void devget_frame_copiedWithRoomInFront() {
        for (int n : new int[] {1, 60, 240, 241, 1514, 9000, 30_000}) {
            Mbuf m = pool.devget(foreign(octets(n)), 0, n, null);
            assertThat(m.leadingSpace()).isEqualTo(pool.maxLinkhdr());
            assertHolds(m, octets(n));
            m.freeChain();
        }
    }

    @Test
    void devget_exhausted_null() {
        Mbuf all = takeAllMbufs();
        assertThat(pool.devget(foreign(octets(60)), 0, 60, null)).isNull();
        all.freePkts();
    }

    @Test
    void layout_items_alignedAndApart() {
        BitSet used = new BitSet();
        List<Cluster> all = new ArrayList<>();
        for (int size : SIZES) {
            for (Cluster c = pool.cljget(size); c != null; c = pool.cljget(size)) {
                assertThat(c.base() % Math.min(size == MJUM9BYTES ? MJUMPAGESIZE : size, MJUMPAGESIZE)).isZero();
                claimOctets(used, c.base(), size);
                assertThat(pool.clusterAt(c.base())).isSameAs(c);
                assertThat(pool.clusterAt(c.base() + size - 1)).isSameAs(c);
                all.add(c);
            }
        }
        Mbuf mbufs = takeAllMbufs();
        for (Mbuf m = mbufs; m != null; m = m.nextPkt()) {
            claimOctets(used, m.start(), MSIZE);
            assertThat(pool.clusterAt(m.start())).isNull();
        }
        assertThat(pool.region().byteSize()).isGreaterThanOrEqualTo(used.length());
        assertThat(pool.region().address() % MJUMPAGESIZE).isZero();
        mbufs.freePkts();
        all.forEach(pool::clfree);
    }

    private static void claimOctets(BitSet used, long at, int n) {
        int next = used.nextSetBit((int) at);
        assertThat(next < 0 || next >= at + n).isTrue();
        used.set((int) at, (int) at + n);
    }

    @Test
    void limit_manyStripes_exact() throws InterruptedException {
        MbufPool wide = MbufPool.builder().small().threads(8).build();
        // Leave free mbufs in the caches of many threads: thread ids follow each other.
        for (int i = 0; i < 64; i++) {
            Thread t = Thread.ofPlatform().start(() -> {
                Mbuf a = wide.getcl(MT_DATA, 0);
                wide.get(MT_DATA).free();
                a.free();
            });
            t.join();
        }
        wide.check();
        assertThat(wide.snapshot().mbufs().cached()).isGreaterThan(64);
        List<Mbuf> all = new ArrayList<>();
        for (Mbuf m = wide.getcl(MT_DATA, 0); m != null; m = wide.getcl(MT_DATA, 0)) {
            all.add(m);
        }
        assertThat(all).hasSize(512);
        for (Mbuf m = wide.get(MT_DATA); m != null; m = wide.get(MT_DATA)) {
            all.add(m);
        }
        assertThat(all).hasSize(1024).doesNotHaveDuplicates();
        assertThat(wide.outstanding()).isEqualTo(1024);
        assertThat(wide.snapshot().mbufs().denied()).isEqualTo(1);
        assertThat(wide.snapshot().clusters().denied()).isEqualTo(1);
        wide.check();
        all.forEach(Mbuf::free);
        wide.check();
        assertThat(wide.outstanding()).isZero();
    }

    @Test
    void mbufsUsedUp_clusterAllocation_givesItsClusterBack() {
        Mbuf all = takeAllMbufs();
        for (int i = 0; i < 600; i++) {
            assertThat(pool.getcl(MT_DATA, 0)).isNull();
        }
        assertThat(pool.clustersOutstanding()).isZero();
        all.freePkts();
    }

    @Test
    void exhaustion_over_recovers() {
        for (int i = 0; i < 5; i++) {
            Mbuf all = takeAllMbufs();
            assertThat(pool.outstanding()).isEqualTo(1024);
            all.freePkts();
            assertThat(pool.outstanding()).isZero();
        }
        assertThat(pool.denied()).isEqualTo(5);
        assertThat(pool.requests()).isEqualTo(5 * 1025);
    }

    @Test
    void tinyPools_exact() {
        for (int n = 0; n < 20; n++) {
            MbufPool tiny = MbufPool.builder().nmbufs(n + 1).nmbclusters(n).nmbjumbop(0).nmbjumbo9(0).nmbjumbo16(0)
                    .build();
            List<Mbuf> all = new ArrayList<>();
            for (Mbuf m = tiny.getcl(MT_DATA, 0); m != null; m = tiny.getcl(MT_DATA, 0)) {
                all.add(m);
            }
            assertThat(all).hasSize(n);
            assertThat(tiny.getjcl(MT_DATA, 0, MJUMPAGESIZE)).isNull();
            all.forEach(Mbuf::free);
            tiny.check();
        }
    }

    @Test
    void snapshot_afterUse_counts() {
        Mbuf m = pool.getcl(MT_DATA, 0);
        Mbuf n = pool.getjcl(MT_DATA, 0, MJUM16BYTES);
        MbufStats s = pool.snapshot();
        assertThat(s.name()).isEqualTo("test");
        assertThat(s.mbufs().inUse()).isEqualTo(2);
        assertThat(s.clusters().inUse()).isEqualTo(1);
        assertThat(s.jumbo16().inUse()).isEqualTo(1);
        assertThat(s.jumbo16().size()).isEqualTo(MJUM16BYTES);
        assertThat(s.mbufs().limit()).isEqualTo(1024);
        assertThat(s.mbufs().requests()).isEqualTo(2);
        m.free();
        n.free();
    }

    @Test
    void headroom_grows_neverShrinks() {
        int link = pool.maxLinkhdr();
        pool.maxLinkhdrGrow(link - 1);
        assertThat(pool.maxLinkhdr()).isEqualTo(link);
        pool.maxLinkhdrGrow(link + 4);
        pool.maxProtohdrGrow(120);
        assertThat(pool.maxHdr()).isEqualTo(link + 4 + 120);
        pool.maxProtohdrGrow(MHLEN);
        assertThat(pool.maxProtohdr()).isEqualTo(120);
    }

    @Test
    void check_wrongReferenceCount_found() {
        Mbuf m = pool.getcl(MT_DATA, 0);
        m.ext().ref();
        assertThatThrownBy(pool::check).isInstanceOf(IllegalStateException.class).hasMessageContaining("should be 1");
        assertThat(m.ext().unref()).isFalse();
        m.free();
    }

    @Test
    void tracing_off_leakStillCounted() {
        pool.setTracing(false);
        Mbuf m = pool.get(MT_DATA);
        assertThat(pool.leakReport()).contains("1 mbufs in use").contains("not recorded");
        m.free();
    }
}
