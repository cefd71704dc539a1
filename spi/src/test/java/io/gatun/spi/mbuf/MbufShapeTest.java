package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MJUM16BYTES;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Operations that change the shape of a chain. */
final class MbufShapeTest {
    @Nested
    class Prepend extends MbufTestBase {
        @Test
        void spaceInFront_sameMbufAndLengthsGrow() {
            Mbuf m = chain(100, 50);
            assertThat(m.prepend(14)).isSameAs(m);
            assertThat(m.len()).isEqualTo(114);
            assertThat(m.pktLen()).isEqualTo(164);
            m.copyBack(0, 14, new byte[14], 0);
            assertHolds(m, concat(new byte[14], octets(150)));
            m.freeChain();
        }

        @Test
        void noSpace_newHeadTakesHeaderAndHasRoomInFront() {
            Mbuf m = chain(100);
            m.data(m.data() - m.leadingSpace());
            m.flowid(3);
            Mbuf head = m.prepend(20);
            assertThat(head).isNotSameAs(m);
            assertThat(lens(head)).containsExactly(20, 100);
            assertThat(head.pktLen()).isEqualTo(120);
            assertThat(head.flowid()).isEqualTo(3);
            assertThat(m.has(M_PKTHDR)).isFalse();
            assertThat(head.leadingSpace()).isGreaterThan(200);
            head.freeChain();
        }

        @Test
        void sharedCluster_headIsNew_sharerUntouched() {
            Mbuf m = chain(1000);
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            c = c.prepend(14);
            c.copyBack(0, 14, new byte[14], 0);
            assertThat(lens(c)).containsExactly(14, 1000);
            assertHolds(m, octets(1000));
            c.freeChain();
            m.freeChain();
        }

        @Test
        void noHeader_queueLinkStaysWithHead() {
            Mbuf m = pool.get(MT_DATA);
            Mbuf q = pool.get(MT_DATA);
            m.nextPkt(q);
            m = m.prepend(300);
            assertThat(m.len()).isEqualTo(300);
            assertThat(m.nextPkt()).isSameAs(q);
            m.sanity();
            m.freePkts();
        }

        @Test
        void exhausted_chainFreed() {
            Mbuf m = chain(100, 3000);
            m.data(m.start());
            Mbuf all = takeAllMbufs();
            assertThat(m.prepend(20)).isNull();
            assertThat(m.live()).isFalse();
            all.freePkts();
        }
    }

    @Nested
    class Pullup extends MbufTestBase {
        @Test
        void contiguousAlready_nothingHappens() {
            Mbuf m = chain(40, 10);
            assertThat(m.pullup(40)).isSameAs(m);
            assertThat(lens(m)).containsExactly(40, 10);
            m.freeChain();
        }

        @Test
        void roomBehind_pulledInPlace() {
            Mbuf m = chain(10, 0, 20, 0, 100);
            assertThat(m.pullup(25)).isSameAs(m);
            assertThat(m.len()).isGreaterThanOrEqualTo(25);
            assertHolds(m, octets(130));
            m.freeChain();
        }

        @Test
        void sharedFirst_newHead_sharerUntouched() {
            Mbuf m = chain(500, 500);
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            Mbuf p = c.pullup(600);
            assertThat(p.len()).isGreaterThanOrEqualTo(600);
            assertHolds(p, octets(1000));
            assertHolds(m, octets(1000));
            p.freeChain();
            m.freeChain();
        }

        @Test
        void newHead_leavesRoomForLinkHeader() {
            Mbuf m = chain(500, 500);
            m.data(m.start());
            Mbuf c = m.copyM(490, 40);
            m.freeChain();
            c = c.pullup(30);
            assertThat(c.leadingSpace()).isGreaterThanOrEqualTo(pool.maxLinkhdr());
            c.freeChain();
        }

