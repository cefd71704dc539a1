package io.gatun.netinet.pcb;

import static io.gatun.netinet.pcb.PcbFixture.A1;
import static io.gatun.netinet.pcb.PcbFixture.GLOBAL;
import static io.gatun.netinet.pcb.PcbFixture.PEER;
import static io.gatun.netinet.pcb.PcbFixture.bind;
import static io.gatun.netinet.pcb.PcbFixture.connect;
import static io.gatun.netinet.pcb.PcbFixture.free;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT_LB;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gatun.netinet.ip6.In6;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** IPv6 blocks, and those that take both families. */
class DualStackTest {
    private static final long PEER_LO = 0xfe;
    private final PcbFixture f = new PcbFixture(InDefs.IPPROTO_UDP, 4);

    private Inpcb find6(final long faHi, final long faLo, final int fport, final long laHi, final int lport) {
        return f.info.lookup6(faHi, faLo, laHi, 1, InpcbInfo.ports(lport, fport), InpcbInfo.INPLOOKUP_WILDCARD);
    }

    private static SockAddr sa(final String text, final int port) {
        return SockAddr.of(text, port);
    }

    private static String name(final Inpcb inp) {
        final SockAddr out = new SockAddr();
        inp.sockaddr(out);
        return out.toString();
    }

