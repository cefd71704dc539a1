package io.gatun.cli.bench;

import io.gatun.conformance.netsim.InternetTable;
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
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;
import java.util.Random;

/**
 * A router between two epairs. Frames of 64 octets (FCS included) are given to the far end of one and leave by the
 * other, whose far end is down to all but the count.
 */
final class ForwardLab implements AutoCloseable {
    private static final int FRAME = 60;
    private static final int BATCH = 32;
    private static final int DESTINATIONS = 1 << 16;
    private static final int HERE = 0x0a000001;
    private static final int SOURCE = 0x0a000002;
    private static final int GATEWAY = 0x0a000102;
    private static final int TTL = 64;
    private static final long NET6 = 0xfd00L << 48;
    private static final long VERSION6 = 6L << 60;
    private static final long GATEWAY_MAC = 0x0200_0000_0077L;
    private static final long FEEDER_MAC = 0x0200_0000_0099L;

    private final Vnet vnet;
    private final Ifnet in;
    private final Ifnet feeder;
    private final Ifnet sink;
    private final boolean six;
    private final long[] dst = new long[DESTINATIONS]; // an IPv4 address, or the upper half of an IPv6 one
    private final long routerMac;
    private long received;
    private int at;

    /**
     * @param routes size of the table
     * @param six IPv6
     */
    ForwardLab(final int routes, final boolean six) throws IOException {
        this.six = six;
        vnet = Vnet.builder().name("router").threads(false)
            .pool(MbufPool.builder().nmbufs(1 << 13).nmbclusters(1 << 12)).build();
        in = vnet.ifnets().create("epair0");
        feeder = vnet.ifnets().byName("epair0b");
        final Ifnet out = vnet.ifnets().create("epair1");
        sink = vnet.ifnets().byName("epair1b");
        final InetConfig config = vnet.service(InetConfig.class);
        config.addAddress(in, six ? "fd00::1/64" : IpHeader.dotted(HERE) + "/24");
        config.addAddress(out, six ? "fd00:0:0:1::1/64" : "10.0.1.1/24");
        feeder.up();
        sink.up();
        sink.setInputFn((ifp, first) -> swallow(first));
        routerMac = EtherHeader.addr(in.lladdr());
        final Fib fib = config.inet().fib(0);
        if (six) {
            config.setForwarding6(true);
            final Errno e = config.inet().inet6().nd6.setNeighbor(out, NET6 | 1, 2, GATEWAY_MAC, false);
            ErrnoException.check(e, "ndp -s");
            load6(fib, routes, new NextHop(out, 0, SockAddr.in6(NET6 | 1, 2, 0), null, 0));
        } else {
            config.setForwarding(true);
            config.setArp(out, IpHeader.dotted(GATEWAY), EtherHeader.format(GATEWAY_MAC));
            load4(fib, routes, new NextHop(out, 0, SockAddr.in(GATEWAY, 0), SockAddr.in(0x0a000101, 0), 0));
        }
    }

    /** Counts and frees packets linked by nextPkt. */
    private void swallow(final Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            m.freeChain();
            received++;
            m = next;
        }
    }

    private void load4(final Fib fib, final int routes, final NextHop nh) {
        final Random random = new Random(1);
        final long[] prefixes = new InternetTable(1).prefixes4(routes);
        for (final long p : prefixes) {
            fib.add(SockAddr.in((int) (p >>> 32), 0), (int) p, nh);
        }
        for (int i = 0; i < DESTINATIONS; i++) {
            final long p = prefixes[random.nextInt(routes)];
            dst[i] = (int) (p >>> 32) | (int) (random.nextInt() & (1L << 32 - (int) p) - 1);
        }
    }

    private void load6(final Fib fib, final int routes, final NextHop nh) {
        final Random random = new Random(1);
        final int[] lengths = new int[routes];
        final SockAddr[] prefixes = new InternetTable(1).prefixes6(routes, lengths);
        for (int i = 0; i < routes; i++) {
            fib.add(prefixes[i], lengths[i], nh);
        }
        for (int i = 0; i < DESTINATIONS; i++) {
            final int k = random.nextInt(routes);
            dst[i] = prefixes[k].hi() | random.nextLong() & (1L << 64 - lengths[k]) - 1;
        }
    }

    /** Packets a second that came out. */
    double run(final Stack.Span span) throws IOException {
        return Rates.run(span, () -> {
            final long before = received;
            for (int i = 0; i < BATCH; i++) {
                feeder.transmit(frame(dst[at++ & DESTINATIONS - 1]));
            }
            vnet.poll();
            return received - before;
        });
    }

    private Mbuf frame(final long to) {
        final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(FRAME);
        m.pktLen(FRAME);
        EtherHeader.put(m, routerMac, FEEDER_MAC, six ? EtherHeader.ETHERTYPE_IPV6 : EtherHeader.ETHERTYPE_IP);
        final int ip = EtherHeader.ETHER_HDR_LEN;
        if (six) {
            m.putLong(ip, VERSION6 | (FRAME - ip - Ip6Header.LEN) << 16 | InDefs.IPPROTO_UDP << 8 | TTL);
            Ip6Header.src(m, ip, NET6, 2);
            Ip6Header.dst(m, ip, to, 1);
            return m;
        }
        IpHeader.init(m, ip, FRAME - ip, 0);
        IpHeader.addr(m, ip, IpHeader.ttlAndProto(TTL, InDefs.IPPROTO_UDP), SOURCE, (int) to);
        int sum = 0;
        for (int i = 0; i < IpHeader.LEN; i += Short.BYTES) {
            sum += m.getU16(ip + i);
        }
        IpHeader.sum(m, ip, ~InCksum.fold(sum) & 0xffff);
        return m;
    }

    @Override
    public void close() {
        vnet.close();
    }
}