        @Test
        void lengthsFromOneToAll_contentStays() {
            for (int n = 1; n <= 700; n += 3) {
                Mbuf m = chain(1, 0, 255, 1, 0, 300, 143, 0).pullup(n);
                assertThat(m.len()).isGreaterThanOrEqualTo(n);
                assertHolds(m, octets(700));
                m.freeChain();
            }
        }

        @Test
        void beyondEnd_freedAndNull() {
            Mbuf m = chain(10, 20);
            assertThat(m.pullup(31)).isNull();
            assertThat(m.live()).isFalse();
            Mbuf one = chain(10);
            assertThat(one.pullup(11)).isNull();
            assertThat(one.live()).isFalse();
        }

        @Test
        void largestCluster_works_moreIsRefused() {
            Mbuf m = chain(10_000, 10_000).pullup(MJUM16BYTES);
            assertThat(m.len()).isEqualTo(MJUM16BYTES);
            assertHolds(m, octets(20_000));
            assertThat(m.pullup(MJUM16BYTES + 1)).isNull();
        }

        @Test
        void exhausted_freedAndNull() {
            Mbuf m = chain(250, 250);
            Mbuf all = takeAllMbufs();
            assertThat(m.pullup(280)).isNull();
            all.freePkts();
        }
    }

    @Nested
    class Adjust extends MbufTestBase {
        @Test
        void head_everyLength_trimsExactly() {
            for (int n = 0; n <= 320; n += 7) {
                Mbuf m = chain(0, 100, 0, 200, 10);
                m.adjHead(n);
                assertHolds(m, slice(octets(310), Math.min(n, 310), 310));
                m.freeChain();
            }
        }

        @Test
        void tail_everyLength_trimsExactly() {
            for (int n = 0; n <= 320; n += 7) {
                Mbuf m = chain(10, 0, 100, 200, 0);
                m.adjTail(n);
                assertHolds(m, slice(octets(310), 0, 310 - Math.min(n, 310)));
                m.freeChain();
            }
        }

        @Test
        void sharedChain_trimmed_sharerUntouched() {
            Mbuf m = chain(1000, 1000);
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            c.adjHead(1001);
            c.adjTail(998);
            assertHolds(c, slice(octets(2000), 1001, 1002));
            assertHolds(m, octets(2000));
            c.freeChain();
            m.freeChain();
        }
    }

    @Nested
    class SplitAndCat extends MbufTestBase {
        @Test
        void everyCut_rejoined_isTheSame() {
            for (int cut = 0; cut <= 1310; cut += 5) {
                Mbuf m = chain(0, 100, 0, 200, 1000, 10, 0);
                m.flowid(77);
                m.fibnum(2);
                Mbuf rest = m.split(cut);
                assertHolds(m, slice(octets(1310), 0, cut));
                assertHolds(rest, slice(octets(1310), cut, 1310));
                assertThat(rest.has(M_PKTHDR)).isTrue();
                assertThat(rest.flowid()).isEqualTo(77);
                assertThat(rest.fibnum()).isEqualTo(2);
                m.catPkt(rest);
                assertHolds(m, octets(1310));
                m.freeChain();
            }
        }

        @Test
        void boundaries_noHeader_restHasNone() {
            Mbuf m = chain(100, 200);
            m.demote(true, 0);
            Mbuf r = m.split(100);
            assertThat(r.has(M_PKTHDR)).isFalse();
            assertThat(lens(m)).containsExactly(100);
            assertThat(lens(r)).containsExactly(200);
            m.cat(r);
            m.freeChain();
        }

        @Test
        void insideCluster_shared() {
            Mbuf m = chain(1000);
            Mbuf r = m.split(400);
            assertThat(r.ext()).isSameAs(m.ext());
            assertThat(m.writable()).isFalse();
            r.free();
            assertThat(m.writable()).isTrue();
            m.free();
        }

