package io.gatun.conformance.inet;

import static io.gatun.spi.socket.InDefs.IPPROTO_ICMP;
import static io.gatun.spi.socket.InDefs.IPPROTO_ICMPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_IP;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.conformance.Steady;
import io.gatun.drivers.epair.Epair;
import io.gatun.spi.socket.Icmp6Filter;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Raw sockets of both families between two hosts, under each way of sharing locks. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class RawSocketTest {
    private static final int PROTO = 253;
    private static final int ECHO = 8;
    private static final int ECHO6 = 128;
    private static final int REPLY6 = 129;
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", 0);
    private static final SockAddr RIGHT6 = SockAddr.of("2001:db8::2", 0);

    @Parameter
    private LockStrategy locks;
    private Host left;
    private Host right;
    private Epair cable;

    @BeforeEach
    void start() throws Exception {
        left = new Host(locks).dual();
        right = new Host(locks, left.clock, "other").dual();
        cable = left.join(right, Map.of());
        left.config().addAddress(cable.a(), "2001:db8::1/64");
        right.config().addAddress(cable.b(), "2001:db8::2/64");
    }

    @AfterEach
    void stop() throws Exception {
        left.closeFiles();
        right.closeFiles();
        left.run();
        right.close();
        left.close();
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static SocketFile raw(final Host h, final int proto) throws Exception {
        return h.file(AF_INET, SOCK_RAW, proto);
    }

    private static SocketFile raw6(final Host h, final int proto) throws Exception {
        return h.file(AF_INET6, SOCK_RAW, proto);
    }

    /** The next packet, or null. */
    private static byte[] recv(final SocketFile f, final SockAddr from) throws Exception {
        final ByteBuffer in = ByteBuffer.allocate(70_000);
        final int n = f.recvfrom(in, 0, from);
        return n < 0 ? null : Arrays.copyOf(in.array(), n);
    }

    private static byte[] recv(final SocketFile f) throws Exception {
        return recv(f, null);
    }

    private void send(final SocketFile f, final byte[] data, final SockAddr to) throws Exception {
        f.sendto(ByteBuffer.wrap(data), 0, to);
        left.run();
        right.run();
        left.run();
    }

    private static int cksum(final byte[] b, final int from) {
        long s = 0;
        for (int i = from; i < b.length; i++) {
            s += (i - from & 1) == 0 ? (b[i] & 0xff) << 8 : b[i] & 0xff;
        }
        while (s >>> 16 != 0) {
            s = (s & 0xffff) + (s >>> 16);
        }
        return (int) ~s & 0xffff;
    }

    private static byte[] echo(final int type, final int seq, final int octets) {
        final byte[] b = new byte[8 + octets];
        b[0] = (byte) type;
        b[4] = 0x12;
        b[5] = 0x34;
        b[6] = (byte) (seq >>> 8);
        b[7] = (byte) seq;
        for (int i = 8; i < b.length; i++) {
            b[i] = (byte) (i * 7);
        }
        if (type == ECHO) {
            final int sum = cksum(b, 0);
            b[2] = (byte) (sum >>> 8);
            b[3] = (byte) sum;
        }
        return b;
    }

    // ---- making ------------------------------------------------------------

    @Test
    void withoutPrivilege_isRefused() {
        for (final int family : new int[] {AF_INET, AF_INET6}) {
            assertThat(Sockets.of(left.vnet).create(family, SOCK_RAW, PROTO, new Ucred(1, 1, "user")).errno())
                .isEqualTo(Errno.EPERM);
            assertThat(Sockets.of(left.vnet).create(family, SOCK_RAW, 256, Ucred.ROOT).errno())
                .isEqualTo(Errno.EPROTONOSUPPORT);
        }
    }

    // ---- IPv4 ------------------------------------------------------------

    @Test
    void eachSocketOfTheProtocol_getsACopyWithItsHeader() throws Exception {
        final SocketFile one = raw(right, PROTO);
        final SocketFile two = raw(right, PROTO);
        final SocketFile all = raw(right, 0);
        final SocketFile other = raw(right, PROTO + 1);
        send(raw(left, PROTO), new byte[] {1, 2, 3}, RIGHT);
        final SockAddr from = new SockAddr();
        for (final SocketFile f : new SocketFile[] {one, two, all}) {
            final byte[] p = recv(f, from);
            assertThat(p).hasSize(23).endsWith(1, 2, 3);
            assertThat(p[9] & 0xff).isEqualTo(PROTO);
            assertThat(from).isEqualTo(SockAddr.of("10.0.0.1", 0));
            assertThat(recv(f)).isNull();
        }
        assertThat(recv(other)).isNull();
    }

    @Test
    void nobodyOfTheProtocol_senderHearsOfIt() throws Exception {
        final SocketFile icmp = raw(left, IPPROTO_ICMP);
        send(raw(left, PROTO), new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, RIGHT);
        final byte[] p = recv(icmp);
        assertThat(p[20]).as("type").isEqualTo((byte) 3);
        assertThat(p[21]).as("code").isEqualTo((byte) 2);
        assertThat(right.vnet.drops(DropReason.IP_NOPROTO)).isOne();
    }

    @Test
    void boundAndConnected_hearTheirsAlone() throws Exception {
        right.config().addAddress(cable.b(), "10.0.0.22/24");
        final SocketFile bound = raw(right, PROTO);
        bound.bind(SockAddr.of("10.0.0.22", 0));
        final SocketFile connected = raw(right, PROTO);
        connected.connect(SockAddr.of("10.0.0.1", 0));
        final SocketFile stranger = raw(right, PROTO);
        stranger.connect(SockAddr.of("10.0.0.9", 0));
        final SocketFile out = raw(left, PROTO);
        send(out, new byte[] {1}, RIGHT);
        assertThat(recv(bound)).isNull();
        assertThat(recv(connected)).isNotNull();
        assertThat(recv(stranger)).isNull();
        send(out, new byte[] {1}, SockAddr.of("10.0.0.22", 0));
        assertThat(recv(bound)).isNotNull();
        assertThat(connected.peerAddress()).isEqualTo(SockAddr.of("10.0.0.1", 0));
        assertThat(bound.localAddress()).isEqualTo(SockAddr.of("10.0.0.22", 0));
        fails(() -> connected.sendto(ByteBuffer.allocate(1), 0, RIGHT), Errno.EISCONN);
        fails(() -> bound.send(ByteBuffer.allocate(1)), Errno.EDESTADDRREQ);
        fails(() -> bound.bind(SockAddr.of("1.2.3.4", 0)), Errno.EADDRNOTAVAIL);
        fails(() -> bound.connect(RIGHT6), Errno.EAFNOSUPPORT);
        final SocketFile mine = raw(left, PROTO);
        connected.send(ByteBuffer.wrap(new byte[] {5}));
        right.run();
        left.run();
        assertThat(recv(mine)).endsWith(5);
        assertThat(connected.so().disconnect()).isEqualTo(Errno.OK);
        fails(() -> connected.peerAddress(), Errno.ENOTCONN);
    }

    @Test
    void hdrincl_headerIsTheSenders() throws Exception {
        final SocketFile in = raw(right, PROTO);
        final SocketFile out = raw(left, PROTO);
        out.setOption(IPPROTO_IP, InDefs.IP_HDRINCL, 1);
        assertThat(out.getOption(IPPROTO_IP, InDefs.IP_HDRINCL)).isOne();
        final byte[] p = new byte[24];
        p[0] = 0x45;
        p[1] = 0x28;
        p[3] = 24;
        p[8] = 3;
        p[9] = (byte) PROTO;
        p[12] = 10;
        p[15] = 77;
        p[16] = 10;
        p[19] = 2;
        p[23] = 9;
        send(out, p, RIGHT);
        final byte[] got = recv(in);
        assertThat(got).hasSize(24).endsWith(9);
        assertThat(got[8]).isEqualTo((byte) 3);
        assertThat(got[15]).as("a source address that is nobody's").isEqualTo((byte) 77);
        assertThat(got[4] | got[5]).as("an id is chosen").isNotZero();
        p[3] = 23;
        fails(() -> send(out, p, RIGHT), Errno.EINVAL);
        p[3] = 24;
        p[0] = 0x44;
        fails(() -> send(out, p, RIGHT), Errno.EINVAL);
        p[0] = 0x47;
        fails(() -> send(out, p, RIGHT), Errno.EINVAL);
        p[0] = 0x65;
        fails(() -> send(out, p, RIGHT), Errno.EINVAL);
        fails(() -> send(out, new byte[19], RIGHT), Errno.EINVAL);
    }

    @Test
    @Tag("RFC1122-3.2.2.6-app")
    void ping_fromNothingToTheLargest() throws Exception {
        final SocketFile f = raw(left, IPPROTO_ICMP);
        f.setOption(SOL_SOCKET, SocketDefs.SO_SNDBUF, 200_000);
        f.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        final SockAddr from = new SockAddr();
        int seq = 0;
        for (final int n : new int[] {0, 1, 56, 57, 1472, 1473, 9000, 65_507}) {
            final byte[] question = echo(ECHO, ++seq, n);
            send(f, question, RIGHT);
            final byte[] p = recv(f, from);
            assertThat(from).isEqualTo(RIGHT);
            assertThat(p).hasSize(20 + 8 + n);
            assertThat(p[20]).as("echo reply").isZero();
            assertThat(cksum(p, 20)).isZero();
            assertThat(Arrays.copyOfRange(p, 24, p.length)).isEqualTo(Arrays.copyOfRange(question, 4, 8 + n));
        }
        fails(() -> send(f, new byte[65_516], RIGHT), Errno.EMSGSIZE);
    }

    @Test
    void icmp_echoRequestsStayInside_errorsComeAfterTheTransportHeard() throws Exception {
        final SocketFile there = raw(right, IPPROTO_ICMP);
        send(raw(left, IPPROTO_ICMP), echo(ECHO, 1, 8), RIGHT);
        assertThat(recv(there)).isNull();
        final SocketFile here = raw(left, IPPROTO_ICMP);
        final SocketFile udp = left.udp();
        udp.connect(SockAddr.of("10.0.0.2", 99));
        udp.send(ByteBuffer.allocate(4));
        left.run();
        right.run();
        left.run();
        fails(() -> Host.read(udp), Errno.ECONNREFUSED);
        final byte[] p = recv(here);
        assertThat(p[20]).isEqualTo((byte) 3);
        assertThat(p[21]).isEqualTo((byte) 3);
    }

    @Test
    void ttlTosAndControl_asAsked() throws Exception {
        final SocketFile in = raw(right, PROTO);
        in.setOption(IPPROTO_IP, InDefs.IP_RECVTTL, 1);
        final SocketFile out = raw(left, PROTO);
        out.setOption(IPPROTO_IP, InDefs.IP_TTL, 7);
        out.setOption(IPPROTO_IP, InDefs.IP_TOS, 0x20);
        out.setOption(IPPROTO_IP, InDefs.IP_DONTFRAG, 1);
        send(out, new byte[4], RIGHT);
        final MsgControl control = new MsgControl();
        final ByteBuffer buf = ByteBuffer.allocate(100);
        assertThat(in.recvmsg(buf, 0, null, control)).isEqualTo(24);
        assertThat(control.find(IPPROTO_IP, InDefs.IP_RECVTTL)).isTrue();
        assertThat(control.value()).isEqualTo(7);
        assertThat(buf.get(1)).isEqualTo((byte) 0x20);
        assertThat(buf.get(6)).as("DF").isEqualTo((byte) 0x40);
        fails(() -> send(out, new byte[2000], RIGHT), Errno.EMSGSIZE);
        in.setOption(IPPROTO_IP, InDefs.IP_MINTTL, 8);
        send(out, new byte[4], RIGHT);
        assertThat(recv(in)).isNull();
        control.clear().add(IPPROTO_IP, InDefs.IP_TOS, 1, 1);
        fails(() -> out.sendmsg(ByteBuffer.allocate(4), 0, RIGHT, control), Errno.EOPNOTSUPP);
    }

    @Test
    void groups_asMembersSay() throws Exception {
        final SockAddr group = SockAddr.of("224.1.2.3", 0);
        final SocketFile member = raw(right, PROTO);
        final SocketFile elsewhere = raw(right, PROTO);
        member.setOption(IPPROTO_IP, InDefs.IP_ADD_MEMBERSHIP, new IpMreq(group, null, cable.b().index()));
        elsewhere.setOption(IPPROTO_IP, InDefs.IP_ADD_MEMBERSHIP,
            new IpMreq(SockAddr.of("224.9.9.9", 0), null, cable.b().index()));
        final SocketFile out = raw(left, PROTO);
        out.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_IF, (Object) SockAddr.of("10.0.0.1", 0));
        out.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_TTL, 9);
        send(out, new byte[4], group);
        assertThat(recv(member)[8]).isEqualTo((byte) 9);
        assertThat(recv(elsewhere)).isNull();
        send(out, new byte[4], SockAddr.of("10.0.0.255", 0));
        assertThat(recv(member)).as("raw sockets may broadcast").isNotNull();
    }

    @Test
    void nobodyReads_dropsAreCounted() throws Exception {
        final SocketFile in = raw(right, PROTO);
        in.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 4096);
        final SocketFile out = raw(left, PROTO);
        for (int i = 0; i < 50; i++) {
            send(out, new byte[500], RIGHT);
        }
        assertThat(right.vnet.drops(DropReason.SO_RCVFULL)).isPositive()
            .isEqualTo(right.vnet.counters().get("raw.fullsock"));
    }

    @Test
    void garbageWithHdrincl_neverThrows_neverLeaks() throws Exception {
        final long seed = Long.getLong("gatun.seed", new Random().nextLong());
        System.out.println("seed=" + seed);
        final Random random = new Random(seed);
        final SocketFile out = raw(left, PROTO);
        out.setOption(IPPROTO_IP, InDefs.IP_HDRINCL, 1);
        raw(right, 0);
        for (int i = 0; i < 3000; i++) {
            final byte[] p = new byte[random.nextInt(100)];
            random.nextBytes(p);
            if (p.length >= 20 && random.nextInt(4) != 0) {
                p[0] = (byte) (0x40 | 5 + random.nextInt(4));
                p[2] = 0;
                p[3] = (byte) p.length;
                System.arraycopy(new byte[] {10, 0, 0, 2}, 0, p, 16, 4);
            }
            try {
                send(out, p, RIGHT);
            } catch (final ErrnoException e) {
                assertThat(e.errno()).isNotEqualTo(Errno.OK);
            }
        }
    }

    // ---- IPv6 ------------------------------------------------------------

    @Test
    @Tag("RFC4443-2.3")
    @Tag("RFC4443-4.1")
    @Tag("RFC4443-4.2")
    @Tag("RFC3542-3.2")
    void ping6_checksumIsMade_filterHolds() throws Exception {
        final SocketFile there = raw6(right, IPPROTO_ICMPV6);
        final SocketFile f = raw6(left, IPPROTO_ICMPV6);
        f.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(REPLY6));
        there.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(ECHO6));
        f.setOption(SOL_SOCKET, SocketDefs.SO_SNDBUF, 200_000);
        f.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        there.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        final SockAddr from = new SockAddr();
        int seq = 0;
        for (final int n : new int[] {0, 1, 56, 1452, 1453, 9000, 65_527}) {
            final byte[] question = echo(ECHO6, ++seq, n);
            send(f, question, RIGHT6);
            final byte[] p = recv(f, from);
            assertThat(from).isEqualTo(RIGHT6);
            assertThat(p).hasSize(8 + n).startsWith(REPLY6 - 256);
            assertThat(Arrays.copyOfRange(p, 4, p.length)).isEqualTo(Arrays.copyOfRange(question, 4, 8 + n));
            assertThat(recv(there)).as("requests are heard where they are answered").startsWith(ECHO6 - 256);
            assertThat(recv(there)).isNull();
            assertThat(recv(f)).isNull();
        }
        fails(() -> send(f, new byte[7], RIGHT6), Errno.EINVAL);
        final Icmp6Filter now = f.getOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, Icmp6Filter.class);
        assertThat(now.willPass(REPLY6)).isTrue();
        assertThat(now.willPass(ECHO6)).isFalse();
    }

    @Test
    @Tag("RFC3542-3")
    void payload6_toEachSocketOfTheProtocol() throws Exception {
        final SocketFile one = raw6(right, PROTO);
        final SocketFile all = raw6(right, 0);
        final SocketFile connected = raw6(right, PROTO);
        connected.connect(SockAddr.of("2001:db8::99", 0));
        assertThat(connected.localAddress()).isEqualTo(RIGHT6);
        final SocketFile bound = raw6(right, PROTO);
        bound.bind(RIGHT6);
        final SocketFile icmp = raw6(left, IPPROTO_ICMPV6);
        icmp.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(4));
        send(raw6(left, PROTO), new byte[] {1, 2, 3}, RIGHT6);
        for (final SocketFile f : new SocketFile[] {one, all, bound}) {
            assertThat(recv(f)).containsExactly(1, 2, 3);
            assertThat(recv(f)).isNull();
        }
        assertThat(recv(connected)).isNull();
        fails(() -> bound.bind(SockAddr.of("2001:db8::77", 0)), Errno.EADDRNOTAVAIL);
        send(raw6(left, PROTO + 1), new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, RIGHT6);
        assertThat(recv(all)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        all.close();
        send(raw6(left, PROTO + 1), new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, RIGHT6);
        assertThat(recv(icmp)).as("next header unknown").startsWith(4, 1);
    }

    @Test
    @Tag("RFC3542-3")
    void checksum6_isMadeAndVerified() throws Exception {
        final SocketFile in = raw6(right, PROTO);
        in.setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, 4);
        final SocketFile out = raw6(left, PROTO);
        send(out, new byte[] {1, 2, 3, 4, 0, 0, 7}, RIGHT6);
        assertThat(recv(in)).isNull();
        assertThat(right.vnet.counters().get("raw6.badsum")).isOne();
        out.setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, 4);
        send(out, new byte[] {1, 2, 3, 4, 0, 0, 7}, RIGHT6);
        assertThat(recv(in)).hasSize(7).startsWith(1, 2, 3, 4).endsWith(7);
        fails(() -> send(out, new byte[5], RIGHT6), Errno.EINVAL);
        fails(() -> out.setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, 3), Errno.EINVAL);
        fails(() -> raw6(left, IPPROTO_ICMPV6).setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, 4), Errno.EINVAL);
        fails(() -> out.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter()), Errno.ENOPROTOOPT);
        out.setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, -1);
        assertThat(out.getOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM)).isEqualTo(-1);
    }

    @Test
    void control6_hopLimitBothWays() throws Exception {
        final SocketFile in = raw6(right, PROTO);
        in.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVHOPLIMIT, 1);
        in.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVPKTINFO, 1);
        final SocketFile out = raw6(left, PROTO);
        final MsgControl control = new MsgControl().add(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, 4, 5)
            .addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, SockAddr.of("2001:db8::1", 0), cable.a().index());
        out.sendmsg(ByteBuffer.allocate(4), 0, RIGHT6, control);
        left.run();
        right.run();
        left.run();
        right.run();
        assertThat(in.recvmsg(ByteBuffer.allocate(10), 0, null, control)).isEqualTo(4);
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isTrue();
        assertThat(control.value()).isEqualTo(5);
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_PKTINFO)).isTrue();
        assertThat(control.getInt(16)).isEqualTo(cable.b().index());
    }

    // ---- cost ------------------------------------------------------------

    @Test
    void steadyState_pingOverLoopback_allocatesNothing() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile f = six ? raw6(left, IPPROTO_ICMPV6) : raw(left, IPPROTO_ICMP);
            final SockAddr to = six ? SockAddr.of("::1", 0) : SockAddr.of("127.0.0.1", 0);
            if (six) {
                f.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(REPLY6));
            }
            final byte[] octets = echo(six ? ECHO6 : ECHO, 1, 56);
            final ByteBuffer out = ByteBuffer.allocateDirect(octets.length).put(octets);
            final ByteBuffer in = ByteBuffer.allocateDirect(200);
            assertThat(Steady.octets(1000, () -> {
                f.sendto(out.flip(), 0, to);
                if (f.recvfrom(in.clear(), 0, null) != octets.length + (six ? 0 : 20)) {
                    throw new AssertionError("no answer");
                }
            })).as("octets in 1000 pings").isZero();
        }
    }
}
