package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MSIZE;
import static io.gatun.spi.mbuf.Mbuf.MT_CONTROL;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.MT_NOINIT;
import static io.gatun.spi.mbuf.Mbuf.M_BCAST;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_NOFREE;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static io.gatun.spi.mbuf.Mbuf.M_PROTO1;
import static io.gatun.spi.mbuf.Mbuf.M_PROTO11;
import static io.gatun.spi.mbuf.Mbuf.M_PROTOFLAGS;
import static io.gatun.spi.mbuf.Mbuf.M_RDONLY;
import static io.gatun.spi.mbuf.Mbuf.M_VLANTAG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** One mbuf: octets, flags, header, storage, freeing. */
final class MbufTest {
    @Nested
    class Octets extends MbufTestBase {
        @Test
        void written_readBack_networkOrderAtAnyAlignment() {
            Mbuf m = pool.get(MT_DATA);
            m.len(MSIZE);
            for (int off = 0; off < 9; off++) {
                m.putLong(off, 0x8182838485868788L);
                assertThat(m.getU8(off)).isEqualTo(0x81);
                assertThat(m.getU16(off + 1)).isEqualTo(0x8283);
                assertThat(m.getInt(off + 2)).isEqualTo(0x83848586);
                assertThat(m.getLong(off)).isEqualTo(0x8182838485868788L);
                m.putInt(off, 0xfffefdfc);
                m.put16(off + 4, 0x1fffe);
                m.put8(off + 6, 0x1ff);
                assertThat(m.getLong(off)).isEqualTo(0xfffefdfcfffeff88L);
            }
            m.free();
        }

        @Test
        void accessBeyondLen_assertionsOn_caught() {
            Mbuf m = pool.get(MT_DATA);
            m.len(4);
            m.putInt(0, 1);
            assertThatThrownBy(() -> m.getInt(1)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> m.getU8(4)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> m.getU8(-1)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> m.len(MSIZE + 1)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> m.data(m.start() - 1)).isInstanceOf(AssertionError.class);
            m.free();
        }

        @Test
        void neighbours_filled_keepTheirOctets() {
            Mbuf a = pool.get(MT_DATA);
            Mbuf b = pool.get(MT_DATA);
            Mbuf c = pool.get(MT_DATA);
            for (Mbuf m : new Mbuf[] {a, b, c}) {
                assertThat(m.append(octets(MSIZE), 0, MSIZE)).isTrue();
            }
            b.copyBack(0, MSIZE, new byte[MSIZE], 0);
            assertThat(content(a)).isEqualTo(octets(MSIZE));
            assertThat(content(c)).isEqualTo(octets(MSIZE));
            a.free();
            b.free();
            c.free();
        }
    }

    @Nested
    class Header extends MbufTestBase {
        @Test
        void everyField_set_readBackAndForgottenByFree() {
            Mbuf m = pool.gethdr(MT_DATA);
            m.pktLen(70_000);
            m.flowid(-5);
            m.rsstype(Mbuf.M_HASHTYPE_RSS_TCP_IPV4);
            m.csumFlags(Csum.CSUM_IP_TSO | Csum.CSUM_COALESCED);
            m.csumData(0xffff);
            m.etherVtag(0xffff);
            m.tsoSegsz(65_495);
            m.lroNsegs(45);
            m.rcvTstmp(Long.MAX_VALUE);
            m.fibnum(65_535);
            m.l2hlen(22);
            m.l3hlen(60);
            m.l4hlen(200);
            m.phPer64(-1);
            m.phPtr(this);
            assertThat(m.pktLen()).isEqualTo(70_000);
            assertThat(m.flowid()).isEqualTo(-5);
            assertThat(m.rsstype()).isEqualTo(Mbuf.M_HASHTYPE_RSS_TCP_IPV4);
            assertThat(m.csumFlags()).isEqualTo(Csum.CSUM_IP_TSO | Csum.CSUM_COALESCED);
            assertThat(m.csumData()).isEqualTo(0xffff);
            assertThat(m.etherVtag()).isEqualTo(0xffff);
            assertThat(m.tsoSegsz()).isEqualTo(65_495);
            assertThat(m.lroNsegs()).isEqualTo(45);
            assertThat(m.rcvTstmp()).isEqualTo(Long.MAX_VALUE);
            assertThat(m.fibnum()).isEqualTo(65_535);
            assertThat(m.l2hlen() + m.l3hlen() + m.l4hlen()).isEqualTo(282);
            assertThat(m.phPtr()).isSameAs(this);
            m.free();

            Mbuf again = pool.gethdr(MT_DATA);
            assertThat(again).isSameAs(m);
            assertThat(again.pktLen() | again.flowid() | again.rsstype()).isZero();
            assertThat(again.csumFlags() | again.csumData()).isZero();
            assertThat(again.etherVtag() | again.tsoSegsz() | again.lroNsegs() | again.fibnum()).isZero();
            assertThat(again.l2hlen() | again.l3hlen() | again.l4hlen()).isZero();
            assertThat(again.rcvTstmp() | again.phPer64()).isZero();
            assertThat(again.phPtr()).isNull();
            assertThat(again.rcvif()).isNull();
            again.free();
        }