        @Test
        void endOfRecord_goesWithTheRest() {
            Mbuf m = chain(100);
            m.setFlags(M_EOR);
            Mbuf r = m.split(40);
            assertThat(m.has(M_EOR)).isFalse();
            assertThat(r.has(M_EOR)).isTrue();
            m.cat(r);
            assertThat(m.last().has(M_EOR)).isTrue();
            m.freeChain();
        }

        @Test
        void exhausted_null_chainUntouched() {
            Mbuf m = chain(100, 1000);
            Mbuf all = takeAllMbufs();
            assertThat(m.split(50)).isNull();
            assertThat(m.split(600)).isNull();
            assertHolds(m, octets(1100));
            Mbuf atBoundary = m.split(100);
            assertHolds(m, octets(100));
            assertHolds(atBoundary, slice(octets(1100), 100, 1100));
            m.freeChain();
            atBoundary.freeChain();
            all.freePkts();
        }

        @Test
        void beyondEnd_caught() {
            Mbuf m = chain(10, 20);
            assertThatThrownBy(() -> m.split(31)).isInstanceOf(AssertionError.class);
            m.freeChain();
        }

        @Test
        void cat_fits_compacted() {
            Mbuf m = chain(100);
            m.catPkt(chain(50, 20));
            assertThat(lens(m)).containsExactly(170);
            assertHolds(m, concat(octets(100), octets(70)));
            m.freeChain();
        }

        @Test
        void cat_lastShared_linkedOnly() {
            Mbuf m = chain(1000);
            Mbuf c = m.copyM(0, 500);
            c.catPkt(chain(10));
            assertThat(lens(c)).containsExactly(500, 10);
            assertHolds(m, octets(1000));
            c.freeChain();
            m.freeChain();
        }
    }

    @Nested
    class Rewriting extends MbufTestBase {
        @Test
        void unshare_private_sameMbufs() {
            Mbuf m = chain(10, 1000, 0);
            assertThat(m.unshare()).isSameAs(m);
            assertHolds(m, octets(1010));
            m.freeChain();
        }

        @Test
        void unshare_shared_writableAndSharerUntouched() {
            Mbuf m = chain(1000, 10, 3000);
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            c.flowid(5);
            c = c.unshare();
            for (Mbuf n = c; n != null; n = n.next()) {
                assertThat(n.writable()).isTrue();
            }
            assertThat(c.flowid()).isEqualTo(5);
            assertHolds(c, octets(4010));
            c.copyBack(0, 4010, new byte[4010], 0);
            assertHolds(m, octets(4010));
            c.freeChain();
            m.freeChain();
        }

        @Test
        void unshare_largeForeign_becomesChain() {
            Mbuf m = chain(20);
            Mbuf f = pool.get(MT_DATA).extAdd(foreign(octets(40_000)), 0, 40_000, null, null, null);
            f.setFlags(Mbuf.M_RDONLY);
            f.len(40_000);
            m.next(f);
            m.fixHdr();
            m.next().next(pool.get(MT_DATA));
            m = m.unshare();
            assertHolds(m, concat(octets(20), octets(40_000)));
            assertThat(m.next().writable()).isTrue();
            m.freeChain();
        }

        @Test
        void unshare_exhausted_bothFreedRightly() {
            Mbuf m = chain(1000, 1000);
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            List<Cluster> all = new ArrayList<>();
            for (Cluster k = pool.cljget(MCLBYTES); k != null; k = pool.cljget(MCLBYTES)) {
                all.add(k);
            }
            pool.clfree(all.removeLast());
            // The first mbuf finds a cluster, the second none.
            assertThat(c.unshare()).isNull();
            assertHolds(m, octets(2000));
            assertThat(m.next().writable()).isTrue();
            m.freeChain();
            all.forEach(pool::clfree);
        }

        @Test
        void defrag_manyMbufs_fewest() {
            int[] lens = new int[60];
            Arrays.fill(lens, 50);
            Mbuf m = chain(lens);
            m.flowid(4);
            m = m.defrag();
            assertThat(lens(m)).containsExactly(3000);
            assertThat(m.flowid()).isEqualTo(4);
            assertHolds(m, octets(3000));
            m.freeChain();
        }

