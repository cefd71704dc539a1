package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Threads that join, filter and leave the same groups of both families while datagrams to them come in. */
@Timeout(60)
class McastThreadsTest {
    private static final int THREADS = 3;
    private static final int TURNS = 300;
    private static final SockAddr GROUP4 = SockAddr.of("239.1.2.3", 5000);
    private static final SockAddr GROUP6 = SockAddr.of("ff15::1:2:3", 5000);

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void joinsAndLeaves_whileDatagramsCome_endWithNoMember(final LockStrategy locks) throws Exception {
        final MbufPool mbufs = MbufPool.builder().build();
        try (Vnet left = Vnet.builder().name("left").pool(mbufs).lockStrategy(locks).build();
             Vnet right = Vnet.builder().name("right").pool(mbufs).lockStrategy(locks).build()) {
            final Epair cable = Epair.join(left, right, 0, Epair.Config.parse(Map.of()));
            up(left, cable.a(), "10.0.0.1/24", "2001:db8::1/64");
            up(right, cable.b(), "10.0.0.2/24", "2001:db8::2/64");
            try (ExecutorService pool = Executors.newFixedThreadPool(THREADS + 1)) {
                final List<Future<?>> members = new ArrayList<>();
                for (int i = 0; i < THREADS; i++) {
                    final boolean six = i % 2 == 1;
                    final SockAddr one = SockAddr.of(six ? "2001:db8::1" : "10.0.0.1", 0);
                    members.add(pool.submit(() -> member(right, cable.b(), six, one)));
                }
                while (!members.stream().allMatch(Future::isDone)) {
                    send(left, cable.a(), GROUP4);
                    send(left, cable.a(), GROUP6);
                }
                for (final Future<?> f : members) {
                    f.get();
                }
            }
            final InetConfig config = right.service(InetConfig.class);
            assertThat(config.inet().igmp.gmp.state(cable.b(), 0, GROUP4.lo())).isEqualTo(InMfilter.NONE);
            assertThat(config.inet().inet6().mld.gmp.state(cable.b(), GROUP6.hi(), GROUP6.lo()))
                .isEqualTo(InMfilter.NONE);
            assertThat(right.counters().get("igmp.snd_reports")).isGreaterThan(TURNS);
        }
        assertThat(mbufs.outstanding()).isZero();
    }

    private static void up(final Vnet vnet, final Ifnet ifp, final String... addresses) throws Exception {
        vnet.sysctl().set("net.inet6.ip6.dad_count", "0"); // addresses are good at once
        for (final String a : addresses) {
            vnet.service(InetConfig.class).addAddress(ifp, a);
        }
        ifp.up();
    }

    private static void send(final Vnet vnet, final Ifnet ifp, final SockAddr group) throws Exception {
        final boolean six = group.family() == SockAddr.AF_INET6;
        try (SocketFile f = SocketFile.socket(vnet, group.family(), SocketDefs.SOCK_DGRAM, 0)) {
            f.setOption(six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP,
                six ? InDefs.IPV6_MULTICAST_IF : InDefs.IP_MULTICAST_IF, ifp.index());
            f.sendto(ByteBuffer.wrap(new byte[8]), SocketDefs.MSG_DONTWAIT, group);
        }
    }

    private static Void member(final Vnet vnet, final Ifnet ifp, final boolean six, final SockAddr one)
            throws Exception {
        final SockAddr group = six ? GROUP6 : GROUP4;
        final int level = six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP;
        final GroupReq all = new GroupReq(ifp.index(), group);
        final GroupSourceReq single = new GroupSourceReq(ifp.index(), group, one);
        final ByteBuffer in = ByteBuffer.allocate(16);
        for (int i = 0; i < TURNS; i++) {
            try (SocketFile f = SocketFile.socket(vnet, group.family(), SocketDefs.SOCK_DGRAM, 0)) {
                f.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
                f.bind(six ? SockAddr.in6(0, 0, group.port()) : SockAddr.in(0, group.port()));
                if (i % 2 == 0) {
                    f.setOption(level, InDefs.MCAST_JOIN_GROUP, all);
                    f.setOption(level, InDefs.MCAST_BLOCK_SOURCE, single);
                    f.setOption(level, InDefs.MCAST_UNBLOCK_SOURCE, single);
                } else {
                    f.setOption(level, InDefs.MCAST_JOIN_SOURCE_GROUP, single);
                }
                f.recvfrom(in.clear(), SocketDefs.MSG_DONTWAIT, null);
                if (i % 3 == 0) {
                    f.setOption(level, InDefs.MCAST_LEAVE_GROUP, all);
                }
            }
        }
        return null;
    }
}
