package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.dhcp.DhcpClient;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * All that hosts say without being told to by a connection: neighbours, duplicates, groups, DHCP, errors, redirects. No
 * octet of it comes from memory that was somebody else's before, and where it finds the pool empty nothing is thrown,
 * lost or left over.
 */
class HostLifeTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int LARGE = 3000;
    private static final int CLOSED = 9;
    /** What freed octets are filled with; no payload here has it. */
    private static final byte POISON = (byte) 0xde;
    private static final int GIVEN_UP = 600;
    /** Who then tells the user, sends again later, or does with smaller mbufs. */
    private static final List<String> BY_NAME = List.of("UioMbuf", "SegmentBuilder", "IpHeader.writable");

    private final List<String> spoilt = new ArrayList<>();
    private int seen;

    @Test
    void nothingSaid_hasOctetsOfFreedMemory() throws ErrnoException {
        assertThat(Mbuf.class.desiredAssertionStatus()).as("freed octets are filled with a pattern").isTrue();
        for (long seed = 1; seed <= 3; seed++) {
            life(LockStrategy.SPLIT, seed, 1, 0);
        }
        assertThat(spoilt).isEmpty();
        assertThat(seen).isGreaterThan(300);
    }

    @ParameterizedTest
    @EnumSource
    void poolEmptyAtEachRequest_nothingIsThrownOrLost(final LockStrategy strategy) throws ErrnoException {
        long n = 1;
        try {
            while (life(strategy, 1, n, 1)) {
                n++;
                assertThat(n).isLessThan(GIVEN_UP);
            }
        } catch (final RuntimeException | AssertionError e) {
            throw new AssertionError(strategy + ": refused from request " + n, e);
        }
        assertThat(n).isGreaterThan(50);
    }

    private void watch(final Ifnet ifp) {
        final IfnetSlots.TransmitFn below = ifp.transmitFn();
        ifp.setTransmitFn((i, m) -> {
            for (Mbuf p = m; p != null; p = p.nextPkt()) {
                look(i, p);
            }
            return below.transmit(i, m);
        });
    }

    private void look(final Ifnet ifp, final Mbuf m) {
        seen++;
        final byte[] b = new byte[m.pktLen()];
        m.copyData(0, b.length, b, 0);
        for (int i = 1; i < b.length; i++) {
            if (b[i] == POISON && b[i - 1] == POISON) {
                spoilt.add(ifp.xname() + " octet " + i + " of " + HexFormat.of().formatHex(b));
                return;
            }
        }
    }

    /** Left, router and right speak to who is there and who is not; answers whether the pool was asked so often. */
    private boolean life(final LockStrategy strategy, final long seed, final long n, final long refusals)
            throws ErrnoException {
        final MbufPool pool = MbufPool.builder().name("scarce").nmbufs(2048).nmbclusters(512).nmbjumbop(16)
            .nmbjumbo16(8).threads(1).build();
        final boolean asked;
        try (Bed bed = new Bed(strategy, false, seed, pool)) {
            bed.sysctl("net.inet6.ip6.dad_count", "1").sysctl("net.inet6.ip6.auto_linklocal", "1");
            final Vnet a = bed.vnet("left");
            final Vnet r = bed.vnet("router");
            final Vnet b = bed.vnet("right");
            final Epair one = bed.cable(a, r, Bed.ETHERNET);
            final Epair two = bed.cable(r, b, new Epair.Config(1300, 4096, false, false));
            for (final Ifnet ifp : new Ifnet[] {one.a(), one.b(), two.a(), two.b()}) {
                watch(ifp);
            }
            Bed.config(r).setForwarding(true);
            Bed.config(r).setForwarding6(true);
            pool.refuse(n, refusals);
            Bed.up(one, "10.0.1.1/24", "10.0.1.254/24");
            Bed.up(one, "2001:db8:1::1/64", "2001:db8:1::fe/64");
            Bed.up(two, "10.0.2.254/24", "10.0.2.1/24");
            Bed.up(two, "2001:db8:2::fe/64", "2001:db8:2::1/64");
            Bed.config(a).addDefault("10.0.1.254");
            Bed.config(b).addDefault("10.0.2.254");
            Bed.config(a).addRoute("::/0", "2001:db8:1::fe", null);
            Bed.config(b).addRoute("::/0", "2001:db8:2::fe", null);
            bed.advance(3 * SECOND);
            final DhcpClient dhcp = Bed.config(a).dhcp(one.a(), "life", new DhcpListener() { });
            for (final boolean six : new boolean[] {false, true}) {
                groups(a, one.a(), six);
                datagrams(bed, a, six);
                reset(bed, a, six);
                bed.advance(5 * SECOND);
            }
            dhcp.stop();
            final String site = pool.refusedAt();
            asked = !site.isEmpty();
            if (asked && BY_NAME.stream().noneMatch(site::contains)) {
                assertThat(bed.drops()).as("what is not said for want of mbufs is counted%s", site)
                    .containsEntry("MBUF_NOMEM", 1L);
            }
            pool.refuse(0, 0);
            bed.advance(SECOND);
        }
        return asked;
    }

    /** Joins a group, sends to it, and leaves it. */
    private static void groups(final Vnet v, final Ifnet ifp, final boolean six) throws ErrnoException {
        final SockAddr group = SockAddr.of(six ? "ff15::77" : "239.7.7.7", Bed.PORT);
        try (SocketFile so = socket(v, six)) {
            final int level = six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP;
            final int join = six ? InDefs.IPV6_JOIN_GROUP : InDefs.MCAST_JOIN_GROUP;
            quietly(() -> so.setOption(level, join, new GroupReq(ifp.index(), group)));
            send(so, group, LARGE);
            send(so, group, 1);
        }
    }

    /** To who listens, to a closed port, to nobody, with too few hops, too large for the way. */
    private static void datagrams(final Bed bed, final Vnet v, final boolean six) throws ErrnoException {
        final String[] to = six ? new String[] {"2001:db8:2::1", "2001:db8:1::fe", "2001:db8:2::99", "2001:db8:1::99"}
            : new String[] {"10.0.2.1", "10.0.1.254", "10.0.2.99", "10.0.1.99"};
        try (SocketFile so = socket(v, six)) {
            for (final String host : to) {
                send(so, SockAddr.of(host, CLOSED), LARGE);
                send(so, SockAddr.of(host, CLOSED), 1300);
                bed.run();
            }
            final int level = six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP;
            quietly(() -> so.setOption(level, six ? InDefs.IPV6_UNICAST_HOPS : InDefs.IP_TTL, 1));
            send(so, SockAddr.of(to[0], CLOSED), 3);
        }
        bed.advance(4 * SECOND);
    }

    /** To a port where nobody listens. */
    private static void reset(final Bed bed, final Vnet v, final boolean six) throws ErrnoException {
        try (SocketFile so = Bed.tcp(v, six ? SockAddr.AF_INET6 : SockAddr.AF_INET)) {
            so.setNonBlocking(true);
            quietly(() -> so.connect(SockAddr.of(six ? "2001:db8:2::1" : "10.0.2.1", CLOSED)));
            bed.run();
        }
    }

    private static SocketFile socket(final Vnet v, final boolean six) throws ErrnoException {
        final int family = six ? SockAddr.AF_INET6 : SockAddr.AF_INET;
        final SocketFile so = SocketFile.socket(v, family, SocketDefs.SOCK_DGRAM, 0);
        so.setNonBlocking(true);
        return so;
    }

    private static void send(final SocketFile so, final SockAddr to, final int n) {
        quietly(() -> so.sendto(ByteBuffer.allocateDirect(n), 0, to));
    }

    private interface Call {
        void run() throws ErrnoException;
    }

    /** What fails by name has not failed here. */
    private static void quietly(final Call call) {
        try {
            call.run();
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        }
    }
}
