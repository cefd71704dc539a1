package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.M_COPYALL;
import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static io.gatun.spi.mbuf.Mbuf.M_RDONLY;

import java.lang.foreign.MemorySegment;

/** Operations that copy octets of chains; the contracts stand in {@link Mbuf}. */
final class MbufCopy {
    private static final long WORD = Long.BYTES;

    private MbufCopy() {
    }

    static Mbuf copyM(Mbuf m, int off, int n) {
        assert off >= 0 && n >= 0;
        Mbuf from = m;
        int skip = off;
        while (skip >= from.len() && from.next != null) {
            skip -= from.len;
            from = from.next;
        }
        assert skip <= from.len : "copyM at " + off + " of " + m.length();
        int left = Math.min(n, from.len - skip);
        Mbuf top = copyOne(from, skip, left);
        if (top == null || !copyRest(top, from.next, n - left)) {
            return null;
        }
        if (off != 0 || (m.flags & M_PKTHDR) == 0) {
            return top;
        }
        return copyHdr(top, m, n);
    }

    /**
     * Copies {@code n} octets of the chain {@code m} behind {@code top}. Frees top and says false when out of mbufs.
     */
    private static boolean copyRest(Mbuf top, Mbuf m, int n) {
        Mbuf tail = top;
        Mbuf from = m;
        int left = n;
        while (left > 0 && from != null) {
            int k = Math.min(left, from.len());
            if (k > 0) {
                tail.next = copyOne(from, 0, k);
                tail = tail.next;
            }
            if (tail == null) {
                top.freeChain();
                return false;
            }
            left -= k;
            from = from.next;
        }
        assert left == 0 || left > M_COPYALL / 2 : "copyM " + left + " octets beyond the end";
        return true;
    }

    private static Mbuf copyHdr(Mbuf top, Mbuf m, int n) {
        if (!top.dupHdrFrom(m)) {
            top.freeChain();
            return null;
        }
        top.pktLen = Math.min(n, m.pktLen);
        return top;
    }

    /**
     * Octets {@code off} to {@code off + n} of one mbuf: its cluster shared, or its own octets copied. Null when out
     * of mbufs.
     */
    static Mbuf copyOne(Mbuf from, int off, int n) {
        Mbuf c = from.pool.get(from.type());
        if (c == null) {
            return null;
        }
        if ((from.flags & M_EXT) != 0) {
            c.share(from, off, n);
        } else {
            MemorySegment.copy(from.seg, from.data + off, c.seg, c.data, n);
            c.len = n;
        }
        return c;
    }

    /** A deep copy in {@code pool}, which may be another than m's. */
    static Mbuf dup(Mbuf m, MbufPool pool) {
        int total = m.length();
        Mbuf n = total == 0 ? pool.get(m.type()) : pool.getm2(null, total, m.type(), 0);
        if (n == null) {
            return null;
        }
        fill(n, m, total);
        if ((m.flags & M_PKTHDR) != 0 && !n.dupHdrFrom(m)) {
            n.freeChain();
            return null;
        }
        return n;
    }

    /** A private copy of one mbuf, a chain if it was large foreign storage. Null when out of mbufs. */
    static Mbuf dupOne(Mbuf m) {
        Mbuf n = roomFor(m, m.len);
        if (n != null) {
            fill(n, m, m.len);
        }
        return n;
    }

    /** An empty chain with storage for {@code n} octets, at least one mbuf. */
    static Mbuf roomFor(Mbuf m, int n) {
        return n == 0 ? m.pool.get(m.type()) : m.pool.getm2(null, n, m.type(), 0);
    }

    /**
     * Copies the first {@code n} octets of {@code src} into the empty chain {@code dst}, which has storage for them.
     */
    static void fill(Mbuf dst, Mbuf src, int n) {
        Mbuf d = dst;
        Mbuf s = src;
        int done = 0;
        int left = n;
        while (left > 0) {
            int k = Math.min(Math.min(s.len - done, (int) (d.start + d.size - d.data) - d.len), left);
            MemorySegment.copy(s.seg, s.data + done, d.seg, d.data + d.len, k);
            d.len += k;
            done += k;
            left -= k;
            if (done == s.len) {
                s = s.next;
                done = 0;
            } else {
                d = d.next;
            }
        }
    }

