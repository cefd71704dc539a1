package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.pcb.KeyedMix;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Predicate;

/**
 * Security associations, as far as TCP-MD5 (RFC 2385) wants them: a key for each pair of addresses and direction. What
 * setkey(8) does to the kernel's a program does here; {@code vnet.service(Sadb.class)} is that of a vnet.
 *
 * <p>Looking one up takes no lock and allocates nothing.
 *
 * <p>Locking key: (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd key.c
 */
public final class Sadb {
    /** The least number an association of TCP-MD5 is expected to have. @bsd TCP_SIG_SPI */
    public static final int TCP_SIG_SPI = 0x1000;
    /** Octets of a key at most: 80 characters, as RFC 2385 section 4.5 wants at least. */
    public static final int MAX_KEY = 80;
    private static final int LEAST_TABLE = 16;

    /** One association. @bsd struct secasvar */
    static final class Sa {
        final SockAddr src;   // (c)
        final SockAddr dst;   // (c)
        final int spi;        // (c)
        final byte[] key;     // (c) nobody changes it
        private final long srcHi;
        private final long srcLo;
        private final long dstHi;
        private final long dstLo;
        private final int hash;

        private Sa(SockAddr src, SockAddr dst, int spi, byte[] key) {
            this.src = src;
            this.dst = dst;
            this.spi = spi;
            this.key = key;
            srcHi = hi(src);
            srcLo = lo(src);
            dstHi = hi(dst);
            dstLo = lo(dst);
            hash = hash(srcHi, srcLo, dstHi, dstLo);
        }

        private boolean between(boolean v6, long sHi, long sLo, long dHi, long dLo) {
            return srcLo == sLo && dstLo == dLo && srcHi == sHi && dstHi == dHi
                && v6 == (src.family() == SockAddr.AF_INET6);
        }

        /** As setkey(8) shows it, without the key. */
        @Override
        public String toString() {
            return src.host() + " " + dst.host() + "\n\ttcp mode=any spi=" + Integer.toUnsignedString(spi) + "(0x"
                + HexFormat.of().toHexDigits(spi) + ")\n\tA: tcp-md5\n";
        }
    }

    private final Mtx lock = new Mtx(LockClass.LEAF, "sahtree");
    @GuardedBy("lock")
    private List<Sa> all = List.of();             // (l) in the order they came
    private volatile Sa[][] table = new Sa[0][];  // (w) by hash; empty while there are none

    Sadb() {
        // the vnet's
    }

    private static long hi(SockAddr a) {
        return a.family() == SockAddr.AF_INET6 ? In6.embed(a.hi(), a.scopeId()) : 0;
    }

    private static long lo(SockAddr a) {
        return a.family() == SockAddr.AF_INET6 ? a.lo() : a.in4() & 0xffff_ffffL;
    }

    private static int hash(long sHi, long sLo, long dHi, long dLo) {
        return (int) (KeyedMix.mix(sHi ^ 0x9e3779b97f4a7c15L, sLo, dHi, dLo) >>> 40);
    }

    // ---- setkey ------------------------------------------------------------

    /**
     * Adds the key of segments from one address to another; ports do not matter. Each direction needs one of its own.
     *
     * @param key 1 to {@link #MAX_KEY} octets
     * @return EINVAL for addresses of different or other families, or such a key; EEXIST when there is one of that
     *     number
     * @bsd key_add
     */
    public Errno add(SockAddr src, SockAddr dst, int spi, byte[] key) {
        if (!suits(src, dst) || key.length == 0 || key.length > MAX_KEY) {
            return Errno.EINVAL;
        }
        final Sa sa = new Sa(copy(src), copy(dst), spi, key.clone());
        lock.lock();
        try {
            if (all.stream().anyMatch(same(sa))) {
                return Errno.EEXIST;
            }
            final List<Sa> l = new ArrayList<>(all);
            l.add(sa);
            publish(l);
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** Removes one. ENOENT when there is none. DIFFERS: ESRCH there. @bsd key_delete */
    public Errno delete(SockAddr src, SockAddr dst, int spi) {
        if (!suits(src, dst)) {
            return Errno.EINVAL;
        }
        final Sa sa = new Sa(copy(src), copy(dst), spi, new byte[0]);
        lock.lock();
        try {
            final List<Sa> l = all.stream().filter(same(sa).negate()).toList();
            if (l.size() == all.size()) {
                return Errno.ENOENT;
            }
            publish(l);
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** Removes all. @bsd key_flush */
    public void flush() {
        lock.lock();
        try {
            publish(List.of());
        } finally {
            lock.unlock();
        }
    }

    /** All of them as text, without their keys. @bsd key_dump */
    public List<String> dump() {
        lock.lock();
        try {
            return all.stream().map(Sa::toString).toList();
        } finally {
            lock.unlock();
        }
    }

    private static boolean suits(SockAddr src, SockAddr dst) {
        return src.family() == dst.family()
            && (src.family() == SockAddr.AF_INET || src.family() == SockAddr.AF_INET6);
    }

    private static SockAddr copy(SockAddr a) {
        final SockAddr c = new SockAddr();
        c.set(a);
        c.setPort(0);
        return c;
    }

    private static Predicate<Sa> same(Sa sa) {
        final boolean v6 = sa.src.family() == SockAddr.AF_INET6;
        return o -> o.spi == sa.spi && o.between(v6, sa.srcHi, sa.srcLo, sa.dstHi, sa.dstLo);
    }

    @GuardedBy("lock")
    private void publish(List<Sa> list) {
        all = list;
        if (list.isEmpty()) {
            table = new Sa[0][];
            return;
        }
        final int size = Math.max(LEAST_TABLE, Integer.highestOneBit(list.size()) << 1);
        final Sa[][] t = new Sa[size][];
        for (int b = 0; b < size; b++) {
            final int bucket = b;
            t[b] = list.stream().filter(s -> (s.hash & size - 1) == bucket).toArray(Sa[]::new);
        }
        table = t;
    }

    // ---- segments ------------------------------------------------------------

    /** Whether there is none at all. */
    boolean isEmpty() {
        return table.length == 0;
    }

    /** The one for segments between two addresses, or null. Zones are put in. @bsd key_allocsa_tcpmd5 */
    Sa find(boolean v6, long srcHi, long srcLo, long dstHi, long dstLo) {
        final Sa[][] t = table;
        if (t.length == 0) {
            return null;
        }
        for (final Sa s : t[hash(srcHi, srcLo, dstHi, dstLo) & t.length - 1]) {
            if (s.between(v6, srcHi, srcLo, dstHi, dstLo)) {
                return s;
            }
        }
        return null;
    }
}
