package io.gatun.cli.bench;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
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

    private final Vnet vnet;
    private final Ifnet in;
    private final Ifnet feeder;
    private final Ifnet sink;
    private final int[] dst = new int[DESTINATIONS];
    private final long routerMac;
    private long received;
    private int at;

    ForwardLab(final int routes) throws IOException {
        vnet = Vnet.builder().name("router").threads(false)
            .pool(MbufPool.builder().nmbufs(1 << 13).nmbclusters(1 << 12)).build();
        in = vnet.ifnets().create("epair0");
        feeder = vnet.ifnets().byName("epair0b");
        final Ifnet out = vnet.ifnets().create("epair1");
        sink = vnet.ifnets().byName("epair1b");
        final InetConfig config = vnet.service(InetConfig.class);
        config.addAddress(in, IpHeader.dotted(HERE) + "/24");
        config.addAddress(out, "10.0.1.1/24");
        feeder.up();
        sink.up();
        sink.setInputFn((ifp, m) -> {
            received++;
            m.freeChain();
        });
        config.setForwarding(true);
        config.setArp(out, IpHeader.dotted(GATEWAY), "02:00:00:00:00:77");
        routerMac = EtherHeader.addr(in.lladdr());
        load(routes, new NextHop(out, 0, SockAddr.in(GATEWAY, 0), SockAddr.in(0x0a000101, 0), 0));
    }

    private void load(final int routes, final NextHop nh) {
        final Random random = new Random(1);
        final Fib fib = vnet.service(InetConfig.class).inet().fib(0);
        final long[] prefixes = new InternetTable(1).prefixes4(routes);
        for (final long p : prefixes) {
            fib.add(SockAddr.in((int) (p >>> 32), 0), (int) p, nh);
        }
        for (int i = 0; i < DESTINATIONS; i++) {
            final long p = prefixes[random.nextInt(routes)];
            dst[i] = (int) (p >>> 32) | (int) (random.nextInt() & (1L << 32 - (int) p) - 1);
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

    private Mbuf frame(final int to) {
        final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(FRAME);
        m.pktLen(FRAME);
        EtherHeader.put(m, routerMac, 0x020000000099L, EtherHeader.ETHERTYPE_IP);
        final int ip = EtherHeader.ETHER_HDR_LEN;
        IpHeader.init(m, ip, FRAME - ip, 0);
        IpHeader.addr(m, ip, IpHeader.ttlAndProto(TTL, InDefs.IPPROTO_UDP), SOURCE, to);
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
