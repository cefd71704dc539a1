package io.gatun.netinet;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link TestNet} that speaks IPv6 too, 2001:db8::1/64 on wire0 and 2001:db8:1::1/64 on wire1, with transport 253.
 * Solicitations for anybody are answered by a neighbour of link address {@link #PEER_MAC}.
 */
public final class TestNet6 implements AutoCloseable {
    public static final SockAddr US0 = SockAddr.of("2001:db8::1", 0);
    public static final SockAddr US1 = SockAddr.of("2001:db8:1::1", 0);
    public static final SockAddr PEER0 = SockAddr.of("2001:db8::2", 0);
    public static final SockAddr PEER1 = SockAddr.of("2001:db8:1::2", 0);
    public static final long PEER_MAC = 0x0200000000a6L;

    private static final int ETHERTYPE_IPV6 = 0x86dd;
    private static final int ICMPV6 = 58;
    private static final int NS = 135;
    private static final int NA = 136;
    private static final long SEC = 1_000_000_000L;

    public final TestNet net;
    public final Inet6 inet6;
    public final List<byte[]> sent0 = new ArrayList<>();
    public final List<byte[]> sent1 = new ArrayList<>();

    public TestNet6() {
        this(0);
    }

    public TestNet6(final int caps) {
        net = new TestNet(caps, new InetDomain(), new Inet6Domain());
        inet6 = net.inet.inet6();
        net.vnet.ipproto().register(SockAddr.AF_INET6, TestNet.PROTO, (m, off, proto) -> net.take(m),
            (m, off) -> net.keepTold(SockAddr.AF_INET6, m, off));
        try {
            net.config.addAddress(net.lo, "::1/128");
            net.config.addAddress(net.wire0.ifp, "2001:db8::1/64");
            net.config.addAddress(net.wire1.ifp, "2001:db8:1::1/64");
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
        advance(3 * SEC);
        sent0.clear();
        sent1.clear();
    }

    /** An IPv6 packet. */
    public static byte[] ip6(final SockAddr src, final SockAddr dst, final int nxt, final byte[] payload) {
        final byte[] b = new byte[40 + payload.length];
        b[0] = 0x60;
        Packets.put(b, 4, payload.length, 2);
        b[6] = (byte) nxt;
        b[7] = 64;
        put(b, 8, src);
        put(b, 24, dst);
        System.arraycopy(payload, 0, b, 40, payload.length);
        return b;
    }

    private static void put(final byte[] b, final int off, final SockAddr a) {
        Packets.put(b, off, a.hi(), 8);
        Packets.put(b, off + 8, a.lo(), 8);
    }

    /** The same packet with headers of a length that is a multiple of 8 before its payload. */
    public static byte[] with(final byte[] ip6, final int nxt, final byte[] headers) {
        final byte[] b = new byte[ip6.length + headers.length];
        System.arraycopy(ip6, 0, b, 0, 40);
        System.arraycopy(headers, 0, b, 40, headers.length);
        System.arraycopy(ip6, 40, b, 40 + headers.length, ip6.length - 40);
        b[6] = (byte) nxt;
        Packets.put(b, 4, b.length - 40, 2);
        return b;
    }

    /** A fragment header. */
    public static byte[] fragHeader(final int nxt, final int off, final boolean more, final int id) {
        final byte[] b = new byte[8];
        b[0] = (byte) nxt;
        Packets.put(b, 2, off | (more ? 1 : 0), 2);
        Packets.put(b, 4, id & 0xffff_ffffL, 4);
        return b;
    }

    /** An ICMPv6 message with a right checksum in a packet. */
    public static byte[] icmp6(
        final SockAddr src, final SockAddr dst, final int typeAndCode, final int word, final byte[] payload) {
        final byte[] icmp = new byte[8 + payload.length];
        Packets.put(icmp, 0, typeAndCode, 2);
        Packets.put(icmp, 4, word & 0xffff_ffffL, 4);
        System.arraycopy(payload, 0, icmp, 8, payload.length);
        final byte[] b = ip6(src, dst, ICMPV6, icmp);
        b[7] = (byte) 255;
        Packets.put(b, 42, cksum6(b, 40, ICMPV6), 2);
        return b;
    }

    /** The checksum of a transport from {@code off} on; of a packet that has one, 0 if it is right. */
    public static int cksum6(final byte[] ip6, final int off, final int proto) {
        final int n = ip6.length - off;
        final byte[] b = new byte[40 + n];
        System.arraycopy(ip6, 8, b, 0, 32);
        Packets.put(b, 32, n, 4);
        Packets.put(b, 36, proto, 4);
        System.arraycopy(ip6, off, b, 40, n);
        return Packets.cksum(b, 0, b.length);
    }

    public void receive0(final byte[] packet) {
        receive(net.wire0, packet);
    }

    public void receive(final TestWire wire, final byte[] packet) {
        final long mac = packet[24] == -1 ? 0x333300000000L | Packets.i32(packet, 36) & 0xffff_ffffL
            : EtherHeader.addr(wire.ifp.lladdr());
        wire.receive(Packets.ether(mac, PEER_MAC, ETHERTYPE_IPV6, packet));
        pump();
    }

    /** Takes what was sent: solicitations are answered, IPv6 packets kept. */
    public void pump() {
        boolean any = true;
        while (any) {
            net.vnet.runUntilIdle();
            any = pump(net.wire0, sent0);
            any |= pump(net.wire1, sent1);
        }
    }

    private static boolean pump(final TestWire wire, final List<byte[]> out) {
        boolean any = false;
        byte[] f = wire.next();
        while (f != null) {
            final boolean six = Packets.u16(f, 12) == ETHERTYPE_IPV6;
            if (six && f[20] == ICMPV6 && Packets.u8(f, 54) == NS) {
                answer(wire, f);
            } else if (six) {
                out.add(Packets.tail(f, 14));
            }
            any = true;
            f = wire.next();
        }
        return any;
    }

    private static void answer(final TestWire wire, final byte[] f) {
        final SockAddr target = addr(f, 62);
        final SockAddr asker = addr(f, 22);
        if (asker.isAny()) {
            return; // duplicate address detection: it is free
        }
        final byte[] payload = new byte[24];
        System.arraycopy(f, 62, payload, 0, 16);
        payload[16] = 2;
        payload[17] = 1;
        Packets.put(payload, 18, PEER_MAC, 6);
        final byte[] na = icmp6(target, asker, NA << 8, 0x6000_0000, payload);
        wire.receive(Packets.ether(Packets.mac(f, 6), PEER_MAC, ETHERTYPE_IPV6, na));
    }

    /** The address at an offset. */
    public static SockAddr addr(final byte[] b, final int off) {
        final SockAddr a = new SockAddr();
        a.setIn6((long) Packets.i32(b, off) << 32 | Packets.i32(b, off + 4) & 0xffff_ffffL,
            (long) Packets.i32(b, off + 8) << 32 | Packets.i32(b, off + 12) & 0xffff_ffffL, 0, 0);
        return a;
    }

    /** Moves time step by step; neighbours answer at once. */
    public void advance(final long ns) {
        final long end = net.clock.nanoTime() + ns;
        net.vnet.runUntilIdle();
        pump();
        while (net.vnet.nextDeadlineNs() <= end) {
            net.clock.advanceTo(Math.max(net.clock.nanoTime(), net.vnet.nextDeadlineNs()));
            net.vnet.runUntilIdle();
            pump();
        }
        net.clock.advanceTo(end);
        net.vnet.runUntilIdle();
        pump();
    }

    @Override
    public void close() {
        net.close();
    }
}
