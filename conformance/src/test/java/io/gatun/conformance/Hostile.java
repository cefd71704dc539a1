package io.gatun.conformance;

import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A neighbour that wishes a host ill: makes frames around what the host has just now, its addresses, what it has said
 * last, what it is waiting for, with values from the edges.
 */
final class Hostile {
    /** Kinds of frames that are answered; others are known by their type. */
    static final int SOLICIT = 1;
    static final int DHCP = 2;
    private static final int SEEN = 12;
    private static final int SOLICIT_AT = Packets.ETHER + Packets.IP6;
    private static final int DHCP_LEAST = 42 + 240;
    private static final long LINK = 0xfe80L << 48;
    private static final long NET = 0x2001_0db8_0001_0000L;
    private static final int VLAN = 5;
    private static final String[] NEAR4 = {"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.77", "10.0.1.254", "10.0.1.255",
        "10.0.1.0", "255.255.255.255", "224.0.0.1", "239.7.7.7", "239.7.7.8", "224.0.0.22", "0.0.0.0", "127.0.0.1",
        "10.5.0.1", "10.5.0.2", "192.0.2.9", "240.0.0.1"};
    private static final String[] NEAR6 = {"2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", "2001:db8:1::77",
        "fe80::2", "fe80::bad", "ff02::1", "ff02::2", "ff02::16", "ff15::77", "ff12::7", "::", "::1", "2001:db8:9::9",
        "ff02::1:ff00:1", "ff02::1:ff00:77", "fd00:5::1", "::ffff:10.0.1.1", "ff01::1", "ff05::2"};

    final SplittableRandom r;
    private final Map<Integer, List<byte[]>> seen = new TreeMap<>();
    private final Hostile4 four = new Hostile4(this);
    private final Hostile6 six = new Hostile6(this);
    private Vnet target;
    private Ifnet ifp;
    private boolean wild;

    Hostile(final SplittableRandom r) {
        this.r = r;
    }

    /** Notes a frame that a host sent. */
    synchronized void saw(final byte[] frame) {
        final int kind = kind(frame);
        final List<byte[]> of = seen.computeIfAbsent(kind, k -> new ArrayList<>());
        if (of.size() == SEEN) {
            of.removeFirst();
        }
        of.add(frame);
    }

    private static int kind(final byte[] f) {
        final ByteBuffer b = ByteBuffer.wrap(f);
        final int type = f.length < Packets.ETHER ? 0 : b.getShort(12) & 0xffff;
        if (type == Packets.TYPE_IP6 && f.length > SOLICIT_AT && f[20] == Packets.ICMP6) {
            return f[SOLICIT_AT] == (byte) 135 ? SOLICIT : type;
        }
        final boolean dhcp = type == Packets.TYPE_IP && f.length > DHCP_LEAST && f[23] == Packets.UDP
            && b.getShort(36) == 67;
        return dhcp ? DHCP : type;
    }

    /** A frame for an interface of a host. */
    synchronized byte[] frame(final Vnet to, final Ifnet at) {
        target = to;
        ifp = at;
        wild = r.nextInt(3) == 0;
        final byte[] old = r.nextInt(12) == 0 ? said(one(Packets.TYPE_IP, Packets.TYPE_IP6, Packets.TYPE_ARP)) : null;
        final byte[] f = old != null ? new Spoiler(r).any(old)
            : seen.containsKey(DHCP) && r.nextInt(6) == 0 ? four.dhcp() : r.nextBoolean() ? four.frame() : six.frame();
        return r.nextInt(12) == 0 ? tagged(f) : f;
    }

    private byte[] tagged(final byte[] f) {
        if (f.length < Packets.ETHER) {
            return f;
        }
        final int tag = edge(VLAN, VLAN, VLAN, 0, 6, 4095) | r.nextInt(8) << 13;
        final byte[] both = ByteBuffer.allocate(4).putShort((short) Packets.TYPE_VLAN).putShort((short) tag).array();
        return Packets.join(Arrays.copyOf(f, 12), both, Arrays.copyOfRange(f, 12, f.length));
    }

    // What the parts ask.

    /** One of these, or anything. */
    int edge(final int... values) {
        return wild && r.nextInt(6) == 0 ? r.nextInt() : values[r.nextInt(values.length)];
    }

