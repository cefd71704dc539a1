package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.spi.ifnet.Ifnet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Duplicate address detection (RFC 4862 section 5.4). A new address is tentative while solicitations for it go out,
 * {@code dad_count} of them and a retransmission time apart. Who has it answers, who wants it too asks as well: either
 * makes it a duplicate. Our own solicitations that a link sends back are told by their nonce (RFC 7527); as long as
 * they come, more are sent, for a real answer might be lost among them.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd struct dadq
 */
final class Nd6Dad {
    /** Further solicitations after one has come back. @bsd V_nd6_mmaxtries */
    private static final int AFTER_LOOPBACK = 3;
    /** Solicitations of one address at most. @bsd V_dad_maxtry */
    private static final int MAXTRY = 15;
    private static final long NONCE_MASK = 0xffff_ffff_ffffL;

    private static final class Run implements NdTimed {
        final In6Ifaddr ia;       // (c)
        final Set<Long> nonces = new HashSet<>(); // (n) of the solicitations sent
        int count;                // (n) solicitations to be sent
        int sent;                 // (n)
        int returned;             // (n) that came back since the last was sent
        long deadlineNs;          // (n) when the next is sent, or the result is known

        Run(final In6Ifaddr ia, final int count, final long deadlineNs) {
            this.ia = ia;
            this.count = count;
            this.deadlineNs = deadlineNs;
        }

        @Override
        public long dueNs() {
            return deadlineNs;
        }
    }

    private final Nd6 nd; // (c)
    @GuardedBy("nd.lock")
    private final List<Run> runs = new ArrayList<>(); // (n)

    Nd6Dad(final Nd6 nd) {
        this.nd = nd;
    }

    /** Whether an address of an interface is to be checked before it is used. @bsd in6if_do_dad */
    boolean wanted(final Ifnet ifp, final int flags) {
        final Nd6Ifinfo info = nd.info(ifp);
        return info != null && info.table != null && nd.sysctl.dadCount() > 0
            && !info.has(Nd6Ifinfo.ND6_IFF_NO_DAD)
            && (flags & (In6Ifaddr.IN6_IFF_NODAD | In6Ifaddr.IN6_IFF_ANYCAST)) == 0;
    }

    /** Begins to check a tentative address, if its interface is up: else it is begun when that comes up. */
    void start(final In6Ifaddr ia, final long delayNs) {
        nd.lock.lock();
        try {
            final Nd6Ifinfo info = nd.info(ia.ifp);
            final boolean up = (ia.ifp.flags() & Ifnet.IFF_UP) != 0;
            if (info == null || !up || info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED)
                    || !ia.has(In6Ifaddr.IN6_IFF_TENTATIVE)) {
                return;
            }
            stop(ia);
            final Run run = new Run(ia, nd.sysctl.dadCount(), nd.now() + delayNs);
            runs.add(run);
            if (delayNs == 0) {
                step(run, info);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** Checks all addresses of an interface again, which came up. */
    void restart(final Ifnet ifp) {
        for (final In6Ifaddr ia : nd.inet6.addrs.all()) {
            if (ia.ifp == ifp && wanted(ifp, ia.flags())) {
                ia.setFlags(In6Ifaddr.IN6_IFF_TENTATIVE, In6Ifaddr.IN6_IFF_DUPLICATED);
                start(ia, nd.solicitationDelayNs());
            }
        }
    }

    /** An address goes, or is given up. @bsd nd6_dad_stop */
    void stop(final In6Ifaddr ia) {
        nd.lock.lock();
        try {
            runs.removeIf(r -> r.ia == ia);
        } finally {
            nd.lock.unlock();
        }
    }

    /** An interface goes down: its addresses stay as they are. */
    void stop(final Ifnet ifp) {
        nd.lock.lock();
        try {
            runs.removeIf(r -> r.ia.ifp == ifp);
        } finally {
            nd.lock.unlock();
        }
    }

    /** When something is due. */
    long nextNs() {
        nd.lock.lock();
        try {
            return NdTimed.next(runs);
        } finally {
            nd.lock.unlock();
        }
    }

    /** @bsd nd6_dad_timer */
    void timeout(final long now) {
        nd.lock.lock();
        try {
            for (final Run r : NdTimed.due(runs, now)) {
                final Nd6Ifinfo info = nd.info(r.ia.ifp);
                if (info == null) {
                    runs.remove(r);
                } else {
                    step(r, info);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private void step(final Run r, final Nd6Ifinfo info) {
        if (r.sent >= r.count && r.returned > 0 && r.sent < MAXTRY) {
            r.count = Math.min(MAXTRY, r.sent + AFTER_LOOPBACK);
            r.returned = 0;
        }
        if (r.sent < r.count) {
            r.sent++;
            r.deadlineNs = nd.now() + info.retransNs();
            nd.nbr.probe(r.ia, nonce(r));
            return;
        }
        runs.remove(r);
        r.ia.setFlags(0, In6Ifaddr.IN6_IFF_TENTATIVE);
        nd.stat.dadSuccess.increment();
        nd.later(() -> nd.listeners().forEach(l -> l.ready(r.ia)));
    }

    private long nonce(final Run r) {
        if (!nd.sysctl.dadEnhanced()) {
            return Nd6Nbr.NO_NONCE;
        }
        final long nonce = nd.vnet().random().nextLong() & NONCE_MASK;
        r.nonces.add(nonce);
        return nonce;
    }

    /** Somebody asks as we do, or our own solicitation came back. @bsd nd6_dad_ns_input */
    void solicited(final In6Ifaddr ia, final long nonce) {
        nd.lock.lock();
        try {
            final Run r = find(ia);
            if (r != null && r.nonces.contains(nonce)) {
                r.returned++;
                nd.stat.dadLoopback.increment();
            } else if (r != null) {
                duplicated(ia, 0);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private Run find(final In6Ifaddr ia) {
        for (final Run r : runs) {
            if (r.ia == ia) {
                return r;
            }
        }
        return null;
    }

    /** Somebody says that an address of ours is its own. @bsd nd6_dad_na_input */
    void advertised(final In6Ifaddr ia, final long mac) {
        nd.lock.lock();
        try {
            if (ia.has(In6Ifaddr.IN6_IFF_TENTATIVE)) {
                duplicated(ia, mac);
            } else if (ia.ready()) {
                report(ia, mac, true);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** @bsd nd6_dad_duplicated */
    @GuardedBy("nd.lock")
    private void duplicated(final In6Ifaddr ia, final long mac) {
        stop(ia);
        ia.setFlags(In6Ifaddr.IN6_IFF_DUPLICATED, In6Ifaddr.IN6_IFF_TENTATIVE);
        report(ia, mac, false);
        final Nd6Ifinfo info = nd.info(ia.ifp);
        if (info != null && In6.isLinkLocal(ia.hi) && ia.lo == Nd6Iid.eui64(ia.ifp)) {
            info.setFlags(Nd6Ifinfo.ND6_IFF_IFDISABLED, 0); // RFC 4862 section 5.4.5: the link address is no good
        } else {
            nd.addrs.duplicated(ia);
        }
    }

    private void report(final In6Ifaddr ia, final long mac, final boolean inUse) {
        nd.stat.duplicates.increment();
        final Nd6Duplicate d = new Nd6Duplicate(ia.ifp.xname(), ia.hi, ia.lo, mac, nd.now(), inUse);
        nd.later(() -> nd.listeners().forEach(l -> l.duplicate(d)));
    }
}
