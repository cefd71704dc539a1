package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.PortRange;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;

/** The options of level IPPROTO_IP, which every protocol over IPv4 shares. @bsd ip_ctloutput */
public final class IpCtloutput {
    private static final int OCTET = 255;

    private final InMcast mcast;

    public IpCtloutput(final Inet inet) {
        mcast = new InMcast(inet);
    }

    /**
     * Gets or sets an option.
     *
     * @return OK; ENOPROTOOPT for an option that is not there, EINVAL for a bad value, EPERM for IP_BINDANY without
     *     privilege, EADDRNOTAVAIL for an interface or membership that is not there
     */
    public Errno ctloutput(final Inpcb inp, final SockOpt opt) {
        inp.lock.lock();
        try {
            return opt.dir() == SockOpt.Dir.SET ? set(inp, opt) : get(inp, opt);
        } finally {
            inp.lock.unlock();
        }
    }

    private Errno set(final Inpcb inp, final SockOpt opt) {
        final long v = opt.value();
        switch (opt.name()) {
            case InDefs.IP_TTL, InDefs.IP_MINTTL, InDefs.IP_TOS -> {
                return setOctet(inp, opt.name(), v);
            }
            case InDefs.IP_DONTFRAG, InDefs.IP_RECVOPTS, InDefs.IP_RECVDSTADDR,
                InDefs.IP_RECVIF, InDefs.IP_RECVTTL, InDefs.IP_RECVTOS,
                InDefs.IP_ORIGDSTADDR -> flag(inp, bit(opt.name()), v);
            case InDefs.IP_OPTIONS -> {
                return setOptions(inp, opt.object());
            }
            case InDefs.IP_BINDANY -> {
                if (!inp.cred.privileged()) {
                    return Errno.EPERM;
                }
                flag(inp, Inpcb.INP_BINDANY, v);
            }
            case InDefs.IP_PORTRANGE -> {
                return PortRange.set(inp, v);
            }
            default -> {
                return InMcast.knows(opt.name()) ? mcast.set(inp, opt) : Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    private static Errno setOctet(final Inpcb inp, final int name, final long v) {
        final int least = name == InDefs.IP_TTL ? 1 : 0;
        if (v < least || v > OCTET) {
            return Errno.EINVAL;
        }
        switch (name) {
            case InDefs.IP_TTL -> inp.ttl = (short) v;
            case InDefs.IP_MINTTL -> inp.minttl = (short) v;
            default -> inp.tos = (short) v;
        }
        return Errno.OK;
    }

    /** The octets of IP options, or none. TCP has no room for them. @bsd ip_pcbopts */
    private static Errno setOptions(final Inpcb inp, final Object arg) {
        if (arg != null && !(arg instanceof byte[])) {
            return Errno.EINVAL;
        }
        final byte[] octets = arg == null ? new byte[0] : (byte[]) arg;
        if (inp.info.protocol() == InDefs.IPPROTO_TCP) {
            return Errno.EOPNOTSUPP;
        }
        final Errno e = IpOptions.valid(octets);
        if (e == Errno.OK) {
            inp.options = IpOptions.padded(octets);
        }
        return e;
    }

    /** The INP_* bit that an option is. */
    private static int bit(final int name) {
        return switch (name) {
            case InDefs.IP_DONTFRAG -> Inpcb.INP_DONTFRAG;
            case InDefs.IP_RECVOPTS -> Inpcb.INP_RECVOPTS;
            case InDefs.IP_RECVDSTADDR -> Inpcb.INP_RECVDSTADDR;
            case InDefs.IP_RECVIF -> Inpcb.INP_RECVIF;
            case InDefs.IP_RECVTTL -> Inpcb.INP_RECVTTL;
            case InDefs.IP_RECVTOS -> Inpcb.INP_RECVTOS;
            case InDefs.IP_BINDANY -> Inpcb.INP_BINDANY;
            default -> Inpcb.INP_ORIGDSTADDR;
        };
    }

    private static void flag(final Inpcb inp, final int bit, final long v) {
        inp.setFlagBits(v == 0 ? 0 : bit, v == 0 ? bit : 0);
    }

    // ---- readings ------------------------------------------------------------

    private Errno get(final Inpcb inp, final SockOpt opt) {
        switch (opt.name()) {
            case InDefs.IP_OPTIONS ->
                opt.answer((Object) (inp.options == null ? new byte[0] : inp.options.clone()));
            case InDefs.IP_TTL -> opt.answer(inp.ttl);
            case InDefs.IP_MINTTL -> opt.answer(inp.minttl);
            case InDefs.IP_TOS -> opt.answer(inp.tos);
            case InDefs.IP_DONTFRAG, InDefs.IP_RECVOPTS, InDefs.IP_RECVDSTADDR,
                InDefs.IP_RECVIF, InDefs.IP_RECVTTL, InDefs.IP_RECVTOS,
                InDefs.IP_ORIGDSTADDR, InDefs.IP_BINDANY -> opt.answer(inp.has(bit(opt.name())) ? 1 : 0);
            case InDefs.IP_PORTRANGE -> opt.answer(PortRange.of(inp));
            default -> {
                return InMcast.knows(opt.name()) ? mcast.get(inp, opt) : Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }
}
