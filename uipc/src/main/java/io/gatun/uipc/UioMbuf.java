package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MJUM16BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUM9BYTES;
import static io.gatun.spi.mbuf.Mbuf.MJUMPAGESIZE;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.Uio;

/** Copies between a user's memory and mbufs. If the user's memory is gone, that exception passes and nothing leaks. */
final class UioMbuf {
    private UioMbuf() {
    }

    /**
     * Copies the next {@code max} octets into mbufs without packet header, the largest clusters first, smaller ones
     * where a zone is exhausted.
     *
     * @return a chain with as many octets as there was room for; null when there was none
     * @bsd m_uiotombuf
     */
    static Mbuf stream(final MbufPool pool, final Uio uio, final int max) {
        Mbuf top = null;
        Mbuf tail = null;
        int left = max;
        while (left > 0) {
            final Mbuf m = get(pool, left);
            if (m == null) {
                break;
            }
            if (tail == null) {
                top = m;
            } else {
                tail.next(m);
            }
            tail = m;
            final int n = Math.min(left, m.size());
            move(uio, m, n, top);
            left -= n;
        }
        return top;
    }

    private static Mbuf get(final MbufPool pool, final int left) {
        final Mbuf m = pool.get2(Math.min(left, MJUM16BYTES), MT_DATA, 0);
        return m != null ? m : getSmaller(pool, left);
    }

    private static Mbuf getSmaller(final MbufPool pool, final int left) {
        Mbuf m = null;
        if (left > MJUMPAGESIZE) {
            m = pool.getjcl(MT_DATA, 0, MJUM9BYTES);
        }
        if (m == null && left > MCLBYTES) {
            m = pool.getjcl(MT_DATA, 0, MJUMPAGESIZE);
        }
        if (m == null) {
            m = pool.getcl(MT_DATA, 0);
        }
        return m != null ? m : pool.get(MT_DATA);
    }

    /**
     * Copies all of uio into a packet with {@code lead} octets free in front of it.
     *
     * @return null, with nothing copied, when out of mbufs
     * @bsd m_uiotombuf
     */
    static Mbuf packet(final MbufPool pool, final Uio uio, final int lead) {
        final int length = (int) uio.resid();
        final int room = length + lead;
        final Mbuf top = room <= MHLEN ? pool.gethdr(MT_DATA) : pool.getm2(null, room, MT_DATA, M_PKTHDR);
        if (top == null) {
            return null;
        }
        top.data(top.data() + lead);
        top.pktLen(length);
        int left = length;
        int inFront = lead;
        for (Mbuf m = top; left > 0; m = m.next()) {
            final int n = Math.min(left, m.size() - inFront);
            inFront = 0;
            move(uio, m, n, top);
            left -= n;
        }
        return top;
    }

    /**
     * As {@link #packet} for several messages that fit an mbuf each.
     *
     * @return the packets, linked by {@code nextPkt}; fewer than {@code n} when mbufs ran out or the memory of a later
     *     message is gone, which it will tell when it is the first; null when there was none
     */
    static Mbuf packets(final MbufPool pool, final Mmsghdr[] vec, final int from, final int n, final int lead) {
        final Mbuf first = pool.gethdrs(n, MT_DATA);
        Mbuf last = null;
        Mbuf m = first;
        try {
            for (int i = from; m != null; i++) {
                fill(m, vec[i].hdr.uio, lead);
                last = m;
                m = m.nextPkt();
            }
        } catch (final IllegalStateException | WrongThreadException e) {
            if (last == null) {
                throw e;
            }
        } finally {
            if (m != null) {
                if (last != null) {
                    last.nextPkt(null);
                }
                m.freePkts();
            }
        }
        return first;
    }

    private static void fill(final Mbuf m, final Uio uio, final int lead) {
        final long length = uio.resid();
        boolean done = false;
        try {
            uio.moveTo(m.seg(), m.data() + lead, (int) length);
            done = true;
        } finally {
            if (!done) {
                uio.back(length - uio.resid());
            }
        }
        m.data(m.data() + lead);
        m.len((int) length);
        m.pktLen((int) length);
    }

    private static void move(final Uio uio, final Mbuf m, final int n, final Mbuf top) {
        boolean done = false;
        try {
            uio.moveTo(m.seg(), m.data(), n);
            done = true;
        } finally {
            if (!done) {
                top.freeChain();
            }
        }
        m.len(n);
    }

    /** Copies the first n octets of a chain out. Borrows m. */
    static void copyOut(final Mbuf chain, final int n, final Uio uio) {
        int left = n;
        for (Mbuf m = chain; left > 0; m = m.next()) {
            final int here = Math.min(left, m.len());
            if (here > 0) {
                uio.moveFrom(m.seg(), m.data(), here);
                left -= here;
            }
        }
    }
}
