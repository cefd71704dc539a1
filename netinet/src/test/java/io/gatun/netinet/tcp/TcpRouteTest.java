package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A connection towards a peer that two ways lead to, of different MTU: its flow chooses one for all it does. */
class TcpRouteTest {
    private static final int[] MTU = {1500, 1400};
    private static final int HEADERS = 40;
    private static final int RUNS = 16;

    private final TcpFixture f = new TcpFixture();

    @BeforeEach
    void twoWays() {
        final SockAddr all = SockAddr.in(0, 0);
        assertThat(f.fib.delete(all, 0)).isEqualTo(Errno.OK);
        for (int i = 0; i < MTU.length; i++) {
            final NextHop way = new NextHop(f.ifp, 0, SockAddr.in(0x0a000101 + i, 0), null, MTU[i]);
            assertThat(f.fib.append(all, 0, way, 1)).isEqualTo(Errno.OK);
        }
    }

    @AfterEach
    void close() {
        f.close();
    }

    /** Exchanges segments on an established connection, and has it ask for its path now and then. */
    private void work(final Tcpcb tp, final FakeSocket so) {
        for (int i = 0; i < RUNS; i++) {
            f.send(so, new byte[100]);
            assertThat(f.sent.removeLast().flowid).isEqualTo(tp.inp.flowid);
            f.seg(TcpHeader.TH_ACK).on(so).arrive();
            tp.inp.lock.lock();
            try {
                TcpMss.update(tp, -1);
                assertThat(TcpPath.ifp(tp)).isSameAs(f.ifp);
            } finally {
                tp.inp.lock.unlock();
            }
        }
    }

    @Test
    void opened_bothDirections_oneLookUpForAll() {
        final FakeSocket so = f.connect();
        final Tcpcb tp = TcpFixture.tcpcb(so);
        final RouteCache ro = tp.act().route;
        final int after = ro.lookups();
        final Out syn = f.sent.remove();
        f.seg(TcpHeader.TH_SYN | TcpHeader.TH_ACK).on(so).seq(TcpFixture.PEER_ISS).ack(syn.seq + 1).mss(1460).arrive();
        assertThat(tp.state).isEqualTo(TcpState.ESTABLISHED);
        work(tp, so);
        assertThat(tp.act().route).isSameAs(ro);
        assertThat(ro.lookups()).isEqualTo(after);
    }

    @Test
    void accepted_synAckTellsTheMssOfTheWayItTakes() {
        final FakeSocket head = f.listener();
        final boolean[] taken = new boolean[MTU.length];
        for (int i = 0; i < RUNS; i++) {
            final TcpFixture.In syn = f.seg(TcpHeader.TH_SYN).seq(TcpFixture.PEER_ISS).mss(1460);
            syn.sport = TcpFixture.PPORT + i;
            syn.arrive();
            final Out synAck = f.sent.remove();
            final NextHop way = f.fib.lookup(TcpFixture.PEER, synAck.flowid);
            assertThat(synAck.mss).as("port %d", syn.sport).isEqualTo(way.mtu() - HEADERS);
            taken[way.mtu() == MTU[0] ? 0 : 1] = true;
            final TcpFixture.In ack = f.seg(TcpHeader.TH_ACK).seq(syn.seq + 1).ack(synAck.seq + 1);
            ack.sport = syn.sport;
            ack.arrive();
            final Tcpcb tp = TcpFixture.tcpcb(head.comp.removeFirst());
            assertThat(tp.state).isEqualTo(TcpState.ESTABLISHED);
            assertThat(tp.inp.flowid).isEqualTo(synAck.flowid);
            assertThat(tp.maxseg).isEqualTo(way.mtu() - HEADERS);
            assertThat(tp.act().route.nextHop()).isSameAs(way);
        }
        assertThat(taken).containsOnly(true);
    }
}
