package io.gatun.netinet.ip6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The policy table of address selection (RFC 6724 section 2.1), as {@code ip6addrctl} shows and sets it: prefixes
 * with a precedence and a label. Starts as the RFC's default. Looked up without a lock.
 *
 * <p>Locking key: (w) written under {@code lock}, read without one.
 *
 * @bsd addrsel_policytab
 */
public final class In6Policy {
    /** Label and precedence of what no entry matches. @bsd ADDR_LABEL_NOTAPP */
    public static final int ADDR_LABEL_NOTAPP = -1;

    private static final int BITS = 128;

    /**
     * One entry.
     *
     * @param prefix its bits behind the length are 0
     * @param prefixLen 0..128
     * @param precedence the higher the better, of destinations
     * @param label sources had better have their destination's
     * @bsd struct in6_addrpolicy
     */
    public record Entry(SockAddr prefix, int prefixLen, int precedence, int label) {
        private boolean matches(final long hi, final long lo) {
            return ((hi ^ prefix.hi()) & In6.maskHi(prefixLen) | (lo ^ prefix.lo()) & In6.maskLo(prefixLen)) == 0;
        }

        private boolean same(final SockAddr addr, final int bits) {
            return prefixLen == bits && prefix.hi() == addr.hi() && prefix.lo() == addr.lo();
        }
    }

    private final Mtx lock = new Mtx(LockClass.CONFIG, "addrsel_lock");
    private volatile Entry[] table; // (w) the longest prefix first

    /** The default table. */
    public In6Policy() {
        table = defaults();
    }

    private static Entry entry(final String prefix, final int bits, final int precedence, final int label) {
        return new Entry(SockAddr.of(prefix, 0), bits, precedence, label);
    }

    private static Entry[] defaults() {
        return new Entry[] {entry("::1", 128, 50, 0), entry("::ffff:0:0", 96, 35, 4), entry("::", 96, 1, 3),
            entry("2001::", 32, 5, 5), entry("2002::", 16, 30, 2), entry("3ffe::", 16, 1, 12),
            entry("fec0::", 10, 1, 11), entry("fc00::", 7, 3, 13), entry("::", 0, 40, 1)};
    }

    /** The entry for an address, its zone not minded; null for none. @bsd lookup_addrsel_policy */
    public Entry lookup(final long hi, final long lo) {
        final long clear = In6.clear(hi);
        final Entry[] all = table;
        for (int i = 0; i < all.length; i++) {
            if (all[i].matches(clear, lo)) {
                return all[i];
            }
        }
        return null;
    }

    /** The label of an address. */
    public int label(final long hi, final long lo) {
        final Entry e = lookup(hi, lo);
        return e == null ? ADDR_LABEL_NOTAPP : e.label;
    }

    /** The precedence of an address. */
    public int precedence(final long hi, final long lo) {
        final Entry e = lookup(hi, lo);
        return e == null ? ADDR_LABEL_NOTAPP : e.precedence;
    }

    /** All entries, the longest prefix first: a snapshot. @bsd in6_src_sysctl */
    public List<Entry> all() {
        return List.of(table);
    }

    /**
     * Adds an entry.
     *
     * @return OK; EEXIST for a prefix that is there, EINVAL for one that is none or a label that stands for nothing
     * @bsd add_addrsel_policyent
     */
    public Errno add(final SockAddr prefix, final int bits, final int precedence, final int label) {
        final boolean bad = prefix.family() != SockAddr.AF_INET6 || bits < 0 || bits > BITS
            || label == ADDR_LABEL_NOTAPP;
        if (bad || (prefix.hi() & ~In6.maskHi(bits) | prefix.lo() & ~In6.maskLo(bits)) != 0) {
            return Errno.EINVAL;
        }
        lock.lock();
        try {
            final List<Entry> next = new ArrayList<>(List.of(table));
            if (next.stream().anyMatch(e -> e.same(prefix, bits))) {
                return Errno.EEXIST;
            }
            next.add(new Entry(SockAddr.in6(prefix.hi(), prefix.lo(), 0), bits, precedence, label));
            publish(next);
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** Deletes an entry. ENOENT when it is not there. @bsd delete_addrsel_policyent */
    public Errno delete(final SockAddr prefix, final int bits) {
        lock.lock();
        try {
            final List<Entry> next = new ArrayList<>(List.of(table));
            if (!next.removeIf(e -> e.same(prefix, bits))) {
                return Errno.ENOENT;
            }
            publish(next);
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** Puts the default table back, or with false empties it. */
    public void reset(final boolean toDefault) {
        lock.lock();
        try {
            publish(toDefault ? List.of(defaults()) : List.of());
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void publish(final List<Entry> next) {
        table = next.stream().sorted(Comparator.comparingInt(Entry::prefixLen).reversed()).toArray(Entry[]::new);
    }
}
