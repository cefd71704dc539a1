package io.gatun.spi.socket;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetTable;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * Room for one socket address of any family, mutable so that data paths can fill the caller's storage instead of
 * allocating. An address that others keep (a bound name, an interface address, a route) is never changed by them:
 * {@link #copy} first.
 *
 * <p>An IPv4 address is the int {@code 0x7f000001} for 127.0.0.1; an IPv6 address is two longs, the first eight
 * octets in {@code hi}.
 *
 * @bsd struct sockaddr_storage
 */
public final class SockAddr {
    public static final int AF_UNSPEC = 0;
    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int AF_ROUTE = 17;
    public static final int AF_LINK = 18;
    public static final int AF_INET6 = 28;

    public static final int INADDR_ANY = 0;
    public static final int INADDR_LOOPBACK = 0x7f000001;
    public static final int INADDR_BROADCAST = -1;

    private int family;
    private int port;      // 0..65535, host order
    private long hi;       // IPv6 octets 0..7; 0 otherwise
    private long lo;       // IPv6 octets 8..15; IPv4 in the low 32 bits; link address in the low 48
    private int scopeId;   // IPv6 zone, or interface index of a link address
    private int flowinfo;  // IPv6 flow label, 20 bits
    private String path;   // AF_UNIX

    /** Empty storage, AF_UNSPEC. */
    public SockAddr() {
        // fields start as zero
    }

    /** An IPv4 address. @bsd struct sockaddr_in */
    public static SockAddr in(final int addr, final int port) {
        final SockAddr sa = new SockAddr();
        sa.setIn(addr, port);
        return sa;
    }

    /**
     * From an address literal of either family; never asks a name server. A zone is a number here: {@code fe80::1%2}.
     *
     * @throws IllegalArgumentException for anything but an IPv4 or IPv6 literal, or a port outside 0..65535
     */
    public static SockAddr of(final String literal, final int port) {
        return of(literal, port, null);
    }

    /**
     * From an address literal of either family, whose zone may be the name of an interface: {@code fe80::1%epair0a}.
     *
     * @param zones the interfaces of the vnet that the address is for, or null for zones that are numbers
     * @throws IllegalArgumentException for anything else, an interface that is not there, or a port outside 0..65535
     */
    public static SockAddr of(final String literal, final int port, final IfnetTable zones) {
        if (port < 0 || port > 0xffff) {
            throw new IllegalArgumentException("port " + port + " is not in 0..65535");
        }
        final int percent = literal.indexOf('%');
        final String bare = percent < 0 ? literal : literal.substring(0, percent);
        final long[] words = In6Text.parse(bare);
        if (words != null) {
            final SockAddr sa = new SockAddr();
            sa.setIn6(words[0], words[1], port, percent < 0 ? 0 : zone(literal, percent + 1, zones));
            return sa;
        }
        try {
            return of(new InetSocketAddress(Inet4Address.ofLiteral(literal), port));
        } catch (final IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + literal + "' is not an IPv4 or IPv6 address", e);
        }
    }

    private static int zone(final String literal, final int from, final IfnetTable zones) {
        final String name = literal.substring(from);
        if (name.matches("[0-9]{1,5}")) {
            return Integer.parseInt(name);
        }
        final Ifnet ifp = zones == null ? null : zones.byName(name);
        if (ifp == null) {
            throw new IllegalArgumentException("'" + literal + "': no interface " + name);
        }
        return ifp.index();
    }

    /** From Java's form; it must be resolved. */
    public static SockAddr of(final InetSocketAddress address) {
        final byte[] b = address.getAddress().getAddress();
        final SockAddr sa = new SockAddr();
        if (b.length == Integer.BYTES) {
            sa.setIn((int) be(b, 0, Integer.BYTES), address.getPort());
        } else {
            sa.setIn6(be(b, 0, Long.BYTES), be(b, Long.BYTES, Long.BYTES), address.getPort(), 0);
            if (address.getAddress() instanceof Inet6Address a6) {
                sa.scopeId = a6.getScopeId();
            }
        }
        return sa;
    }

    /** An IPv6 address. @bsd struct sockaddr_in6 */
    public static SockAddr in6(final long hi, final long lo, final int port) {
        final SockAddr sa = new SockAddr();
        sa.setIn6(hi, lo, port, 0);
        return sa;
    }

    /** A path name. @bsd struct sockaddr_un */
    public static SockAddr un(final String path) {
        final SockAddr sa = new SockAddr();
        sa.family = AF_UNIX;
        sa.path = path;
        return sa;
    }

    /** A link address of 6 octets. @bsd struct sockaddr_dl */
    public static SockAddr link(final byte[] lladdr, final int ifIndex) {
        final SockAddr sa = new SockAddr();
        sa.setLink(be(lladdr, 0, lladdr.length), ifIndex);
        return sa;
    }

    private static long be(final byte[] b, final int from, final int n) {
        long v = 0;
        for (int i = 0; i < n; i++) {
            v = v << Byte.SIZE | b[from + i] & 0xffL;
        }
        return v;
    }

    /** AF_*. @bsd sa_family */
    public int family() {
        return family;
    }

    /** Host order. @bsd sin_port */
    public int port() {
        return port;
    }

    /** The IPv4 address; meaningful for AF_INET. @bsd sin_addr */
    public int in4() {
        return (int) lo;
    }

    /** First eight octets of an IPv6 address. @bsd sin6_addr */
    public long hi() {
        return hi;
    }

    /** Last eight octets of an IPv6 address, an IPv4 address in the low 32 bits, a link address in the low 48. */
    public long lo() {
        return lo;
    }

    /** @bsd sin6_scope_id */
    public int scopeId() {
        return scopeId;
    }

    /** @bsd sin6_flowinfo */
    public int flowinfo() {
        return flowinfo;
    }

    /** @bsd sun_path */
    public String path() {
        return path;
    }

    /** Makes this an IPv4 address. */
    public void setIn(final int addr, final int newPort) {
        clear();
        family = AF_INET;
        lo = addr & 0xffff_ffffL;
        port = newPort;
    }

    /** Makes this an IPv6 address. */
    public void setIn6(final long newHi, final long newLo, final int newPort, final int newScopeId) {
        clear();
        family = AF_INET6;
        hi = newHi;
        lo = newLo;
        port = newPort;
        scopeId = newScopeId;
    }

    /** Makes this a link address, octets in the low 48 bits. */
    public void setLink(final long lladdr, final int ifIndex) {
        clear();
        family = AF_LINK;
        lo = lladdr;
        scopeId = ifIndex;
    }

    /** Sets the port, 0..65535. */
    public void setPort(final int newPort) {
        port = newPort;
    }

    /** Sets the flow label and traffic class of an IPv6 address. */
    public void setFlowinfo(final int label) {
        flowinfo = label;
    }

    /** Makes this equal to another. */
    public void set(final SockAddr other) {
        family = other.family;
        port = other.port;
        hi = other.hi;
        lo = other.lo;
        scopeId = other.scopeId;
        flowinfo = other.flowinfo;
        path = other.path;
    }

    /** Makes this AF_UNSPEC. */
    public void clear() {
        family = AF_UNSPEC;
        port = 0;
        hi = 0;
        lo = 0;
        scopeId = 0;
        flowinfo = 0;
        path = null;
    }

    /** A new address equal to this. @bsd sodupsockaddr */
    public SockAddr copy() {
        final SockAddr sa = new SockAddr();
        sa.set(this);
        return sa;
    }

    /** The unspecified address of its family (0.0.0.0 or ::), whatever the port. @bsd INADDR_ANY */
    public boolean isAny() {
        return hi == 0 && lo == 0;
    }

    /** Class D, or ff00::/8. @bsd IN_MULTICAST */
    public boolean isMulticast() {
        return family == AF_INET ? lo >>> 28 == 0xe : family == AF_INET6 && hi >>> 56 == 0xff;
    }

    /** Same family and address, whatever the port. */
    public boolean sameAddr(final SockAddr other) {
        return family == other.family && hi == other.hi && lo == other.lo && scopeId == other.scopeId;
    }

    /** Java's form of an AF_INET or AF_INET6 address. Allocates. */
    public InetSocketAddress toInetSocketAddress() {
        try {
            return new InetSocketAddress(family == AF_INET6 && scopeId != 0
                ? Inet6Address.getByAddress(null, octets(), scopeId) : InetAddress.getByAddress(octets()), port);
        } catch (final UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] octets() {
        final int n = family == AF_INET ? Integer.BYTES : 2 * Long.BYTES;
        final byte[] b = new byte[n];
        for (int i = 0; i < n; i++) {
            final int fromEnd = n - 1 - i;
            final long word = fromEnd < Long.BYTES ? lo : hi;
            b[i] = (byte) (word >>> fromEnd % Long.BYTES * Byte.SIZE);
        }
        return b;
    }

    @Override
    public boolean equals(final Object o) {
        return o instanceof SockAddr s && sameAddr(s) && port == s.port && java.util.Objects.equals(path, s.path);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(new long[] {family, port, hi, lo, scopeId}) * 31 + (path == null ? 0 : path.hashCode());
    }

    /**
     * The address alone, without the port: {@code 10.0.0.1}, {@code fe80::1%2}; of other families {@link #toString}.
     *
     * @bsd inet_ntop
     */
    public String host() {
        return switch (family) {
            case AF_INET -> (lo >>> 24 & 0xff) + "." + (lo >>> 16 & 0xff) + "." + (lo >>> 8 & 0xff) + "." + (lo & 0xff);
            case AF_INET6 -> In6Text.format(hi, lo) + (scopeId == 0 ? "" : "%" + scopeId);
            default -> toString();
        };
    }

    /** As {@link #host} with the zone as the name of its interface, where there is one: {@code fe80::1%epair0a}. */
    public String host(final IfnetTable zones) {
        final Ifnet ifp = family != AF_INET6 || scopeId == 0 ? null : zones.byIndex(scopeId);
        return ifp == null ? host() : In6Text.format(hi, lo) + "%" + ifp.xname();
    }

    /** As netstat prints it: {@code 10.0.0.1:80}, {@code [::1]:80}, a path, or a link address in hex. */
    @Override
    public String toString() {
        return switch (family) {
            case AF_INET -> host() + ":" + port;
            case AF_INET6 -> "[" + host() + "]:" + port;
            case AF_UNIX -> String.valueOf(path);
            case AF_LINK -> "%012x%%%d".formatted(lo, scopeId);
            default -> "unspec";
        };
    }
}
