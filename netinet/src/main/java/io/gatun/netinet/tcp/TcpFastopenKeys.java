package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.SipHash;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/**
 * What a Fast Open server makes its cookies with: a keyed hash of the client's address, RFC 7413 section 4.1.2. Two
 * keys hold at a time, so that a new one does not spoil the cookies given out with the one before. With pre-shared
 * keys a cookie is good only when it comes hashed once more, with one of those.
 *
 * <p>Cookies are eight octets in a long, the first of them lowest. Checking takes no lock. A key that is due by
 * {@code autokey} is made when somebody asks, not by a timer.
 *
 * <p>Locking key: (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd struct tcp_fastopen_keylist
 */
final class TcpFastopenKeys {
    /** Octets of a cookie of ours. @bsd TCP_FASTOPEN_COOKIE_LEN */
    static final int COOKIE_LEN = 8;
    /** The cookie is not good, and there is none to give. */
    static final int NONE = -1;
    /** The cookie is not good, or none came: the newest is to be given. */
    static final int GRANT = 0;
    /** The cookie is good. */
    static final int VALID = 1;

    /** Octets. @bsd TCP_FASTOPEN_KEY_LEN */
    private static final int KEY_LEN = 16;
    /** @bsd TCP_FASTOPEN_MAX_KEYS */
    private static final int MAX_KEYS = 2;
    /** @bsd TCP_FASTOPEN_MAX_PSKS */
    private static final int MAX_PSKS = 2;
    private static final int AUTOKEY_SEC = 120;
    private static final long SEC_NS = 1_000_000_000L;
    private static final int HEX = 16;

    private final Mtx lock = new Mtx(LockClass.LEAF, "tfo_keylock");
    private final VnetSide vnet;
    private final Sysctl acceptany;
    private volatile List<SipHash> keys = List.of(); // (w) the newest first
    private volatile List<SipHash> psks = List.of(); // (w) the newest first
    private volatile boolean enabled;                // (w)
    private volatile boolean pskMode;                // (w)
    private volatile long autokeyNs = AUTOKEY_SEC * SEC_NS; // (w) 0: keys are made by hand
    private volatile long turnedNs;                  // (w) when autokey began, or made a key last

    TcpFastopenKeys(VnetSide vnet) {
        this.vnet = vnet;
        final SysctlTree t = vnet.sysctl();
        final String base = TcpFastopen.BASE;
        acceptany = t.addBool(base + "acceptany", false, "Accept any non-empty cookie");
        t.addProc(base + "autokey", AUTOKEY_SEC, this::setAutokey, "Seconds until a new key is made; 0: by hand only");
        t.addProc(base + "server_enable", 0, this::setEnabled, "Whether listeners may use Fast Open");
        t.addProc(base + "psk_enable", 0, this::setPskMode, "Whether cookies come hashed with a pre-shared key");
        t.addReading(base + "keylen", () -> KEY_LEN, "Octets of a key");
        t.addReading(base + "maxkeys", () -> MAX_KEYS, "Keys at most");
        t.addReading(base + "maxpsks", () -> MAX_PSKS, "Pre-shared keys at most");
        t.addReading(base + "numkeys", () -> keys().size(), "Keys now");
        t.addReading(base + "numpsks", () -> psks.size(), "Pre-shared keys now");
        t.addWriteOnly(base + "setkey", this::addKey, "Adds a key: 32 hexadecimal digits");
        t.addWriteOnly(base + "setpsk", this::addPsk, "Adds a pre-shared key: 32 hexadecimal digits");
    }

    /** @bsd V_tcp_fastopen_server_enable */
    boolean enabled() {
        return enabled;
    }

    // ---- cookies ------------------------------------------------------------

    /**
     * Judges what a client's SYN brought.
     *
     * @param cookie the first eight octets
     * @param len octets that came; 0 is a request
     * @return NONE, GRANT or VALID
     * @bsd tcp_fastopen_check_cookie
     */
    int check(InConninfo inc, long cookie, int len) {
        if (acceptany.getBool() && len > 0) {
            return VALID;
        }
        final List<SipHash> now = keys();
        if (len != COOKIE_LEN) {
            return now.isEmpty() ? NONE : GRANT;
        }
        for (int i = 0; i < now.size(); i++) {
            if (matches(cookie, cookie(now.get(i), inc))) {
                return VALID;
            }
        }
        return GRANT;
    }

    /** The cookie to answer with, also when any is accepted: then 0. */
    long latest(InConninfo inc, int len) {
        final List<SipHash> now = keys();
        return now.isEmpty() || acceptany.getBool() && len > 0 ? 0 : cookie(now.get(0), inc);
    }

