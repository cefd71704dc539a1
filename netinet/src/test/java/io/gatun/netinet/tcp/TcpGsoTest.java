package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_CWR;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TcpGsoTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private Mbuf superSegment(TcpFixture f, int n, int flags) {
        final Mbuf m = f.seg(flags).seq(-3000).ts(5, 6).data(n).mbuf();
        m.csumFlags(Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
        m.csumData(16);
        m.tsoSegsz(1448);
        IpHeader.id(m, 0, 0xfffe);
        return m;
    }

    @Test
    void segment_superSegment_isCutInOrder() {
        Mbuf p = TcpGso.segment(superSegment(fx, 10_000, TH_ACK | TH_PUSH | TH_FIN | TH_CWR));
        final ByteArrayOutputStream all = new ByteArrayOutputStream();
        final List<Out> out = new ArrayList<>();
        int id = 0xfffe;
        while (p != null) {
            final Mbuf next = p.nextPkt();
            p.nextPkt(null);
            assertThat(IpHeader.id(p, 0)).isEqualTo(id++ & 0xffff);
            assertThat(p.csumFlags()).isEqualTo(Csum.CSUM_IP_TCP | Csum.CSUM_IP);
            out.add(new Out(p));
            p = next;
        }
        assertThat(out).hasSize(7);
        for (int i = 0; i < out.size(); i++) {
            final Out o = out.get(i);
            assertThat(o.seq).isEqualTo(-3000 + i * 1448);
            assertThat(o.len).isEqualTo(i < 6 ? 1448 : 10_000 - 6 * 1448);
            assertThat(o.has(TH_FIN) && o.has(TH_PUSH)).isEqualTo(i == 6);
            assertThat(o.has(TH_CWR)).isEqualTo(i == 0);
            assertThat(o.tsval).isEqualTo(5);
            all.writeBytes(o.data);
        }
        assertThat(all.toByteArray()).isEqualTo(pattern(0, 10_000));
    }

    /** As one that an interface took which computes no checksums. */
    @Test
    void segment_superSegmentWithItsChecksum_segmentsGetTheirs() {
        final Mbuf m = superSegment(fx, 2000, TH_ACK);
        m.csumFlags(Csum.CSUM_IP_TSO);
        final Mbuf p = TcpGso.segment(m);
        for (Mbuf s = p; s != null; s = s.nextPkt()) {
            assertThat(s.csumFlags()).isEqualTo(Csum.CSUM_IP_TCP | Csum.CSUM_IP);
            assertThat(s.csumData()).isEqualTo(TcpHeader.OFF_SUM);
        }
        p.freePkts();
    }

    @Test
    void segment_oneSegment_staysWhole() {
        final Mbuf p = TcpGso.segment(superSegment(fx, 1448, TH_ACK | TH_FIN));
        assertThat(p.nextPkt()).isNull();
        assertThat(new Out(p).has(TH_FIN)).isTrue();
    }

    @Test
    void segment_outOfMbufs_freesAll() {
        final MbufPool pool = fx.vnet.pool();
        final Mbuf m = superSegment(fx, 10_000, TH_ACK);
        final List<Mbuf> hog = new ArrayList<>();
        for (Mbuf h = pool.get(Mbuf.MT_DATA); h != null; h = pool.get(Mbuf.MT_DATA)) {
            hog.add(h);
        }
        for (int i = 0; i < 5; i++) {
            hog.removeLast().free();
        }
        assertThat(TcpGso.segment(m)).isNull();
        hog.forEach(Mbuf::free);
    }

    /** The urgent pointer counts from each segment, and who cuts a super-segment repeats it. */
    @Test
    @SuppressWarnings("GuardedBy") // one thread
    void output_urgentTextAhead_goesInSegments() {
        final FakeSocket so = fx.established(fx.seg(TcpHeader.TH_SYN).seq(TcpFixture.PEER_ISS).mss(1000));
        final Tcpcb tp = TcpFixture.tcpcb(so);
        tp.sndUp = tp.sndUna + 2500;
        fx.send(so, pattern(0, 30_000));
        int urgent = 0;
        for (final Out o : fx.sent) {
            if (o.has(TcpHeader.TH_URG)) {
                urgent++;
                assertThat(o.len).isEqualTo(1000);
                assertThat(o.seq + o.urp).isEqualTo(tp.iss + 1 + 2500);
            }
        }
        assertThat(urgent).isEqualTo(3);
        assertThat(fx.sent).as("behind it").anyMatch(o -> o.tso);
        fx.sent.clear();
    }
}