    @Test
    void lookup6_prefersConnectedThenAddressThenAny() {
        final Inpcb conn = f.pcb6(SO_REUSEADDR, true);
        final Inpcb here = f.pcb6(SO_REUSEADDR, true);
        final Inpcb any = f.pcb6(SO_REUSEADDR, true);
        assertThat(bind(conn, sa("2001:db8::1", 53))).isEqualTo(Errno.OK);
        assertThat(connect(conn, sa("2001:db8::fe", 9))).isEqualTo(Errno.OK);
        assertThat(bind(here, sa("2001:db8::1", 53))).isEqualTo(Errno.OK);
        assertThat(bind(any, sa("::", 53))).isEqualTo(Errno.OK);
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 53)).isSameAs(conn);
        assertThat(find6(GLOBAL, PEER_LO, 10, GLOBAL, 53)).isSameAs(here);
        assertThat(find6(GLOBAL, PEER_LO, 9, 0, 53)).isSameAs(any);
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 54)).isNull();
        assertThat(f.find(PEER, 9, A1, 53)).as("IPv4 to a socket for IPv6 alone").isNull();
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void dualAny_takesIpv4_afterEveryIpv4Socket() {
        final Inpcb dual = f.pcb6(SO_REUSEADDR | SO_REUSEPORT, false);
        assertThat(bind(dual, sa("::", 53))).isEqualTo(Errno.OK);
        assertThat(f.find(PEER, 9, A1, 53)).isSameAs(dual);
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 53)).isSameAs(dual);
        final Inpcb four = f.pcb(SO_REUSEADDR | SO_REUSEPORT);
        assertThat(bind(four, 0, 53)).isEqualTo(Errno.OK);
        assertThat(f.find(PEER, 9, A1, 53)).isSameAs(four);
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 53)).isSameAs(dual);
        free(four);
        assertThat(f.find(PEER, 9, A1, 53)).isSameAs(dual);
        assertThat(name(dual)).isEqualTo("[::]:53");
    }

    @Test
    void dualGroup_takesIpv4_andIsNotTheGroupForIpv6Alone() {
        final Inpcb dual = f.pcb6(SO_REUSEPORT_LB, false);
        final Inpcb only = f.pcb6(SO_REUSEPORT_LB, true);
        assertThat(bind(dual, sa("::", 53))).isEqualTo(Errno.OK);
        assertThat(bind(only, sa("::", 53))).isEqualTo(Errno.OK);
        assertThat(f.find(PEER, 9, A1, 53)).isSameAs(dual);
        free(dual);
        assertThat(f.find(PEER, 9, A1, 53)).isNull();
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 53)).isSameAs(only);
    }

    @Test
    void bind_conflictsAcrossFamiliesOnlyWhereBothTalkIpv4() {
        assertThat(bind(f.pcb(0), 0, 80)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb6(0, true), sa("::", 80))).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(0), 0, 81)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb6(0, false), sa("::", 81))).as("an IPv4 socket is preferred").isEqualTo(Errno.OK);
        assertThat(bind(f.pcb6(0, false), sa("::", 82))).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(0), 0, 82)).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb(0), A1, 83)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb6(0, false), sa("::", 83))).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb6(0, false), sa("::ffff:10.0.0.1", 83))).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb6(0, false), sa("::", 84))).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb6(0, true), sa("2001:db8::1", 84))).isEqualTo(Errno.EADDRINUSE);
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void mapped_bindAndConnect_talkIpv4AndAreNamedMapped() {
        final Inpcb inp = f.pcb6(0, false);
        assertThat(bind(inp, sa("::ffff:10.0.0.1", 70))).isEqualTo(Errno.OK);
        assertThat(inp.vflag()).isEqualTo(Inpcb.INP_IPV4);
        assertThat(name(inp)).isEqualTo("[::ffff:10.0.0.1]:70");
        assertThat(connect(inp, sa("2001:db8::fe", 9))).as("bound to IPv4").isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(connect(inp, sa("::ffff:10.0.0.254", 9))).isEqualTo(Errno.OK);
        assertThat(f.find(PEER, 9, A1, 70)).isSameAs(inp);
        inp.lock.lock();
        try {
            assertThat(inp.matches4(PEER, 9, A1, 70)).isTrue();
            assertThat(inp.matches6(0, In6.v4Mapped(PEER), 0, In6.v4Mapped(A1), InpcbInfo.ports(70, 9))).isFalse();
        } finally {
            inp.lock.unlock();
        }
    }

    @Test
    void mapped_whereNotAllowed_isRefused() {
        assertThat(bind(f.pcb6(0, true), sa("::ffff:10.0.0.1", 70))).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(connect(f.pcb6(0, true), sa("::ffff:10.0.0.254", 9))).isEqualTo(Errno.EINVAL);
        assertThat(bind(f.pcb(0), sa("::ffff:10.0.0.1", 70))).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(bind(f.pcb6(0, false), SockAddr.in(A1, 70))).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(connect(f.pcb(0), sa("2001:db8::fe", 9))).isEqualTo(Errno.EAFNOSUPPORT);
    }

    @Test
    void v6only_changesOnlyBeforeBind() {
        final Inpcb inp = f.pcb6(0, false);
        assertThat(bind(inp, sa("::", 70))).isEqualTo(Errno.OK);
        inp.lock.lock();
        try {
            assertThat(inp.setV6only(true)).isEqualTo(Errno.EINVAL);
        } finally {
            inp.lock.unlock();
        }
    }

    @Test
    void disconnect_ofMapped_takesBothAgain() {
        final Inpcb inp = f.pcb6(0, false);
        assertThat(connect(inp, sa("::ffff:10.0.0.254", 9))).isEqualTo(Errno.OK);
        assertThat(inp.vflag()).isEqualTo(Inpcb.INP_IPV4);
        inp.lock.lock();
        try {
            inp.disconnectAny();
        } finally {
            inp.lock.unlock();
        }
        assertThat(connect(inp, sa("2001:db8::fe", 9))).isEqualTo(Errno.OK);
        assertThat(inp.isV6()).isTrue();
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void linkLocal_zonesKeepEndpointsApart() {
        final Inpcb one = f.pcb6(0, true);
        final Inpcb two = f.pcb6(0, true);
        assertThat(bind(one, sa("fe80::1%1", 53))).isEqualTo(Errno.OK);
        assertThat(bind(two, sa("fe80::1%2", 53))).isEqualTo(Errno.OK);
        final long peer = In6.embed(In6.LINKLOCAL_HI, 2);
        assertThat(find6(peer, PEER_LO, 9, peer, 53)).isSameAs(two);
        assertThat(name(one)).isEqualTo("[fe80::1%1]:53");
    }

    @Test
    void adopt6_andEphemeralPorts() {
        final Inpcb child = f.pcb6(0, true);
        child.lock.lock();
        try {
            assertThat(child.adopt6(GLOBAL, PEER_LO, GLOBAL, 1, InpcbInfo.ports(80, 9))).isEqualTo(Errno.OK);
        } finally {
            child.lock.unlock();
        }
        assertThat(find6(GLOBAL, PEER_LO, 9, GLOBAL, 80)).isSameAs(child);
        final Inpcb client = f.pcb6(0, true);
        assertThat(connect(client, sa("2001:db8::fe", 80))).isEqualTo(Errno.OK);
        assertThat(client.lport()).isBetween(10_000, 65_535);
        assertThat(client.flowid).isNotZero();
    }

    @Test
    void lookup6_allocatesNothing() {
        final Inpcb conn = f.pcb6(0, true);
        assertThat(bind(conn, sa("2001:db8::1", 53))).isEqualTo(Errno.OK);
        assertThat(connect(conn, sa("2001:db8::fe", 9))).isEqualTo(Errno.OK);
        final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        final long start = System.nanoTime();
        while (least != 0 && System.nanoTime() - start < 120_000_000_000L) {
            final long before = bean.getCurrentThreadAllocatedBytes();
            int found = 0;
            for (int i = 0; i < 20_000; i++) {
                found += find6(GLOBAL, PEER_LO, 9, GLOBAL, 53) == conn ? 1 : 0;
            }
            least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
            assertThat(found).isEqualTo(20_000);
        }
        assertThat(least).isZero();
    }
}
