package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;

/** A stream buffer with the contract of the real one and none of its speed. */
final class FakeSockBuf implements SockBuf {
    private final Mtx lock;
    private Mbuf mb;
    private int octets;
    private int hiwat = 65_536;
    private int mbmax = 8 * 65_536;
    private int flags = SocketDefs.SB_AUTOSIZE;
    private int state;
    private int lowat = 1;
    /** Times that it was recounted. */
    int checks;

    FakeSockBuf(String name) {
        lock = new Mtx(LockClass.SOCKBUF, name);
    }

    @Override
    public Mtx lock() {
        return lock;
    }

    @Override
    public int avail() {
        return octets;
    }

    @Override
    public int used() {
        return octets;
    }

    @Override
    public int space() {
        return Math.min(hiwat - octets, mbmax - mbcnt());
    }

    @Override
    public int mbcnt() {
        int n = 0;
        for (Mbuf m = mb; m != null; m = m.next()) {
            n += Mbuf.MSIZE + (m.ext() == null ? 0 : m.size());
        }
        return n;
    }

    @Override
    public int mbmax() {
        return mbmax;
    }

    @Override
    public int hiwat() {
        return hiwat;
    }

    @Override
    public int lowat() {
        return lowat;
    }

    @Override
    public void setLowat(int n) {
        lowat = n;
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public void setFlagBits(int set, int clear) {
        flags = flags & ~clear | set;
    }

    @Override
    public int state() {
        return state;
    }

    @Override
    public void setStateBits(int set, int clear) {
        state = state & ~clear | set;
    }

    @Override
    public Mbuf mb() {
        return mb;
    }

    @Override
    public void appendStreamLocked(Mbuf m, int fl) {
        assert lock.owned();
        octets += m.length();
        if (m.has(Mbuf.M_PKTHDR)) {
            assert m.pktLen() == m.length() : "packet length " + m.pktLen() + " of " + m.length() + " octets";
            m.demote(true, 0);
        }
        Mbuf first = m;
        while (first != null && first.len() == 0) {
            first = first.free();
        }
        if (mb == null) {
            mb = first;
        } else if (first != null) {
            mb.last().next(first);
        }
    }

    @Override
    public void dropLocked(int n) {
        final Mbuf gone = cutLocked(n);
        if (gone != null) {
            gone.freeChain();
        }
    }

    @Override
    public Mbuf cutLocked(int n) {
        assert lock.owned();
        assert n <= octets : "cut of " + n + " from " + octets;
        Mbuf gone = null;
        int left = n;
        while (left > 0) {
            final Mbuf m = mb;
            if (m.len() <= left) {
                left -= m.len();
                mb = m.next();
                m.next(gone);
                gone = m;
            } else {
                m.data(m.data() + left);
                m.len(m.len() - left);
                left = 0;
            }
        }
        octets -= n;
        return gone;
    }

    @Override
    public Mbuf sndCopyLocked(int offset, int length) {
        assert lock.owned();
        final Mbuf m = mb.copyM(offset, length);
        if (m != null && m.has(Mbuf.M_PKTHDR)) {
            m.demote(true, 0);
        }
        return m;
    }

    @Override
    public boolean reserveLocked(long n) {
        hiwat = (int) n;
        mbmax = 8 * hiwat;
        return true;
    }

    void limit(int n) {
        hiwat = n;
        mbmax = 8 * n;
        flags &= ~SocketDefs.SB_AUTOSIZE;
    }

    /** Everything in it, without taking it. */
    byte[] peek() {
        final byte[] b = new byte[octets];
        if (mb != null) {
            mb.copyData(0, octets, b, 0);
        }
        return b;
    }

    byte[] read(int n) {
        lock.lock();
        try {
            final byte[] b = new byte[Math.min(n, octets)];
            if (b.length > 0) {
                mb.copyData(0, b.length, b, 0);
                dropLocked(b.length);
            }
            return b;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void flushLocked() {
        dropLocked(octets);
    }

    @Override
    public void destroy() {
        flush();
    }

    @Override
    public boolean check() {
        checks++;
        return (mb == null ? 0 : mb.length()) == octets;
    }

    @Override
    public void appendLocked(Mbuf m, int fl) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void appendRecordLocked(Mbuf m) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean appendAddrLocked(SockAddr from, Mbuf m, Mbuf control) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void appendControlLocked(Mbuf m, Mbuf control, int fl) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void dropRecordLocked() {
        throw new UnsupportedOperationException();
    }
}