        @Test
        void noHeader_headerAsked_caught() {
            Mbuf m = pool.get(MT_DATA);
            assertThatThrownBy(m::pktLen).isInstanceOf(AssertionError.class);
            assertThatThrownBy(m::tagFirst).isInstanceOf(AssertionError.class);
            m.free();
        }

        @Test
        void moveHdr_sourceIsBare_targetKeepsItsStorage() {
            Mbuf from = chain(10, 20);
            from.setFlags(M_BCAST | M_EOR | M_PROTO1);
            from.flowid(9);
            Mbuf queued = pool.get(MT_DATA);
            from.nextPkt(queued);
            Mbuf to = pool.getcl(MT_DATA, 0);
            to.moveHdrFrom(from);
            assertThat(to.flags()).isEqualTo(M_EXT | M_PKTHDR | M_BCAST | M_EOR | M_PROTO1);
            assertThat(to.pktLen()).isEqualTo(30);
            assertThat(to.flowid()).isEqualTo(9);
            assertThat(to.nextPkt()).isSameAs(queued);
            assertThat(from.flags()).isZero();
            assertThat(from.nextPkt()).isNull();
            from.freeChain();
            to.freePkts();
        }

        @Test
        void dupHdr_readOnlySource_copyIsWritable() {
            Mbuf from = chain(10);
            from.setFlags(M_RDONLY | M_VLANTAG);
            from.etherVtag(7);
            Mbuf to = pool.get(MT_DATA);
            assertThat(to.dupHdrFrom(from)).isTrue();
            assertThat(to.flags()).isEqualTo(M_PKTHDR | M_VLANTAG);
            assertThat(to.etherVtag()).isEqualTo(7);
            assertThat(from.has(M_PKTHDR)).isTrue();
            assertThat(to.writable()).isTrue();
            to.free();
            from.free();
        }

        @Test
        void demote_chain_headersGone() {
            Mbuf m = chain(10, 3000);
            Mbuf n = chain(5);
            n.setFlags(M_EOR | M_BCAST);
            m.last().next(n);
            m.demote(false, M_EOR);
            assertThat(m.has(M_PKTHDR)).isTrue();
            assertThat(m.next().flags()).isEqualTo(M_EXT);
            assertThat(n.flags()).isEqualTo(M_EOR);
            m.demote(true, 0);
            assertThat(m.flags()).isZero();
            m.freeChain();
        }
    }

    @Nested
    class Flags extends MbufTestBase {
        @Test
        void setAndClear_others_untouched() {
            Mbuf m = pool.gethdr(MT_CONTROL);
            assertThat(m.type()).isEqualTo(MT_CONTROL);
            m.type(MT_NOINIT);
            assertThat(m.type()).isEqualTo(MT_NOINIT);
            m.setFlags(M_EOR | M_BCAST);
            m.clearFlags(M_EOR);
            assertThat(m.flags()).isEqualTo(M_PKTHDR | M_BCAST);
            assertThat(m.has(M_EOR | M_BCAST)).isTrue();
            assertThat(m.has(M_EOR)).isFalse();
            m.free();
        }

        @Test
        void clrProtoFlags_chain_onlyThose() {
            Mbuf m = chain(10, 10);
            m.setFlags(M_PROTO1 | M_PROTO11 | M_BCAST);
            m.next().setFlags(M_PROTOFLAGS);
            m.clrProtoFlags();
            assertThat(m.flags()).isEqualTo(M_PKTHDR | M_BCAST);
            assertThat(m.next().flags()).isZero();
            m.freeChain();
        }
    }