    static void copyData(Mbuf m, int off, int n, MemorySegment dst, long dstOff) {
        Mbuf from = m;
        int skip = off;
        int done = 0;
        while (done < n) {
            int k = Math.min(from.len() - skip, n - done);
            if (k > 0) {
                MemorySegment.copy(from.seg, from.data + skip, dst, dstOff + done, k);
                done += k;
            }
            skip = Math.max(skip - from.len, 0);
            from = from.next;
        }
    }

    static void copyData(Mbuf m, int off, int n, byte[] dst, int dstOff) {
        Mbuf from = m;
        int skip = off;
        int done = 0;
        while (done < n) {
            int k = Math.min(from.len() - skip, n - done);
            if (k > 0) {
                MemorySegment.copy(from.seg, Mbuf.U8, from.data + skip, dst, dstOff + done, k);
                done += k;
            }
            skip = Math.max(skip - from.len, 0);
            from = from.next;
        }
    }

    static boolean copyBack(Mbuf m, int off, int n, MemorySegment src, long srcOff) {
        if (!reach(m, off, n)) {
            return false;
        }
        Mbuf to = m;
        int skip = off;
        int done = 0;
        while (done < n) {
            int k = Math.min(to.len - skip, n - done);
            if (k > 0) {
                assert writable(to) : "shared: " + to.describe();
                MemorySegment.copy(src, srcOff + done, to.seg, to.data + skip, k);
                done += k;
            }
            skip = Math.max(skip - to.len, 0);
            to = to.next;
        }
        return true;
    }

    static boolean copyBack(Mbuf m, int off, int n, byte[] src, int srcOff) {
        if (!reach(m, off, n)) {
            return false;
        }
        Mbuf to = m;
        int skip = off;
        int done = 0;
        while (done < n) {
            int k = Math.min(to.len - skip, n - done);
            if (k > 0) {
                assert writable(to) : "shared: " + to.describe();
                MemorySegment.copy(src, srcOff + done, to.seg, Mbuf.U8, to.data + skip, k);
                done += k;
            }
            skip = Math.max(skip - to.len, 0);
            to = to.next;
        }
        return true;
    }

    private static boolean writable(Mbuf m) {
        return (m.flags & M_RDONLY) == 0 && m.writable();
    }

    /** Lengthens the chain to {@code off + n} octets, those before {@code off} being zeros. False when out of mbufs. */
    private static boolean reach(Mbuf m, int off, int n) {
        assert off >= 0 && n >= 0;
        int total = m.length();
        int more = off + n - total;
        if (more <= 0) {
            return true;
        }
        Mbuf last = m.last();
        int here = Math.min(more, last.trailingSpace());
        Mbuf chain = null;
        if (more > here) {
            chain = m.pool.getm2(null, more - here, last.type(), 0);
            if (chain == null) {
                return false;
            }
        }
        int zeros = Math.max(off - total, 0);
        last.next = chain;
        last.len += here;
        zero(last, last.len - here, Math.min(here, zeros));
        zeros -= Math.min(here, zeros);
        int left = more - here;
        for (Mbuf c = chain; c != null; c = c.next) {
            c.len = Math.min(left, c.size);
            left -= c.len;
            int k = Math.min(zeros, c.len);
            zero(c, 0, k);
            zeros -= k;
        }
        if ((m.flags & M_PKTHDR) != 0) {
            m.pktLen += more;
        }
        return true;
    }

    private static void zero(Mbuf m, int off, int n) {
        long at = m.data + off;
        long end = at + n;
        for (; at + WORD <= end; at += WORD) {
            m.seg.set(Mbuf.U64, at, 0);
        }
        for (; at < end; at++) {
            m.seg.set(Mbuf.U8, at, (byte) 0);
        }
    }
}
