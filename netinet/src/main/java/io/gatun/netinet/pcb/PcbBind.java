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

    /** @bsd INP_LOOKUP_MAPPED_PCB_COST */
    private static final int MAPPED_COST = 3;
    private static final int REUSE_ANY = SO_REUSEADDR | SO_REUSEPORT | SO_REUSEPORT_LB;

    private PcbBind() {
    }

    /**
     * Checks an address and port for a block, and chooses a port when it asks for none. Under pcb and hash lock.
     *
     * @param nam borrowed, as packets have it; null for any address and any port
     * @param vflag what the block will talk
     * @return the port, or a negative errno
     */
    static int setup(final Inpcb inp, final SockAddr nam, final int vflag, final Ucred cred) {
        assert inp.info.hashLock.owned();
        if (inp.lport() != 0 || inp.localSet()) {
            return -Errno.EINVAL.code();
        }
        final int options = inp.soOptions();
        final int lookup = (options & REUSE_ANY) == 0 ? INPLOOKUP_WILDCARD : 0;
        final int af = PcbWire.family(vflag);
        if (nam == null) {
            return inp.info.portAlloc.anonymous(inp, af, 0, 0, lookup, cred);
        }
        if (nam.family() != af) {
            return -Errno.EAFNOSUPPORT.code();
        }
        if (!mayUse(inp, nam)) {
            return -Errno.EADDRNOTAVAIL.code();
        }
        if (nam.port() == 0) {
            return inp.info.portAlloc.anonymous(inp, af, nam.hi(), nam.lo(), lookup, cred);
        }
        if (inp.info.range.reserved(nam.port()) && !cred.privileged()) {
            return -Errno.EACCES.code();
        }
        final PortEntry e = inp.info.ports.entry(nam.port());
        if (e == null || e.count == 0) {
            return nam.port();
        }
        final boolean free = shared(e, inp, nam, cred)
            && (vflag != (Inpcb.INP_IPV4 | Inpcb.INP_IPV6) || sharedMapped(e, inp, nam, options));
        return free ? nam.port() : -Errno.EADDRINUSE.code();
    }

    /** The address must be ours, any, a group, or the block may bind to foreign ones. */
    private static boolean mayUse(final Inpcb inp, final SockAddr nam) {
        return nam.isAny() || nam.isMulticast() || inp.has(Inpcb.INP_BINDANY)
            || inp.info.addrs(nam.family()).local(nam);
    }

    /** Whether everybody who is there already agrees. */
    private static boolean shared(final PortEntry e, final Inpcb inp, final SockAddr nam, final Ucred cred) {
        final int options = inp.soOptions();
        final int lookup = (options & REUSE_ANY) == 0 ? INPLOOKUP_WILDCARD : 0;
        final boolean multicast = nam.isMulticast();
        if (!multicast && !cred.privileged() && stolen(e, inp, nam, options)) {
            return false;
        }
        final Inpcb t = conflict(e, inp, nam.family(), nam.hi(), nam.lo(), lookup);
        return t == null || (sharing(options, multicast) & t.soOptions()) != 0;
    }

    /**
     * Whether an IPv6 block bound to any address may take IPv4 too beside who is there. An IPv4 socket bound to any
     * address is no obstacle: it is preferred.
     */
    private static boolean sharedMapped(
        final PortEntry e, final Inpcb inp, final SockAddr nam, final int options) {
        final int lookup = (options & REUSE_ANY) == 0 ? INPLOOKUP_WILDCARD : 0;
        final Inpcb t = conflict(e, inp, SockAddr.AF_INET, 0, 0, lookup);
        return t == null || (sharing(options, nam.isMulticast()) & t.soOptions()) != 0
            || !t.localSet() && t.family == SockAddr.AF_INET;
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
        final Inpcb t = conflict(e, inp, nam.family(), nam.hi(), nam.lo(), INPLOOKUP_WILDCARD);
        if (t == null || t.cred.uid() == inp.cred.uid()) {
            return false;
        }
        if (inp.so.type() == SOCK_STREAM && t.connected()) {
            return false;
        }
        return !nam.isAny() || t.localSet()
            || (t.soOptions() & (SO_REUSEPORT | SO_REUSEPORT_LB)) == 0;
    }

    /**
     * The block that fits a local endpoint best, or null. Without INPLOOKUP_WILDCARD only one without a peer and with
     * exactly this address; with it also a connected one, or one where either side is bound to any address. For IPv4
     * one that also talks IPv6 comes last.
     *
     * @param e may be null
     * @param af family of the packets
     * @bsd in_pcblookup_local, in6_pcblookup_local
     */
    static Inpcb conflict(
        final PortEntry e, final Inpcb inp, final int af, final long lhi, final long llo, final int lookup) {
        final int bit = af == SockAddr.AF_INET ? Inpcb.INP_IPV4 : Inpcb.INP_IPV6;
        Inpcb best = null;
        int bestWild = Integer.MAX_VALUE;
        for (Inpcb t = e == null ? null : e.first; t != null && bestWild > 0; t = t.portNext) {
            final int wild = t == inp || (t.vflag() & bit) == 0 ? -1 : wildcards(t, lhi, llo);
            final boolean exact = wild == 0;
            final int cost = wild >= 0 && af == SockAddr.AF_INET && t.vflag() != bit ? wild + MAPPED_COST : wild;
            if (cost >= 0 && cost < bestWild && (exact || (lookup & INPLOOKUP_WILDCARD) != 0)) {
                best = t;
                bestWild = cost;
            }
        }
        return best;
    }

    /** How many wildcards a match needs; -1 when it does not match. */
    private static int wildcards(final Inpcb t, final long lhi, final long llo) {
        final int connected = t.connected() ? 1 : 0;
        if (t.laddrLo() == llo && t.laddrHi() == lhi) {
            return connected;
        }
        return !t.localSet() || (llo | lhi) == 0 ? connected + 1 : -1;
    }
}
