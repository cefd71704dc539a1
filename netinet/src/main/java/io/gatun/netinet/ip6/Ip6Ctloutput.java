package io.gatun.netinet.ip6;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;

/** The options of level IPPROTO_IPV6, which every protocol over IPv6 shares (RFC 3493, 3542). @bsd ip6_ctloutput */
public final class Ip6Ctloutput {
    private static final int OCTET = 255;

    /** Knows no state. */
    public Ip6Ctloutput() {
        // all is in the block
    }

    /**
     * Gets or sets an option.
     *
     * @return OK; ENOPROTOOPT for an option that is not there, EINVAL for a bad value or, of IPV6_V6ONLY, when bound
     */
    public Errno ctloutput(final Inpcb inp, final SockOpt opt) {
        inp.lock.lock();
        try {
            return opt.dir() == SockOpt.Dir.SET ? set(inp, opt) : get(inp, opt);
        } finally {
            inp.lock.unlock();
        }
    }

    private static Errno set(final Inpcb inp, final SockOpt opt) {
        final long v = opt.value();
        switch (opt.name()) {
            case InDefs.IPV6_V6ONLY -> {
                return inp.setV6only(v != 0);
            }
            case InDefs.IPV6_UNICAST_HOPS -> {
                if (v < -1 || v > OCTET) {
                    return Errno.EINVAL;
                }
                inp.ttl = (int) v;
            }
            case InDefs.IPV6_TCLASS -> {
                if (v < -1 || v > OCTET) {
                    return Errno.EINVAL;
                }
                inp.tos = Math.max(0, (int) v);
            }
            case InDefs.IPV6_AUTOFLOWLABEL -> {
                final int bit = Inpcb.IN6P_AUTOFLOWLABEL;
                inp.setFlagBits(v == 0 ? 0 : bit, v == 0 ? bit : 0);
            }
            case InDefs.IPV6_DONTFRAG -> {
                final int bit = Inpcb.INP_DONTFRAG;
                inp.setFlagBits(v == 0 ? 0 : bit, v == 0 ? bit : 0);
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    private static Errno get(final Inpcb inp, final SockOpt opt) {
        switch (opt.name()) {
            case InDefs.IPV6_V6ONLY -> opt.answer(inp.has(Inpcb.IN6P_IPV6_V6ONLY) ? 1 : 0);
            case InDefs.IPV6_UNICAST_HOPS -> opt.answer(inp.ttl < 0 ? Ip6Header.HLIM_DEFAULT : inp.ttl);
            case InDefs.IPV6_TCLASS -> opt.answer(inp.tos);
            case InDefs.IPV6_AUTOFLOWLABEL -> opt.answer(inp.has(Inpcb.IN6P_AUTOFLOWLABEL) ? 1 : 0);
            case InDefs.IPV6_DONTFRAG -> opt.answer(inp.has(Inpcb.INP_DONTFRAG) ? 1 : 0);
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }
}
