package io.gatun.netinet.pcb;

import io.gatun.netinet.ip6.In6;
import io.gatun.spi.socket.SockAddr;

/**
 * Socket addresses as packets have them: of the family that is spoken, so that ::ffff:10.0.0.1 becomes 10.0.0.1, and
 * with the zone put in.
 *
 * @bsd in6_sin6_2_sin
 */
final class PcbWire {
    private PcbWire() {
    }

    /** Whether this address stands for an IPv4 one on this block. */
    static boolean mapped(final Inpcb inp, final SockAddr nam) {
        return nam.family() == SockAddr.AF_INET6 && In6.isV4Mapped(nam.hi(), nam.lo())
            && !inp.has(Inpcb.IN6P_IPV6_V6ONLY);
    }

    /** The address itself, or {@code scratch} filled with what packets have. Borrows nam. */
    static SockAddr of(final Inpcb inp, final SockAddr nam, final SockAddr scratch) {
        if (nam.family() != SockAddr.AF_INET6) {
            return nam;
        }
        if (mapped(inp, nam)) {
            scratch.setIn((int) nam.lo(), nam.port());
        } else {
            scratch.setIn6(In6.embed(nam), nam.lo(), nam.port(), 0);
        }
        return scratch;
    }

    /** What a block talks once it is bound to an address. */
    static int localFlags(final Inpcb inp, final SockAddr nam) {
        if (nam.family() == SockAddr.AF_INET || mapped(inp, nam)) {
            return Inpcb.INP_IPV4;
        }
        return nam.isAny() ? inp.freshVflag() : Inpcb.INP_IPV6;
    }

    /** The family of packets of a block that talks {@code vflag}: AF_INET only when it talks nothing else. */
    static int family(final int vflag) {
        return vflag == Inpcb.INP_IPV4 ? SockAddr.AF_INET : SockAddr.AF_INET6;
    }
}
