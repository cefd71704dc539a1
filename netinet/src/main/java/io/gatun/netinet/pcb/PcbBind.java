package io.gatun.netinet.pcb;

import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT_LB;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/**
 * The rules of bind(2): which local endpoints may be shared. One block conflicts with another when an arriving packet
 * could belong to both, unless both sides agreed to share by options.
 *
 * @bsd in_pcbbind_setup
 */
final class PcbBind {
    /** A block with a wildcard in either place conflicts too. @bsd INPLOOKUP_WILDCARD */
    static final int INPLOOKUP_WILDCARD = 0x1;

    private static final int REUSE_ANY = SO_REUSEADDR | SO_REUSEPORT | SO_REUSEPORT_LB;

    private PcbBind() {
    }

    /**
     * Checks an address and port for a block, and chooses a port when it asks for none. Under pcb and hash lock.
     *
     * @param nam borrowed; null for any address and any port
     * @return the port, or a negative errno
     */
    static int setup(final Inpcb inp, final SockAddr nam, final Ucred cred) {
        assert inp.info.hashLock.owned();
        if (inp.lport != 0 || (inp.llo | inp.lhi) != 0) {
            return -Errno.EINVAL.code();
        }
        final int options = inp.soOptions();
        final int lookup = (options & REUSE_ANY) == 0 ? INPLOOKUP_WILDCARD : 0;
        if (nam == null) {
            return inp.info.portAlloc.anonymous(inp, 0, 0, lookup, cred);
        }
        if (nam.family() != inp.family) {
            return -Errno.EAFNOSUPPORT.code();
        }
        if (!mayUse(inp, nam)) {
            return -Errno.EADDRNOTAVAIL.code();
        }
        if (nam.port() == 0) {
            return inp.info.portAlloc.anonymous(inp, nam.hi(), nam.lo(), lookup, cred);
        }
        if (inp.info.range.reserved(nam.port()) && !cred.privileged()) {
            return -Errno.EACCES.code();
        }
        return shared(inp, nam, options, lookup, cred) ? nam.port() : -Errno.EADDRINUSE.code();
    }

    /** The address must be ours, any, a group, or the block may bind to foreign ones. */
    private static boolean mayUse(final Inpcb inp, final SockAddr nam) {
        return nam.isAny() || nam.isMulticast() || inp.has(Inpcb.INP_BINDANY) || inp.info.addrs.local(nam);
    }

    /** Whether everybody who is there already agrees. */
    private static boolean shared(
        final Inpcb inp, final SockAddr nam, final int options, final int lookup, final Ucred cred) {
        final PortEntry e = inp.info.ports.entry(nam.port());
        if (e == null || e.count == 0) {
            return true;
        }
        final boolean multicast = nam.isMulticast();
        if (!multicast && !cred.privileged() && stolen(e, inp, nam, options)) {
            return false;
        }
        final Inpcb t = conflict(e, inp, nam.hi(), nam.lo(), lookup);
        return t == null || (sharing(options, multicast) & t.soOptions()) != 0;
    }

    /**
     * The options of which the other must have one. A group may be bound by all who say SO_REUSEADDR, since each gets
     * its own copy.
     */
    private static int sharing(final int options, final boolean multicast) {
        int mask = options & (SO_REUSEPORT | SO_REUSEPORT_LB);
        if (multicast && (options & (SO_REUSEADDR | SO_REUSEPORT)) != 0) {
            mask |= SO_REUSEADDR | SO_REUSEPORT;
        }
        if (multicast && (options & (SO_REUSEADDR | SO_REUSEPORT_LB)) != 0) {
            mask |= SO_REUSEADDR | SO_REUSEPORT_LB;
        }
        return mask;
    }

    /** Whether another user holds the port and has not offered to share it. */
    private static boolean stolen(final PortEntry e, final Inpcb inp, final SockAddr nam, final int options) {
        final Inpcb t = conflict(e, inp, nam.hi(), nam.lo(), INPLOOKUP_WILDCARD);
        if (t == null || t.cred.uid() == inp.cred.uid()) {
            return false;
        }
        if (inp.so.type() == SOCK_STREAM && t.fport != 0) {
            return false;
        }
        return !nam.isAny() || (t.llo | t.lhi) != 0
            || (t.soOptions() & (SO_REUSEPORT | SO_REUSEPORT_LB)) == 0;
    }

    /**
     * The block that fits a local endpoint best, or null. Without INPLOOKUP_WILDCARD only one without a peer and with
     * exactly this address; with it also a connected one, or one where either side is bound to any address.
     *
     * @param e may be null
     * @bsd in_pcblookup_local
     */
    static Inpcb conflict(final PortEntry e, final Inpcb inp, final long lhi, final long llo, final int lookup) {
        Inpcb best = null;
        int bestWild = Integer.MAX_VALUE;
        for (Inpcb t = e == null ? null : e.first; t != null && bestWild > 0; t = t.portNext) {
            final int wild = t == inp || t.family != inp.family ? -1 : wildcards(t, lhi, llo);
            if (wild >= 0 && wild < bestWild && (wild == 0 || (lookup & INPLOOKUP_WILDCARD) != 0)) {
                best = t;
                bestWild = wild;
            }
        }
        return best;
    }

    /** How many wildcards a match needs; -1 when it does not match. */
    private static int wildcards(final Inpcb t, final long lhi, final long llo) {
        final int connected = t.fport == 0 ? 0 : 1;
        if (t.llo == llo && t.lhi == lhi) {
            return connected;
        }
        return (t.llo | t.lhi) == 0 || (llo | lhi) == 0 ? connected + 1 : -1;
    }
}
