package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.HERE;
import static io.gatun.netinet.tcp.TcpFixture.PEER;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_CWR;
import static io.gatun.netinet.tcp.TcpHeader.TH_ECE;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static io.gatun.netinet.tcp.TcpHeader.TH_URG;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TcpLroTest {
    private static final int MSS = 1000;
    private static final int L2 = 14;
    private static final int GOOD =
        Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    private final TcpFixture fx = new TcpFixture();
    private final TcpLro lro = fx.tcp.lro();

    @AfterEach
    void whole() {
        fx.close();
    }

    private Mbuf frame(TcpFixture.In in) {
        final Mbuf packet = in.mbuf();
        final byte[] b = new byte[L2 + packet.pktLen()];
        packet.copyData(0, packet.pktLen(), b, L2);
        packet.freeChain();
        b[12] = 8;
        final Mbuf m = fx.packet(b);
        m.csumFlags(GOOD);
        return m;
    }

    private TcpFixture.In data(int off, int n) {
        return fx.seg(TH_ACK).seq(off).ack(1).data(pattern(off, n));
    }

    private List<Mbuf> merged(List<Mbuf> frames) {
        for (int i = 1; i < frames.size(); i++) {
            frames.get(i - 1).nextPkt(frames.get(i));
        }
        lro.merge(fx.ifp, frames.getFirst());
        final List<Mbuf> out = new ArrayList<>();
        Mbuf m = frames.getFirst();
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            assertThat(m.pktLen()).isEqualTo(m.length());
            assertThat(IpHeader.len(m, L2)).isEqualTo(m.pktLen() - L2);
            out.add(m);
            m = next;
        }
        return out;
    }

    private List<Mbuf> merged(Mbuf... frames) {
        return merged(List.of(frames));
    }

    private static byte[] text(Mbuf m) {
        final int th = L2 + IpHeader.LEN;
        final int at = th + TcpHeader.hlen(m, th);
        final byte[] b = new byte[m.pktLen() - at];
        m.copyData(at, b.length, b, 0);
        return b;
    }

    private static void free(List<Mbuf> all) {
        all.forEach(Mbuf::freeChain);
    }

    @Test
    void inOrder_isOne() {
        final List<Mbuf> out = merged(frame(data(0, MSS).win(1).ts(10, 5)), frame(data(MSS, MSS).win(2).ts(10, 6)),
            frame(fx.seg(TH_ACK | TH_PUSH).seq(2 * MSS).ack(7).win(3).ts(11, 7).data(pattern(2 * MSS, 5))));
        assertThat(out).hasSize(1);
        final Mbuf m = out.getFirst();
        final int th = L2 + IpHeader.LEN;
        assertThat(text(m)).isEqualTo(pattern(0, 2 * MSS + 5));
        assertThat(TcpHeader.seq(m, th)).isZero();
        assertThat(TcpHeader.ack(m, th)).isEqualTo(7);
        assertThat(TcpHeader.win(m, th)).isEqualTo(3);
        assertThat(TcpHeader.flags(m, th)).isEqualTo(TH_ACK | TH_PUSH);
        assertThat(m.getInt(th + 24)).as("the first one's timestamp").isEqualTo(10);
        assertThat(m.getInt(th + 28)).as("the last one's echo").isEqualTo(7);
        assertThat(m.lroNsegs()).isEqualTo(3);
        assertThat(m.csumFlags() & GOOD).isEqualTo(GOOD);
        assertThat(fx.stat("lro_queued")).isEqualTo(3);
        assertThat(fx.stat("lro_flushed")).isEqualTo(1);
        free(out);
    }

    private void apart(Mbuf second) {
        final List<Mbuf> out = merged(frame(data(0, MSS)), second);
        assertThat(out).hasSize(2);
        free(out);
    }

    private Mbuf changed(Consumer<Mbuf> how) {
        final Mbuf m = frame(data(MSS, MSS));
        how.accept(m);
        return m;
    }

    @Test
    void gapOrOverlap_isNot() {
        apart(frame(data(MSS + 1, MSS)));
        apart(frame(data(MSS - 1, MSS)));
        apart(frame(data(0, MSS)));
    }

    @ParameterizedTest
    @ValueSource(ints = {TH_FIN, TH_SYN, TH_RST, TH_URG, TH_ECE, TH_CWR})
    void otherFlags_areNot(int flag) {
        apart(frame(fx.seg(TH_ACK | flag).seq(MSS).ack(1).data(MSS)));
    }

    @Test
    void unlike_isNot() {
        apart(frame(data(MSS, MSS).tos(IpHeader.IPTOS_ECN_CE)));
        apart(frame(data(MSS, MSS).ack(0)));
        apart(frame(data(MSS, MSS).ts(1, 1)));
        apart(frame(data(MSS, MSS).sack(1, 2)));
        apart(frame(data(MSS, MSS).from(PEER, 99)));
        apart(frame(fx.seg(TH_ACK).seq(MSS).ack(1)));
        apart(changed(m -> m.put8(L2 + 8, 63)));
        apart(changed(m -> m.put16(L2 + 6, IpHeader.IP_MF)));
        apart(changed(m -> m.csumFlags(0)));
        apart(changed(m -> m.put8(0, 2)));
        apart(changed(m -> m.csumFlags(GOOD & ~Csum.CSUM_IP_VALID))); // and the sum in the header is wrong
        assertThat(fx.stat("lro_queued")).isZero();
    }

    @Test
    void timestampGoesBack_isNot() {
        final List<Mbuf> out = merged(frame(data(0, MSS).ts(10, 1)), frame(data(MSS, MSS).ts(9, 1)));
        assertThat(out).hasSize(2);
        free(out);
    }

    @Test
    void forOthers_isNot() {
        final List<Mbuf> out = merged(frame(data(0, MSS).to(HERE + 7, 80)), frame(data(MSS, MSS).to(HERE + 7, 80)));
        assertThat(out).hasSize(2);
        free(out);
    }

    @Test
    void noEntries_isNot() {
        fx.sysctl("lro.entries", "0");
        apart(frame(data(MSS, MSS)));
    }

    @Test
    void pureAckBetween_keepsItsPlace() {
        final List<Mbuf> out = merged(frame(data(0, MSS)), frame(fx.seg(TH_ACK).seq(MSS).ack(9)),
            frame(data(MSS, MSS).ack(9)), frame(data(2 * MSS, MSS).ack(9)));
        assertThat(out).hasSize(3);
        assertThat(text(out.get(2))).isEqualTo(pattern(MSS, 2 * MSS));
        free(out);
    }

    @Test
    void twoFlowsInTurns_areTwo() {
        final List<Mbuf> frames = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            frames.add(frame(data(i * MSS, MSS)));
            frames.add(frame(data(i * MSS, MSS).from(PEER, 77)));
        }
        final List<Mbuf> out = merged(frames);
        assertThat(out).hasSize(2).allMatch(m -> m.lroNsegs() == 10);
        assertThat(out).allSatisfy(m -> assertThat(text(m)).isEqualTo(pattern(0, 10 * MSS)));
        free(out);
    }

    @Test
    void moreThanAPacketHolds_isTwo() {
        final List<Mbuf> frames = new ArrayList<>();
        for (int i = 0; i < 70; i++) {
            frames.add(frame(data(i * MSS, MSS)));
        }
        final List<Mbuf> out = merged(frames);
        assertThat(out).hasSize(2);
        assertThat(text(out.getFirst())).hasSize(65 * MSS);
        free(out);
    }

    /** Whatever comes: nothing of a flow is lost, made up, or overtaken. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void anything_atRandom_keepsEachFlowInOrder(long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            final List<Mbuf> frames = new ArrayList<>();
            final int[] next = new int[12];
            final Map<Integer, ByteArrayOutputStream> sent = new HashMap<>();
            final int n = r.nextInt(2, 40);
            for (int i = 0; i < n; i++) {
                final int flow = r.nextInt(next.length);
                final int jump = r.nextInt(8) == 0 ? r.nextInt(-500, 500) : 0;
                final byte[] b = new byte[r.nextInt(6) == 0 ? 0 : r.nextInt(1, 300)];
                r.nextBytes(b);
                final int flags = r.nextInt(6) == 0 ? TH_ACK | 1 << r.nextInt(9) : TH_ACK;
                final TcpFixture.In in = fx.seg(flags).seq(next[flow] + jump).ack(r.nextInt(9) == 0 ? 5 : 6)
                    .from(PEER, 100 + flow).data(b);
                if (r.nextInt(5) == 0) {
                    in.ts(r.nextInt(3), 1);
                }
                next[flow] += jump + b.length;
                sent.computeIfAbsent(100 + flow, k -> new ByteArrayOutputStream()).writeBytes(b);
                final Mbuf m = frame(in);
                if (r.nextInt(20) == 0) {
                    m.csumFlags(0);
                }
                frames.add(m);
            }
            final List<Mbuf> out = merged(frames);
            final Map<Integer, ByteArrayOutputStream> got = new HashMap<>();
            for (final Mbuf m : out) {
                got.computeIfAbsent(TcpHeader.sport(m, L2 + IpHeader.LEN), k -> new ByteArrayOutputStream())
                    .writeBytes(text(m));
            }
            assertThat(got.keySet()).isEqualTo(sent.keySet());
            sent.forEach((k, v) -> assertThat(got.get(k).toByteArray()).as("seed %d flow %d", seed, k)
                .isEqualTo(v.toByteArray()));
            free(out);
        }
        assertThat(fx.stat("lro_queued")).isPositive();
    }

    /** Through a connection, in batches, out of order and some of it twice: every octet arrives in its place. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void connection_batchesOutOfOrder_everyOctetArrives(long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(TcpFixture.PEER_ISS).mss(MSS).sackPerm());
        final int first = TcpFixture.PEER_ISS + 1;
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        int done = 0;
        while (done < 400_000) {
            final List<Mbuf> batch = new ArrayList<>();
            int at = done;
            for (int n = r.nextInt(1, 30); n > 0; n--) {
                final int from = Math.max(r.nextInt(6) == 0 ? at + r.nextInt(-2 * MSS, 2 * MSS) : at, 0);
                final int len = r.nextInt(1, MSS);
                batch.add(frame(fx.seg(TH_ACK).on(so).seq(first + from).data(pattern(from, len))));
                at = Math.max(from + len, 0);
            }
            for (final Mbuf m : merged(batch)) {
                m.adjHead(L2);
                fx.tcp.input.input(m, IpHeader.LEN, InDefs.IPPROTO_TCP);
            }
            fx.vnet.poll();
            done = tcpcb(so).rcvNxt - first;
            got.writeBytes(fx.read(so, so.rcv.avail()));
            fx.sent.clear();
        }
        assertThat(got.toByteArray()).isEqualTo(pattern(0, done));
        assertThat(fx.stat("lro_queued")).isPositive();
        assertThat(fx.stat("rcvoopack")).isPositive();
    }

    /** Garbage: neither read beyond its end nor lost. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void garbage_atRandom_passes(long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            final List<Mbuf> frames = new ArrayList<>();
            int octets = 0;
            for (int i = 0; i < 10; i++) {
                final Mbuf good = frame(data(i * 50, 50));
                final byte[] b = new byte[good.pktLen()];
                good.copyData(0, b.length, b, 0);
                good.freeChain();
                for (int k = r.nextInt(3); k > 0; k--) {
                    b[r.nextInt(b.length)] = (byte) r.nextInt();
                }
                final byte[] cut = java.util.Arrays.copyOf(b, r.nextInt(4) == 0 ? r.nextInt(1, b.length) : b.length);
                octets += cut.length;
                final Mbuf m = fx.packet(cut);
                m.csumFlags(GOOD);
                frames.add(m);
                if (i > 0) {
                    frames.get(i - 1).nextPkt(m);
                }
            }
            lro.merge(fx.ifp, frames.getFirst());
            final int headers = 40 + L2;
            int seen = 0;
            Mbuf m = frames.getFirst();
            while (m != null) {
                final Mbuf next = m.nextPkt();
                m.nextPkt(null);
                assertThat(m.length()).isEqualTo(m.pktLen());
                seen += m.pktLen() + (Math.max(m.lroNsegs(), 1) - 1) * headers;
                m.freeChain();
                m = next;
            }
            assertThat(seen).as("seed %d", seed).isEqualTo(octets);
        }
    }
}
