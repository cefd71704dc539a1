package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.Inet;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.VnetSide;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Neighbour discovery of one vnet: the {@link Nd6Ifinfo} of each interface with its {@link Nd6Table}, the parts that
 * work on them, and the one timer that all but the tables share.
 *
 * <p>What happens under {@code lock} may have consequences that must not happen under it: listeners are told, addresses
 * come and go. They are put off by {@link #later} and done, in their order, by {@link #settle}, which every way in ends
 * with.
 *
 * <p>Locking key: (c) constant; (n) {@code lock}; (v) atomic.
 *
 * @bsd nd6_init
 */
public final class Nd6 {
    static final long MS = 1_000_000L;
    static final long SEC = 1_000_000_000L;
    /** No deadline. */
    static final long NEVER = Long.MAX_VALUE;
    private static final int MAX_INDEX = 1024;

    /** Guards all of neighbour discovery but the tables. @bsd nd6_lock */
    final Mtx lock = new Mtx(LockClass.CONFIG, "nd6");
    final Inet inet;
    final Inet6 inet6;
    final Nd6Sysctl sysctl;
    final Nd6Stat stat;
    final Nd6Nbr nbr;
    final Nd6Dad dad;
    final Nd6Addrs addrs;
    final Nd6Rtr rtr;
    final NdWays ways;
    final NdPrefixes prefixes;
    final NdDns dns;
    final Nd6Redirect redirects;
    private final Callout timer;
    private final List<Nd6Listener> listeners = new CopyOnWriteArrayList<>();
    private final List<Nd6Ifinfo> attached = new CopyOnWriteArrayList<>();
    private final AtomicReferenceArray<Nd6Ifinfo> infos = new AtomicReferenceArray<>(MAX_INDEX); // (v) by index
    @GuardedBy("lock")
    private final ArrayDeque<Runnable> put = new ArrayDeque<>(); // (n) put off
    @GuardedBy("lock")
    private boolean settling;  // (n) a thread is doing what was put off
    @GuardedBy("lock")
    private boolean destroyed; // (n)

    public Nd6(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        sysctl = new Nd6Sysctl(inet.vnet.sysctl());
        stat = new Nd6Stat(inet.vnet.counters());
        nbr = new Nd6Nbr(this);
        dad = new Nd6Dad(this);
        addrs = new Nd6Addrs(this);
        rtr = new Nd6Rtr(this);
        ways = new NdWays(this);
        prefixes = new NdPrefixes(this);
        dns = new NdDns(this);
        redirects = new Nd6Redirect(this);
        timer = inet.vnet.callout("nd6_timer", null, this::timeout);
    }

    VnetSide vnet() {
        return inet.vnet;
    }

    long now() {
        return inet.vnet.clock().nanoTime();
    }

    /** An instant so many units of time from now; NEVER stays NEVER. */
    long fromNow(final long span, final long unit) {
        return span == NEVER ? NEVER : now() + span * unit;
    }

    /** A random span below one second: so that hosts that are switched on together do not speak together. */
    long solicitationDelayNs() {
        return inet.vnet.random().nextLong(SEC);
    }

    // Interfaces.

    /** What is known of an interface; null for one that is not attached. @bsd ND_IFINFO */
    public Nd6Ifinfo info(final Ifnet ifp) {
        return ifp.index() < MAX_INDEX ? infos.get(ifp.index()) : null;
    }

    private Nd6Table table(final Ifnet ifp) {
        final Nd6Ifinfo info = info(ifp);
        return info == null ? null : info.table;
    }

    /** Whether IPv6 is off on an interface. */
    public boolean disabled(final Ifnet ifp) {
        final Nd6Ifinfo info = info(ifp);
        return info != null && info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED);
    }

    /** The hop limit of what is sent by an interface, where its sender chose none. @bsd in6_selecthlim */
    public int hlim(final Ifnet ifp) {
        final Nd6Ifinfo info = ifp == null ? null : info(ifp);
        return info == null || info.chlim() == 0 ? sysctl.defhlim() : info.chlim();
    }

    /** An interface was attached. @bsd nd6_ifattach */
    public void ifattach(final Ifnet ifp) {
        final boolean ether = ifp.type() == Ifnet.IFT_ETHER || ifp.type() == Ifnet.IFT_L2VLAN;
        if (ifp.index() < MAX_INDEX && infos.get(ifp.index()) == null) {
            final Nd6Table t = ether ? new Nd6Table(this, ifp) : null;
            final Nd6Ifinfo info = new Nd6Ifinfo(ifp, t, sysctl.ifFlags(ether));
            if (t != null) {
                t.setInfo(info);
            }
            infos.set(ifp.index(), info);
            attached.add(info);
        }
    }

    /** An interface goes; its addresses have gone. @bsd nd6_ifdetach */
    public void ifdetach(final Ifnet ifp) {
        final Nd6Ifinfo info = ifp.index() < MAX_INDEX ? infos.getAndSet(ifp.index(), null) : null;
        if (info == null) {
            return;
        }
        attached.remove(info);
        lock.lock();
        try {
            purge(info);
            rearm();
        } finally {
            lock.unlock();
        }
        if (info.table != null) {
            info.table.detach();
        }
        settle();
    }

    /** Forgets what routers have said on an interface. @bsd nd6_purge */
    @GuardedBy("lock")
    private void purge(final Nd6Ifinfo info) {
        rtr.stop(info);
        rtr.forget(info);
        ways.purge(info);
        prefixes.purge(info);
        dns.purge(info);
        redirects.purge(info);
    }

    /**
     * An interface came up or went down. Coming up it gets its link-local address, and those it has are checked for
     * duplicates again.
     *
     * @bsd in6_if_up
     */
    public void stateChanged(final Ifnet ifp) {
        final Nd6Ifinfo info = info(ifp);
        if (info == null) {
            return;
        }
        final boolean up = (ifp.flags() & Ifnet.IFF_UP) != 0;
        lock.lock();
        try {
            final boolean was = info.up;
            info.up = up;
            if (up && !was) {
                cameUp(info);
            } else if (!up && was) {
                dad.stop(ifp);
                purge(info);
            }
            if (ifp.lladdr() != info.lladdr) {
                info.lladdr = ifp.lladdr();
                moved(info);
            }
            rearm();
        } finally {
            lock.unlock();
        }
        if (!up) {
            flush(ifp);
        }
        settle();
    }

    /** An interface has another link address: neighbours hear of it (RFC 4861 section 7.2.6). */
    private void moved(final Nd6Ifinfo info) {
        if (info.table == null) {
            return;
        }
        info.table.relink();
        for (final In6Ifaddr ia : info.up ? inet6.addrs.all() : List.<In6Ifaddr>of()) {
            if (ia.ifp == info.ifp && ia.ready()) {
                nbr.announce(info, ia);
            }
        }
    }

    private void cameUp(final Nd6Ifinfo info) {
        addrs.cameUp(info);
        dad.restart(info.ifp);
        rtr.start(info);
    }

    /**
     * Sets and clears ND6_IFF_* of an interface. EINVAL for bits that are not to be set by hand, ENXIO for an interface
     * that is not attached.
     *
     * @bsd SIOCSIFINFO_IN6
     */
    public Errno setFlags(final Ifnet ifp, final int set, final int clear) {
        final Nd6Ifinfo info = info(ifp);
        if (info == null || ((set | clear) & ~Nd6Ifinfo.ND6_IFF_ALL) != 0) {
            return info == null ? Errno.ENXIO : Errno.EINVAL;
        }
        lock.lock();
        try {
            final int was = info.flags();
            info.setFlags(set, clear);
            final int changed = was ^ info.flags();
            if (info.up && (changed & was & Nd6Ifinfo.ND6_IFF_IFDISABLED) != 0) {
                cameUp(info);
            } else if ((changed & Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV) != 0) {
                purge(info);
                rtr.start(info);
            }
            ways.refresh();
            rearm();
        } finally {
            lock.unlock();
        }
        settle();
        return Errno.OK;
    }

    /** Forgets all neighbours of an interface. */
    public void flush(final Ifnet ifp) {
        final Nd6Table t = table(ifp);
        if (t != null) {
            t.flush();
        }
    }

    /** The domain goes: frees every packet that waits, stops every timer. */
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
        } finally {
            lock.unlock();
        }
        timer.drain();
        attached.clear();
        for (int i = 0; i < MAX_INDEX; i++) {
            final Nd6Ifinfo info = infos.getAndSet(i, null);
            if (info != null && info.table != null) {
                info.table.detach();
            }
        }
    }

    // Addresses.

    /** Whether an address with these IN6_IFF_* has to be checked before an interface may use it. */
    public boolean tentative(final Ifnet ifp, final int flags) {
        return dad.wanted(ifp, flags);
    }

    /** An address was given to an interface: it is checked for duplicates, if it is to be. @bsd nd6_dad_start */
    public void addressAdded(final In6Ifaddr ia) {
        lock.lock();
        try {
            dad.start(ia, addrs.isMade(ia) ? solicitationDelayNs() : 0);
            addrs.added(ia);
            rearm();
        } finally {
            lock.unlock();
        }
        settle();
    }

    /** An address was taken away. @bsd nd6_dad_stop */
    public void addressRemoved(final In6Ifaddr ia) {
        lock.lock();
        try {
            dad.stop(ia);
            addrs.removed(ia);
            prefixes.refresh();
            rearm();
        } finally {
            lock.unlock();
        }
    }

    /** The second half of an address, made of an Ethernet's link address (RFC 4291 appendix A). @bsd in6_get_hw_ifid */
    public static long eui64(final Ifnet ifp) {
        return Nd6Iid.eui64(ifp);
    }

    /**
     * Gives an address new lifetimes. EADDRNOTAVAIL when the interface does not have it, EINVAL for one that is
     * preferred longer than valid.
     *
     * @param addr with its zone, if it takes one
     * @param preferred seconds from now, {@code Long.MAX_VALUE} without end
     * @param valid seconds from now, {@code Long.MAX_VALUE} without end
     * @bsd SIOCSIFALIFETIME_IN6
     */
    public Errno setLifetimes(final Ifnet ifp, final SockAddr addr, final long preferred, final long valid) {
        final In6Ifaddr ia = inet6.addrs.lookup(In6.embed(addr.hi(), ifp.index()), addr.lo());
        if (ia == null || ia.ifp != ifp || valid < 0 || preferred < 0 || preferred > valid) {
            return ia == null || ia.ifp != ifp ? Errno.EADDRNOTAVAIL : Errno.EINVAL;
        }
        lock.lock();
        try {
            addrs.setLifetimes(ia, fromNow(preferred, SEC), fromNow(valid, SEC));
        } finally {
            lock.unlock();
        }
        finish();
        return Errno.OK;
    }

    /**
     * Waits until no address is being checked any more, so that all that are good can be bound; answers whether it came
     * to that in time. For programs beside a vnet with threads; not to be called by one of those.
     */
    public boolean awaitAddresses(final Duration most) throws InterruptedException {
        final Semaphore news = new Semaphore(0);
        final Nd6Listener ear = new Nd6Listener() {
            @Override
            public void duplicate(final Nd6Duplicate what) {
                news.release();
            }

            @Override
            public void ready(final In6Ifaddr ia) {
                news.release();
            }
        };
        addListener(ear);
        try {
            boolean inTime = true;
            while (inTime && checking()) {
                inTime = news.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS);
            }
            return inTime;
        } finally {
            removeListener(ear);
        }
    }

    private boolean checking() {
        return inet6.addrs.all().stream().anyMatch(ia -> ia.has(In6Ifaddr.IN6_IFF_TENTATIVE)
            && (ia.ifp.flags() & Ifnet.IFF_UP) != 0 && !disabled(ia.ifp));
    }

    // Neighbours.

    /** What is known of a neighbour, its zone put in; null for nothing. */
    public Nd6State state(final Ifnet ifp, final long hi, final long lo) {
        final Nd6Table t = table(ifp);
        return t == null ? null : t.state(hi, lo);
    }

    /** Sends a packet to a neighbour, its zone put in, which may have to be asked for. Consumes m. @bsd nd6_output */
    public Errno output(final Ifnet ifp, final Mbuf m, final long hi, final long lo) {
        final Nd6Ifinfo info = info(ifp);
        if (info == null || info.table == null) {
            inet.vnet.drop(m, DropReason.IF_NOPROTO);
            return Errno.EAFNOSUPPORT;
        }
        if (info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED)) {
            inet.vnet.drop(m, DropReason.IF_DOWN);
            return Errno.ENETDOWN;
        }
        return info.table.output(m, hi, lo);
    }

    /** All neighbours of all interfaces: a snapshot. @bsd ndp -a */
    public List<Nd6Neighbor> neighbors() {
        final List<Nd6Router> routers = routers();
        final List<Nd6Neighbor> out = new ArrayList<>();
        for (final Nd6Ifinfo info : attached) {
            for (final Nd6Neighbor n : info.table == null ? List.<Nd6Neighbor>of() : info.table.list()) {
                final boolean router = routers.stream().anyMatch(r -> r.prefixLen() == 0 && r.lo() == n.lo()
                    && r.hi() == n.hi());
                out.add(new Nd6Neighbor(n.ifname(), n.hi(), n.lo(), n.lladdr(), n.state(), n.expireNs(), n.asked(),
                    router, n.proxied()));
            }
        }
        return out;
    }

    /**
     * Sets a neighbour by hand; of one that is proxied this host answers solicitations. EINVAL where there are no link
     * addresses, EEXIST for an address of this host, ENOBUFS when the table is full of such.
     *
     * @param hi address, its zone put in
     * @param lladdr in the low 48 bits
     * @bsd ndp -s
     */
    public Errno setNeighbor(
        final Ifnet ifp, final long hi, final long lo, final long lladdr, final boolean proxied) {
        final Nd6Table t = table(ifp);
        if (t == null || EtherHeader.isMulticast(lladdr) || In6.isMulticast(hi)) {
            return Errno.EINVAL;
        }
        if (inet6.addrs.lookup(hi, lo) != null) {
            return Errno.EEXIST;
        }
        final boolean was = t.proxy(hi, lo) != 0;
        final Errno e = t.setStatic(hi, lo, lladdr, proxied);
        if (e == Errno.OK && proxied && !was) {
            inet6.mld.join(ifp, solicited(ifp, lo));
        } else if (e == Errno.OK && was && !proxied) {
            inet6.mld.leave(ifp, solicited(ifp, lo));
        }
        return e;
    }

    /** Forgets a neighbour. ENOENT when it is not there. @bsd ndp -d */
    public Errno deleteNeighbor(final Ifnet ifp, final long hi, final long lo) {
        final Nd6Table t = table(ifp);
        if (t == null) {
            return Errno.ENOENT;
        }
        if (t.proxy(hi, lo) != 0) {
            inet6.mld.leave(ifp, solicited(ifp, lo));
        }
        return t.delete(hi, lo);
    }

    private static SockAddr solicited(final Ifnet ifp, final long lo) {
        final SockAddr sa = new SockAddr();
        sa.setIn6(In6.LINK_GROUP_HI, In6.solicited(lo), 0, ifp.index());
        return sa;
    }

    /** A neighbour did not answer: whose packet it is is told (RFC 4861 section 7.2.2). Consumes m. */
    void undeliverable(final Mbuf m) {
        final NextHop back = inet.fib(m.fibnum()).find6(Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0));
        if (m.rcvif() != null || back != null && back.has(NextHop.NHF_LOCAL)) {
            inet6.icmp6.error(m, Icmp6.ICMP6_DST_UNREACH, Icmp6.ICMP6_DST_UNREACH_ADDR, 0, DropReason.ND6_TIMEOUT);
        } else {
            inet.vnet.drop(m, DropReason.ND6_TIMEOUT);
        }
    }

    Errno frame(final Ifnet ifp, final Mbuf m, final LlHeader h) {
        return inet.ether.frame(ifp, m, h, EtherHeader.ETHERTYPE_IPV6);
    }

    /** Takes a message of neighbour discovery from ICMPv6. Consumes m. */
    public void input(final Mbuf m, final int off) {
        switch (m.getU8(off)) {
            case Icmp6.ND_ROUTER_ADVERT -> rtr.input(m, off);
            case Icmp6.ND_REDIRECT -> redirects.input(m, off);
            case Icmp6.ND_ROUTER_SOLICIT -> m.freeChain(); // for routers that advertise
            default -> nbr.input(m, off);
        }
        finish();
    }

    /**
     * For a router: the sender of a packet that goes back to the link it came from hears of the better way. Borrows m,
     * which has its zones put in.
     *
     * @bsd icmp6_redirect_output
     */
    public void redirect(final Mbuf m, final NextHop nh) {
        redirects.send(m, nh);
    }

    /** A neighbour became known, or does not answer any more. Not under a table's lock. */
    void neighborChanged(final Nd6Ifinfo info, final long hi, final long lo, final boolean gone) {
        ways.neighborChanged(info, hi, lo, gone);
        if (gone) {
            redirects.gone(info, hi, lo);
        }
        finish();
    }

    // What routers have said.

    /** The ways that routers advertise, default routers among them. @bsd ICMPV6CTL_ND6_DRLIST */
    public List<Nd6Router> routers() {
        return ways.list();
    }

    /** The prefixes that routers say are on the link. @bsd ICMPV6CTL_ND6_PRLIST */
    public List<Nd6Prefix> prefixes() {
        return prefixes.list();
    }

    /** The DNS servers that routers name on an interface; of link scope with a zone. */
    public List<String> dnsServers(final Ifnet ifp) {
        return dns.list(info(ifp), true);
    }

    /** The domains to search in that routers name on an interface. */
    public List<String> dnsDomains(final Ifnet ifp) {
        return dns.list(info(ifp), false);
    }

    /** The MTU that routers advertise for an interface's link, 0 while none has. */
    public int linkMtu(final Ifnet ifp) {
        final Nd6Ifinfo info = info(ifp);
        return info == null ? 0 : info.linkMtu();
    }

    private void finish() {
        lock.lock();
        try {
            rearm();
        } finally {
            lock.unlock();
        }
        settle();
    }

    // Time.

    /** Does what is due. @bsd nd6_timer */
    private void timeout() {
        lock.lock();
        try {
            final long now = now();
            dad.timeout(now);
            for (final Nd6Ifinfo info : attached) {
                rtr.timeout(info, now);
            }
            ways.timeout(now);
            prefixes.timeout(now);
            dns.timeout(now);
            redirects.timeout(now);
            addrs.timeout(now);
            rearm();
        } finally {
            lock.unlock();
        }
        settle();
        inet.vnet.netisr().swi();
    }

    /** Arms the timer for whatever is due next. */
    @GuardedBy("lock")
    private void rearm() {
        long next = Math.min(Math.min(dad.nextNs(), ways.nextNs()), Math.min(prefixes.nextNs(), dns.nextNs()));
        next = Math.min(next, Math.min(addrs.nextNs(), redirects.nextNs()));
        for (final Nd6Ifinfo info : attached) {
            next = Math.min(next, info.rsNs);
        }
        if (destroyed || next == NEVER) {
            timer.stop();
        } else {
            timer.resetAt(next);
        }
    }

    // What is put off.

    /** From now on hears what is found out. */
    public void addListener(final Nd6Listener listener) {
        listeners.add(listener);
    }

    public void removeListener(final Nd6Listener listener) {
        listeners.remove(listener);
    }

    List<Nd6Listener> listeners() {
        return listeners;
    }

    /** Puts something off until the lock is free. */
    void later(final Runnable what) {
        lock.lock();
        try {
            put.add(what);
        } finally {
            lock.unlock();
        }
    }

    /** Does what was put off, one thread at a time. */
    void settle() {
        for (Runnable r = first(); r != null; r = next()) {
            boolean done = false;
            try {
                r.run();
                done = true;
            } finally {
                if (!done) {
                    failed();
                }
            }
        }
    }

    /** A listener threw: what is put off waits for the next one to settle. */
    private void failed() {
        lock.lock();
        try {
            settling = false;
        } finally {
            lock.unlock();
        }
    }

    private Runnable first() {
        lock.lock();
        try {
            if (settling || put.isEmpty()) {
                return null;
            }
            settling = true;
            return put.poll();
        } finally {
            lock.unlock();
        }
    }

    private Runnable next() {
        lock.lock();
        try {
            final Runnable r = put.poll();
            settling = r != null;
            return r;
        } finally {
            lock.unlock();
        }
    }
}
