package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** TCP within UDP between two hosts, over both families, under every lock strategy, with threads and without. */
class TcpOverUdpTest {
    private static final int TUNNEL = 9899;
    private static final String PORT_NODE = "net.inet.tcp.udp_tunneling_port";
    private static final int MEGABYTES = 2 << 20;
    private static final int ROUNDS = 3000;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values()).flatMap(s -> IntStream.of(SockAddr.AF_INET, SockAddr.AF_INET6)
            .boxed().flatMap(f -> Stream.of(Arguments.of(s, false, f), Arguments.of(s, true, f))));
    }

    private static Vnet[] pair(final Bed bed, final int family) throws ErrnoException {
        final Vnet a = bed.sysctl(PORT_NODE, String.valueOf(TUNNEL)).vnet("left");
        final Vnet b = bed.vnet("right");
        if (family == SockAddr.AF_INET) {
            Bed.up(bed.cable(a, b, Bed.ETHERNET), "10.0.0.1/24", "10.0.0.2/24");
        } else {
            Bed.up(bed.cable(a, b, Bed.ETHERNET), "2001:db8::1/64", "2001:db8::2/64");
        }
        return new Vnet[] {a, b};
    }

    private static SockAddr right(final int family) {
        return SockAddr.of(family == SockAddr.AF_INET ? "10.0.0.2" : "2001:db8::2", Bed.PORT);
    }

    private static SocketFile encapsulated(final Vnet v, final int family) throws ErrnoException {
        final SocketFile so = Bed.tcp(v, family);
        so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT, TUNNEL);
        return so;
    }

    private static long encapsPort(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT);
    }

    private static long count(final Vnet v, final String name) {
        return v.counters().get(name);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void connection_bothDirectionsAtOnce_allWithinUdp(
            final LockStrategy strategy, final boolean threads, final int family) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = pair(bed, family);
            final SocketFile[] c = bed.connection(encapsulated(v[0], family), v[1], right(family));
            assertThat(encapsPort(c[1])).isEqualTo(TUNNEL);
            bed.transfer(new Flow(c[0], c[1], MEGABYTES, 65_536), new Flow(c[1], c[0], MEGABYTES, 999));
            c[0].close();
            c[1].close();
            for (final Vnet one : v) {
                long tunneled;
                long total;
                do { // another thread may have counted the last acknowledgment as the one and not yet as the other
                    tunneled = count(one, "tcp.tunneled_pkts");
                    total = count(one, "tcp.rcvtotal");
                } while (threads && tunneled != total);
                assertThat(tunneled).isEqualTo(total).isPositive();
                assertThat(count(one, "tcp.tunneled_errs")).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void bulk_allocatesNothing(final LockStrategy strategy, final boolean threads, final int family)
            throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = pair(bed, family);
            final SocketFile[] c = bed.connection(encapsulated(v[0], family), v[1], right(family));
            c[0].so().setNonBlocking(true);
            c[1].so().setNonBlocking(true);
            final Flow flow = new Flow(c[0], c[1], Long.MAX_VALUE, 16_384);
            assertThat(Steady.octets(1, () -> rounds(bed, flow, ROUNDS))).isZero();
            c[0].close();
            c[1].close();
        }
    }

    private static void rounds(final Bed bed, final Flow flow, final int n) throws ErrnoException {
        for (int i = 0; i < n; i++) {
            flow.sendSome();
            flow.receiveSome();
            if (!bed.threads) {
                bed.clock.advance(20_000);
                bed.run();
            }
        }
    }

    @Test
    void loopback_withinUdp() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.sysctl(PORT_NODE, String.valueOf(TUNNEL)).loopback();
            final SockAddr at = SockAddr.of("127.0.0.1", Bed.PORT);
            final SocketFile[] c = bed.connection(encapsulated(v, SockAddr.AF_INET), v, at);
            bed.drive(new Flow(c[0], c[1], MEGABYTES, 65_536), new Flow(c[1], c[0], MEGABYTES, 7777));
            c[0].close();
            c[1].close();
            assertThat(count(v, "tcp.tunneled_pkts")).isEqualTo(count(v, "tcp.rcvtotal"));
        }
    }

    @Test
    void tunnelClosed_dataWaits_openedAgain_goesOn() throws Exception {
        try (Bed bed = new Bed(2)) {
            final Vnet[] v = pair(bed, SockAddr.AF_INET);
            final SocketFile[] c = bed.connection(encapsulated(v[0], SockAddr.AF_INET), v[1], right(SockAddr.AF_INET));
            final Flow flow = new Flow(c[0], c[1], 300_000, 4000);
            bed.drive(() -> flow.received() > 50_000, flow);
            assertThat(v[0].sysctl().set(PORT_NODE, "0")).isEqualTo(Errno.OK);
            final long received = flow.received();
            for (int i = 0; i < 100; i++) {
                flow.sendSome();
                bed.advance(20_000_000);
                flow.receiveSome();
            }
            assertThat(flow.received()).as("what was on its way").isLessThan(received + 66_000);
            assertThat(v[0].sysctl().set(PORT_NODE, String.valueOf(TUNNEL))).isEqualTo(Errno.OK);
            bed.drive(flow);
            c[0].close();
            c[1].close();
        }
    }

    @Test
    void tunnelClosed_optionRefused() throws Exception {
        try (Bed bed = new Bed(3)) {
            final Vnet v = bed.loopback();
            final SocketFile so = Bed.tcp(v);
            assertThatThrownBy(() -> so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT, TUNNEL))
                .isInstanceOf(ErrnoException.class).hasMessageContaining("EINVAL");
            so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT, 0);
            assertThat(encapsPort(so)).isZero();
            so.close();
        }
    }

    @Test
    void port_taken_sysctlRefuses_oldPortStays() throws Exception {
        try (Bed bed = new Bed(4)) {
            final Vnet[] v = pair(bed, SockAddr.AF_INET);
            final SocketFile other = Bed.udp(v[1]);
            other.bind(SockAddr.of("10.0.0.2", 5353));
            assertThat(v[1].sysctl().set(PORT_NODE, "5353")).isEqualTo(Errno.EINVAL);
            assertThat(v[1].sysctl().set(PORT_NODE, "65536")).isEqualTo(Errno.EINVAL);
            assertThat(v[1].sysctl().set(PORT_NODE, "-1")).isEqualTo(Errno.EINVAL);
            assertThat(v[1].sysctl().find(PORT_NODE).get()).isEqualTo(TUNNEL);
            final SocketFile[] c = bed.connection(encapsulated(v[0], SockAddr.AF_INET), v[1], right(SockAddr.AF_INET));
            bed.drive(new Flow(c[0], c[1], 10_000, 1000));
            c[0].close();
            c[1].close();
            other.close();
            assertThat(v[1].sysctl().set(PORT_NODE, "5353")).isEqualTo(Errno.OK);
        }
    }

    @Test
    void socketOfAnybody_becomesTunnel_onlyOnce() throws Exception {
        try (Bed bed = new Bed(5)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final UdpTunnels tunnels = v[1].service(UdpTunnels.class);
            final SocketFile end = Bed.udp(v[1]);
            end.bind(SockAddr.of("10.0.0.2", 4500));
            final List<String> seen = new ArrayList<>();
            final UdpTunnels.Input input = (m, off) -> {
                seen.add(m.pktLen() - off + " from " + m.getU16(off));
                m.freeChain();
            };
            assertThat(tunnels.setKernelTunneling(end.so(), input, null)).isEqualTo(Errno.OK);
            assertThat(tunnels.setKernelTunneling(end.so(), input, null)).isEqualTo(Errno.EBUSY);
            final SocketFile tcp = Bed.tcp(v[1]);
            assertThat(tunnels.setKernelTunneling(tcp.so(), input, null)).isEqualTo(Errno.EINVAL);
            final SocketFile client = Bed.udp(v[0]);
            client.bind(SockAddr.of("10.0.0.1", 777));
            client.connect(SockAddr.of("10.0.0.2", 4500));
            client.send(ByteBuffer.allocate(100));
            bed.run();
            assertThat(seen).containsExactly("108 from 777");
            end.setNonBlocking(true);
            assertThat(end.receive(ByteBuffer.allocate(100))).isEqualTo(SocketFile.WOULD_BLOCK);
            client.close();
            tcp.close();
            end.close();
        }
    }

    /** Whatever comes to the port of the tunnel: nothing is thrown, all is counted, the pool is whole. */
    @ParameterizedTest
    @MethodSource("modes")
    void noise_atTheTunnel_connectionGoesOn(final LockStrategy strategy, final boolean threads, final int family)
            throws Exception {
        final long seed = 7;
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(strategy, threads, seed)) {
            final Vnet[] v = pair(bed, family);
            final SocketFile[] c = bed.connection(encapsulated(v[0], family), v[1], right(family));
            final SocketFile noise = SocketFile.socket(v[0], family, SocketDefs.SOCK_DGRAM, 0);
            final SockAddr to = SockAddr.of(family == SockAddr.AF_INET ? "10.0.0.2" : "2001:db8::2", TUNNEL);
            for (int i = 0; i < 2000; i++) {
                noise.sendto(ByteBuffer.wrap(datagram(r, c[0].localAddress().port())), 0, to);
                if (!threads) {
                    bed.run();
                }
            }
            bed.transfer(new Flow(c[0], c[1], 200_000, 3000), new Flow(c[1], c[0], 200_000, 3000));
            assertThat(count(v[1], "tcp.tunneled_errs")).as("seed %d", seed).isPositive();
            noise.close();
            c[0].close();
            c[1].close();
        }
    }

    /** ICMP errors about the tunnel, cut anywhere, true and false: a connection that is open outlives them. */
    @Test
    void icmpNoise_aboutTheTunnel_connectionGoesOn() throws Exception {
        final long seed = Long.getLong("gatun.seed", 11);
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(seed)) {
            final Vnet[] v = pair(bed, SockAddr.AF_INET);
            final SocketFile[] c = bed.connection(encapsulated(v[0], SockAddr.AF_INET), v[1], right(SockAddr.AF_INET));
            final SocketFile raw =
                SocketFile.socket(v[0], SockAddr.AF_INET, SocketDefs.SOCK_RAW, InDefs.IPPROTO_ICMP);
            final Flow flow = new Flow(c[1], c[0], 300_000, 3000);
            for (int i = 0; i < 3000; i++) {
                flow.sendSome();
                raw.sendto(ByteBuffer.wrap(icmp(r, c[0].localAddress().port())), 0, SockAddr.of("10.0.0.2", 0));
                bed.run();
                flow.receiveSome();
            }
            bed.drive(flow, new Flow(c[0], c[1], 100_000, 3000));
            assertThat(v[1].counters().get("icmp.inhist.3")).as("seed=%d", seed).isGreaterThan(1500);
            raw.close();
            c[0].close();
            c[1].close();
        }
    }

    /** About a segment of the right host within UDP; its numbers are right by chance alone. */
    private static byte[] icmp(final SplittableRandom r, final int port) {
        final ByteBuffer b = ByteBuffer.allocate(8 + 20 + 8 + 20);
        b.put((byte) (r.nextInt(4) == 0 ? 11 : 3)).put((byte) r.nextInt(5)).putShort((short) 0).putInt(r.nextInt(1500));
        b.put((byte) 0x45).put((byte) 0).putShort((short) 48).putInt(0).put((byte) 64).put((byte) 17)
            .putShort((short) 0).put(new byte[] {10, 0, 0, 2, 10, 0, 0, 1});
        b.putShort((short) (r.nextInt(5) == 0 ? r.nextInt() : TUNNEL))
            .putShort((short) (r.nextInt(5) == 0 ? r.nextInt() : TUNNEL)).putInt(0);
        b.putShort((short) Bed.PORT).putShort((short) port).putInt(r.nextInt());
        final int n = r.nextInt(3) == 0 ? 8 + r.nextInt(b.capacity() - 8) : b.capacity();
        int sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (b.get(i) & 0xff) << ((i & 1) == 0 ? 8 : 0);
        }
        sum = (sum & 0xffff) + (sum >>> 16);
        b.putShort(2, (short) ~((sum & 0xffff) + (sum >>> 16)));
        return Arrays.copyOf(b.array(), n);
    }

    /** Noise, some of it with the ports of the connection, so that it is found and refused. */
    private static byte[] datagram(final SplittableRandom r, final int port) {
        final byte[] b = new byte[r.nextInt(200)];
        r.nextBytes(b);
        if (b.length >= 20) {
            b[12] = (byte) (r.nextInt(16) << 4);
            if (r.nextBoolean()) {
                ByteBuffer.wrap(b).putShort(0, (short) port).putShort(2, (short) Bed.PORT);
            }
        }
        return b;
    }
}