    /** @bsd tcp_fastopen_find_cookie_match_locked */
    private boolean matches(long came, long cookie) {
        if (!pskMode) {
            return came == cookie;
        }
        final List<SipHash> shared = psks;
        for (int i = 0; i < shared.size(); i++) {
            if (came == pskCookie(shared.get(i), cookie, 0, COOKIE_LEN)) {
                return true;
            }
        }
        return false;
    }

    /** @bsd tcp_fastopen_make_cookie */
    private static long cookie(SipHash key, InConninfo inc) {
        return inc.v6 ? key.hashOctets(Long.reverseBytes(inc.fhi), Long.reverseBytes(inc.flo), 2 * Long.BYTES)
            : key.hashOctets(Integer.reverseBytes((int) inc.flo) & 0xffff_ffffL, 0, Integer.BYTES);
    }

    /** A cookie as it goes out with a pre-shared key. @bsd tcp_fastopen_make_psk_cookie */
    static long pskCookie(SipHash psk, long lo, long hi, int len) {
        return psk.hashOctets(lo, hi, len);
    }

    /** Sixteen octets of key, the first of them lowest in {@code k0}. */
    static SipHash key(byte[] octets) {
        long k0 = 0;
        long k1 = 0;
        for (int i = Long.BYTES - 1; i >= 0; i--) {
            k0 = k0 << Byte.SIZE | octets[i] & 0xff;
            k1 = k1 << Byte.SIZE | octets[Long.BYTES + i] & 0xff;
        }
        return SipHash.ofKey(k0, k1);
    }

    // ---- keys ------------------------------------------------------------

    /** The keys by now. */
    private List<SipHash> keys() {
        if (enabled && autokeyNs != 0 && vnet.clock().nanoTime() - turnedNs >= autokeyNs) {
            lock.lock();
            try {
                turn();
            } finally {
                lock.unlock();
            }
        }
        return keys;
    }

    /** As many new keys as have become due. @bsd tcp_fastopen_autokey_callout */
    @GuardedBy("lock")
    private void turn() {
        if (!enabled || autokeyNs == 0) {
            return;
        }
        final long last = turnedNs;
        final long due = (vnet.clock().nanoTime() - last) / autokeyNs;
        for (int i = 0; i < Math.min(due, MAX_KEYS); i++) {
            autokey();
        }
        turnedNs = last + Math.max(due, 0) * autokeyNs;
    }

    /** @bsd tcp_fastopen_autokey_locked */
    @GuardedBy("lock")
    private void autokey() {
        keys = with(SipHash.ofKey(vnet.random().nextLong(), vnet.random().nextLong()), keys, MAX_KEYS);
    }

    private static List<SipHash> with(SipHash key, List<SipHash> old, int most) {
        final List<SipHash> l = new ArrayList<>(most);
        l.add(key);
        l.addAll(old.subList(0, Math.min(old.size(), most - 1)));
        return List.copyOf(l);
    }

    private boolean addKey(String text) {
        final SipHash key = parse(text);
        lock.lock();
        try {
            keys = key == null ? keys : with(key, keys, MAX_KEYS);
        } finally {
            lock.unlock();
        }
        return key != null;
    }

    private boolean addPsk(String text) {
        final SipHash key = parse(text);
        lock.lock();
        try {
            psks = key == null ? psks : with(key, psks, MAX_PSKS);
        } finally {
            lock.unlock();
        }
        return key != null;
    }

    private static SipHash parse(String text) {
        final String hex = text.strip();
        if (!hex.matches("[0-9a-fA-F]{32}")) {
            return null;
        }
        final byte[] octets = new byte[KEY_LEN];
        for (int i = 0; i < KEY_LEN; i++) {
            octets[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), HEX);
        }
        return key(octets);
    }

    // ---- sysctls ------------------------------------------------------------

    /** Switched off it forgets all keys; switched on it makes one where there is none. */
    private boolean setEnabled(long v) {
        if (v < 0) {
            return false;
        }
        lock.lock();
        try {
            if (enabled && v == 0) {
                keys = List.of();
                psks = List.of();
            } else if (!enabled && v != 0 && autokeyNs != 0 && keys.isEmpty()) {
                autokey();
                turnedNs = vnet.clock().nanoTime();
            }
            enabled = v != 0;
        } finally {
            lock.unlock();
        }
        return true;
    }

    private boolean setAutokey(long v) {
        if (v < 0 || v > Integer.MAX_VALUE / TcpFastopen.HZ) {
            return false;
        }
        lock.lock();
        try {
            turn();
            autokeyNs = v * SEC_NS;
            turnedNs = vnet.clock().nanoTime();
        } finally {
            lock.unlock();
        }
        return true;
    }

    private boolean setPskMode(long v) {
        if (v < 0) {
            return false;
        }
        lock.lock();
        try {
            if (v == 0) {
                psks = List.of();
            }
            pskMode = v != 0;
        } finally {
            lock.unlock();
        }
        return true;
    }
}
