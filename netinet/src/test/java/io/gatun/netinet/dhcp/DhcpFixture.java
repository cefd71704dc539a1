package io.gatun.netinet.dhcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.spi.sys.ErrnoException;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** A client on wire1, which has no address, and a server that is the test. */
class DhcpFixture {
    static final long MS = 1_000_000L;
    static final long SEC = 1000 * MS;
    static final int SERVER = Packets.addr("10.5.0.1");
    static final int GIVEN = Packets.addr("10.5.0.77");
    static final int OFFER = 2;
    static final int ACK = 5;
    static final int NAK = 6;
    static final String[] TYPES = {"", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE"};

    final TestNet net = new TestNet();
    final List<String> told = new ArrayList<>();
    final DhcpListener listener = new DhcpListener() {
        @Override
        public void bound(final DhcpLease lease) {
            told.add("bound " + lease.address());
        }

        @Override
        public void lost(final DhcpLease lease, final String why) {
            told.add("lost: " + why);
        }
    };
    DhcpClient client;
    /** The message last seen. */
    byte[] last;

    void start() {
        try {
            net.config.removeAddress(net.wire1.ifp, "10.0.1.1");
            client = net.config.dhcp(net.wire1.ifp, "gatun", listener);
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
        net.wire1.sent.clear();
    }

    /** The next message of the client, checked from the frame up: its type and, where it has them, what it asks for. */
    String sent() {
        byte[] f = net.wire1.next();
        while (f != null && Packets.u16(f, 12) != 0x800) {
            f = net.wire1.next();
        }
        if (f == null) {
            return null;
        }
        final byte[] ip = Packets.tail(f, 14);
        assertThat(Packets.cksum(ip, 0, 20)).isZero();
        assertThat(ip[9]).isEqualTo((byte) 17);
        assertThat(Packets.u16(ip, 20)).isEqualTo(68);
        assertThat(Packets.u16(ip, 22)).isEqualTo(67);
        assertThat(Packets.u16(ip, 24)).isEqualTo(ip.length - 20);
        assertThat(udpSum(ip)).as("UDP checksum").isZero();
        last = Packets.tail(ip, 28);
        assertThat(last.length).isGreaterThanOrEqualTo(300);
        assertThat(Packets.i32(last, 236)).isEqualTo(0x63825363);
        final boolean all = Packets.i32(ip, 16) == -1;
        assertThat(Packets.mac(f, 0) == 0xffff_ffff_ffffL).isEqualTo(all);
        final int ciaddr = Packets.i32(last, 12);
        assertThat(Packets.u16(last, 10)).as("broadcast flag").isEqualTo(ciaddr == 0 ? 0x8000 : 0);
        final byte[] asked = option(50);
        return TYPES[option(53)[0]] + (asked == null ? "" : " for " + Packets.i32(asked, 0) % 256)
            + (ciaddr == 0 ? "" : " of " + ciaddr % 256) + (option(54) == null ? "" : " by " + option(54)[3])
            + (all ? "" : " unicast");
    }

    private static int udpSum(final byte[] ip) {
        final byte[] pseudo = new byte[12 + ip.length - 20];
        System.arraycopy(ip, 12, pseudo, 0, 8);
        pseudo[9] = 17;
        Packets.put(pseudo, 10, ip.length - 20, 2);
        System.arraycopy(ip, 20, pseudo, 12, ip.length - 20);
        return Packets.cksum(pseudo, 0, pseudo.length);
    }

    byte[] option(final int code) {
        int at = 240;
        while ((last[at] & 0xff) != 255) {
            final int n = last[at + 1] & 0xff;
            if (last[at] == code) {
                return java.util.Arrays.copyOfRange(last, at + 2, at + 2 + n);
            }
            at += 2 + n;
        }
        return null;
    }

    /** A server's options: code, then its octets. */
    static final class Options {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Options put(final int code, final int... octets) {
            out.write(code);
            out.write(octets.length);
            for (final int o : octets) {
                out.write(o);
            }
            return this;
        }

        Options word(final int code, final int v) {
            return put(code, v >>> 24, v >>> 16 & 0xff, v >>> 8 & 0xff, v & 0xff);
        }
    }

    /** What a usual server says: /24, itself as the router, an hour. */
    static Options usual(final int type) {
        return new Options().put(53, type).word(54, SERVER).word(1, 0xffffff00).word(3, SERVER).word(6, SERVER)
            .word(51, 3600);
    }

    byte[] message(final int yiaddr, final Options options) {
        final byte[] o = options.out.toByteArray();
        final byte[] m = new byte[240 + o.length + 1];
        m[0] = 2;
        m[1] = 1;
        m[2] = 6;
        System.arraycopy(last, 4, m, 4, 4);
        Packets.put(m, 16, yiaddr, 4);
        System.arraycopy(last, 28, m, 28, 6);
        Packets.put(m, 236, 0x63825363, 4);
        System.arraycopy(o, 0, m, 240, o.length);
        m[m.length - 1] = (byte) 255;
        return m;
    }

    void reply(final byte[] message) {
        final byte[] udp = new byte[8 + message.length];
        Packets.put(udp, 0, 67, 2);
        Packets.put(udp, 2, 68, 2);
        Packets.put(udp, 4, udp.length, 2);
        System.arraycopy(message, 0, udp, 8, message.length);
        final byte[] ip = Packets.ip(SERVER, -1, 17, 1, 0, udp);
        net.wire1.receive(Packets.ether(0xffff_ffff_ffffL, TestNet.PEER1_MAC, 0x800, ip));
        net.vnet.runUntilIdle();
    }

    void reply(final int type) {
        reply(message(GIVEN, usual(type)));
    }

    /** Goes to the next timer; how long it took. */
    long step() {
        final long start = net.clock.nanoTime();
        final long at = net.vnet.nextDeadlineNs();
        net.advance(at - start - 1);
        assertThat(net.wire1.sent).isEmpty();
        net.advance(1);
        return at - start;
    }

    /** From the start to a lease with these options. */
    void bind(final Options ack) {
        start();
        net.advance(SEC);
        assertThat(sent()).isEqualTo("DISCOVER");
        reply(OFFER);
        assertThat(sent()).isEqualTo("REQUEST for 77 by 1");
        reply(message(GIVEN, ack));
        assertThat(client.state()).isEqualTo(DhcpState.CHECKING);
        while (client.state() == DhcpState.CHECKING) {
            step();
            net.wire1.sent.clear();
        }
        net.inet.arp.setStatic(net.wire1.ifp, SERVER, TestNet.PEER1_MAC);
    }
}
