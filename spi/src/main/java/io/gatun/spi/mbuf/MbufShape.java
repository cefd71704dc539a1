package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;

import java.lang.foreign.MemorySegment;

/** Operations that change or walk the shape of a chain; the contracts stand in {@link Mbuf}. */
final class MbufShape {
    private MbufShape() {
    }

    /** @bsd m_prepend */
    static Mbuf prepend(Mbuf m, int n) {
        Mbuf head = m.pool.get2(n, m.type(), 0);
        if (head == null) {
            m.freeChain();
            return null;
        }
        // At the end, so that the next layer down finds room in front.
        head.align(n);
        head.len = n;
        head.next = m;
        succeed(head, m);
        head.pktLen += n;
        return head;
    }

    /** Makes {@code head} the first of the chain m began: packet header and queue link go over. */
    private static void succeed(Mbuf head, Mbuf m) {
        if ((m.flags & M_PKTHDR) != 0) {
            head.moveHdrFrom(m);
        } else {
            head.nextPkt = m.nextPkt;
            m.nextPkt = null;
        }
    }

    static Mbuf pullup(Mbuf m, int n) {
        Mbuf head = m;
        Mbuf from = m.next;
        if (from != null && m.trailingSpace() < n - m.len) {
            head = pullupHead(m, n);
            from = m;
        }
        if (head == null || from == null) {
            m.freeChain();
            return null;
        }
        // A little more than asked for, so that the next layer up need not pull again.
        int want = Math.min(Math.max(n, m.pool.maxProtohdr()), head.len + head.trailingSpace());
        while (from != null && head.len < want) {
            int k = Math.min(want - head.len, from.len);
            MemorySegment.copy(from.seg, from.data, head.seg, head.data + head.len, k);
            head.len += k;
            from.data += k;
            from.len -= k;
            if (from.len == 0) {
                from = from.free();
            }
        }
        head.next = from;
        if (head.len < n) {
            head.freeChain();
            return null;
        }
        return head;
    }

    /** An empty mbuf for {@code n} octets, some leading space, and the packet header of m; null when there is none. */
    private static Mbuf pullupHead(Mbuf m, int n) {
        Mbuf head = m.pool.get2(n, m.type(), 0);
        if (head == null) {
            return null;
        }
        head.data += Math.min(m.pool.maxLinkhdr(), head.size - n);
        succeed(head, m);
        return head;
    }

    static void adjHead(Mbuf head, int n) {
        int left = n;
        for (Mbuf m = head; m != null && left > 0; m = m.next) {
            int k = Math.min(left, m.len());
            m.data += k;
            m.len -= k;
            left -= k;
        }
        if ((head.flags & M_PKTHDR) != 0) {
            head.pktLen -= n - left;
        }
    }

    static void adjTail(Mbuf head, int n) {
        Mbuf last = head.last();
        int cut = n;
        if (last.len >= n) {
            last.len -= n;
        } else {
            int total = head.length();
            cut = Math.min(n, total);
            truncate(head, total - cut);
        }
        if ((head.flags & M_PKTHDR) != 0) {
            head.pktLen -= cut;
        }
    }

    private static void truncate(Mbuf head, int keep) {
        int left = keep;
        for (Mbuf m = head; m != null; m = m.next) {
            m.len = Math.min(m.len, left);
            left -= m.len;
        }
    }

    static Mbuf split(Mbuf m, int len0) {
        assert len0 >= 0;
        Mbuf cut = m;
        int off = len0;
        while (off > cut.len() && cut.next != null) {
            off -= cut.len;
            cut = cut.next;
        }
        assert off <= cut.len : "split at " + len0 + " of " + m.length();
        Mbuf rest = rest(cut, off);
        if (rest == null) {
            return null;
        }
        cut.len = off;
        cut.next = null;
        if ((m.flags & M_PKTHDR) != 0) {
            rest.flags |= M_PKTHDR;
            rest.pkthdrInit();
            rest.rcvif(m.rcvif());
            rest.fibnum(m.fibnum());
            rest.flowid(m.flowid());
            rest.rsstype(m.rsstype());
            rest.pktLen = m.pktLen - len0;
            m.pktLen = len0;
        }
        return rest;
    }

    /**
     * The chain of what lies behind octet {@code off} of {@code cut}, which is not changed but for a mark of record.
     */
    private static Mbuf rest(Mbuf cut, int off) {
        if (off == cut.len && cut.next != null) {
            return cut.next;
        }
        Mbuf rest = MbufCopy.copyOne(cut, off, cut.len - off);
        if (rest != null) {
            rest.next = cut.next;
            rest.flags |= cut.flags & M_EOR;
            cut.flags &= ~M_EOR;
        }
        return rest;
    }

