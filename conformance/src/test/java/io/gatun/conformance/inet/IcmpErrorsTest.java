package io.gatun.conformance.inet;

import static io.gatun.spi.socket.InDefs.IPPROTO_ICMP;
import static io.gatun.spi.socket.InDefs.IPPROTO_ICMPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_UDP;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static io.gatun.spi.socket.SocketDefs.SO_ERROR;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
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
    private static final Errno[] UNREACH = {Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.ECONNREFUSED,
        Errno.ECONNREFUSED, Errno.EMSGSIZE, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH,
        Errno.EHOSTUNREACH, Errno.ECONNREFUSED, Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH,
        Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.OK};

    @Parameter
    private LockStrategy locks;
    private Host left;
    private Host right;

    @BeforeEach
    void start() throws Exception {
        left = new Host(locks).dual();
        right = new Host(locks, left.clock, "other").dual();
        final Epair cable = left.join(right, Map.of());
        left.config().addAddress(cable.a(), "2001:db8::1/64");
        right.config().addAddress(cable.b(), "2001:db8::2/64");
        right.vnet.sysctl().set("net.inet.udp.blackhole", "1");
    }

    @AfterEach
    void stop() throws Exception {
        left.closeFiles();
        right.closeFiles();
        run();
        right.close();
        left.close();
    }

    private void run() {
        for (int i = 0; i < 4; i++) {
            left.run();
            right.run();
        }
    }

    /** A connected socket of the left host that has sent a datagram. */
    private SocketFile client(final boolean six) throws Exception {
        final SocketFile f = six ? left.udp6() : left.udp();
        f.connect(six ? RIGHT6 : RIGHT);
        f.send(ByteBuffer.allocate(4));
        run();
        return f;
    }

    /** Tells the left host of an error about a datagram from one port of its to another. */
    private void tell(final boolean six, final int type, final int code, final int lport, final int fport)
            throws Exception {
        final ByteBuffer b = ByteBuffer.allocate(100).put((byte) type).put((byte) code).putShort((short) 0);
        b.putInt(six && type == 2 ? 1300 : !six && type == 3 && code == 4 ? 1300 : 0);
        if (six) {
            b.putInt(0x6000_0000).putInt(12 << 16 | IPPROTO_UDP << 8 | 64);
            b.putLong(0x2001_0db8L << 32).putLong(1).putLong(0x2001_0db8L << 32).putLong(2);
        } else {
            b.putInt(0x4500_0020).putInt(0x1234_0000).putInt(64 << 24 | IPPROTO_UDP << 16);
            b.putInt(0x0a00_0001).putInt(0x0a00_0002);
        }
        b.putShort((short) lport).putShort((short) fport).putShort((short) 12).putShort((short) 0).putInt(0).flip();
        if (!six) {
            b.putShort(2, (short) cksum(b));
        }
        final SocketFile raw = right.file(six ? AF_INET6 : AF_INET, SOCK_RAW, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
        raw.sendto(b, 0, SockAddr.of(six ? "2001:db8::1" : "10.0.0.1", 0));
        run();
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
            final SocketFile loose = six ? left.udp6() : left.udp();
            loose.bind(six ? SockAddr.in6(0, 0, 7000) : SockAddr.in(0, 7000));
            loose.sendto(ByteBuffer.allocate(4), 0, six ? RIGHT6 : RIGHT);
            run();
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

    @Test
    @Tag("RFC4443-3.1")
    void closedPort6_connectedLearns_unconnectedDoesNot_blackholeIsSilent() throws Exception {
        right.vnet.sysctl().set("net.inet.udp.blackhole", "0");
        final SocketFile connected = client(true);
        assertThat(error(connected)).isEqualTo(Errno.ECONNREFUSED);
        final SocketFile loose = left.udp6();
        loose.sendto(ByteBuffer.allocate(4), 0, RIGHT6);
        run();
        assertThat(error(loose)).isEqualTo(Errno.OK);
        right.vnet.sysctl().set("net.inet.udp.blackhole", "1");
        connected.send(ByteBuffer.allocate(4));
        run();
        assertThat(error(connected)).isEqualTo(Errno.OK);
    }
}
