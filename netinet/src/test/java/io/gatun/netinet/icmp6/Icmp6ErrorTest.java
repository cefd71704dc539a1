package io.gatun.netinet.icmp6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestNet6;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of RFC 4443 section 2.4 about messages, one by one. */
class Icmp6ErrorTest {
    private static final SockAddr GROUP = SockAddr.of("ff02::1", 0);
    private static final SockAddr NOBODY = SockAddr.of("::", 0);
    private static final int NO_PROTO = 200;

    private final TestNet6 net = new TestNet6();

    @AfterEach
    void close() {
        net.close();
    }

    /** The one packet that was sent, or null. */
    private byte[] only() {
        assertThat(net.sent0.size()).isLessThanOrEqualTo(1);
        return net.sent0.isEmpty() ? null : net.sent0.removeFirst();
    }

    private void silent(final byte[] packet, final String why) {
        net.receive0(packet);
        assertThat(only()).as(why).isNull();
    }

    private static byte[] from(final SockAddr src, final int nxt, final byte[] payload) {
        return TestNet6.ip6(src, TestNet6.US0, nxt, payload);
    }

    private static byte[] fromPeer(final int type, final byte[] quoted) {
        return TestNet6.icmp6(TestNet6.PEER0, TestNet6.US0, type << 8, 0, quoted);
    }

    @Test
    @Tag("RFC4443-2.4a-MUST")
    void unknownError_goesToTheTransport() {
        final byte[] mine = TestNet6.ip6(TestNet6.US0, TestNet6.PEER0, TestNet.PROTO, new byte[8]);
        for (final int type : new int[] {5, 77, 100, 127}) {
            net.net.told.clear();
            silent(fromPeer(type, mine), "type " + type);
            assertThat(net.net.told).hasSize(1);
        }
    }

    @Test
    @Tag("RFC4443-2.4b-MUST")
    void unknownInformation_isDropped() {
        silent(fromPeer(200, new byte[8]), "type 200");
        silent(fromPeer(255, new byte[8]), "type 255");
        assertThat(net.net.drops(DropReason.ICMP_BADTYPE)).isEqualTo(2);
    }

    @Test
    @Tag("RFC4443-2.4c-MUST")
    @Tag("RFC4443-3.4-MUST")
    void error_carriesAsMuchAsFits() {
        for (final int n : new int[] {8, 1000, 1232, 1400}) {
            final byte[] bad = from(TestNet6.PEER0, NO_PROTO, Packets.pattern(n));
            net.receive0(bad);
            final byte[] e = only();
            assertThat(e).hasSize(Math.min(1280, 48 + bad.length)).as("least MTU");
            assertThat(e[40]).isEqualTo((byte) Icmp6.ICMP6_PARAM_PROB);
            assertThat(e[41]).isEqualTo((byte) Icmp6.ICMP6_PARAMPROB_NEXTHEADER);
            assertThat(Packets.i32(e, 44)).as("pointer").isEqualTo(6);
            assertThat(Packets.tail(e, 48)).isEqualTo(Arrays.copyOf(bad, e.length - 48));
            assertThat(TestNet6.cksum6(e, 40, 58)).isZero();
            assertThat(TestNet6.addr(e, 8)).isEqualTo(TestNet6.US0);
            assertThat(TestNet6.addr(e, 24)).isEqualTo(TestNet6.PEER0);
        }
    }

    @Test
    @Tag("RFC4443-2.4e1-MUST")
    @Tag("RFC4443-2.4e2-MUST")
    void noErrorAboutAnErrorOrARedirect() {
        for (final int type : new int[] {1, 2, 3, 4, 77, 137}) {
            final byte[] icmp = fromPeer(type, new byte[48]);
            silent(TestNet6.with(icmp, 60, header(0x80)), "type " + type);
        }
        net.receive0(TestNet6.with(fromPeer(128, new byte[8]), 60, header(0x80)));
        assertThat(only()).as("about a question there is one").isNotNull();
    }

    /** A destination options header before ICMPv6 with one option. */
    private static byte[] header(final int option) {
        return new byte[] {58, 0, (byte) option, 4, 0, 0, 0, 0};
    }

    @Test
    @Tag("RFC4443-2.4e3-MUST")
    void noErrorAboutWhatWentToAGroup_butForItsOptions() {
        silent(TestNet6.ip6(TestNet6.PEER0, GROUP, NO_PROTO, new byte[8]), "next header");
        silent(TestNet6.ip6(TestNet6.PEER0, GROUP, 17, new byte[] {0, 7, 0, 7, 0, 8, 1, 1}), "no port");
        final byte[] ping = TestNet6.icmp6(TestNet6.PEER0, GROUP, 128 << 8, 0, new byte[8]);
        silent(TestNet6.with(ping, 60, header(0xc0)), "an option that wants none");
        net.receive0(TestNet6.with(ping, 60, header(0x80)));
        assertThat(only()).as("an option that wants one")
            .satisfies(e -> assertThat(e[41]).isEqualTo((byte) Icmp6.ICMP6_PARAMPROB_OPTION));
    }

    @Test
    @Tag("RFC4443-2.4e6-MUST")
    void noErrorToWhatIsNotOneNode() {
        silent(from(NOBODY, NO_PROTO, new byte[8]), "the unspecified address");
        silent(from(GROUP, NO_PROTO, new byte[8]), "a group");
    }

    @Test
    @Tag("RFC4443-2.4f-MUST")
    void errors_arePacedBySecond() {
        net.net.vnet.sysctl().set("net.inet.icmp.icmplim_jitter", "0");
        final long most = limit();
        for (int i = 0; i < most + 50; i++) {
            net.receive0(from(TestNet6.PEER0, NO_PROTO, new byte[8]));
        }
        assertThat(net.sent0.size()).isEqualTo((int) most);
        net.sent0.clear();
        net.advance(1_000_000_000L);
        net.receive0(from(TestNet6.PEER0, NO_PROTO, new byte[8]));
        assertThat(only()).isNotNull();
    }

    private long limit() {
        final var own = net.net.vnet.sysctl().find("net.inet6.icmp6.errppslimit");
        return own != null ? own.get() : net.net.vnet.sysctl().find("net.inet.icmp.icmplim").get();
    }
}
