package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MCLBYTES;
import static io.gatun.spi.mbuf.Mbuf.MSIZE;
import static io.gatun.spi.mbuf.Mbuf.MT_CONTROL;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.MT_OOBDATA;
import static io.gatun.spi.mbuf.Mbuf.MT_SONAME;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static io.gatun.spi.mbuf.Mbuf.M_PROTOFLAGS;
import static io.gatun.spi.socket.SocketDefs.SB_AUTOSIZE;
import static io.gatun.spi.socket.SocketDefs.SB_NOCOALESCE;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Mtx;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The octets of a socket buffer.
 *
 * <pre>
 *   mb                                     lastrecord
 *   |                                      |
 *   SONAME - CONTROL - DATA - DATA         SONAME - DATA - DATA
 *      '------------- nextPkt ----------------'             |
 *                                                           mbtail
 * </pre>
 *
 * A record is a chain by next; the first mbuf of each points to the next record by nextPkt. A stream is one record
 * without address, control or packet headers.
 *
 * <p>A reader takes what it reads out of the buffer under the lock and copies it outside. Where its last octets share
 * an mbuf with octets that stay, that mbuf is pinned: whoever drops it meanwhile leaves it to the reader to free.
 *
 * <p>Locking key: (l) this buffer's lock, (v) VarHandle: set under the lock, taken by compare-and-set.
 *
 * @bsd sbappendstream
 */
final class MbufSockBuf extends SockBufState {
    private static final VarHandle MARK;
    /** Messages taken out in one visit to the lock. */
    private static final int TAKE_MOST = 64;
    /** What is taken out no longer counts against the limit, so it is a part of that at most. */
    private static final int TAKE_PART = 4;

