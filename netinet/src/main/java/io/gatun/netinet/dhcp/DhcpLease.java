package io.gatun.netinet.dhcp;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.spi.socket.SockAddr;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a server gave. Immutable.
 *
 * @param address the address with the length of its network's prefix
 * @param server who gave it
 * @param routes ways to networks, most wanted first, a default route among them
 * @param dns name servers
 * @param domain the domain's name, or null
 * @param mtu octets, 0 when none was told
 * @param leaseSec how long it is good, {@link #FOREVER} for ever
 * @param renewalSec when its server is asked for more (T1)
 * @param rebindingSec when any server is asked for more (T2)
 */
public record DhcpLease(
    InPrefix address, int server, List<Via> routes, List<SockAddr> dns, String domain, int mtu, long leaseSec,
    long renewalSec, long rebindingSec) {
    /** A lease without an end. */
    public static final long FOREVER = 0xffff_ffffL;

    private static final int OPT_MASK = 1;
    private static final int OPT_ROUTER = 3;
    private static final int OPT_DNS = 6;
    private static final int OPT_DOMAIN = 15;
    private static final int OPT_MTU = 26;
    private static final int OPT_LEASE = 51;
    private static final int OPT_SERVER = 54;
    private static final int OPT_T1 = 58;
    private static final int OPT_T2 = 59;
    private static final int OPT_CLASSLESS = 121;
    private static final int MIN_MTU = 576;
    private static final int BITS = 32;
    private static final int MAX_DOMAIN = 253;

    /**
     * A way to a network.
     *
     * @param dst the network
     * @param gateway the router, or null for a network on the link
     */
    public record Via(InPrefix dst, SockAddr gateway) {
    }

    /**
     * Reads an offer or acknowledgement; null when it tells nothing a host can live with: no address that a host can
     * have, no server, no time, or a mask, list or name that is none.
     */
    static DhcpLease of(final DhcpMessage m) {
        final int addr = m.yiaddr();
        final int bits = maskBits(m, addr);
        final int server = m.word(OPT_SERVER, 0);
        final long lease = m.word(OPT_LEASE, 0) & FOREVER;
        final List<Via> routes = routes(m);
        final String domain = domain(m.option(OPT_DOMAIN));
        final int host = bits >= BITS - 1 || bits < 0 ? 1 : addr & ~(-1 << BITS - bits);
        final boolean all = bits >= 0 && bits < BITS - 1 && (addr | -1 << BITS - bits) == -1;
        if (bits < 0 || host == 0 || all || !InAddrs.canForward(addr) && !InAddrs.isLinkLocal(addr) || server == 0
                || lease == 0 || routes == null || domain == null) {
            return null;
        }
        final long t1 = m.word(OPT_T1, 0) & FOREVER;
        final long t2 = m.word(OPT_T2, 0) & FOREVER;
        final boolean told = t1 > 0 && t1 < t2 && t2 < lease;
        final int mtu = m.option(OPT_MTU) == null ? 0 : m.half(OPT_MTU);
        return new DhcpLease(new InPrefix(SockAddr.in(addr, 0), bits), server, routes, addresses(m.option(OPT_DNS)),
            domain.isEmpty() ? null : domain, mtu < MIN_MTU ? 0 : mtu, lease, told ? t1 : lease / 2,
            told ? t2 : lease * 7 / 8);
    }

    /** Of the mask told, or by the class of the address; -1 for a mask that is none. */
    private static int maskBits(final DhcpMessage m, final int addr) {
        if (m.option(OPT_MASK) == null) {
            return addr >>> 31 == 0 ? 8 : addr >>> 30 == 2 ? 16 : 24;
        }
        final int mask = m.word(OPT_MASK, 0);
        final int bits = Integer.numberOfLeadingZeros(~mask);
        return bits == 0 || bits < BITS && mask << bits != 0 ? -1 : bits;
    }

    private static List<SockAddr> addresses(final byte[] list) {
        final List<SockAddr> out = new ArrayList<>();
        for (int i = 0; list != null && i + Integer.BYTES <= list.length; i += Integer.BYTES) {
            final int a = DhcpMessage.word(list, i);
            if (InAddrs.canForward(a)) {
                out.add(SockAddr.in(a, 0));
            }
        }
        return List.copyOf(out);
    }

    /** Classless routes, which say all (RFC 3442), else the routers; null for a list that is malformed. */
    private static List<Via> routes(final DhcpMessage m) {
        final byte[] list = m.option(OPT_CLASSLESS);
        final List<Via> out = new ArrayList<>();
        if (list == null) {
            for (final SockAddr router : addresses(m.option(OPT_ROUTER))) {
                out.add(new Via(InPrefix.any(SockAddr.AF_INET), router));
            }
            return List.copyOf(out);
        }
        int at = 0;
        while (at < list.length) {
            final int bits = list[at++] & 0xff;
            final int octets = (bits + Byte.SIZE - 1) / Byte.SIZE;
            if (bits > BITS || at + octets + Integer.BYTES > list.length) {
                return null;
            }
            int net = 0;
            for (int i = 0; i < octets; i++) {
                net |= (list[at + i] & 0xff) << BITS - (i + 1) * Byte.SIZE;
            }
            at += octets;
            final int gateway = DhcpMessage.word(list, at);
            at += Integer.BYTES;
            final int mask = bits == 0 ? 0 : -1 << BITS - bits;
            out.add(new Via(new InPrefix(SockAddr.in(net & mask, 0), bits),
                gateway == 0 ? null : SockAddr.in(gateway, 0)));
        }
        return List.copyOf(out);
    }

    /** Empty for none, null for one with letters that no name has. */
    private static String domain(final byte[] text) {
        if (text == null) {
            return "";
        }
        final String s = new String(text, StandardCharsets.ISO_8859_1).replace("\0", "");
        return s.length() <= MAX_DOMAIN && s.matches("[A-Za-z0-9_.-]*") ? s : null;
    }
}
