package io.gatun.netinet.dhcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.arp.Acd;
import io.gatun.netinet.arp.ArpDuplicate;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * One interface's DHCP client: the states and times of RFC 2131 section 4.4. It takes the first offer it can live with,
 * asks the link whether the address is free (RFC 5227) before it uses it, and declines it when it is not.
 *
 * <p>Life: made and started by {@link Dhcp#start}; runs until {@link #stop} or until its interface goes.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}.
 */
public final class DhcpClient {
    private static final long SEC = 1_000_000_000L;
    private static final long FIRST_WAIT = SEC;
    private static final int BACKOFF_SEC = 4;
    private static final int BACKOFF_DOUBLINGS = 4;
    private static final int REQUEST_TRIES = 4;
    private static final int REBOOT_TRIES = 2;
    private static final long DECLINE_WAIT = 10 * SEC;
    private static final long NAK_WAIT = SEC;
    private static final long LEAST_RETRY = 60 * SEC;
    private static final long DEFEND_INTERVAL = 10 * SEC;

    private final Mtx lock = new Mtx(LockClass.CONFIG, "dhclient");
    private final Dhcp dhcp;             // (c)
    private final InetConfig config;     // (c)
    private final Ifnet ifp;             // (c)
    private final String hostname;       // (c)
    private final DhcpListener listener; // (c)
    private final Callout timer;         // (c)
    private final Consumer<ArpDuplicate> duplicates = this::duplicate; // (c)
    private final IfnetListener state = new IfnetListener() { // (c)
        @Override
        public void stateChanged(final Ifnet changed) {
            if (changed == ifp) {
                linkChanged();
            }
        }
    };
    @GuardedBy("lock")
    private DhcpState now = DhcpState.STOPPED; // (l)
    @GuardedBy("lock")
    private int xid;                     // (l)
    @GuardedBy("lock")
    private int attempt;                 // (l) messages sent in this state
    @GuardedBy("lock")
    private long begunNs;                // (l) when the present exchange began
    @GuardedBy("lock")
    private long sentNs;                 // (l) when the request was sent from which a lease counts
    @GuardedBy("lock")
    private DhcpLease lease;             // (l) offered, requested or held
    @GuardedBy("lock")
    private boolean held;                // (l) whether its address is the interface's
    @GuardedBy("lock")
    private long leaseFrom;              // (l) when the held lease began
    @GuardedBy("lock")
    private Acd.Claim claim;             // (l)
    @GuardedBy("lock")
    private long conflictNs;             // (l) when somebody else last used the address, 0 for never
    @GuardedBy("lock")
    private boolean up = true;           // (l) the interface as last told
    @GuardedBy("lock")
    private final List<RouteReq> routes = new ArrayList<>(); // (l) set by this

    DhcpClient(
        final Dhcp dhcp, final InetConfig config, final Ifnet ifp, final String hostname,
        final DhcpListener listener) {
        this.dhcp = dhcp;
        this.config = config;
        this.ifp = ifp;
        this.hostname = hostname;
        this.listener = listener;
        timer = dhcp.inet.vnet.callout("dhclient " + ifp.xname(), null, this::timeout);
    }

    /** The interface. */
    public Ifnet ifp() {
        return ifp;
    }

    /** Where it is. */
    public DhcpState state() {
        lock.lock();
        try {
            return now;
        } finally {
            lock.unlock();
        }
    }

    /** The lease in force, or null. */
    public DhcpLease lease() {
        lock.lock();
        try {
            return held ? lease : null;
        } finally {
            lock.unlock();
        }
    }

    void start() {
        dhcp.inet.arp.addListener(duplicates);
        dhcp.inet.vnet.ifnets().addListener(state);
        lock.lock();
        try {
            init(1 + random(FIRST_WAIT)); // DIFFERS: RFC 2131 section 4.4.1 would have up to ten seconds
        } finally {
            lock.unlock();
        }
    }

    /** Gives the lease back, takes its address away, and ends. */
    public void stop() {
        final Acd.Claim asked;
        lock.lock();
        try {
            if (held) {
                final int own = address();
                final int server = lease.server();
                final byte[] bye = new DhcpMessage.Writer(DhcpMessage.DHCPRELEASE, nextXid(), 0, own, ifp.lladdr())
                    .word(DhcpMessage.OPT_SERVER, server).octets();
                dhcp.send(ifp, bye, own, server);
                lose("released");
            }
            now = DhcpState.STOPPED;
            asked = claim;
            claim = null;
        } finally {
            lock.unlock();
        }
        dhcp.inet.arp.removeListener(duplicates);
        dhcp.inet.vnet.ifnets().removeListener(state);
        timer.drain();
        if (asked != null) {
            asked.cancel();
        }
        dhcp.gone(this);
    }

    private long clock() {
        return dhcp.inet.vnet.clock().nanoTime();
    }

    private long random(final long span) {
        return dhcp.inet.vnet.random().nextLong(span);
    }

    @GuardedBy("lock")
    private int nextXid() {
        xid = dhcp.inet.vnet.random().nextInt();
        return xid;
    }

    @GuardedBy("lock")
    private int address() {
        return lease.address().addr().in4();
    }

    // Time.

    private void timeout() {
        lock.lock();
        try {
            switch (now) {
                case INIT -> {
                    begin(DhcpState.SELECTING);
                    discover();
                }
                case SELECTING -> discover();
                case REQUESTING -> {
                    if (attempt < REQUEST_TRIES) {
                        request();
                    } else {
                        init(0);
                    }
                }
                case BOUND, RENEWING, REBINDING -> extend();
                case REBOOTING -> {
                    if (attempt < REBOOT_TRIES) {
                        request();
                    } else {
                        now = DhcpState.BOUND; // nobody says no: it is good as long as it was to be
                        armLease();
                    }
                }
                default -> {
                    // nothing is due
                }
            }
        } finally {
            lock.unlock();
        }
        dhcp.inet.vnet.netisr().swi();
    }

    @GuardedBy("lock")
    private void init(final long afterNs) {
        now = DhcpState.INIT;
        lease = null;
        claim = null;
        timer.reset(afterNs);
    }

    @GuardedBy("lock")
    private void begin(final DhcpState next) {
        now = next;
        attempt = 0;
        begunNs = clock();
        nextXid();
    }

    /** 4, 8, 16, 32 and then 64 seconds, a second more or less (RFC 2131 section 4.1). */
    @GuardedBy("lock")
    private void backOff() {
        final long base = (long) BACKOFF_SEC << Math.min(attempt, BACKOFF_DOUBLINGS);
        attempt++;
        timer.reset((base - 1) * SEC + random(2 * SEC + 1));
    }

    @GuardedBy("lock")
    private int secs() {
        return (int) Math.min((clock() - begunNs) / SEC, 0xffff);
    }

    @GuardedBy("lock")
    private void discover() {
        final byte[] b = new DhcpMessage.Writer(DhcpMessage.DHCPDISCOVER, xid, secs(), 0, ifp.lladdr())
            .wishes(hostname).octets();
        dhcp.send(ifp, b, 0, SockAddr.INADDR_BROADCAST);
        backOff();
    }

    /** For an offer, with its server's name, or for the lease held, without. */
    @GuardedBy("lock")
    private void request() {
        final DhcpMessage.Writer w = new DhcpMessage.Writer(DhcpMessage.DHCPREQUEST, xid, secs(), 0, ifp.lladdr())
            .word(DhcpMessage.OPT_REQUESTED, address());
        if (now == DhcpState.REQUESTING) {
            w.word(DhcpMessage.OPT_SERVER, lease.server());
        }
        sentNs = clock();
        dhcp.send(ifp, w.wishes(hostname).octets(), 0, SockAddr.INADDR_BROADCAST);
        backOff();
    }

    /** Asks for more time: its server first, then anybody; gives up at the end. RFC 2131 section 4.4.5. */
    @GuardedBy("lock")
    private void extend() {
        final long t2 = leaseFrom + lease.rebindingSec() * SEC;
        final long end = leaseFrom + lease.leaseSec() * SEC;
        final long t = clock();
        if (t - end >= 0) {
            lose("expired");
            init(0);
            return;
        }
        final DhcpState next = t - t2 >= 0 ? DhcpState.REBINDING : DhcpState.RENEWING;
        if (now != next) {
            begin(next);
        }
        final byte[] b = new DhcpMessage.Writer(DhcpMessage.DHCPREQUEST, xid, secs(), address(), ifp.lladdr())
            .wishes(hostname).octets();
        sentNs = t;
        dhcp.send(ifp, b, address(), now == DhcpState.RENEWING ? lease.server() : SockAddr.INADDR_BROADCAST);
        final long limit = now == DhcpState.RENEWING ? t2 : end;
        timer.resetAt(Math.min(limit, t + Math.max(LEAST_RETRY, (limit - t) / 2)));
    }

    @GuardedBy("lock")
    private void armLease() {
        if (lease.leaseSec() == DhcpLease.FOREVER) {
            timer.stop();
        } else {
            // Not at once, however short the lease: each answer would be followed by another request.
            timer.resetAt(Math.max(clock() + SEC, leaseFrom + lease.renewalSec() * SEC));
        }
    }

    // Messages.

    void message(final DhcpMessage m) {
        lock.lock();
        try {
            if (m.xid() != xid || !m.isFor(ifp.lladdr())) {
                dhcp.bad.increment();
            } else if (m.type() == DhcpMessage.DHCPOFFER && now == DhcpState.SELECTING) {
                offer(DhcpLease.of(m));
            } else if (m.type() == DhcpMessage.DHCPACK) {
                ack(DhcpLease.of(m));
            } else if (m.type() == DhcpMessage.DHCPNAK) {
                nak(m);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void offer(final DhcpLease offered) {
        if (offered == null) {
            dhcp.bad.increment();
            return;
        }
        now = DhcpState.REQUESTING;
        attempt = 0;
        lease = offered;
        request(); // in the exchange that the offer was made in (RFC 2131 section 4.4.1)
    }

    @GuardedBy("lock")
    private boolean asking() {
        return now == DhcpState.REQUESTING || now == DhcpState.RENEWING || now == DhcpState.REBINDING
            || now == DhcpState.REBOOTING;
    }

    @GuardedBy("lock")
    private void ack(final DhcpLease given) {
        final boolean other = given != null && asking() && given.address().addr().in4() != address();
        if (given == null || !asking() || other || now == DhcpState.REQUESTING && given.server() != lease.server()) {
            dhcp.bad.increment();
            return;
        }
        if (now == DhcpState.REQUESTING) {
            now = DhcpState.CHECKING;
            lease = given;
            leaseFrom = sentNs;
            timer.stop();
            claim = dhcp.inet.arp.acd.claim(ifp, address(), new Check());
            return;
        }
        final boolean sameMask = given.address().bits() == lease.address().bits();
        leaseFrom = sentNs;
        if (!sameMask) {
            lose("its network has another mask");
            lease = given;
            bind();
            return;
        }
        lease = given;
        now = DhcpState.BOUND;
        setRoutes();
        armLease();
        listener.bound(lease);
    }

    @GuardedBy("lock")
    private void nak(final DhcpMessage m) {
        final boolean stranger = now == DhcpState.REQUESTING
            && m.word(DhcpMessage.OPT_SERVER, 0) != lease.server();
        if (!asking() || stranger) {
            dhcp.bad.increment();
            return;
        }
        if (held) {
            lose("refused by the server");
        }
        init(NAK_WAIT);
    }

    // The address.

    /** How the question to the link ended. Without a lock. */
    private final class Check implements Acd.Outcome {
        @Override
        public void free() {
            lock.lock();
            try {
                if (now == DhcpState.CHECKING) {
                    bind();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void taken(final long lladdr) {
            lock.lock();
            try {
                if (now == DhcpState.CHECKING) {
                    decline();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    @GuardedBy("lock")
    private void bind() {
        try {
            config.addAddress(ifp, lease.address(), null);
        } catch (final ErrnoException e) {
            if (e.errno() != Errno.EEXIST || !hasAddress()) {
                decline();
                return;
            }
        }
        held = true;
        conflictNs = 0;
        now = DhcpState.BOUND;
        setRoutes();
        armLease();
        listener.bound(lease);
    }

    @GuardedBy("lock")
    private boolean hasAddress() {
        return dhcp.inet.addrs.lookup(address()) != null && dhcp.inet.addrs.lookup(address()).ifp == ifp;
    }

    @GuardedBy("lock")
    private void setRoutes() {
        routes.forEach(config.routing()::delete);
        routes.clear();
        for (final DhcpLease.Via via : lease.routes()) {
            final RouteReq r = new RouteReq(via.dst()).gateway(via.gateway()).ifp(ifp);
            final boolean there = config.routing().get(via.dst().addr(), ifp.fibnum()) != null
                && dhcp.inet.fib(ifp.fibnum()).exact(via.dst().addr(), via.dst().bits()) != null;
            if (!there && config.routing().add(r.fib(ifp.fibnum())) == Errno.OK) {
                routes.add(r);
            }
        }
    }

    /** The address is not to be used: its server is told (RFC 2131 section 3.1, step 5). */
    @GuardedBy("lock")
    private void decline() {
        final byte[] b = new DhcpMessage.Writer(DhcpMessage.DHCPDECLINE, nextXid(), 0, 0, ifp.lladdr())
            .word(DhcpMessage.OPT_REQUESTED, address()).word(DhcpMessage.OPT_SERVER, lease.server()).octets();
        dhcp.send(ifp, b, 0, SockAddr.INADDR_BROADCAST);
        init(DECLINE_WAIT);
    }

    @GuardedBy("lock")
    private void lose(final String why) {
        held = false;
        routes.forEach(config.routing()::delete);
        routes.clear();
        try {
            config.removeAddress(ifp, lease.address().addr().host());
        } catch (final ErrnoException e) {
            dhcp.bad.increment(); // somebody took it away by hand
        }
        listener.lost(lease, why);
    }

    /** Somebody else uses the address: once it is defended, the second time in ten seconds it is given up. */
    private void duplicate(final ArpDuplicate d) {
        lock.lock();
        try {
            if (!held || d.addr() != address()) {
                return;
            }
            if (conflictNs != 0 && d.atNs() - conflictNs < DEFEND_INTERVAL) {
                lose("used by another host");
                decline();
            } else {
                conflictNs = d.atNs();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The link came up: is this still the network where the lease is good? */
    private void linkChanged() {
        lock.lock();
        try {
            final boolean was = up;
            up = (ifp.flags() & Ifnet.IFF_UP) != 0;
            if (up && !was && held) {
                begin(DhcpState.REBOOTING);
                request();
            }
        } finally {
            lock.unlock();
        }
    }
}
