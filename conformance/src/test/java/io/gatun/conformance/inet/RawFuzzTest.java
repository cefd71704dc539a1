package io.gatun.conformance.inet;

import static io.gatun.spi.socket.InDefs.IPPROTO_ICMP;
import static io.gatun.spi.socket.InDefs.IPPROTO_ICMPV6;
import static io.gatun.spi.socket.InDefs.IPPROTO_IP;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packets that are nearly right, to raw and UDP sockets that ask for every control message there is. */
class RawFuzzTest {
    private static final int FRAMES = 20_000;
    private static final int IP = 14;
    private static final int[] RECV4 = {InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL,
        InDefs.IP_RECVTOS, InDefs.IP_ORIGDSTADDR};
    private static final int[] RECV6 = {InDefs.IPV6_RECVPKTINFO, InDefs.IPV6_RECVHOPLIMIT, InDefs.IPV6_RECVTCLASS,
        InDefs.IPV6_RECVHOPOPTS, InDefs.IPV6_RECVDSTOPTS, InDefs.IPV6_RECVRTHDR, InDefs.IPV6_RECVPATHMTU,
        InDefs.IPV6_ORIGDSTADDR};
    private static final int[] HEADERS = {0, 43, 44, 60, 60, 58, 17, 253, 1, 59, 50};

    private static List<SocketFile> sockets(final Host h) throws Exception {
        final List<SocketFile> all = new ArrayList<>();
        for (final int proto : new int[] {0, IPPROTO_ICMP, 253}) {
            all.add(h.file(AF_INET, SOCK_RAW, proto));
        }
        all.add(h.udp());
        all.getLast().bind(SockAddr.in(0, 7));
        for (final SocketFile f : all) {
            for (final int name : RECV4) {
                f.setOption(IPPROTO_IP, name, 1);
            }
        }
        final int four = all.size();
        for (final int proto : new int[] {0, IPPROTO_ICMPV6, 253}) {
            all.add(h.file(AF_INET6, SOCK_RAW, proto));
        }
        all.getLast().setOption(IPPROTO_IPV6, InDefs.IPV6_CHECKSUM, 2);
        all.add(h.udp6());
        all.getLast().bind(SockAddr.in6(0, 0, 7));
        for (final SocketFile f : all.subList(four, all.size())) {
            for (final int name : RECV6) {
                f.setOption(IPPROTO_IPV6, name, 1);
            }
        }
        for (final SocketFile f : all) {
            f.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_TIMESTAMP, 1);
        }
        return all;
    }

    private static byte[] frame(final Random r, final byte[] mac) {
        final boolean six = r.nextBoolean();
        final int header = six ? 40 : 20 + 4 * (r.nextInt(3) / 2);
        final byte[] f = new byte[IP + header + r.nextInt(120)];
        r.nextBytes(f);
        System.arraycopy(mac, 0, f, 0, 6);
        f[6] = 2;
        f[12] = (byte) (six ? 0x86 : 8);
        f[13] = (byte) (six ? 0xdd : 0);
        final ByteBuffer b = ByteBuffer.wrap(f);
        final int nxt = HEADERS[r.nextInt(HEADERS.length)];
        if (six) {
            b.putInt(IP, 0x6000_0000).putShort(IP + 4, (short) (f.length - IP - header)).put(IP + 6, (byte) nxt);
            b.putLong(IP + 8, 0x2001_0db8L << 32).putLong(IP + 16, 9);
            b.putLong(IP + 24, 0x2001_0db8L << 32).putLong(IP + 32, 2);
            extensions(r, f, nxt);
        } else {
            b.put(IP, (byte) (0x40 | header / 4)).putShort(IP + 2, (short) (f.length - IP)).put(IP + 9, (byte) nxt);
            b.putShort(IP + 6, (short) (r.nextInt(4) == 0 ? r.nextInt() : 0)).putShort(IP + 10, (short) 0);
            b.putInt(IP + 12, 0x0a00_0009).putInt(IP + 16, 0x0a00_0002).putShort(IP + 10, (short) cksum(f, header));
        }
        return f;
    }

    /** Chains of headers that are often whole. */
    private static void extensions(final Random r, final byte[] f, final int first) {
        int at = IP + 40;
        int nxt = first;
        while (at + 16 < f.length && (nxt == 0 || nxt == 43 || nxt == 44 || nxt == 60) && r.nextInt(8) != 0) {
            nxt = HEADERS[1 + r.nextInt(HEADERS.length - 1)];
            f[at] = (byte) nxt;
            f[at + 1] = (byte) (r.nextInt(10) == 0 ? r.nextInt() : r.nextInt(2));
            f[at + 2] = (byte) (r.nextInt(4) == 0 ? r.nextInt() : 1);
            f[at + 3] = (byte) (r.nextInt(4) == 0 ? r.nextInt() : f[at + 1] * 8 + 4);
            at += 8 + f[at + 1] * 8;
            if (at < 0) {
                return;
            }
        }
    }

    private static int cksum(final byte[] f, final int header) {
        int s = 0;
        for (int i = IP; i < IP + header; i += 2) {
            s += (f[i] & 0xff) << 8 | f[i + 1] & 0xff;
        }
        s = (s & 0xffff) + (s >>> 16);
        return ~(s + (s >>> 16)) & 0xffff;
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void nearlyRightPackets_nothingThrown_nothingLeaks(final LockStrategy locks) throws Exception {
        final long seed = Long.getLong("gatun.seed", new Random().nextLong());
        System.out.println("seed=" + seed);
        final Random r = new Random(seed);
        try (Host left = new Host(locks).dual(); Host right = new Host(locks, left.clock, "right").dual()) {
            final Epair cable = left.join(right, Map.of());
            right.config().addAddress(cable.b(), "2001:db8::2/64");
            final List<SocketFile> all = sockets(right);
            right.pass(3000);
            final MsgControl control = new MsgControl(200);
            final ByteBuffer in = ByteBuffer.allocate(2000);
            final long[] got = new long[all.size()];
            for (int i = 0; i < FRAMES; i++) {
                final byte[] f = frame(r, cable.b().lladdr());
                final Mbuf m = right.vnet.pool().devget(MemorySegment.ofArray(f), 0, f.length, cable.b());
                assertThat(m).as("seed=%d frame %d", seed, i).isNotNull();
                cable.b().input(m);
                right.run();
                for (int s = 0; s < got.length && i % 4 == 0; s++) {
                    while (all.get(s).recvmsg(in.clear(), 0, null, control) >= 0) {
                        got[s]++;
                    }
                }
                if (i % 1000 == 0) {
                    right.pass(1000);
                    left.run();
                }
            }
            right.pass(61_000);
            left.run();
            assertThat(got[0]).as("seed=%d raw", seed).isPositive();
            assertThat(got[4]).as("seed=%d raw, IPv6", seed).isPositive();
            left.closeFiles();
            right.closeFiles();
        }
    }
}