    /** A length: one of these, or any below a limit. */
    int length(final int limit, final int... values) {
        return Math.floorMod(edge(values), limit);
    }

    /** One of these. */
    int one(final int... values) {
        return values[r.nextInt(values.length)];
    }

    byte[] octets(final int n) {
        final byte[] b = new byte[Math.max(0, n)];
        r.nextBytes(b);
        return b;
    }

    /** The host's link address. */
    long mac() {
        final byte[] a = ifp.lladdr();
        long v = 0;
        for (final byte b : a) {
            v = v << Byte.SIZE | b & 0xff;
        }
        return v;
    }

    /** A link address to speak with. */
    long someMac() {
        return switch (wild ? r.nextInt(8) : 9) {
            case 0 -> mac();
            case 1 -> Packets.ALL;
            case 2 -> 0x0100_5e07_0707L;
            case 3 -> 0;
            default -> 0x0200_0000_0100L + r.nextInt(8);
        };
    }

    /** An IPv4 address that something may be sent to: of the host, or of a group. */
    int dst4() {
        final List<InIfaddr> own = Bed.config(target).addresses().stream().filter(ia -> ia.addr >>> 24 != 127).toList();
        return wild && r.nextInt(3) == 0 || own.isEmpty() ? addr4()
            : r.nextInt(8) == 0 ? one(0xef070707, 0xe0000001, 0x0a0001ff, -1) : own.get(r.nextInt(own.size())).addr;
    }

    /** An IPv4 address of somebody else. */
    int src4() {
        return wild && r.nextInt(3) == 0 ? addr4() : one(0x0a000102, 0x0a000101, 0x0a0001fe, 0x0a000163, 0xc0000209);
    }

    /** An IPv4 address: often one of the host's. */
    int addr4() {
        final List<InIfaddr> own = Bed.config(target).addresses();
        if (r.nextInt(3) == 0 && !own.isEmpty()) {
            return own.get(r.nextInt(own.size())).addr;
        }
        return SockAddr.of(NEAR4[r.nextInt(NEAR4.length)], 0).in4();
    }

    /** An IPv6 address that something may be sent to. */
    long[] dst6() {
        final List<In6Ifaddr> own =
            Bed.config(target).inet().inet6().addrs.all().stream().filter(ia -> ia.hi != 0).toList();
        return wild && r.nextInt(3) == 0 || own.isEmpty() ? addr6()
            : r.nextInt(8) == 0 ? new long[] {0xff02L << 48, 1} : bare(own.get(r.nextInt(own.size())));
    }

    /** An IPv6 address of somebody else. */
    long[] src6() {
        return wild && r.nextInt(3) == 0 ? addr6()
            : r.nextBoolean() ? new long[] {LINK, 0xbad + r.nextInt(3)} : new long[] {NET, r.nextInt(1, 4)};
    }

    /** An IPv6 address: often one of the host's. */
    long[] addr6() {
        final List<In6Ifaddr> own = Bed.config(target).inet().inet6().addrs.all();
        if (r.nextInt(3) == 0 && !own.isEmpty()) {
            return bare(own.get(r.nextInt(own.size())));
        }
        final SockAddr a = SockAddr.of(NEAR6[r.nextInt(NEAR6.length)], 0);
        return new long[] {a.hi(), a.lo()};
    }

    private static long[] bare(final In6Ifaddr ia) {
        return new long[] {ia.hi >>> 48 == 0xfe80 ? LINK : ia.hi, ia.lo};
    }

    int port() {
        return edge(5001, 5002, 5003, 5004, 9, 67, 68, 0, 0xffff);
    }

    /** A frame of a kind that a host has sent; null when none has. */
    byte[] said(final int kind) {
        final List<byte[]> of = seen.get(kind);
        return of == null ? null : of.get(r.nextBoolean() ? of.size() - 1 : r.nextInt(of.size())).clone();
    }

    /** The same without its link header; null also for one that is cut short. */
    byte[] packet(final int kind) {
        final byte[] f = said(kind);
        final boolean whole = f != null && f.length >= Packets.ETHER + Packets.IP6;
        return whole ? Arrays.copyOfRange(f, Packets.ETHER, f.length) : null;
    }

    boolean isWild() {
        return wild;
    }
}
