package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.InDefs.IPPROTO_IP;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_UDP;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.dhcp.DhcpClient;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Checksums, groups, shared ports and closed ports of UDP over both families, between two hosts. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class UdpRulesTest {
    private static final int PORT = 5353;
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", PORT);
    private static final SockAddr RIGHT6 = SockAddr.of("2001:db8::2", PORT);
    private static final SockAddr GROUP = SockAddr.of("224.1.2.3", PORT);
    private static final int GROUP_SOCKETS = 4;
    private static final int CLIENTS = 200;

    @Parameter
    private LockStrategy locks;
    private Pair pair;
    private Host left;
    private Host right;
    private Epair cable;

    @BeforeEach
    void start() throws Exception {
        pair = new Pair(locks, Map.of("checksums", "true")).settled();
        left = pair.left;
        right = pair.right;
        cable = pair.cable;
    }

    @AfterEach
    void stop() throws Exception {
        pair.close();
    }

    private static long count(final Host h, final String name) {
        return h.vnet.counters().get(name);
    }

    // ---- checksums ------------------------------------------------------------

    /** A datagram from port 9 with two octets of data and whatever checksum. */
    private static ByteBuffer datagram(final int sum) {
        return ByteBuffer.allocate(10).putShort((short) 9).putShort((short) PORT).putShort((short) 10)
            .putShort((short) sum).putShort((short) 0x4142).flip();
    }

    @Test
    @Tag("RFC1122-4.1.3.4-MUST")
    @Tag("RFC8200-8.1-MUST")
    void withoutChecksum_ipv4TakesIt_ipv6DoesNot() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile server = Pair.udp(right, six);
            server.bind(Pair.any(six, PORT));
            final SocketFile raw = left.file(six ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_UDP);
            final SockAddr to = six ? RIGHT6 : RIGHT;
            raw.sendto(datagram(0), 0, to);
            pair.run();
            assertThat(read(server)).isEqualTo(six ? "-" : "AB");
            raw.sendto(datagram(0x1234), 0, to);
            pair.run();
            assertThat(read(server)).as("a wrong one").isEqualTo("-");
            server.close();
        }
        assertThat(count(right, "udp.nosum")).isEqualTo(2);
        assertThat(count(right, "udp.badsum")).isEqualTo(2);
        assertThat(right.vnet.drops(DropReason.UDP_BADSUM)).isEqualTo(3);
    }

    @Test
    @Tag("RFC768")
    @Tag("RFC8200-8.1-MUST")
    void sumThatComesToZero_isSentAsAllOnes() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile server = Pair.udp(right, six);
            server.bind(Pair.any(six, PORT));
            final SocketFile client = Pair.udp(left, six);
            client.bind(Pair.any(six, 9));
            // Addresses, protocol, length twice, ports: what is missing to all ones is the data.
            int s = six ? 2 * (0x2001 + 0x0db8) + 3 : 0x0a00 + 1 + 0x0a00 + 2;
            s += IPPROTO_UDP + 10 + 9 + PORT + 10;
            s = (s & 0xffff) + (s >>> 16);
            client.sendto(ByteBuffer.allocate(2).putShort((short) (0xffff - s)).flip(), 0, six ? RIGHT6 : RIGHT);
            pair.run();
            final ByteBuffer in = ByteBuffer.allocate(10);
            assertThat(server.recvfrom(in, 0, null)).as(six ? "IPv6" : "IPv4").isEqualTo(2);
            server.close();
        }
        assertThat(count(right, "udp.nosum")).isZero();
        assertThat(count(right, "udp.badsum")).isZero();
    }

    /** RFC 6935: at the port of a tunnel, and nowhere else, a datagram over IPv6 may do without. */
    @Test
    @Tag("RFC6936-5")
    void withoutChecksum_ipv6TakesItAtOnePort() throws Exception {
        final SocketFile server = right.udp6();
        server.bind(Pair.any(true, PORT));
        final SocketFile raw = left.file(AF_INET6, SOCK_RAW, IPPROTO_UDP);
        right.vnet.sysctl().set("net.inet6.udp6.rfc6935_port", "9");
        raw.sendto(datagram(0), 0, RIGHT6);
        pair.run();
        assertThat(read(server)).as("from that port").isEqualTo("-");
        right.vnet.sysctl().set("net.inet6.udp6.rfc6935_port", String.valueOf(PORT));
        raw.sendto(datagram(0), 0, RIGHT6);
        pair.run();
        assertThat(read(server)).isEqualTo("AB");
        raw.sendto(datagram(0x1234), 0, RIGHT6);
        pair.run();
        assertThat(read(server)).as("a wrong one").isEqualTo("-");
        assertThat(right.vnet.sysctl().set("net.inet6.udp6.rfc6935_port", "65536")).isNotEqualTo(Errno.OK);
    }

    // ---- lengths ------------------------------------------------------------

    /** The IPv4 header counts in its length, the IPv6 header does not. */
    @Test
    @Tag("RFC768")
    void longest_is65507OverIpv4_and65527OverIpv6() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final int longest = six ? 65_527 : 65_507;
            for (final boolean connected : new boolean[] {false, true}) {
                final SocketFile server = Pair.udp(right, six);
                server.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
                server.bind(Pair.any(six, PORT));
                final SocketFile client = Pair.udp(left, six);
                client.setOption(SOL_SOCKET, SocketDefs.SO_SNDBUF, 200_000);
                final SockAddr to = six ? RIGHT6 : RIGHT;
                if (connected) {
                    client.connect(to);
                } else {
                    client.sendto(bytes("x"), 0, to); // few packets wait for the link address of a neighbour
                    pair.run();
                    assertThat(read(server)).isEqualTo("x");
                }
                for (int n = longest - 10; n <= longest; n++) {
                    final ByteBuffer out = ByteBuffer.wrap(noise(n));
                    assertThat(connected ? client.send(out) : client.sendto(out, 0, to)).isEqualTo(n);
                    pair.run();
                    final ByteBuffer in = ByteBuffer.allocate(70_000);
                    assertThat(server.recvfrom(in, 0, null)).isEqualTo(n);
                    assertThat(Arrays.copyOf(in.array(), n)).isEqualTo(noise(n));
                }
                final ByteBuffer more = ByteBuffer.allocate(longest + 1);
                assertThatThrownBy(() -> {
                    if (connected) {
                        client.send(more);
                    } else {
                        client.sendto(more, 0, to);
                    }
                }).isInstanceOfSatisfying(ErrnoException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EMSGSIZE));
                server.close();
            }
        }
        final SocketFile mapped = left.udp6();
        mapped.setOption(IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
        mapped.setOption(SOL_SOCKET, SocketDefs.SO_SNDBUF, 200_000);
        assertThatThrownBy(
            () -> mapped.sendto(ByteBuffer.allocate(65_508), 0, SockAddr.of("::ffff:10.0.0.2", PORT)))
            .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EMSGSIZE));
    }

    private static byte[] noise(final int n) {
        final byte[] b = new byte[n];
        new Random(n).nextBytes(b);
        return b;
    }

    // ---- tunnels ------------------------------------------------------------

    @Test
    void tunnel_hearsBroadcasts_andSaysSo_butNoGroups() throws Exception {
        final StringBuilder heard = new StringBuilder();
        final UdpTunnels tunnels = right.vnet.service(UdpTunnels.class);
        assertThat(tunnels.open(AF_INET, PORT, (m, off) -> {
            heard.append(m.has(Mbuf.M_BCAST) ? "all " : "one ");
            m.freeChain();
        }, null)).isEqualTo(Errno.OK);
        final SocketFile other = right.udp();
        other.setOption(IPPROTO_IP, InDefs.IP_ADD_MEMBERSHIP, new IpMreq(GROUP, null, cable.b().index()));
        final SocketFile client = left.udp();
        client.setOption(SOL_SOCKET, SocketDefs.SO_BROADCAST, 1);
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_IF, cable.a().index());
        client.sendto(bytes("x"), 0, RIGHT);
        client.sendto(bytes("x"), 0, SockAddr.of("10.0.0.255", PORT));
        client.sendto(bytes("x"), 0, GROUP);
        pair.run();
        assertThat(heard.toString()).isEqualTo("one all ");
        assertThat(count(right, "udp.noportmcast")).isOne();
        final SocketFile late = right.udp();
        assertThatThrownBy(() -> late.bind(SockAddr.in(0, PORT))).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE));
        assertThat(tunnels.close(AF_INET, PORT)).isEqualTo(Errno.OK);
        late.bind(SockAddr.in(0, PORT));
    }

    @Test
    void dhcpClient_takesItsPort_asASocketDoes() throws Exception {
        final SocketFile holder = right.udp();
        holder.bind(SockAddr.in(0, 68));
        final DhcpListener ignore = new DhcpListener() {
        };
        assertThatThrownBy(() -> right.config().dhcp(cable.b(), null, ignore)).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE));
        holder.close();
        final DhcpClient client = right.config().dhcp(cable.b(), null, ignore);
        final SocketFile late = right.udp();
        assertThatThrownBy(() -> late.bind(SockAddr.in(0, 68))).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE));
        client.stop();
        late.bind(SockAddr.in(0, 68));
    }

    @Test
    void switchedOff_ipv4HasNone_ipv6StillHas() throws Exception {
        left.vnet.sysctl().set("net.inet.udp.checksum", "0");
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile server = Pair.udp(right, six);
            server.bind(Pair.any(six, PORT));
            Pair.udp(left, six).sendto(bytes("data"), 0, six ? RIGHT6 : RIGHT);
            pair.run();
            assertThat(read(server)).isEqualTo("data");
            assertThat(count(right, "udp.nosum")).isOne();
        }
    }

    // ---- closed ports ------------------------------------------------------------

    @Test
    void closedPort_blackhole_onlyTowardsOthersUnlessToldSo() throws Exception {
        right.vnet.sysctl().set("net.inet.udp.blackhole", "1");
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile far = Pair.udp(left, six);
            far.connect(six ? RIGHT6 : RIGHT);
            far.send(bytes("x"));
            final SocketFile near = Pair.udp(right, six);
            near.connect(six ? RIGHT6 : RIGHT);
            near.send(bytes("x"));
            pair.run();
            assertThat(far.getOption(SOL_SOCKET, SocketDefs.SO_ERROR)).isZero();
            assertThat(near.getOption(SOL_SOCKET, SocketDefs.SO_ERROR)).isEqualTo(Errno.ECONNREFUSED.code());
        }
        right.vnet.sysctl().set("net.inet.udp.blackhole_local", "1");
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile near = Pair.udp(right, six);
            near.connect(six ? RIGHT6 : RIGHT);
            near.send(bytes("x"));
            pair.run();
            assertThat(near.getOption(SOL_SOCKET, SocketDefs.SO_ERROR)).isZero();
        }
        assertThat(right.vnet.drops(DropReason.UDP_NOPORT)).isEqualTo(6);
    }

    // ---- shared ports ------------------------------------------------------------

    @Test
    void reuseportLb_eachFlowMeetsOneMember_allShareTheLoad() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile[] members = new SocketFile[GROUP_SOCKETS];
            for (int i = 0; i < members.length; i++) {
                members[i] = Pair.udp(right, six);
                members[i].setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT_LB, 1);
                members[i].bind(Pair.any(six, PORT));
            }
            final Map<Integer, Integer> chosen = new HashMap<>();
            for (int round = 0; round < 2; round++) {
                for (int port = 20_000; port < 20_000 + CLIENTS; port++) {
                    final SocketFile client = Pair.udp(left, six);
                    client.bind(Pair.any(six, port));
                    client.sendto(bytes("x"), 0, six ? RIGHT6 : RIGHT);
                    pair.run();
                    final int at = taker(members);
                    assertThat(chosen.getOrDefault(port, at)).as("port " + port).isEqualTo(at);
                    chosen.put(port, at);
                    client.close();
                }
            }
            for (int i = 0; i < members.length; i++) {
                final int member = i;
                final long share = chosen.values().stream().filter(v -> v == member).count();
                assertThat(share).as("of member " + i).isBetween(CLIENTS / 10L, CLIENTS / 2L);
                members[i].close();
            }
        }
    }

    /** Which of several has it: exactly one. */
    private static int taker(final SocketFile[] members) throws Exception {
        int found = -1;
        for (int i = 0; i < members.length; i++) {
            if ("x".equals(read(members[i]))) {
                assertThat(found).as("only one").isEqualTo(-1);
                found = i;
            }
        }
        assertThat(found).isNotNegative();
        return found;
    }

    // ---- groups ------------------------------------------------------------

    private SocketFile member(final Host h, final int ifindex) throws Exception {
        final SocketFile f = h.udp();
        f.setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        f.bind(SockAddr.in(0, PORT));
        if (ifindex != 0) {
            f.setOption(IPPROTO_IP, InDefs.IP_ADD_MEMBERSHIP, new IpMreq(GROUP, null, ifindex));
        }
        return f;
    }

    @Test
    void group4_eachMemberGetsACopy() throws Exception {
        final SocketFile[] members = {member(right, cable.b().index()), member(right, cable.b().index()),
            member(right, cable.b().index())};
        final SocketFile client = left.udp();
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_IF, cable.a().index());
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_TTL, 5);
        members[0].setOption(IPPROTO_IP, InDefs.IP_RECVTTL, 1);
        client.sendto(bytes("news"), 0, GROUP);
        pair.run();
        final MsgControl control = new MsgControl();
        members[0].recvmsg(ByteBuffer.allocate(10), 0, null, control);
        assertThat(control.find(IPPROTO_IP, InDefs.IP_RECVTTL)).isTrue();
        assertThat(control.value()).isEqualTo(5);
        for (int i = 1; i < members.length; i++) {
            assertThat(read(members[i])).isEqualTo("news");
            assertThat(read(members[i])).isEqualTo("-");
        }
    }

    @Test
    @Tag("RFC1112-6.1")
    void group4_senderHearsItselfUnlessItSwitchedThatOff() throws Exception {
        final SocketFile here = member(left, cable.a().index());
        final SocketFile there = member(right, cable.b().index());
        final SocketFile client = left.udp();
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_IF, cable.a().index());
        client.sendto(bytes("one"), 0, GROUP);
        pair.run();
        assertThat(read(here)).isEqualTo("one");
        assertThat(read(there)).isEqualTo("one");
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_LOOP, 0);
        client.sendto(bytes("two"), 0, GROUP);
        pair.run();
        assertThat(read(here)).isEqualTo("-");
        assertThat(read(there)).isEqualTo("two");
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_LOOP, 1);
        client.setOption(IPPROTO_IP, InDefs.IP_MULTICAST_TTL, 0);
        client.sendto(bytes("three"), 0, GROUP);
        pair.run();
        assertThat(read(here)).isEqualTo("three");
        assertThat(read(there)).as("a TTL of 0 stays on this host").isEqualTo("-");
    }

    @Test
    void group6_allNodes_eachSocketAtThePortGetsACopy() throws Exception {
        final Set<SocketFile> all = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            final SocketFile f = right.udp6();
            f.setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
            f.bind(SockAddr.in6(0, 0, PORT));
            all.add(f);
        }
        final SocketFile unicast = right.udp6();
        unicast.setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        unicast.bind(RIGHT6);
        final SocketFile client = left.udp6();
        final SockAddr nodes = new SockAddr();
        nodes.setIn6(0xff02L << 48, 1, PORT, cable.a().index());
        client.sendto(bytes("all"), 0, nodes);
        pair.run();
        final SockAddr from = new SockAddr();
        for (final SocketFile f : all) {
            assertThat(read(f, from)).isEqualTo("all");
            assertThat(read(f)).isEqualTo("-");
            assertThat(from.scopeId()).isEqualTo(cable.b().index());
        }
        assertThat(read(unicast)).isEqualTo("-");
        nodes.setPort(PORT + 1);
        client.sendto(bytes("nobody"), 0, nodes);
        pair.run();
        assertThat(count(right, "udp.noportmcast")).isOne();
        assertThat(right.vnet.drops(DropReason.UDP_NOPORT_BCAST)).isOne();
    }
}
