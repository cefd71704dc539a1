package io.gatun.netinet.arp;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.vnet.Callout;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Address conflict detection (RFC 5227 sections 2.1 to 2.3): asks the link whether anybody has an address before this
 * host takes it, and tells the link when it has been taken. What follows after that is in {@link Arp}.
 *
 * <p>Typical sequence: {@link #claim}; its {@link Outcome} is told {@code free}, upon which the owner gives the address
 * to the interface, or {@code taken}. A second announcement follows by itself.
 */
public final class Acd {
    private static final long SEC = 1_000_000_000L;
    private static final long PROBE_WAIT = SEC;
    private static final int PROBE_NUM = 3;
    private static final long PROBE_MIN = SEC;
    private static final long PROBE_MAX = 2 * SEC;
    private static final long ANNOUNCE_WAIT = 2 * SEC;
    private static final long ANNOUNCE_INTERVAL = 2 * SEC;

    private final Arp arp;
    private final List<Claim> claims = new CopyOnWriteArrayList<>();

    Acd(final Arp arp) {
        this.arp = arp;
    }

    /** Hears how a claim ended. Called without a lock of the stack, by a timer or by ARP's input. */
    public interface Outcome {
        /** Nobody has the address: give it to the interface now. */
        void free();

        /** Somebody has it, or wants it too; link address in the low 48 bits. */
        void taken(long lladdr);
    }

    /**
     * One address being asked for.
     *
     * <p>Locking key: (c) constant; (l) {@code this}.
     */
    public final class Claim {
        private final Ifnet ifp;         // (c)
        private final int addr;          // (c)
        private final Outcome outcome;   // (c)
        private final Callout timer;     // (c)
        private int probes;              // (l) sent
        private boolean free;            // (l) told so: the second announcement is left
        private boolean over;            // (l)

        private Claim(final Ifnet ifp, final int addr, final Outcome outcome) {
            this.ifp = ifp;
            this.addr = addr;
            this.outcome = outcome;
            timer = arp.vnet().callout("acd " + ifp.xname(), null, this::timeout);
        }

        private void timeout() {
            final boolean told;
            synchronized (this) {
                if (over) {
                    return;
                }
                if (probes < PROBE_NUM) {
                    probes++;
                    timer.reset(probes == PROBE_NUM ? ANNOUNCE_WAIT
                        : PROBE_MIN + arp.vnet().random().nextLong(PROBE_MAX - PROBE_MIN + 1));
                    arp.sendAll(ifp, arp.probe(ifp, addr));
                    return;
                }
                told = free;
                free = true;
                over = told;
            }
            if (told) {
                end();
                announce();
            } else {
                outcome.free();
                again();
            }
            arp.vnet().netisr().swi();
        }

        /** The second announcement is due, unless the outcome has given up. */
        private synchronized void again() {
            if (!over) {
                timer.reset(ANNOUNCE_INTERVAL);
            }
        }

        private void announce() {
            final InIfaddr ia = arp.addrs().lookup(addr);
            if (ia != null && ia.ifp == ifp) {
                arp.announce(ifp, addr);
            }
        }

        private void heard(final long sha) {
            synchronized (this) {
                if (over || free) {
                    return; // the address is in use here: Arp defends it
                }
                over = true;
            }
            end();
            outcome.taken(sha);
        }

        private void end() {
            claims.remove(this);
            timer.stop();
        }

        /** Ends it; the outcome hears nothing more. Not to be called from the outcome of another. */
        public void cancel() {
            synchronized (this) {
                over = true;
            }
            claims.remove(this);
            timer.drain();
        }
    }

    /** Begins to ask for an address: after up to a second, three times in up to four, and then waits for two more. */
    public Claim claim(final Ifnet ifp, final int addr, final Outcome outcome) {
        final Claim c = new Claim(ifp, addr, outcome);
        claims.add(c);
        c.timer.reset(1 + arp.vnet().random().nextLong(PROBE_WAIT));
        if ((ifp.flags() & Ifnet.IFF_DYING) != 0) {
            c.cancel(); // who takes the interface away may have missed this one
        }
        return c;
    }

    /** An ARP packet of somebody else: it has a claimed address, or probes for it too (RFC 5227 section 2.1.1). */
    void heard(final Ifnet ifp, final boolean request, final long sha, final int spa, final int tpa) {
        if (claims.isEmpty()) {
            return;
        }
        for (final Claim c : claims) {
            final boolean probe = request && spa == 0 && tpa == c.addr && !EtherHeader.isMulticast(sha);
            if (c.ifp == ifp && (spa == c.addr || probe)) {
                c.heard(sha);
            }
        }
    }

    /** An interface goes, or with null all of them. */
    void cancel(final Ifnet ifp) {
        for (final Claim c : claims) {
            if (ifp == null || c.ifp == ifp) {
                c.cancel();
            }
        }
    }
}
