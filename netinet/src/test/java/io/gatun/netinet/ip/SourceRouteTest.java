package io.gatun.netinet.ip;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.spi.sys.DropReason;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Source routes: refused unless somebody says otherwise, and then followed as RFC 791 has it. */
class SourceRouteTest {
    private static final int LSRR = 131;
    private static final int SSRR = 137;
    private static final byte[] DATA = Packets.pattern(16);

    private final TestNet net = new TestNet().resolved();

    @AfterEach
    void close() {
        net.close();
    }

    private void allow(final String... sysctls) {
        for (final String s : sysctls) {
            net.vnet.sysctl().set(s, "1");
        }
    }

    /** A packet from wire0 to {@code dst} with a route of one more address. */
    private void receive(final int opt, final int dst, final int pointer, final String next) {
        final byte[] o = new byte[7];
        o[0] = (byte) opt;
        o[1] = 7;
        o[2] = (byte) pointer;
        Packets.put(o, 3, Packets.addr(next), 4);
        net.wire0.receiveIp(TestNet.PEER0_MAC, Packets.withOptions(Packets.ip(TestNet.PEER0, dst, TestNet.PROTO, 1, 0,
            DATA), o));
    }

    private byte[] icmp() {
        final byte[] ip = net.wire0.nextIp();
        return ip != null && ip[9] == 1 ? ip : null;
    }

    @Test
    void byDefault_hostIsSilent_routerSaysSo() throws Exception {
        receive(LSRR, TestNet.US0, 4, "10.0.1.2");
        receive(LSRR, TestNet.US0, 8, "10.0.1.2");
        assertThat(net.drops(DropReason.IP_SRCROUTE)).isEqualTo(2);
        assertThat(icmp()).isNull();
        net.config.setForwarding(true);
        receive(SSRR, TestNet.US0, 4, "10.0.1.2");
        final byte[] e = icmp();
        assertThat(e[20]).isEqualTo((byte) 3);
        assertThat(e[21]).as("source route failed").isEqualTo((byte) 5);
        assertThat(net.got).isEmpty();
        assertThat(net.wire1.nextIp()).isNull();
    }

    @Test
    void followed_ownAddressOfTheWayOutIsLeft() throws Exception {
        allow("net.inet.ip.sourceroute");
        net.config.setForwarding(true);
        for (final int opt : new int[] {LSRR, SSRR}) {
            receive(opt, TestNet.US0, 4, "10.0.1.2");
            final byte[] out = net.wire1.nextIp();
            assertThat(Packets.i32(out, 16)).isEqualTo(TestNet.PEER1);
            assertThat(Packets.i32(out, 12)).isEqualTo(TestNet.PEER0);
            assertThat(Packets.u8(out, 20)).isEqualTo(opt);
            assertThat(Packets.u8(out, 22)).isEqualTo(8);
            assertThat(Packets.i32(out, 23)).isEqualTo(TestNet.US1);
            assertThat(Packets.u8(out, 8)).isEqualTo(63);
            assertThat(Packets.cksum(out, 0, 28)).isZero();
            assertThat(Packets.tail(out, 28)).isEqualTo(DATA);
        }
    }

    @Test
    void strict_toWhatIsNoNeighbour_fails_looseGoesOn() throws Exception {
        allow("net.inet.ip.sourceroute");
        net.config.setForwarding(true);
        net.config.addRoute("172.16.0.0/16", "10.0.1.2", null);
        receive(SSRR, TestNet.US0, 4, "172.16.0.9");
        assertThat(icmp()[21]).isEqualTo((byte) 5);
        receive(LSRR, TestNet.US0, 4, "172.16.0.9");
        assertThat(Packets.i32(net.wire1.nextIp(), 16)).isEqualTo(Packets.addr("172.16.0.9"));
        receive(LSRR, TestNet.PEER1, 4, "172.16.0.9");
        assertThat(Packets.i32(net.wire1.nextIp(), 16)).as("not ours to follow yet").isEqualTo(TestNet.PEER1);
        receive(SSRR, TestNet.PEER1, 4, "172.16.0.9");
        assertThat(icmp()[21]).isEqualTo((byte) 5);
        receive(LSRR, TestNet.US0, 4, "192.0.2.1");
        assertThat(icmp()[21]).as("no way there").isEqualTo((byte) 5);
    }

    @Test
    void usedUp_takenWhenAccepted() {
        allow("net.inet.ip.sourceroute");
        receive(LSRR, TestNet.US0, 8, "10.0.1.2");
        assertThat(net.got).isEmpty();
        allow("net.inet.ip.accept_sourceroute");
        receive(LSRR, TestNet.US0, 8, "10.0.1.2");
        assertThat(net.got).hasSize(1);
    }

    @Test
    void randomRoutes_doNoHarm() {
        final long seed = Long.getLong("gatun.seed", 5);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        allow("net.inet.ip.sourceroute", "net.inet.ip.accept_sourceroute", "net.inet.ip.forwarding");
        final int[] addresses = {TestNet.US0, TestNet.US1, TestNet.PEER0, TestNet.PEER1, -1, 0,
            Packets.addr("224.0.0.1")};
        for (int i = 0; i < 20_000; i++) {
            final byte[] o = new byte[r.nextInt(1, 41)];
            r.nextBytes(o);
            o[0] = (byte) new int[] {LSRR, SSRR, 7, 68}[r.nextInt(4)];
            if (o.length > 2 && r.nextBoolean()) {
                o[1] = (byte) r.nextInt(o.length + 2);
                o[2] = (byte) r.nextInt(o.length + 2);
            }
            for (int at = 3; at + 4 <= o.length && r.nextBoolean(); at += 4) {
                Packets.put(o, at, addresses[r.nextInt(addresses.length)], 4);
            }
            net.wire0.receiveIp(TestNet.PEER0_MAC, Packets.withOptions(Packets.ip(TestNet.PEER0,
                addresses[r.nextInt(4)], TestNet.PROTO, 1, 0, DATA), o));
            net.wire0.sent.clear();
            net.wire1.sent.clear();
            net.got.clear();
        }
    }
}