    static {
        try {
            MARK = MethodHandles.lookup().findVarHandle(MbufSockBuf.class, "mark", Object.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Mbuf mb;         // (l) first mbuf of the first record
    private Mbuf mbtail;     // (l) last mbuf of the last record
    private Mbuf lastrecord; // (l) first mbuf of the last record
    /**
     * Of a buffer to send: where the last transmission began, an Mbuf, (l); or the way past the buffer, which is empty
     * then, an SoFusion, (v). Of one to receive: the Mbuf a reader copies from, (v). Or null.
     */
    private Object mark;     // (l) or (v)
    private int sndptroff;   // (l) octets before the mark, to send

    MbufSockBuf(final Socket so, final Mtx lock) {
        super(so, lock);
    }

    @Override
    public Mbuf mb() {
        assert lock.owned();
        return mb;
    }

    /** The way past this buffer, where it is one to send; or null. */
    SoFusion past() {
        return MARK.getAcquire(this) instanceof SoFusion f ? f : null;
    }

    /** The buffer is empty. */
    void setPast(final SoFusion f) {
        assert sends();
        MARK.setVolatile(this, f);
    }

    private boolean sends() {
        return so.snd == this;
    }

    // ---- accounting ------------------------------------------------------------

    private static boolean isData(final Mbuf m) {
        return m.type() == MT_DATA || m.type() == MT_OOBDATA;
    }

    static int storage(final Mbuf m) {
        return m.has(M_EXT) ? MSIZE + m.size() : MSIZE;
    }

    /** Counts octets that come (positive) or go. */
    private void count(final int octets, final boolean data) {
        ccc += octets;
        if (data) {
            acc += octets;
        }
    }

    /** Octets of messages in m. */
    static int dataIn(final Mbuf m) {
        return PackedMessages.isPacked(m) ? m.pktLen() : isData(m) ? m.len() : 0;
    }

    /** Octets in m, addresses and control included. */
    private static int octetsIn(final Mbuf m) {
        return PackedMessages.isPacked(m) ? m.pktLen() + m.flowid() : m.len();
    }

    /** @bsd sballoc */
    private void alloc(final Mbuf m) {
        count(m.len(), isData(m));
        mbcnt += storage(m);
    }

    /** @bsd sbfree */
    private void free(final Mbuf m) {
        ccc -= octetsIn(m);
        acc -= dataIn(m);
        mbcnt -= storage(m);
        if (mark == null || !sends()) {
            return;
        }
        if (m == mark) {
            mark = null;
            sndptroff = 0;
        } else {
            sndptroff -= m.len();
        }
    }

    // ---- appending ------------------------------------------------------------

    @Override
    public void appendLocked(final Mbuf m, final int flags) {
        assert lock.owned();
        if (mbtail == null || mbtail.has(M_EOR)) {
            appendRecordLocked(m);
        } else {
            compress(m, mbtail);
        }
    }

    @Override
    public void appendStreamLocked(final Mbuf m, final int flags) {
        assert lock.owned();
        assert mb == lastrecord && (mb == null || mb.nextPkt() == null) : "records in a stream";
        if (m.has(M_PKTHDR)) {
            m.demote(true, M_EOR);
        }
        compress(m, mbtail);
        lastrecord = mb;
    }

    @Override
    public void appendRecordLocked(final Mbuf m) {
        assert lock.owned();
        final Mbuf rest = m.next();
        m.next(null);
        m.clearFlags(M_PROTOFLAGS);
        alloc(m);
        link(m, m);
        if (rest != null) {
            if (m.has(M_EOR)) {
                m.clearFlags(M_EOR);
                rest.last().setFlags(M_EOR);
            }
            compress(rest, m);
        }
    }

    /** Makes the chain from first to last the last record. @bsd SBLINKRECORD */
    private void link(final Mbuf first, final Mbuf last) {
        if (lastrecord == null) {
            mb = first;
        } else {
            lastrecord.nextPkt(first);
        }
        lastrecord = first;
        mbtail = last;
    }

    @Override
    public boolean appendAddrLocked(final SockAddr from, final Mbuf m, final Mbuf control) {
        assert lock.owned();
        int octets = from == null ? 0 : SockAddrCodec.length(from);
        octets += control == null ? 0 : control.length();
        octets += m == null ? 0 : m.has(M_PKTHDR) ? m.pktLen() : m.length();
        if (octets > space()) {
            return false;
        }
        Mbuf first = control == null ? m : control;
        if (first != null) {
            first.clearFlags(M_PROTOFLAGS);
        }
        if (from != null && (first == null || first != m || !SockAddrCodec.encodeAhead(from, m))) {
            final Mbuf name = so.vnet().pool().get(MT_SONAME);
            if (name == null) {
                return false;
            }
            SockAddrCodec.encode(from, name);
            name.next(first);
            first = name;
        }
        if (first == null) {
            return true;
        }
        if (control != null && m != null) {
            control.last().next(m);
        }
        Mbuf last = first;
        alloc(first);
        while (last.next() != null) {
            last = last.next();
            alloc(last);
        }
        link(first, last);
        return true;
    }

    /** {@inheritDoc} Where threads share the vnet, short ones alone, several to a cluster. */
    @Override
    public boolean appendUioLocked(final SockAddr from, final Uio uio) {
        assert lock.owned();
        final int addr = SockAddrCodec.length(from);
        if (!SockAddrCodec.isInternet(from) || uio.resid() + addr > space()) {
            return false;
        }
        final boolean done = lock.isShared() ? packLocked(from, addr, uio) : appendAloneLocked(from, addr, uio);
        if (done) {
            wakeupLocked();
        }
        return done;
    }

    /** As a record of its own. */
    private boolean appendAloneLocked(final SockAddr from, final int addr, final Uio uio) {
        final Mbuf m = UioMbuf.packet(so.vnet().pool(), uio, addr);
        if (m == null) {
            return false;
        }
        final boolean done = appendAddrLocked(from, m, null);
        assert done : "there was room for it, and for the address in front of it";
        return true;
    }

    private boolean packLocked(final SockAddr from, final int addr, final Uio uio) {
        final int n = (int) uio.resid();
        if (!PackedMessages.mayPack(n)) {
            return false;
        }
        Mbuf m = lastrecord;
        final boolean more = PackedMessages.fits(m, addr, n);
        if (!more) {
            m = PackedMessages.make(so.vnet().pool());
            if (m == null) {
                return false;
            }
        }
        boolean done = false;
        try {
            PackedMessages.put(m, from, addr, uio);
            done = true;
        } finally {
            if (!done && !more) {
                m.free();
            }
        }
        ccc += n + addr;
        acc += n;
        if (!more) {
            mbcnt += storage(m);
            link(m, m);
        }
        return true;
    }

    @Override
    public void appendControlLocked(final Mbuf m, final Mbuf control, final int flags) {
        assert lock.owned();
        Mbuf last = control;
        control.clearFlags(M_PROTOFLAGS);
        alloc(control);
        if (m != null) {
            control.last().next(m);
        }
        while (last.next() != null) {
            last = last.next();
            alloc(last);
        }
        link(control, last);
    }

    /**
     * Appends the chain m behind n, the last mbuf. Empty mbufs go; small ones are copied into the space behind n, so
     * that many small writes do not use up the storage limit. Consumes m.
     *
     * @param n null for an empty buffer
     * @bsd sbcompress
     */
    private void compress(final Mbuf chain, final Mbuf n) {
        Mbuf tail = n;
        Mbuf m = chain;
        boolean eor = false;
        while (m != null) {
            eor |= m.has(M_EOR);
            if (m.len() == 0 && (!eor || m.next() != null || tail != null && tail.type() == m.type())) {
                m = m.free();
                continue;
            }
            if (tail != null && fits(m, tail)) {
                final int len = m.len();
                MemorySegment.copy(m.seg(), m.data(), tail.seg(), tail.data() + tail.len(), len);
                tail.len(tail.len() + len);
                count(len, isData(m));
                m = m.free();
                continue;
            }
            if (tail == null) {
                mb = m;
                lastrecord = m;
            } else {
                tail.next(m);
            }
            tail = m;
            alloc(m);
            m.clearFlags(M_EOR);
            m = m.next();
        }
        if (tail != null) {
            tail.next(null);
            if (eor) {
                tail.setFlags(M_EOR);
            }
        }
        mbtail = tail;
    }

    private boolean fits(final Mbuf m, final Mbuf tail) {
        return m.len() < MCLBYTES && tail.type() == m.type() && !tail.has(M_EOR) && m.len() <= tail.trailingSpace()
            && (flags() & SB_NOCOALESCE) == 0;
    }

    // ---- taking ------------------------------------------------------------

    @Override
    public void drop(final int octets) {
        final Mbuf gone;
        lock.lock();
        try {
            gone = cutLocked(octets);
        } finally {
            lock.unlock();
        }
        freeCut(gone);
    }

    @Override
    public void dropLocked(final int octets) {
        freeCut(cutLocked(octets));
    }

    /**
     * {@inheritDoc} The chain holds whole mbufs; octets of an mbuf that others share stay where they are, behind the
     * new front. May be null.
     */
    @Override
    public Mbuf cutLocked(final int octets) {
        assert lock.owned();
        assert octets >= 0 && octets <= ccc : "cut " + octets + " of " + ccc;
        if (octets == 0) {
            return null;
        }
        Mbuf gone = null;
        Mbuf goneTail = null;
        Mbuf m = mb;
        Mbuf next = m == null ? null : m.nextPkt();
        int left = octets;
        // Empty mbufs behind the last octet go too: they are what is left of a record.
        while (m != null && (m.len() <= left && left > 0 || m.len() == 0)) {
            left -= m.len();
            free(m);
            if (goneTail == null) {
                gone = m;
            } else {
                goneTail.next(m);
            }
            goneTail = m;
            Mbuf after = m.next();
            m.nextPkt(null);
            if (after == null && next != null && left > 0) {
                after = next;
                next = after.nextPkt();
            }
            m = after;
        }
        if (left > 0) {
            m.data(m.data() + left);
            m.len(m.len() - left);
            count(-left, isData(m));
            if (mark != null && mark != m && sends()) {
                sndptroff -= left;
            }
        }
        if (goneTail != null) {
            goneTail.next(null);
        }
        front(m, next);
        return gone;
    }

    /** What is left after the front was cut: mbuf m of a record, null for none, and the records from next on. */
    private void front(final Mbuf m, final Mbuf next) {
        mb = m != null ? m : next;
        if (m != null) {
            m.nextPkt(next);
        }
        if (mb == null) {
            mbtail = null;
            lastrecord = null;
        } else if (mb.nextPkt() == null) {
            lastrecord = mb;
        }
    }

    @Override
    public void dropRecordLocked() {
        freeCut(takeRecordLocked());
    }

    /** Takes the first record out, or null. */
    Mbuf takeRecordLocked() {
        assert lock.owned();
        final Mbuf first = mb;
        if (first != null) {
            final Mbuf next = first.nextPkt();
            first.nextPkt(null);
            for (Mbuf m = first; m != null; m = m.next()) {
                free(m);
            }
            front(null, next);
        }
        return first;
    }

    /**
     * Takes messages out into {@code into}: {@value #TAKE_MOST} mbufs of them at most, and of storage at most a part of
     * the limit beyond the first. Takes the lock. Who looks without it may count them twice meanwhile, never not at
     * all: it reads this buffer's counts before those of the reader.
     */
    void takeMany(final SoReader into) {
        lock.lock();
        try {
            final int before = mbcnt;
            final int octets = acc;
            final int most = mbmax() / TAKE_PART;
            into.acc = octets;
            into.mbcnt = before;
            VarHandle.releaseFence();
            Mbuf last = null;
            for (int i = 0; i < TAKE_MOST && mb != null && before - mbcnt <= most; i++) {
                final Mbuf m = takeRecordLocked();
                if (last == null) {
                    into.taken = m;
                } else {
                    last.nextPkt(m);
                }
                last = m;
            }
            into.acc = octets - acc;
            into.mbcnt = before - mbcnt;
        } finally {
            lock.unlock();
        }
    }

    /** {@inheritDoc} Also what readers have taken out and not delivered. */
    @Override
    public void flush() {
        lock.lock();
        try {
            flushLocked();
        } finally {
            lock.unlock();
        }
        flushReader();
    }

    private void flushReader() {
        final SoReader r = so.rcv == this ? so.reader() : null;
        if (r != null) {
            r.lock();
            try {
                r.flush();
            } finally {
                r.unlock();
            }
        }
    }

    @Override
    public void flushLocked() {
        assert lock.owned();
        while (mb != null) {
            dropRecordLocked();
        }
    }

    // ---- a reader's pin ------------------------------------------------------------

    /** Keeps the first mbuf from being freed while the I/O lock's holder copies octets before its front. */
    Mbuf pinLocked() {
        assert lock.owned() && ioHeld();
        mark = mb;
        return mb;
    }

    /** The reader is done with m. */
    void unpin(final Mbuf m) {
        if (!MARK.compareAndSet(this, m, null)) {
            m.free();
        }
    }

    /** Frees what was cut, but leaves a pinned mbuf to its reader. Consumes the chain; may be null. */
    private void freeCut(final Mbuf chain) {
        if (chain == null) {
            return;
        }
        final Mbuf p = sends() ? null : (Mbuf) MARK.getOpaque(this);
        if (p == null) {
            chain.freeChain();
            return;
        }
        Mbuf m = chain;
        while (m != null) {
            final Mbuf n = m.next();
            m.next(null);
            if (m != p || !MARK.compareAndSet(this, p, null)) {
                m.free();
            }
            m = n;
        }
    }

    // ---- transmission ------------------------------------------------------------

    @Override
    public Mbuf sndCopyLocked(final int offset, final int length) {
        assert lock.owned();
        assert offset >= 0 && length > 0 && offset + length <= ccc : "copy " + offset + "+" + length + " of " + ccc;
        final boolean ahead = mark != null && offset >= sndptroff;
        Mbuf m = ahead ? (Mbuf) mark : mb;
        int off = ahead ? offset - sndptroff : offset;
        while (off >= m.len()) {
            off -= m.len();
            m = m.next();
        }
        if (ahead || mark == null) {
            mark = m;
            sndptroff = offset - off;
        }
        return m.copyM(off, length);
    }

    // ---- limits ------------------------------------------------------------

    @Override
    public boolean reserveLocked(final long octets) {
        assert lock.owned() || !so.wasAttached() || so.listener != null : "limits of a socket that others have";
        final Sockets.SbLimits limits = so.sockets.sbLimits();
        if (octets < 0 || octets > limits.maxReserve()) {
            return false;
        }
        final int n = (int) octets;
        setLimits(n, limits.storage(n));
        if (lowat() > n) {
            setLowat(n);
        }
        return true;
    }

    @Override
    public void destroy() {
        flushReader();
        if (mb == null) { // nobody else has it any more
            setLimits(0, 0);
            assert check();
            return;
        }
        lock.lock();
        try {
            flushLocked();
            setLimits(0, 0);
            setFlagBits(0, SB_AUTOSIZE);
            assert check();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean check() {
        lock.lock();
        try {
            int data = 0;
            int control = 0;
            int stored = 0;
            boolean intact = true;
            Mbuf last = null;
            Mbuf record = null;
            for (Mbuf r = mb; r != null; r = r.nextPkt()) {
                record = r;
                for (Mbuf m = r; m != null; m = m.next()) {
                    intact &= m == r || m.nextPkt() == null;
                    data += dataIn(m);
                    control += octetsIn(m) - dataIn(m);
                    stored += storage(m);
                    last = m;
                }
            }
            intact &= data == acc && data + control == ccc && stored == mbcnt;
            intact &= last == mbtail && record == lastrecord && cursorIntact();
            if (!intact) {
                throw new AssertionError("socket buffer: acc " + acc + " for " + data + ", ccc " + ccc + " for "
                    + (data + control) + ", mbcnt " + mbcnt + " for " + stored + ", sndptroff " + sndptroff
                    + ", mbtail " + mbtail + " for " + last + ", lastrecord " + lastrecord + " for " + record);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean cursorIntact() {
        if (mark == null || !sends()) {
            return true;
        }
        if (mark instanceof SoFusion) {
            return mb == null;
        }
        int before = 0;
        Mbuf m = mb;
        while (m != null && m != mark) {
            before += m.len();
            m = m.next();
        }
        return m == mark && before == sndptroff;
    }

    /** Whether m is an address or control mbuf. */
    static boolean isControl(final Mbuf m) {
        return m.type() == MT_SONAME || m.type() == MT_CONTROL;
    }
}
