package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A router that gets its packets in lists, as drivers hand them up, with a small table and with a large one. */
class ForwardListTest {
    private static final int FRAME = 60;
    private static final int LIST = 32;
    private static final int ROUNDS = 1000;
    /** Lists under way at once, at most: what is more than the queues hold would be lost. */
    private static final int AHEAD = 8;
    private static final long SPINS = 1L << 30;
    private static final long SOURCE_MAC = 0x0200_0000_0099L;
    private static final long GATEWAY_MAC = 0x0200_0000_0077L;
    private static final long NET6 = 0x2001_0db8_0000_0000L;

    /** Counted by whichever thread takes the packets up: a timer's may come first. */
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong disorder = new AtomicLong();

    @ParameterizedTest
    @CsvSource({"4,1,false", "4,5000,false", "4,1,true", "4,5000,true",
        "6,1,false", "6,5000,false", "6,1,true", "6,5000,true"})
    void lists_forwardedInOrder_allocateNothing(final int family, final int routes, final boolean threads)
            throws ErrnoException {
        try (Vnet vnet = Vnet.builder().name("router").threads(threads).build()) {
            final boolean six = family == 6;
            final Ifnet in = vnet.ifnets().create("epair0");
            final Ifnet feeder = vnet.ifnets().byName("epair0b");
            final Ifnet out = vnet.ifnets().create("epair1");
            final Ifnet sink = vnet.ifnets().byName("epair1b");
            final InetConfig config = vnet.service(InetConfig.class);
            config.addAddress(in, six ? "fd00::1/64" : "10.0.0.1/24");
            config.addAddress(out, six ? "fd00:0:0:1::1/64" : "10.0.1.1/24");
            feeder.up();
            sink.up();
            sink.setInputFn((ifp, first) -> take(first));
            config.setForwarding(true);
            config.setForwarding6(true);
            final SockAddr gateway = six ? SockAddr.in6(0xfd00_0000_0000_0001L, 2, 0) : SockAddr.of("10.0.1.2", 0);
            final Errno e = six ? config.inet().inet6().nd6.setNeighbor(out, gateway.hi(), 2, GATEWAY_MAC, false)
                : config.inet().arp.setStatic(out, gateway.in4(), GATEWAY_MAC);
            ErrnoException.check(e, "neighbour");
            load(config.inet().fib(0), six, routes, new NextHop(out, 0, gateway, null, 0));
            final long mac = EtherHeader.addr(in.lladdr());
            final int[] round = {0};
            measure(() -> {
                final int at = round[0]++;
                feeder.transmit(list(vnet, six, mac, at, routes));
                vnet.netisr().swi();
                awaitReceived((round[0] - AHEAD) * (long) LIST);
            });
            final long sent = (long) round[0] * LIST;
            awaitReceived(sent);
            assertThat(received.get()).as(() -> Stuck.describe(vnet)).isEqualTo(sent);
            assertThat(disorder.get()).isZero();
            assertThat(vnet.counters().get(six ? "ip6.forward" : "ip.forward")).isEqualTo(sent);
            assertThat(config.inet().fib(0).large(six ? SockAddr.AF_INET6 : SockAddr.AF_INET)).isEqualTo(routes > 1);
        }
    }

    private void awaitReceived(final long frames) {
        for (long spins = 0; received.get() < frames && spins < SPINS; spins++) {
            Thread.onSpinWait();
        }
    }

    private static void load(final Fib fib, final boolean six, final int routes, final NextHop nh) {
        for (int i = 0; i < routes; i++) {
            if (six) {
                fib.add(SockAddr.in6(NET6 | (long) i << 16, 0, 0), i % 5 == 0 ? 64 : 48, nh);
            } else {
                fib.add(SockAddr.in(dst4(i), 0), i % 5 == 0 ? 28 : 24, nh);
            }
        }
    }

    private static int dst4(final int route) {
        return 0x20000000 + route * 0x1100;
    }

    private static void measure(final Runnable round) {
        assertThat(Steady.octets(ROUNDS, round::run)).as("octets of heap in %d rounds", ROUNDS).isZero();
    }

    private static Mbuf list(final Vnet vnet, final boolean six, final long mac, final int round, final int routes) {
        Mbuf first = null;
        for (int i = LIST - 1; i >= 0; i--) {
            final Mbuf m = frame(vnet, six, mac, (round * 31 + i * 17) % routes, i);
            m.nextPkt(first);
            first = m;
        }
        return first;
    }

    private static Mbuf frame(final Vnet vnet, final boolean six, final long mac, final int route, final int number) {
        final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(FRAME);
        m.pktLen(FRAME);
        EtherHeader.put(m, mac, SOURCE_MAC, six ? EtherHeader.ETHERTYPE_IPV6 : EtherHeader.ETHERTYPE_IP);
        final int ip = EtherHeader.ETHER_HDR_LEN;
        m.put16(FRAME - 2, number);
        if (six) {
            m.putLong(ip, 6L << 60 | (FRAME - ip - Ip6Header.LEN) << 16 | InDefs.IPPROTO_UDP << 8 | 64);
            Ip6Header.src(m, ip, 0xfd00L << 48, 2);
            Ip6Header.dst(m, ip, NET6 | (long) route << 16, 1);
            return m;
        }
        IpHeader.init(m, ip, FRAME - ip, 0);
        IpHeader.addr(m, ip, IpHeader.ttlAndProto(64, InDefs.IPPROTO_UDP), 0x0a000002, dst4(route) + 1);
        int sum = 0;
        for (int i = 0; i < IpHeader.LEN; i += Short.BYTES) {
            sum += m.getU16(ip + i);
        }
        IpHeader.sum(m, ip, ~InCksum.fold(sum) & 0xffff);
        return m;
    }

    private void take(final Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            if (EtherHeader.dst(m) == GATEWAY_MAC) {
                final long before = received.getAndIncrement();
                disorder.addAndGet(m.getU16(FRAME - 2) == before % LIST ? 0 : 1);
            }
            m.freeChain();
            m = next;
        }
    }
}
