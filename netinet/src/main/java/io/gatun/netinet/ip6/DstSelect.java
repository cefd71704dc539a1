package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip.InLaddr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * In which order to try the addresses of a peer that has several: destination address selection (RFC 6724 section 6),
 * which getaddrinfo(3) does. All rules but the fourth and the seventh, for there is neither mobile IP nor a transition
 * tunnel here. An IPv4 address counts as its mapped one. Takes no lock; not for the data path.
 *
 * @bsd reorder
 */
public final class DstSelect {
    /** A destination with the source that would be used towards it, addresses as packets have them. */
    private static final class Candidate {
        final SockAddr dst;
        final long hi;
        final long lo;
        final SockAddr src = new SockAddr();
        boolean reachable;
        boolean deprecated;
        int common;

        Candidate(final SockAddr dst) {
            this.dst = dst;
            final boolean four = dst.family() == SockAddr.AF_INET;
            hi = four ? 0 : In6.embed(dst);
            lo = four ? In6.v4Mapped(dst.in4()) : dst.lo();
        }

        boolean four() {
            return In6.isV4Mapped(hi, lo);
        }
    }

    private final Inet inet;
    private final InLaddr laddr;
    private final In6Policy defaults = new In6Policy();

    public DstSelect(final Inet inet) {
        this.inet = inet;
        laddr = new InLaddr(inet);
    }

    /** The table of prefixes, which decides between families among others; without IPv6 the RFC's. */
    public In6Policy policy() {
        final Inet6 six = inet.inet6();
        return six == null ? defaults : six.addrs.policy;
    }

    /**
     * The same addresses, the one to try first at the front. Equals stay in the order they came, as a name server may
     * have shuffled them.
     *
     * @param dsts of both families, borrowed; a small scope's zone stands in its {@code scopeId}
     * @param fib by whose routes
     * @bsd comp_dst
     */
    public List<SockAddr> order(final List<SockAddr> dsts, final int fib) {
        final List<Candidate> sorted = new ArrayList<>();
        for (final SockAddr dst : dsts) {
            final Candidate c = candidate(dst, fib);
            int at = sorted.size();
            while (at > 0 && compare(c, sorted.get(at - 1)) > 0) { // rule 9 makes it no order that a library could sort
                at--;
            }
            sorted.add(at, c);
        }
        return sorted.stream().map(c -> c.dst).toList();
    }

    /** @bsd set_source */
    private Candidate candidate(final SockAddr dst, final int fib) {
        final Candidate c = new Candidate(dst);
        if (c.four()) {
            final int to = (int) c.lo;
            c.reachable = laddr.source(null, SockAddr.in(to, 0), fib, null, c.src) == Errno.OK;
            final int from = c.reachable ? c.src.in4() : 0;
            final InIfaddr ia = inet.addrs.lookup(from);
            c.common = Math.min(ia == null ? 0 : ia.prefixLen(), Integer.numberOfLeadingZeros(from ^ to));
            c.src.setIn6(0, In6.v4Mapped(from), 0, 0);
        } else if (inet.inet6() != null) {
            c.reachable = inet.inet6().laddr.source(c.hi, c.lo, fib, c.src) == Errno.OK;
            final In6Ifaddr ia = inet.inet6().addrs.lookup(c.src.hi(), c.src.lo());
            c.deprecated = ia != null && ia.has(In6Ifaddr.IN6_IFF_DEPRECATED);
            c.common = ia == null ? 0 : In6Addrs.common(ia, c.hi, c.lo);
        }
        return c;
    }

    /** Above 0 when a is better, 0 when nothing tells. */
    private int compare(final Candidate a, final Candidate b) {
        if (a.reachable != b.reachable) { // rule 1
            return a.reachable ? 1 : -1;
        }
        final int scope = Boolean.compare(inScope(a), inScope(b)); // rule 2
        if (scope != 0) {
            return scope;
        }
        if (a.deprecated != b.deprecated) { // rule 3
            return b.deprecated ? 1 : -1;
        }
        final int label = Boolean.compare(labelled(a), labelled(b)); // rule 5
        if (label != 0) {
            return label;
        }
        final int precedence = Integer.compare(policy().precedence(a.hi, a.lo), policy().precedence(b.hi, b.lo));
        if (precedence != 0) { // rule 6
            return precedence;
        }
        final int smaller = Integer.compare(scope(b.hi, b.lo), scope(a.hi, a.lo)); // rule 8
        if (smaller != 0) {
            return smaller;
        }
        return a.four() == b.four() && a.reachable ? Integer.compare(a.common, b.common) : 0; // rule 9
    }

    private static boolean inScope(final Candidate c) {
        return c.reachable && scope(c.hi, c.lo) == scope(c.src.hi(), c.src.lo());
    }

    private boolean labelled(final Candidate c) {
        return c.reachable && policy().label(c.hi, c.lo) == policy().label(c.src.hi(), c.src.lo());
    }

    /** RFC 6724 section 3.2 for IPv4. */
    private static int scope(final long hi, final long lo) {
        if (!In6.isV4Mapped(hi, lo)) {
            return In6.scope(hi, lo);
        }
        final int a = (int) lo;
        return InAddrs.isLoopback(a) || InAddrs.isLinkLocal(a) ? In6.SCOPE_LINKLOCAL : In6.SCOPE_GLOBAL;
    }
}
