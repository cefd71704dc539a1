package io.gatun.netinet.tcp;

import io.gatun.netinet.pcb.SipHash;
import io.gatun.spi.vnet.VnetSide;

/**
 * Initial sequence numbers that remember a SYN, so that nothing else has to: RFC 4987 section 3.6. 24 bits are a keyed
 * hash of the endpoints and the peer's number, 8 carry what the SYN's options said, in classes.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-----------------------------------------------+-----+-----+-+-+
 * |              hash                             | ws  | mss |S|k|
 * +-----------------------------------------------+-----+-----+-+-+
 * </pre>
 *
 * <p>Two keys take turns of {@link #LIFETIME_NS}: a number holds for one to two of these. The low octet goes out under
 * the hash's high one. Keys change when the time has come and somebody asks, not by a timer.
 *
 * <p>Locking key: (y) this object's monitor for writers, volatile.
 *
 * @bsd union syncookie
 */
final class Syncookie {
    /** @bsd SYNCOOKIE_LIFETIME */
    static final long LIFETIME_NS = 15_000_000_000L;
    private static final int[] MSS = {216, 536, 1200, 1360, 1400, 1440, 1452, 1460};
    private static final int[] SCALE = {0, 0, 1, 2, 4, 6, 7, 8};
    private static final int INDEX = 7;
    private static final int KEY_BIT = 1;
    private static final int SACK_BIT = 2;
    private static final int MSS_SHIFT = 2;
    private static final int SCALE_SHIFT = 5;
    private static final int LOW = 0xff;

    private record Keys(SipHash even, SipHash odd, int current, long sinceNs) {
    }

    private final VnetSide vnet;
    private volatile Keys keys; // (y)

    Syncookie(VnetSide vnet) {
        this.vnet = vnet;
    }

    /** The keys by now. @bsd syncookie_reseed */
    private Keys keys() {
        final Keys k = keys;
        final long now = vnet.clock().nanoTime();
        return k != null && now - k.sinceNs < LIFETIME_NS ? k : turn(now);
    }

    private synchronized Keys turn(long now) {
        final Keys k = keys;
        if (k != null && now - k.sinceNs < LIFETIME_NS) {
            return k;
        }
        if (k == null || now - k.sinceNs >= 2 * LIFETIME_NS) {
            keys = new Keys(fresh(), fresh(), 0, now);
        } else if (k.current == 0) {
            keys = new Keys(k.even, fresh(), 1, k.sinceNs + LIFETIME_NS);
        } else {
            keys = new Keys(fresh(), k.odd, 0, k.sinceNs + LIFETIME_NS);
        }
        return keys;
    }

    private SipHash fresh() {
        return new SipHash(vnet.secret(), vnet.random().nextLong());
    }

    /** The number to answer a SYN with, of which {@code sc} holds all. @bsd syncookie_generate */
    int generate(SyncacheEntry sc) {
        final Keys k = keys();
        int bits = k.current | below(MSS, sc.peerMss) << MSS_SHIFT;
        if (sc.has(SyncacheEntry.SCF_WINSCALE)) {
            bits |= below(SCALE, sc.sScale) << SCALE_SHIFT;
        }
        if (sc.has(SyncacheEntry.SCF_SACK)) {
            bits |= SACK_BIT;
        }
        final int hash = mac(k, sc.inc, sc.irs, bits);
        return hash & ~LOW | bits ^ hash >>> 24;
    }

    /**
     * Fills in what the acknowledged number tells of the SYN; false when it is none of ours, or too old. {@code sc.inc}
     * is set.
     *
     * @bsd syncookie_lookup
     */
    boolean lookup(SyncacheEntry sc, int iss, int irs) {
        final int bits = (iss & LOW) ^ iss >>> 24;
        if ((mac(keys(), sc.inc, irs, bits) & ~LOW) != (iss & ~LOW)) {
            return false;
        }
        sc.irs = irs;
        sc.iss = iss;
        sc.flags = 0;
        sc.peerMss = MSS[bits >> MSS_SHIFT & INDEX];
        final int scale = bits >> SCALE_SHIFT & INDEX;
        if (scale > 0) {
            sc.flags |= SyncacheEntry.SCF_WINSCALE;
            sc.sScale = SCALE[scale];
        }
        if ((bits & SACK_BIT) != 0) {
            sc.flags |= SyncacheEntry.SCF_SACK;
        }
        return true;
    }

    /** The largest class that is not above the value; class 0 when all are. */
    private static int below(int[] classes, int value) {
        int i = classes.length - 1;
        while (i > 0 && classes[i] > value) {
            i--;
        }
        return i;
    }

    /** @bsd syncookie_mac */
    private static int mac(Keys k, InConninfo inc, int irs, int bits) {
        final SipHash key = (bits & KEY_BIT) == 0 ? k.even : k.odd;
        final long numbers = (long) inc.ports() << 32 | irs & 0xffff_ffffL;
        final long h = inc.v6 ? key.hash(key.hash(inc.fhi, inc.flo, inc.lhi) << 8 | bits, inc.llo, numbers)
            : key.hash(inc.flo << 32 | inc.llo, numbers, bits);
        return (int) (h ^ h >>> 32);
    }
}
