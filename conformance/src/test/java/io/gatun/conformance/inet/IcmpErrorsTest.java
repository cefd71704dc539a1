package io.gatun.conformance.inet;

import static io.gatun.spi.socket.InDefs.IPPROTO_ICMP;
import static io.gatun.spi.socket.InDefs.IPPROTO_ICMPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_TCP;
import static io.gatun.spi.socket.InDefs.IPPROTO_UDP;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static io.gatun.spi.socket.SocketDefs.SO_ERROR;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.icmp.HostCache;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Which socket hears of an ICMP error, and what it hears, for every type and code of both families. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class IcmpErrorsTest {
    private static final int PORT = 7;
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", PORT);
    private static final SockAddr RIGHT6 = SockAddr.of("2001:db8::2", PORT);
    private static final int TOO_BIG4 = 3 << 8 | 4;
    private static final int TOO_BIG6 = 2 << 8;
    private static final Errno[] UNREACH = {Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.ECONNREFUSED,
        Errno.ECONNREFUSED, Errno.EMSGSIZE, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH,
        Errno.EHOSTUNREACH, Errno.ECONNREFUSED, Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH,
        Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.OK};

    @Parameter
    private LockStrategy locks;
    private Pair pair;
    private Host left;
    private Host right;

    @BeforeEach
    void start() throws Exception {
        pair = new Pair(locks, Map.of());
        left = pair.left;
        right = pair.right;
        right.vnet.sysctl().set("net.inet.udp.blackhole", "1");
    }

    @AfterEach
    void stop() throws Exception {
        pair.close();
    }

    /** A connected socket of the left host that has sent a datagram. */
    private SocketFile client(final boolean six) throws Exception {
        final SocketFile f = Pair.udp(left, six);
        f.connect(six ? RIGHT6 : RIGHT);
        f.send(ByteBuffer.allocate(4));
        pair.run();
        return f;
    }

    /** Tells the left host of an error about a datagram of 1,400 octets from one port of its to another. */
    private void tell(final boolean six, final int type, final int code, final int lport, final int fport)
            throws Exception {
        tell(six, type << 8 | code, IPPROTO_UDP, 1400, lport, fport);
    }

    /** @param size what the header that is quoted says of the packet, in octets */
    private void tell(
        final boolean six, final int error, final int proto, final int size, final int lport, final int fport)
            throws Exception {
        final int type = error >> 8;
        final int code = error & 0xff;
        final ByteBuffer b = ByteBuffer.allocate(100).put((byte) type).put((byte) code).putShort((short) 0);
        b.putInt(six && type == 2 ? 1300 : !six && type == 3 && code == 4 ? 1300 : 0);
        if (six) {
            b.putInt(0x6000_0000).putInt(size - 40 << 16 | proto << 8 | 64);
            b.putLong(0x2001_0db8L << 32).putLong(1).putLong(0x2001_0db8L << 32).putLong(2);
        } else {
            b.putInt(0x4500_0000 | size).putInt(0x1234_4000).putInt(64 << 24 | proto << 16);
            b.putInt(0x0a00_0001).putInt(0x0a00_0002);
        }
        b.putShort((short) lport).putShort((short) fport).putShort((short) 12).putShort((short) 0).putInt(0).flip();
        if (!six) {
            b.putShort(2, (short) cksum(b));
        }
        final SocketFile raw = right.file(six ? AF_INET6 : AF_INET, SOCK_RAW, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
        raw.sendto(b, 0, SockAddr.of(six ? "2001:db8::1" : "10.0.0.1", 0));
        pair.run();
        raw.close();
    }

    private static int cksum(final ByteBuffer b) {
        int s = 0;
        for (int i = 0; i + 1 < b.limit(); i += 2) {
            s += b.getShort(i) & 0xffff;
        }
        s = (s & 0xffff) + (s >>> 16);
        return ~(s + (s >>> 16)) & 0xffff;
    }

    private static Errno error(final SocketFile f) throws Exception {
        return Errno.of((int) f.getOption(SOL_SOCKET, SO_ERROR));
    }

    private void expect(final boolean six, final int type, final int code, final Errno errno) throws Exception {
        final SocketFile f = client(six);
        tell(six, type, code, f.localAddress().port(), PORT);
        assertThat(error(f)).as("type " + type + " code " + code).isEqualTo(errno);
        assertThat(error(f)).as("once").isEqualTo(Errno.OK);
        f.close();
    }

    @Test
    @Tag("RFC1122-4.1.3.3-MUST")
    @Tag("RFC1122-3.2.2.1-MUST")
    @Tag("RFC1122-3.2.2.4")
    @Tag("RFC1122-3.2.2.5")
    @Tag("RFC9293-MUST-55")
    void ipv4_eachTypeAndCode_hasItsErrno() throws Exception {
        for (int code = 0; code < UNREACH.length; code++) {
            expect(false, 3, code, UNREACH[code]);
        }
        expect(false, 11, 0, Errno.EHOSTUNREACH);
        expect(false, 11, 1, Errno.OK);
        expect(false, 12, 0, Errno.ENOPROTOOPT);
        expect(false, 12, 1, Errno.ENOPROTOOPT);
        expect(false, 12, 2, Errno.OK);
        expect(false, 4, 0, Errno.OK);
        expect(false, 77, 0, Errno.OK);
    }

    @Test
    @Tag("RFC4443-2.4-MUST")
    void ipv6_eachTypeAndCode_hasItsErrno() throws Exception {
        final Errno[] unreach = {Errno.EHOSTUNREACH, Errno.ECONNREFUSED, Errno.ENOPROTOOPT, Errno.EHOSTUNREACH,
            Errno.ECONNREFUSED, Errno.OK, Errno.OK};
        for (int code = 0; code < unreach.length; code++) {
            expect(true, 1, code, unreach[code]);
        }
        expect(true, 2, 0, Errno.EMSGSIZE);
        expect(true, 3, 0, Errno.EHOSTUNREACH);
        expect(true, 3, 1, Errno.OK);
        expect(true, 4, 0, Errno.ENOPROTOOPT);
        expect(true, 4, 1, Errno.ECONNREFUSED);
        expect(true, 4, 2, Errno.ENOPROTOOPT);
        expect(true, 4, 3, Errno.OK);
        expect(true, 77, 0, Errno.OK);
    }

    @Test
    void theRightSocket_andNoOther() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile concerned = client(six);
            final SocketFile sameServer = client(six);
            final SocketFile loose = Pair.udp(left, six);
            loose.bind(Pair.any(six, 7000));
            loose.sendto(ByteBuffer.allocate(4), 0, six ? RIGHT6 : RIGHT);
            pair.run();
            tell(six, six ? 1 : 3, six ? 4 : 3, concerned.localAddress().port(), PORT);
            assertThat(error(sameServer)).isEqualTo(Errno.OK);
            tell(six, six ? 1 : 3, six ? 4 : 3, 7000, PORT);
            assertThat(error(loose)).as("unconnected").isEqualTo(Errno.OK);
            tell(six, six ? 1 : 3, six ? 4 : 3, sameServer.localAddress().port(), PORT + 1);
            assertThat(error(sameServer)).as("another port of the peer").isEqualTo(Errno.OK);
            assertThat(error(concerned)).isEqualTo(Errno.ECONNREFUSED);
        }
    }

    @Test
    @Tag("RFC4443-3.2")
    @Tag("RFC3542-11")
    void pathMtu6_isToldToWhoAsked() throws Exception {
        final SocketFile connected = client(true);
        final SocketFile loose = left.udp6();
        final SocketFile elsewhere = left.udp6();
        elsewhere.connect(SockAddr.of("2001:db8::3", PORT));
        final SocketFile indifferent = left.udp6();
        for (final SocketFile f : new SocketFile[] {connected, loose, elsewhere}) {
            f.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVPATHMTU, 1);
        }
        tell(true, 2, 0, connected.localAddress().port(), PORT);
        final MsgControl control = new MsgControl();
        final SockAddr from = new SockAddr();
        assertThat(error(connected)).isEqualTo(Errno.EMSGSIZE);
        for (final SocketFile f : new SocketFile[] {connected, loose}) {
            assertThat(f.recvmsg(ByteBuffer.allocate(10), 0, from, control)).isZero();
            assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_PATHMTU)).isTrue();
            assertThat(control.getInt(28)).isEqualTo(1300);
            assertThat(from).isEqualTo(RIGHT6);
        }
        for (final SocketFile f : new SocketFile[] {elsewhere, indifferent}) {
            assertThat(f.recvmsg(ByteBuffer.allocate(10), 0, from, control)).isEqualTo(SocketFile.WOULD_BLOCK);
        }
        assertThat(connected.getOption(IPPROTO_IPV6, InDefs.IPV6_PATHMTU)).isEqualTo(1300);
    }

    /** The path MTU to the right host as the left one knows it, or 0; it is forgotten. */
    private String learnt(final boolean six) {
        final HostCache cache = left.config().inet().hostCache;
        final int mtu = six ? cache.mtu(RIGHT6.hi(), RIGHT6.lo()) : cache.mtu(RIGHT.in4());
        left.vnet.sysctl().set("net.inet.tcp.hostcache.purgenow", "1");
        return mtu == 0 ? "nothing" : String.valueOf(mtu);
    }

    @Test
    @Tag("RFC8201-4-valid")
    void pathMtu_isBelievedOfASocketThatMaySend() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final int error = six ? TOO_BIG6 : TOO_BIG4;
            tell(six, error, IPPROTO_UDP, 1400, 4444, PORT);
            assertThat(learnt(six)).as("no socket has the port").isEqualTo("nothing");
            final SocketFile connected = client(six);
            final int lport = connected.localAddress().port();
            tell(six, error, IPPROTO_UDP, 1400, lport, PORT + 1);
            assertThat(learnt(six)).as("another port of the peer").isEqualTo("nothing");
            tell(six, error, IPPROTO_UDP, 1400, lport + 1, PORT);
            assertThat(learnt(six)).as("another port of ours").isEqualTo("nothing");
            tell(six, error, IPPROTO_UDP, 1300, lport, PORT);
            assertThat(learnt(six)).as("the packet was not too big").isEqualTo("nothing");
            tell(six, error, IPPROTO_UDP, 1301, lport, PORT);
            assertThat(learnt(six)).isEqualTo("1300");
            final SocketFile loose = Pair.udp(left, six);
            loose.bind(Pair.any(six, 7000));
            tell(six, error, IPPROTO_UDP, 1400, 7000, PORT + 1);
            assertThat(learnt(six)).as("unconnected, and may have sent it").isEqualTo("1300");
            tell(six, error, IPPROTO_TCP, 1400, lport, PORT);
            assertThat(learnt(six)).as("no such connection").isEqualTo("nothing");
        }
    }

    @Test
    void pathMtu_ofWhatNobodySends_isNotBelieved() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final int error = six ? TOO_BIG6 : TOO_BIG4;
            final int echo = six ? 128 << 8 : 8 << 8;
            final int icmp = six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
            tell(six, error, 200, 1400, 1, 1);
            tell(six, error, icmp, 1400, echo, 1);
            assertThat(learnt(six)).as("no raw socket").isEqualTo("nothing");
            final SocketFile ping = left.file(six ? AF_INET6 : AF_INET, SOCK_RAW, icmp);
            tell(six, error, icmp, 1400, echo, 1);
            assertThat(learnt(six)).isEqualTo("1300");
            ping.connect(SockAddr.of(six ? "2001:db8::9" : "10.0.0.9", 0));
            tell(six, error, icmp, 1400, echo, 1);
            assertThat(learnt(six)).as("it pings somebody else").isEqualTo("nothing");
            tell(six, error, 200, 1400, 1, 1);
            assertThat(learnt(six)).as("another protocol").isEqualTo("nothing");
        }
    }

    @Test
    @Tag("RFC8201-4-valid")
    void pathMtu6_forgedReport_isToldToNobody() throws Exception {
        final SocketFile loose = left.udp6();
        loose.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVPATHMTU, 1);
        tell(true, TOO_BIG6, IPPROTO_UDP, 1400, 4444, PORT);
        assertThat(loose.recvmsg(ByteBuffer.allocate(10), 0, new SockAddr(), new MsgControl()))
            .isEqualTo(SocketFile.WOULD_BLOCK);
    }

    /** The port of a tunnel is the transport's within, which has its own ways to know its packets. */
    @Test
    void pathMtu_ofATunnel_isNotUdpsToBelieve() throws Exception {
        final UdpTunnels tunnels = left.vnet.service(UdpTunnels.class);
        for (final boolean six : new boolean[] {false, true}) {
            final int family = six ? AF_INET6 : AF_INET;
            final int[] told = new int[1];
            assertThat(tunnels.open(family, 9899, (m, off) -> m.freeChain(), (m, off) -> told[0]++))
                .isEqualTo(Errno.OK);
            tell(six, six ? TOO_BIG6 : TOO_BIG4, IPPROTO_UDP, 1400, 9899, 9899);
            assertThat(told[0]).isOne();
            assertThat(learnt(six)).isEqualTo("nothing");
            assertThat(tunnels.close(family, 9899)).isEqualTo(Errno.OK);
        }
    }

    @Test
    @Tag("RFC4443-3.1")
    void closedPort6_connectedLearns_unconnectedDoesNot_blackholeIsSilent() throws Exception {
        right.vnet.sysctl().set("net.inet.udp.blackhole", "0");
        final SocketFile connected = client(true);
        assertThat(error(connected)).isEqualTo(Errno.ECONNREFUSED);
        final SocketFile loose = left.udp6();
        loose.sendto(ByteBuffer.allocate(4), 0, RIGHT6);
        pair.run();
        assertThat(error(loose)).isEqualTo(Errno.OK);
        right.vnet.sysctl().set("net.inet.udp.blackhole", "1");
        connected.send(ByteBuffer.allocate(4));
        pair.run();
        assertThat(error(connected)).isEqualTo(Errno.OK);
    }
}