    static void cat(Mbuf head, Mbuf n) {
        Mbuf m = head.last();
        Mbuf from = n;
        while (from != null && m.writable() && m.trailingSpace() >= from.len()) {
            from = absorb(m, from);
        }
        m.next = from;
    }

    static Mbuf unshare(Mbuf head) {
        Mbuf top = head;
        Mbuf prev = null;
        Mbuf m = head;
        while (m != null) {
            Mbuf last = m;
            if (!m.writable()) {
                Mbuf n = MbufCopy.dupOne(m);
                if (n == null) {
                    top.freeChain();
                    return null;
                }
                last = n.last();
                replace(m, n, last);
                if (prev == null) {
                    top = n;
                } else {
                    prev.next = n;
                }
            }
            prev = last;
            m = last.next;
        }
        return top;
    }

    /** Puts the chain n..last into the place of m, which is freed; the link to m is the caller's business. */
    private static void replace(Mbuf m, Mbuf n, Mbuf last) {
        succeed(n, m);
        last.flags |= m.flags & M_EOR;
        last.next = m.free();
    }

    static Mbuf defrag(Mbuf m) {
        int total = m.length();
        Mbuf n = MbufCopy.roomFor(m, total);
        if (n == null) {
            return null;
        }
        MbufCopy.fill(n, m, total);
        succeed(n, m);
        m.freeChain();
        return n;
    }

    static Mbuf collapse(Mbuf m, int maxfrags) {
        int frags = squeeze(m);
        Mbuf p = m;
        while (frags > maxfrags && p.next != null) {
            Mbuf n = p.next;
            if (n.next != null && n.len + n.next.len <= Mbuf.MCLBYTES) {
                if (!mergeAfter(p)) {
                    return null;
                }
                frags = count(m);
            }
            p = p.next;
        }
        return frags <= maxfrags ? m : null;
    }

    private static int count(Mbuf head) {
        int n = 0;
        for (Mbuf m = head; m != null; m = m.next) {
            n++;
        }
        return n;
    }

    /** Joins neighbours where the first has room for the second; returns the number of mbufs left. */
    private static int squeeze(Mbuf head) {
        int frags = 0;
        for (Mbuf m = head; m != null; m = m.next) {
            squeezeInto(m);
            frags++;
        }
        return frags;
    }

    private static void squeezeInto(Mbuf m) {
        while (m.next != null && m.trailingSpace() >= m.next.len) {
            m.next = absorb(m, m.next);
        }
    }

    /** Copies {@code from} to the end of m, which has room for it, frees it and returns its next. */
    private static Mbuf absorb(Mbuf m, Mbuf from) {
        MemorySegment.copy(from.seg, from.data, m.seg, m.data + m.len, from.len);
        m.len += from.len;
        m.flags |= from.flags & M_EOR;
        return from.free();
    }

    /** Replaces the two mbufs behind p, and what follows as long as it fits, by one cluster. */
    private static boolean mergeAfter(Mbuf p) {
        Mbuf n = p.pool.getcl(p.next.type(), 0);
        if (n == null) {
            return false;
        }
        n.next = p.next;
        p.next = n;
        squeezeInto(n);
        return true;
    }

    static int apply(Mbuf head, int off, int n, MbufVisitor f, Object arg) {
        int skip = off;
        int left = n;
        int stop = 0;
        for (Mbuf m = head; m != null && left > 0 && stop == 0; m = m.next) {
            int k = Math.min(m.len() - skip, left);
            if (k > 0) {
                stop = f.visit(m.seg, m.data + skip, k, arg);
                left -= k;
                skip = 0;
            } else {
                skip -= m.len;
            }
        }
        assert left == 0 || stop != 0 : "apply " + off + "+" + n + " of " + head.length();
        return stop;
    }

    static Mbuf getPtr(Mbuf head, int off) {
        Mbuf m = head;
        int left = off;
        while (left >= m.len() && m.next != null) {
            left -= m.len;
            m = m.next;
        }
        return left <= m.len ? m : null;
    }

    static int getPtrOff(Mbuf head, int off) {
        Mbuf m = head;
        int left = off;
        while (left >= m.len() && m.next != null) {
            left -= m.len;
            m = m.next;
        }
        return left <= m.len ? left : -1;
    }
}