        @Test
        void defrag_exhausted_originalStays() {
            Mbuf m = chain(100, 100, 100);
            Mbuf all = takeAllMbufs();
            assertThat(m.defrag()).isNull();
            assertHolds(m, octets(300));
            m.freeChain();
            all.freePkts();
        }

        @Test
        void defrag_emptyPacket_staysEmpty() {
            Mbuf m = chain(0, 0).defrag();
            assertHolds(m, new byte[0]);
            m.freeChain();
        }

        @Test
        void collapse_toEveryNumber_contentStays() {
            for (int max = 1; max <= 12; max++) {
                Mbuf m = chain(250, 250, 0, 250, 1900, 250, 250, 250, 1900, 10, 250);
                Mbuf c = m.collapse(max);
                assertThat(c == null || lens(c).length <= max).isTrue();
                assertThat(c == null).isEqualTo(max < 6);
                assertHolds(m, octets(5560));
                m.freeChain();
            }
        }

        @Test
        void collapse_exhausted_nullAndContentStays() {
            Mbuf m = chain(250, 250, 250, 250);
            Mbuf all = takeAllMbufs();
            assertThat(m.collapse(2)).isNull();
            assertHolds(m, octets(1000));
            m.freeChain();
            all.freePkts();
        }
    }

    @Nested
    class Walking extends MbufTestBase {
        @Test
        void apply_range_seesEveryOctetOnce() {
            Mbuf m = chain(0, 10, 0, 1000, 5, 0);
            for (int off = 0; off <= 1015; off += 3) {
                byte[] seen = new byte[1015 - off];
                int[] at = new int[1];
                int r = m.apply(off, seen.length, (seg, o, n, arg) -> {
                    assertThat(n).isPositive();
                    for (int i = 0; i < n; i++) {
                        seen[at[0]++] = seg.get(Mbuf.U8, o + i);
                    }
                    return 0;
                }, null);
                assertThat(r).isZero();
                assertThat(seen).isEqualTo(slice(octets(1015), off, 1015));
            }
            m.freeChain();
        }

        @Test
        void apply_stopped_resultReturned() {
            Mbuf m = chain(10, 10, 10);
            int[] calls = new int[1];
            assertThat(m.apply(5, 20, (seg, o, n, arg) -> ++calls[0] == 2 ? 42 : 0, null)).isEqualTo(42);
            assertThat(calls[0]).isEqualTo(2);
            assertThat(m.apply(0, 0, (seg, o, n, arg) -> 1, null)).isZero();
            m.freeChain();
        }

        @Test
        void getPtr_everyPlace_found() {
            Mbuf m = chain(10, 0, 20);
            assertThat(m.getPtr(0)).isSameAs(m);
            assertThat(m.getPtr(9)).isSameAs(m);
            assertThat(m.getPtrOff(9)).isEqualTo(9);
            assertThat(m.getPtr(10)).isSameAs(m.last());
            assertThat(m.getPtrOff(10)).isZero();
            assertThat(m.getPtr(30)).isSameAs(m.last());
            assertThat(m.getPtrOff(30)).isEqualTo(20);
            assertThat(m.getPtr(31)).isNull();
            assertThat(m.getPtrOff(31)).isEqualTo(-1);
            m.freeChain();
        }

        @Test
        void lengthAndFixHdr_agree() {
            Mbuf m = chain(10, MHLEN, MCLBYTES);
            m.pktLen(0);
            assertThat(m.length()).isEqualTo(10 + MHLEN + MCLBYTES);
            assertThat(m.fixHdr()).isEqualTo(m.length());
            assertThat(m.last().len()).isEqualTo(MCLBYTES);
            m.freeChain();
        }
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] c = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, c, a.length, b.length);
        return c;
    }
}
