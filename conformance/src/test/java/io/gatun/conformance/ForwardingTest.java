package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import org.junit.jupiter.api.Test;

/** Three hosts in a row, the middle one a router. */
class ForwardingTest {
    private static final Epair.Config NARROW = new Epair.Config(1000, 4096, true, false);
    private static final SockAddr RIGHT = SockAddr.of("10.0.2.1", Bed.PORT);
    private static final int MEGABYTE = 1 << 20;

    @Test
    void tcp_bothWays_throughTheRouter() throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            final Vnet[] v = bed.routed(Bed.ETHERNET, Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[2], RIGHT);
            bed.drive(new Flow(c[0], c[1], MEGABYTE, 16_384), new Flow(c[1], c[0], MEGABYTE, 10_000));
            assertThat(v[1].counters().get("ip.forward")).isGreaterThan(2 * MEGABYTE / 1500);
            close(c);
        }
    }

    private static void close(final SocketFile[] c) throws ErrnoException {
        c[0].close();
        c[1].close();
    }

    @Test
    void narrowLink_pathMtu_isLearnt() throws ErrnoException {
        try (Bed bed = new Bed(2)) {
            final Vnet a = bed.vnet("left");
            final Vnet r = bed.vnet("router");
            final Vnet r2 = bed.vnet("far router");
            final Vnet b = bed.vnet("right");
            // The narrow link is in the middle, where neither end's MSS tells of it.
            Bed.up(bed.cable(a, r, Bed.ETHERNET), "10.0.1.1/24", "10.0.1.254/24");
            Bed.up(bed.cable(r, r2, NARROW), "10.0.3.1/24", "10.0.3.2/24");
            Bed.up(bed.cable(r2, b, Bed.ETHERNET), "10.0.2.254/24", "10.0.2.1/24");
            Bed.config(r).setForwarding(true);
            Bed.config(r2).setForwarding(true);
            Bed.config(a).addDefault("10.0.1.254");
            Bed.config(r).addDefault("10.0.3.2");
            Bed.config(r2).addDefault("10.0.3.1");
            Bed.config(b).addDefault("10.0.2.254");
            final SocketFile[] c = bed.connection(a, b, RIGHT);
            assertThat(mss(c[0])).isBetween(1400, 1460);
            final Flow there = new Flow(c[0], c[1], 2 * MEGABYTE, 65_536);
            final Flow back = new Flow(c[1], c[0], 2 * MEGABYTE, 65_536);
            bed.drive(() -> there.received() > MEGABYTE && back.received() > MEGABYTE, there, back);
            assertThat(mss(c[0])).isBetween(900, 960);
            assertThat(mss(c[1])).isBetween(900, 960);
            assertThat(r.drops(DropReason.IP_CANTFRAG)).isPositive();
            bed.drive(there, back);
            close(c);
        }
    }

    private static int mss(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class).sndMss();
    }

    @Test
    void ping_60000Octets_bothWays() throws ErrnoException {
        try (Bed bed = new Bed(3)) {
            final Vnet[] v = bed.routed(Bed.ETHERNET, NARROW);
            final Pinger left = new Pinger(v[0]);
            final Pinger right = new Pinger(v[2]);
            for (final int octets : new int[] {0, 56, 1472, 1473, 60_000}) {
                final byte[] sent = left.ping("10.0.2.1", octets);
                bed.run();
                assertThat(left.replies).as("%d octets to the right", octets).hasSize(1);
                assertThat(left.replies.removeFirst()).isEqualTo(sent);
                final byte[] back = right.ping("10.0.1.1", octets);
                bed.run();
                assertThat(right.replies).as("%d octets to the left", octets).hasSize(1);
                assertThat(right.replies.removeFirst()).isEqualTo(back);
            }
            assertThat(v[1].counters().get("ip.fragmented")).isPositive();
        }
    }

    @Test
    void ttl_exceeded_isTold() throws ErrnoException {
        try (Bed bed = new Bed(4)) {
            final Vnet[] v = bed.routed(Bed.ETHERNET, Bed.ETHERNET);
            final Pinger left = new Pinger(v[0]);
            left.ping("10.0.2.1", 56, 1);
            bed.run();
            assertThat(left.replies).isEmpty();
            assertThat(v[1].drops(DropReason.IP_TTL)).isEqualTo(1);
            assertThat(v[0].counters().get("icmp.inhist.11")).isEqualTo(1);
            left.ping("10.0.2.1", 56, 2);
            bed.run();
            assertThat(left.replies).hasSize(1);
        }
    }
}
