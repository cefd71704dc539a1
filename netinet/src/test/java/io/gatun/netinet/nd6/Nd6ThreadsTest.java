package io.gatun.netinet.nd6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Inet6Domain;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.InetDomain;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.TestWire;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Senders, answers, routers and hands, all at a time; lock order is watched, and every mbuf comes back. */
class Nd6ThreadsTest {
    private static final long HI = 0x20010db800010000L;
    private static final String OURS = "2001:db8:1::1";
    private static final int ROUNDS = 4000;
    private static final int NEIGHBOURS = 100;

    private final Vnet vnet = Vnet.builder().name("t").seed(1).services(false).domain(new InetDomain())
        .domain(new Inet6Domain()).strict(true).sysctl("net.inet6.ip6.accept_rtadv", "1")
        .sysctl("net.inet6.ip6.dad_count", "0").sysctl("net.inet6.icmp6.nd6_maxentries", "60")
        .sysctl("net.inet6.icmp6.nd6_maxincomplete", "20").pool(MbufPool.builder().small()).threads(true).build();
    private final TestWire wire = new TestWire(vnet, 0, 0, 0);
    private final Nd6 nd = vnet.service(InetConfig.class).nd6();

    @FunctionalInterface
    private interface Round {
        void run(SplittableRandom random);
    }

    private static FutureTask<Void> start(final long seed, final Round round) {
        final FutureTask<Void> task = new FutureTask<>(() -> {
            final SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < ROUNDS; i++) {
                round.run(random);
            }
            return null;
        });
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private void send(final SplittableRandom random) {
        final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        if (m == null) {
            return;
        }
        m.data(m.data() + 64);
        m.len(40);
        m.pktLen(40);
        nd.output(wire.ifp, m, HI, 2 + random.nextInt(NEIGHBOURS));
    }

    private void hear(final String src, final String dst, final int type, final byte[] body) {
        wire.receive(Packets6.frame(dst.equals(OURS) ? TestWire.mac(0) : 0x333300000001L, 0x0200000000a0L, src, dst,
            type, body));
    }

    private void answer(final SplittableRandom random) {
        final String from = "2001:db8:1::" + Integer.toHexString(2 + random.nextInt(NEIGHBOURS));
        hear(from, OURS, Packets6.NA, Packets6.nbr(random.nextInt(4) << 5, from,
            Packets6.six(2, 0x0200000000a0L + random.nextInt(2))));
    }

    private void route(final SplittableRandom random) {
        final String from = "fe80::" + (2 + random.nextInt(3));
        hear(from, Nd6Net.ALL_NODES, Packets6.RA, Ra.router(random.nextInt(3) * 100).mac(0x0200000000a0L)
            .prefix("2001:db8:" + (2 + random.nextInt(3)) + "::", 64, 0xc0, random.nextInt(2) * 9000L, 0)
            .rdnss(random.nextInt(2) * 10L, "2001:db8::53").body());
    }

    private void touch(final SplittableRandom random) {
        final int n = 2 + random.nextInt(NEIGHBOURS);
        switch (random.nextInt(20)) {
            case 0 -> nd.flush(wire.ifp);
            case 1 -> nd.setNeighbor(wire.ifp, HI, n, 0x0200000000a0L, random.nextBoolean());
            case 2 -> nd.setFlags(wire.ifp, 0, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV);
            case 3 -> nd.setFlags(wire.ifp, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV, 0);
            case 4 -> nd.neighbors();
            case 5 -> nd.routers();
            default -> nd.deleteNeighbor(wire.ifp, HI, n);
        }
    }

    @Test
    void allAtATime_nothingIsLostOrLeft() throws Exception {
        wire.keep = false;
        vnet.pool().setTracing(false);
        assertThat(vnet.ifnets().attach(wire.ifp)).isEqualTo(Errno.OK);
        vnet.service(InetConfig.class).addAddress(wire.ifp, OURS + "/64");
        final long seed = Long.getLong("gatun.seed", System.nanoTime());
        System.out.println("seed " + seed);
        final List<FutureTask<Void>> tasks = new ArrayList<>();
        tasks.add(start(seed, this::send));
        tasks.add(start(seed + 1, this::send));
        tasks.add(start(seed + 2, this::answer));
        tasks.add(start(seed + 3, this::route));
        tasks.add(start(seed + 4, this::touch));
        for (final FutureTask<Void> t : tasks) {
            t.get(60, TimeUnit.SECONDS);
        }
        assertThat(nd.neighbors().size()).isLessThanOrEqualTo(60);
        vnet.ifnets().detach(wire.ifp);
        vnet.close();
        vnet.pool().check();
        assertThat(vnet.pool().outstanding()).isZero();
    }
}
