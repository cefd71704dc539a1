package io.gatun.netinet;

import io.gatun.netinet.ip6.In6;
import io.gatun.spi.ifnet.IfnetTable;
import io.gatun.spi.socket.SockAddr;

/**
 * An address with the length of its network part, as people write it: {@code 10.0.0.1/24}, {@code 2001:db8::1/64}, or a
 * bare address, which is one host. Addresses are literals without short forms; no name is looked up.
 *
 * @param addr the address; a small scope's zone stands in its {@code scopeId}
 * @param bits 0..32, or 0..128 of IPv6
 */
public record InPrefix(SockAddr addr, int bits) {
    private static final int BITS4 = 32;
    private static final int BITS6 = 128;

    /**
     * Reads a prefix; {@code default} is 0.0.0.0/0.
     *
     * @param zones interfaces by which a zone may be named, as in {@code fe80::1%tap0}, or null
     * @throws IllegalArgumentException, with what is wrong, for anything else
     */
    public static InPrefix parse(final String text, final IfnetTable zones) {
        if ("default".equals(text)) {
            return any(SockAddr.AF_INET);
        }
        final int slash = text.indexOf('/');
        final SockAddr addr = address(slash < 0 ? text : text.substring(0, slash), zones);
        final int most = addr.family() == SockAddr.AF_INET ? BITS4 : BITS6;
        return new InPrefix(addr, slash < 0 ? most : length(text, text.substring(slash + 1), most));
    }

    /** Every address of a family. */
    public static InPrefix any(final int family) {
        return new InPrefix(family == SockAddr.AF_INET6 ? SockAddr.in6(0, 0, 0) : SockAddr.in(0, 0), 0);
    }

    /** Reads a bare address. {@link IllegalArgumentException} for anything else. */
    public static SockAddr address(final String text, final IfnetTable zones) {
        if (text.indexOf(':') < 0 && !text.matches("[0-9]{1,3}([.][0-9]{1,3}){3}")) { // no short forms such as 10.1
            throw new IllegalArgumentException("'" + text + "' is not an IPv4 address");
        }
        return SockAddr.of(text, 0, zones);
    }

    private static int length(final String whole, final String text, final int most) {
        if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > most) {
            throw new IllegalArgumentException("'" + whole + "' has no prefix length in 0.." + most);
        }
        return Integer.parseInt(text);
    }

    /** Whether it is one address. */
    public boolean isHost() {
        return bits == (addr.family() == SockAddr.AF_INET ? BITS4 : BITS6);
    }

    /** As the routing table keeps it: a zone is put into the address. */
    InPrefix embedded() {
        if (addr.scopeId() == 0 || !In6.zoned(addr.hi())) {
            return this;
        }
        return new InPrefix(SockAddr.in6(In6.embed(addr), addr.lo(), 0), bits);
    }

    @Override
    public String toString() {
        return addr.host() + (isHost() ? "" : "/" + bits);
    }
}