    @Nested
    class Storage extends MbufTestBase {
        @Test
        void spaces_ownAndCluster_addUp() {
            for (Mbuf m : new Mbuf[] {pool.get(MT_DATA), pool.getcl(MT_DATA, 0)}) {
                m.align(20);
                m.len(20);
                assertThat(m.leadingSpace() + m.len() + m.trailingSpace()).isEqualTo(m.size());
                assertThat(m.trailingSpace()).isLessThan(8);
                assertThat(m.data() % 8).isZero();
                m.free();
            }
        }

        @Test
        void sharedCluster_spaces_zeroUntilOtherIsFreed() {
            Mbuf m = pool.getcl(MT_DATA, M_PKTHDR);
            m.align(100);
            m.append(octets(100), 0, 100);
            int lead = m.leadingSpace();
            Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
            assertThat(m.writable() || c.writable()).isFalse();
            assertThat(m.leadingSpace() | m.trailingSpace() | c.leadingSpace() | c.trailingSpace()).isZero();
            assertThat(m.ext()).isSameAs(c.ext());
            c.free();
            assertThat(m.writable()).isTrue();
            assertThat(m.leadingSpace()).isEqualTo(lead);
            m.free();
        }

        @Test
        void readOnly_spaces_zero() {
            Mbuf m = pool.get(MT_DATA);
            m.setFlags(M_RDONLY);
            assertThat(m.writable()).isFalse();
            assertThat(m.trailingSpace()).isZero();
            m.free();
        }

        @Test
        void extAdd_sharedAndFreed_releasedOnceWithItsArguments() {
            AtomicInteger calls = new AtomicInteger();
            MemorySegment mem = foreign(octets(50_000));
            Mbuf m = pool.gethdr(MT_DATA);
            m.extAdd(mem, 8, 49_992, (a, b) -> calls.addAndGet(a == mem && "x".equals(b) ? 1 : 100), mem, "x");
            m.setFlags(M_RDONLY);
            m.len(49_992);
            m.pktLen(49_992);
            assertHolds(m, slice(octets(50_000), 8, 50_000));
            assertThat(m.ext().foreign()).isTrue();
            Mbuf c = m.copyM(10, 20_000);
            assertThat(c.has(M_RDONLY)).isTrue();
            Mbuf d = c.split(5000);
            pool.check();
            m.free();
            c.free();
            assertThat(calls).hasValue(0);
            assertHolds(d, slice(octets(50_000), 5018, 20_018));
            d.free();
            assertThat(calls).hasValue(1);
        }

        @Test
        void extRelease_usesPool_isFreeTo() {
            Mbuf m = pool.gethdr(MT_DATA);
            m.extAdd(foreign(new byte[10]), 0, 10, (p, n) -> ((MbufPool) p).getcl(MT_DATA, 0).free(), pool, null);
            Mbuf first = chain(10, 20);
            first.last().next(m);
            m.demote(true, 0);
            first.freeChain();
        }

        @Test
        void extAdd_badRange_refused() {
            Mbuf m = pool.gethdr(MT_DATA);
            MemorySegment mem = Arena.ofAuto().allocate(10);
            MemorySegment heap = MemorySegment.ofArray(new byte[10]);
            assertThatThrownBy(() -> m.extAdd(mem, 1, 10, null, null, null))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> m.extAdd(heap, 0, 10, null, null, null))
                    .isInstanceOf(IllegalArgumentException.class);
            m.free();
        }

