package io.gatun.cli.ctl;

import io.gatun.netinet.Inet6;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6Ifinfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;

/** The words for what neighbour discovery does on an interface, and for the state of its addresses. */
enum Nd6Flags {
    NUD(Nd6Ifinfo.ND6_IFF_PERFORMNUD, "PERFORMNUD"),
    ACCEPT_RTADV(Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV, "ACCEPT_RTADV"),
    DISABLED(Nd6Ifinfo.ND6_IFF_IFDISABLED, "IFDISABLED"),
    AUTO_LINKLOCAL(Nd6Ifinfo.ND6_IFF_AUTO_LINKLOCAL, "AUTO_LINKLOCAL"),
    NO_RADR(Nd6Ifinfo.ND6_IFF_NO_RADR, "NO_RADR"),
    NO_DAD(Nd6Ifinfo.ND6_IFF_NO_DAD, "NO_DAD"),
    STABLEADDR(Nd6Ifinfo.ND6_IFF_STABLEADDR, "STABLEADDR");

    private static final long SEC = 1_000_000_000L;

    private final int bit;
    private final String shown;

    Nd6Flags(final int bit, final String shown) {
        this.bit = bit;
        this.shown = shown;
    }

    private String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    private boolean is(final String word) {
        return word.equals(word()) || this == DISABLED && word.equals("ifdisabled");
    }

    /** IPv6 of a stack; null when it has none. */
    static Inet6 inet6(final Vnet vnet) {
        return vnet.service(InetConfig.class).inet().inet6();
    }

    /** Takes a word such as {@code accept_rtadv} or {@code -accept_rtadv}; false for another. */
    static boolean take(final Vnet vnet, final Ifnet ifp, final Args args) throws IOException {
        final boolean clear = args.peek().startsWith("-");
        final String word = clear ? args.peek().substring(1) : args.peek();
        for (final Nd6Flags f : values()) {
            if (f.is(word)) {
                args.next(word);
                final Inet6 six = inet6(vnet);
                ErrnoException.check(six == null ? Errno.EAFNOSUPPORT
                    : six.nd6.setFlags(ifp, clear ? 0 : f.bit, clear ? f.bit : 0), ifp.xname() + ": " + word);
                return true;
            }
        }
        return false;
    }

    /** The words that are set, as ndp shows them. */
    static String words(final Nd6Ifinfo info) {
        final StringBuilder out = new StringBuilder();
        for (final Nd6Flags f : values()) {
            out.append(info.has(f.bit) ? " " + f.word() : "");
        }
        return out.toString();
    }

    /** As ifconfig shows them. */
    static void show(final Nd6Ifinfo info, final StringBuilder out) {
        final StringBuilder names = new StringBuilder();
        for (final Nd6Flags f : values()) {
            names.append(info.has(f.bit) ? (names.isEmpty() ? "" : ",") + f.shown : "");
        }
        out.append("\tnd6 options=").append(Integer.toHexString(info.flags())).append('<').append(names).append(">\n");
    }

    /** What is to be said of an address: its state, and how long it lives. */
    static String state(final Vnet vnet, final Ifnet ifp, final IfAddr a) {
        final Inet6 six = inet6(vnet);
        final In6Ifaddr ia = six == null ? null
            : six.addrs.lookup(In6.embed(a.addr().hi(), ifp.index()), a.addr().lo());
        if (ia == null) {
            return "";
        }
        final int[] bits = {In6Ifaddr.IN6_IFF_ANYCAST, In6Ifaddr.IN6_IFF_TENTATIVE, In6Ifaddr.IN6_IFF_DUPLICATED,
            In6Ifaddr.IN6_IFF_DETACHED, In6Ifaddr.IN6_IFF_DEPRECATED, In6Ifaddr.IN6_IFF_AUTOCONF,
            In6Ifaddr.IN6_IFF_TEMPORARY};
        final String[] names = {"anycast", "tentative", "duplicated", "detached", "deprecated", "autoconf",
            "temporary"};
        final StringBuilder out = new StringBuilder();
        for (int i = 0; i < bits.length; i++) {
            out.append(ia.has(bits[i]) ? " " + names[i] : "");
        }
        if (ia.validNs() != In6Ifaddr.INFINITE || ia.preferredNs() != In6Ifaddr.INFINITE) {
            out.append(" pltime ").append(left(vnet, ia.preferredNs())).append(" vltime ")
                .append(left(vnet, ia.validNs()));
        }
        return out.toString();
    }

    /** Takes a lifetime: seconds, or infty. */
    static long lifetime(final Args args) {
        return args.take("infty") ? Long.MAX_VALUE : args.number("a lifetime in seconds", 0, 999_999_999);
    }

    /** Whether an interface has an IPv6 address. */
    static boolean has(final InetConfig inet, final Ifnet ifp, final SockAddr addr) {
        if (inet.nd6() == null || addr.family() != SockAddr.AF_INET6) {
            throw new IllegalArgumentException("only IPv6 addresses have lifetimes");
        }
        return inet.inet().inet6().addrs.lookup(In6.embed(addr.hi(), ifp.index()), addr.lo()) != null;
    }

    private static String left(final Vnet vnet, final long at) {
        return at == In6Ifaddr.INFINITE ? "infty"
            : Long.toString(Math.max(0, (at - vnet.clock().nanoTime() + SEC - 1) / SEC));
    }
}
