package io.gatun.netinet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.ifnet.IfCounter;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random and structured malformed input: nothing is thrown, and once time has passed no mbuf is held. */
class ParserFuzzTest {
    private static final int FRAMES = 60;

    @Property(tries = 400)
    void anyFrames_nothingIsThrown_poolIsWhole(@ForAll long seed) {
        Random r = new Random(seed);
        try (TestNet net = new TestNet()) {
            net.config.setForwarding(r.nextBoolean());
            net.vnet.sysctl().set("net.inet.icmp.icmplim", "0");
            net.vnet.sysctl().set("net.inet.ip.accept_sourceroute", r.nextBoolean() ? "1" : "0");
            for (int i = 0; i < FRAMES; i++) {
                byte[] frame = frame(r);
                (r.nextBoolean() ? net.wire0 : net.wire1).receive(frame);
                if (r.nextInt(10) == 0) {
                    net.advance(r.nextInt(2_000_000_000));
                }
            }
            net.advance(120L * 1_000_000_000L);
            assertThat(net.outstanding()).isZero();
            assertThat(net.wire0.ifp.counter(IfCounter.IPACKETS)).isZero(); // the driver's to count
        }
    }

    private static byte[] frame(Random r) {
        byte[] payload = switch (r.nextInt(8)) {
            case 0 -> random(r, r.nextInt(80));
            case 1 -> Packets.arp(1 + r.nextInt(3), mac(r), addr(r), mac(r), addr(r));
            case 2 -> icmpError(r);
            case 3 -> Packets.ip(addr(r), addr(r), 1, r.nextInt(4), 0,
                Packets.icmp(r.nextInt(20), r.nextInt(16), r.nextInt(), random(r, r.nextInt(60))));
            case 4 -> Packets.withOptions(Packets.ip(addr(r), addr(r), 253, 1, 0, random(r, 30)), options(r));
            case 5, 6 -> Packets.ip(addr(r), addr(r), r.nextBoolean() ? 253 : 1, r.nextInt(4),
                r.nextInt(8) | (r.nextBoolean() ? 0x2000 : 0), random(r, 8 * r.nextInt(8)));
            default -> Packets.ip(addr(r), addr(r), r.nextInt(256), 1, r.nextInt(65536), random(r, r.nextInt(1400)));
        };
        int type = payload.length > 1 && payload[0] == 0 ? EtherHeader.ETHERTYPE_ARP : EtherHeader.ETHERTYPE_IP;
        if (r.nextInt(3) == 0 && payload.length > 0) {
            mutate(r, payload);
            payload = r.nextBoolean() ? Arrays.copyOf(payload, r.nextInt(payload.length + 10)) : payload;
            if (r.nextBoolean() && payload.length >= 20) {
                Packets.fixIp(payload);
            }
        }
        long dst = switch (r.nextInt(6)) {
            case 0 -> EtherHeader.BROADCAST;
            case 1 -> 0x01005e000001L;
            default -> TestWire.mac(r.nextInt(2));
        };
        byte[] f = Packets.ether(dst, mac(r), r.nextInt(20) == 0 ? r.nextInt(65536) : type, payload);
        if (r.nextInt(10) == 0) {
            f = tagged(r, f);
        }
        return r.nextInt(20) == 0 ? Arrays.copyOf(f, r.nextInt(f.length)) : f;
    }

    private static byte[] tagged(Random r, byte[] f) {
        byte[] t = new byte[f.length + 4];
        System.arraycopy(f, 0, t, 0, 12);
        Packets.put(t, 12, 0x8100, 2);
        Packets.put(t, 14, r.nextBoolean() ? 0 : r.nextInt(65536), 2);
        System.arraycopy(f, 12, t, 16, f.length - 12);
        return t;
    }

    private static byte[] icmpError(Random r) {
        byte[] inner = Packets.ip(addr(r), addr(r), r.nextBoolean() ? 253 : 17, 1, r.nextInt(4) == 0 ? 5 : 0,
            random(r, r.nextInt(20)));
        if (r.nextInt(4) == 0) {
            inner = Packets.withOptions(inner, options(r));
        }
        int[] types = {3, 4, 5, 11, 12};
        byte[] icmp = Packets.icmp(types[r.nextInt(types.length)], r.nextInt(20), r.nextInt(), inner);
        return Packets.ip(addr(r), addr(r), 1, 1, 0, icmp);
    }

    private static byte[] options(Random r) {
        byte[] kinds = {0, 1, 7, 68, (byte) 131, (byte) 137, (byte) 148, 25};
        byte[] o = random(r, 1 + r.nextInt(40));
        for (int i = 0; i < o.length; i += 1 + r.nextInt(8)) {
            o[i] = kinds[r.nextInt(kinds.length)];
            if (i + 2 < o.length) {
                o[i + 1] = (byte) r.nextInt(14);
                o[i + 2] = (byte) r.nextInt(14);
            }
        }
        return o;
    }

    private static void mutate(Random r, byte[] b) {
        for (int i = 0; i <= r.nextInt(4); i++) {
            b[r.nextInt(Math.min(b.length, 48))] = (byte) r.nextInt();
        }
    }

    private static byte[] random(Random r, int n) {
        byte[] b = new byte[n];
        r.nextBytes(b);
        return b;
    }

    private static int addr(Random r) {
        int[] some = {TestNet.US0, TestNet.US1, TestNet.PEER0, TestNet.PEER1, 0, -1, 0x7f000001, 0xe0000001, 0x0a0000ff,
            0x0a0001ff, 0xc0000201, 0xa9fe0001, 0xf0000001};
        return r.nextInt(12) == 0 ? r.nextInt() : some[r.nextInt(r.nextBoolean() ? 4 : some.length)];
    }

    private static long mac(Random r) {
        return r.nextInt(8) == 0 ? r.nextLong() & 0xffff_ffff_ffffL : 0x020000000000L | r.nextInt(300);
    }
}
