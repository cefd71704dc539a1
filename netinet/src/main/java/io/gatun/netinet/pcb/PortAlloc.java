package io.gatun.netinet.pcb;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/**
 * Chooses ephemeral ports. Without a peer the start of the search is random (RFC 6056 algorithm 1); towards a peer it
 * is a keyed hash of the endpoints plus a counter of its own (algorithm 4), so that successive connections to one peer
 * do not meet a port that the peer still remembers, and nobody else can guess it. A port nobody uses is found by
 * bitmap; only when there is none are ports shared between connections to different peers.
 *
 * <p>Locking key: (h) the owner's hash lock.
 *
 * @bsd in_pcb_lport
 */
final class PortAlloc {
    /** Entries of RFC 6056's table. */
    private static final int TABLE = 1024;

    private final PortRange range;
    private final PortSet ports;
    private final PcbHash exact;
    private final SipHash key;
    private final int[] table = new int[TABLE]; // (h)
    private final long[] hashed = new long[3];  // (h) the words hashed last: many go to the same place
    private long hash;                          // (h) their hash
    private long drawn;                         // (h) ports drawn at random so far
    private int sequential;                     // (h) the counter when ports are not randomized

    PortAlloc(final PortRange range, final PortSet ports, final PcbHash exact, final SipHash key) {
        this.range = range;
        this.ports = ports;
        this.exact = exact;
        this.key = key;
        hash = key.hash(0, 0, 0);
    }

    /**
     * A port for a block without a peer. Under the hash lock.
     *
     * @param inp its flags choose the range
     * @param af family of the packets
     * @param lookup how to judge ports in use, see {@link PcbBind#conflict}
     * @return a port, or a negative errno: EACCES for the low range without privilege, EADDRNOTAVAIL
     */
    int anonymous(
        final Inpcb inp, final int af, final long lhi, final long llo, final int lookup, final Ucred cred) {
        if (forbidden(inp, cred)) {
            return -Errno.EACCES.code();
        }
        final int first = first(inp);
        final int n = last(inp) - first + 1;
        final int start = first + (range.randomized.getBool() ? draw(n) : Integer.remainderUnsigned(sequential, n));
        int port = ports.nextFree(start, first, first + n - 1);
        for (int i = 0; port < 0 && i < n && (llo | lhi) != 0; i++) {
            final int p = first + (start - first + i) % n;
            if (PcbBind.conflict(ports.entry(p), inp, af, lhi, llo, lookup) == null) {
                port = p;
            }
        }
        sequential = port < 0 ? sequential : port - first + 1;
        return port < 0 ? -Errno.EADDRNOTAVAIL.code() : port;
    }

    /**
     * A port for a connection: {@code inp} has its foreign endpoint and local address in {@code to}. Under the hash
     * lock.
     *
     * @return a port, or a negative errno: EACCES, EADDRNOTAVAIL
     * @bsd in_pcb_lport_dest
     */
    int toward(final Inpcb inp, final Endpoints to, final Ucred cred) {
        if (forbidden(inp, cred)) {
            return -Errno.EACCES.code();
        }
        final int first = first(inp);
        final int n = last(inp) - first + 1;
        final boolean random = range.randomized.getBool();
        final long h = random ? hash(to.fhi ^ Long.rotateLeft(to.lhi, 32), to.flo << 16 ^ to.fport, to.llo) : 0;
        final int slot = (int) (h >>> 32) & TABLE - 1;
        final int counter = random ? table[slot] : sequential;
        final int start = first + Integer.remainderUnsigned((int) h + counter, n);
        int port = ports.nextFree(start, first, first + n - 1);
        for (int i = 0; port < 0 && i < n; i++) {
            final int p = first + (start - first + i) % n;
            if (free(inp, to, p)) {
                port = p;
            }
        }
        if (port < 0) {
            return -Errno.EADDRNOTAVAIL.code();
        }
        final int steps = Math.floorMod(port - start, n) + 1;
        if (random) {
            table[slot] = counter + steps;
        } else {
            sequential = counter + steps;
        }
        return port;
    }

    private long hash(final long a, final long b, final long c) {
        if (hashed[0] != a || hashed[1] != b || hashed[2] != c) {
            hash = key.hash(a, b, c);
            hashed[0] = a;
            hashed[1] = b;
            hashed[2] = c;
        }
        return hash;
    }

    /** Whether the four-tuple is new and nobody listens there. */
    private boolean free(final Inpcb inp, final Endpoints to, final int lport) {
        final long key4 = PcbNode.ports(to.family(), lport, to.fport);
        if (exact.find(to.fhi, to.flo, to.lhi, to.llo, key4) != null) {
            return false;
        }
        final PortEntry e = ports.entry(lport);
        return e == null || e.find(to.family(), to.lhi, to.llo, 0) == null;
    }

    private int draw(final int n) {
        final long h = key.hash(drawn++, 0x706f7274L, 0);
        return (int) ((h & 0xffff_ffffL) * n >>> 32);
    }

    private boolean forbidden(final Inpcb inp, final Ucred cred) {
        return inp.has(Inpcb.INP_LOWPORT) && !cred.privileged();
    }

    private int first(final Inpcb inp) {
        return Math.min(low(inp), high(inp));
    }

    private int last(final Inpcb inp) {
        return Math.max(low(inp), high(inp));
    }

    private int low(final Inpcb inp) {
        if (inp.has(Inpcb.INP_HIGHPORT)) {
            return range.hifirst.getInt();
        }
        return inp.has(Inpcb.INP_LOWPORT) ? range.lowlast.getInt() : range.first.getInt();
    }

    private int high(final Inpcb inp) {
        if (inp.has(Inpcb.INP_HIGHPORT)) {
            return range.hilast.getInt();
        }
        return inp.has(Inpcb.INP_LOWPORT) ? range.lowfirst.getInt() : range.last.getInt();
    }
}