        @Test
        void handleAfterExternalStorage_reused_hasItsOwnOctets() {
            Mbuf m = pool.get(MT_DATA);
            m.extAdd(foreign(octets(300)), 0, 300, null, null, null);
            m.free();
            Mbuf again = pool.get(MT_DATA);
            assertThat(again).isSameAs(m);
            assertThat(again.size()).isEqualTo(MHLEN);
            assertThat(again.seg()).isEqualTo(pool.region());
            again.append(octets(MHLEN), 0, MHLEN);
            assertHolds(again, octets(MHLEN));
            again.free();
        }
    }

    @Nested
    class Freeing extends MbufTestBase {
        @Test
        void free_returnsNext_andOnlyFreesOne() {
            Mbuf m = chain(1, 2, 3);
            Mbuf n = m.free();
            assertThat(n.len()).isEqualTo(2);
            assertThat(pool.outstanding()).isEqualTo(2);
            n.freeChain();
        }

        @Test
        void freeChain_queueBehind_survives() {
            Mbuf a = chain(1, 3000);
            Mbuf b = chain(2);
            a.nextPkt(b);
            a.freeChain();
            assertThat(b.live()).isTrue();
            Mbuf c = chain(3, 4);
            b.nextPkt(c);
            b.freePkts();
            assertThat(c.live()).isFalse();
        }

        @Test
        void doubleFree_detected_poolStaysWhole() {
            Mbuf m = chain(10);
            m.free();
            assertThatThrownBy(m::free).isInstanceOf(IllegalStateException.class).hasMessageContaining("double free")
                    .hasMessageContaining("MbufTest");
            assertThatThrownBy(m::freeChain).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void doubleFree_insideChain_detected() {
            Mbuf m = chain(1, 2, 3);
            Mbuf mid = m.next();
            Mbuf last = mid.next();
            mid.free();
            assertThatThrownBy(m::freeChain).isInstanceOf(IllegalStateException.class);
            last.free();
        }

        @Test
        void useAfterFree_assertionsOn_caught() {
            Mbuf m = chain(10);
            int gen = m.generation();
            m.free();
            assertThat(m.live()).isFalse();
            assertThat(m.generation()).isNotEqualTo(gen);
            assertThatThrownBy(m::len).isInstanceOf(AssertionError.class).hasMessageContaining("use after free");
            assertThatThrownBy(() -> m.getU8(0)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(m::next).isInstanceOf(AssertionError.class);
            assertThat(m.describe()).contains("free");
        }

        @Test
        void writeAfterFree_caughtAtNextAllocation() {
            Mbuf own = pool.get(MT_DATA);
            MemorySegment seg = own.seg();
            long at = own.data() + 100;
            own.free();
            byte was = seg.get(Mbuf.U8, at);
            seg.set(Mbuf.U8, at, (byte) 1);
            assertThatThrownBy(() -> pool.get(MT_DATA)).isInstanceOf(AssertionError.class)
                    .hasMessageContaining("written after free");
            seg.set(Mbuf.U8, at, was);
            // The failed allocation took it: give it back.
            own.generation++;
            own.free();
        }

        @Test
        void clusterOctets_freed_spoilt() {
            Mbuf m = pool.getcl(MT_DATA, 0);
            m.append(octets(MCLBYTES), 0, MCLBYTES);
            long at = m.data();
            m.free();
            assertThat(pool.region().get(Mbuf.U64, at)).isEqualTo(0xdedededededededeL);
            assertThat(pool.region().get(Mbuf.U64, at + MCLBYTES - 8)).isEqualTo(0xdedededededededeL);
        }

        @Test
        void noFree_storageGone_handleStays() {
            Mbuf m = pool.getcl(MT_DATA, M_PKTHDR);
            m.setFlags(M_NOFREE);
            m.free();
            assertThat(m.live()).isTrue();
            assertThat(pool.clustersOutstanding()).isZero();
            m.clearFlags(M_NOFREE);
            m.free();
        }
    }

    @Nested
    class Describing extends MbufTestBase {
        @Test
        void describe_packet_saysWhatItIs() {
            Mbuf m = chain(1000);
            assertThat(m.toString()).contains("of test").contains("PKTHDR").contains("EXT").contains("len 1000/2048")
                    .contains("pkt 1000").contains("refs 1");
            m.free();
        }

        @Test
        void sanity_contradictions_named() {
            Mbuf m = chain(10, 20);
            m.pktLen(29);
            assertThatThrownBy(m::sanity).hasMessageContaining("other than 30");
            m.pktLen(30);
            Mbuf other = chain(1);
            m.last().next(other);
            assertThatThrownBy(m::sanity).hasMessageContaining("header inside");
            other.free();
            assertThatThrownBy(m::sanity).hasMessageContaining("freed");
            m.next().next(null);
            m.sanity();
            m.freeChain();
        }

        @Test
        void leaks_reported_withSiteAndNumber() {
            Mbuf m = chain(10, 20);
            assertThat(pool.leakReport()).contains("2 mbufs in use").contains("MbufTestBase.chain");
            m.freeChain();
        }
    }
}
