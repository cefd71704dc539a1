package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SBS_CANTRCVMORE;
import static io.gatun.spi.socket.SocketDefs.SBS_CANTSENDMORE;
import static io.gatun.spi.socket.SocketDefs.SBS_RERROR;
import static io.gatun.spi.socket.SocketDefs.SB_STOP;
import static io.gatun.spi.socket.SocketDefs.SB_UPCALL;
import static io.gatun.spi.socket.SocketDefs.SB_WAIT;
import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;

import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SoUpcall;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Cv;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Netisr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The half of a socket buffer that is not its octets: counters, limits, flags, waiters, and the I/O lock that makes
 * one send or receive call exclude others.
 *
 * <p>A waiter says how much it waits for; a wake-up that would not satisfy it costs a comparison, one without waiters
 * a flag test. Before it parks, a waiter spins for a while that follows its luck, and now and then for longer: on
 * another processor's answer a spin is some fifty times quicker than a park. A vnet without threads never waits: see
 * {@link #sbwait}.
 *
 * <p>The I/O lock is a word, not a {@link Mtx}: idle connections are many. It is the outermost lock of a socket and is
 * held across {@link Netisr#swi}.
 *
 * <p>Locking key: (l) this buffer's lock, (o) written under this buffer's lock, read opaque without it, (w) written
 * with release under this buffer's lock, and volatile for who reads without it: where its writer then reads what
 * another writes without that lock, a full fence stands between, (v) VarHandle.
 *
 * @bsd struct sockbuf
 */
abstract sealed class SockBufState implements SockBuf permits MbufSockBuf {
    private static final VarHandle ACC;
    private static final VarHandle CCC;
    private static final VarHandle MBCNT;
    private static final VarHandle IO;
    private static final VarHandle HIWAT;
    private static final VarHandle MBMAX;
    private static final VarHandle LOWAT;
    private static final VarHandle FLAGS;
    private static final VarHandle STATE;
    private static final int IO_FREE = 0;
    private static final int IO_HELD = 1;
    private static final int IO_WANTED = 2;
    private static final int SPIN_ROUND = 32;
    /** The shortest spin is this part of the longest. */
    private static final int SPIN_FLOOR = 16;
    /** One wait in so many tries the longest spin: two ends that both park would else never find out of it. */
    private static final int SPIN_PROBE = 16;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            ACC = lookup.findVarHandle(SockBufState.class, "acc", int.class);
            CCC = lookup.findVarHandle(SockBufState.class, "ccc", int.class);
            MBCNT = lookup.findVarHandle(SockBufState.class, "mbcnt", int.class);
            IO = lookup.findVarHandle(SockBufState.class, "io", int.class);
            HIWAT = lookup.findVarHandle(SockBufState.class, "hiwat", int.class);
            MBMAX = lookup.findVarHandle(SockBufState.class, "mbmax", int.class);
            LOWAT = lookup.findVarHandle(SockBufState.class, "lowat", int.class);
            FLAGS = lookup.findVarHandle(SockBufState.class, "flags", short.class);
            STATE = lookup.findVarHandle(SockBufState.class, "state", short.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Mtx lock;
    final Socket so;
    int acc;                    // (o) octets of data
    int ccc;                    // (o) octets of any kind
    int mbcnt;                  // (o) octets of storage
    private volatile int hiwat; // (w)
    private volatile int mbmax; // (w)
    private volatile int lowat; // (w)
    private volatile short flags; // (w)
    private volatile short state; // (w)
    private int io;             // (v) IO_FREE, IO_HELD, IO_WANTED
    private volatile SockBufWait waits; // (w) null until somebody waits, or sets a time-out or an upcall

    SockBufState(final Socket so, final Mtx lock) {
        this.so = so;
        this.lock = lock;
    }

    private SockBufWait waits() {
        final SockBufWait w = waits;
        return w == null ? makeWaits() : w;
    }

    private SockBufWait makeWaits() {
        lock.lock();
        try {
            if (waits == null) {
                waits = new SockBufWait();
            }
            return waits;
        } finally {
            lock.unlock();
        }
    }

    // ---- readings ------------------------------------------------------------

    @Override
    public final Mtx lock() {
        return lock;
    }

    @Override
    public final int avail() {
        final int here = (int) ACC.getAcquire(this);
        final SoReader r = so.reader();
        return here + (r == null || this != so.rcv ? 0 : r.acc);
    }

    @Override
    public final int used() {
        return (int) CCC.getOpaque(this);
    }

    @Override
    public final int space() {
        if ((flags & SB_STOP) != 0) {
            return 0;
        }
        final SoFusion f = so.outgoing();
        return f != null && this == so.snd ? f.space(this) : ownSpace();
    }

    /** Space in this buffer, whether anything is put in here or not. */
    final int ownSpace() {
        return Math.min(hiwat - (int) CCC.getOpaque(this), mbmax - (int) MBCNT.getOpaque(this));
    }

    @Override
    public final int mbcnt() {
        final int here = (int) MBCNT.getAcquire(this);
        final SoReader r = so.reader();
        return here + (r == null || this != so.rcv ? 0 : r.mbcnt);
    }

    @Override
    public final int mbmax() {
        return mbmax;
    }

    @Override
    public final int hiwat() {
        return hiwat;
    }

    @Override
    public final int lowat() {
        return lowat;
    }

    @Override
    public final void setLowat(final int octets) {
        LOWAT.setRelease(this, octets);
    }

    @Override
    public final int flags() {
        return flags;
    }

    @Override
    public final void setFlagBits(final int set, final int clear) {
        assert lock.owned() || !so.wasAttached();
        FLAGS.setRelease(this, (short) (flags & ~clear | set));
    }

    @Override
    public final int state() {
        return state;
    }

    @Override
    public final void setStateBits(final int set, final int clear) {
        assert lock.owned();
        final int s = state & ~clear | set;
        if (s != state) {
            STATE.setRelease(this, (short) s);
        }
    }

    @Override
    public final SoFusion fusion() {
        return this == so.snd ? so.outgoing() : so.incoming();
    }

    /** @bsd sb_timeo */
    final long timeoNs() {
        final SockBufWait w = waits;
        return w == null ? 0 : w.timeoNs;
    }

    final void setTimeoNs(final long ns) {
        if (ns != timeoNs()) {
            waits().timeoNs = ns;
        }
    }

    final void setLimits(final int newHiwat, final int newMbmax) {
        HIWAT.setRelease(this, newHiwat);
        MBMAX.setRelease(this, newMbmax);
    }

    /** Whether nothing more can be put in or will come: each direction has its own bit. */
    final boolean cantMore() {
        return (state & (SBS_CANTSENDMORE | SBS_CANTRCVMORE)) != 0;
    }

    // ---- waking ------------------------------------------------------------

    /** Wakes those whom the present content satisfies, and calls the upcall. @bsd sowakeup */
    final void wakeupLocked() {
        assert lock.owned();
        final int f = flags;
        if ((f & (SB_WAIT | SB_UPCALL)) == 0) {
            return;
        }
        if ((f & SB_WAIT) != 0 && (ready() >= waits.wanted || ended())) {
            wakeWaitersLocked();
        }
        if ((f & SB_UPCALL) != 0) {
            callUpcallLocked();
        }
    }

    /** @bsd sowakeup */
    final void wakeup() {
        if (nobodyWaits()) {
            return;
        }
        lock.lock();
        try {
            wakeupLocked();
        } finally {
            lock.unlock();
        }
    }

    /** Sets the bit that nothing more can be put in, or will come, and wakes those who wait for it. */
    final void cantMore(final int bit) {
        lock.lock();
        try {
            cantMoreLocked(bit);
        } finally {
            lock.unlock();
        }
        final SoFusion f = this == so.rcv ? so.incoming() : null;
        if (f != null) {
            f.wakeSender();
        }
    }

    /** As {@link #cantMore}, of a buffer to send. */
    final void cantMoreLocked(final int bit) {
        setStateBits(bit, 0);
        wakeupLocked();
    }

    /**
     * Whether nobody is to be told of what has just changed. Who waits says so and then looks once more; who changes
     * something and asks this in the meantime is seen.
     */
    private boolean nobodyWaits() {
        if (so.sockets.shared) {
            VarHandle.fullFence();
        }
        return (flags & (SB_WAIT | SB_UPCALL)) == 0;
    }

    /** Takes over another's limits and flags. Nobody else knows this one yet. */
    final void inherit(final SockBufState from) {
        HIWAT.set(this, from.hiwat);
        MBMAX.set(this, from.mbmax);
        LOWAT.set(this, from.lowat);
        FLAGS.set(this, (short) (from.flags & SocketDefs.SB_AUTOSIZE));
        setTimeoNs(from.timeoNs());
    }

    /** Wakes all, for a change of state that no counter shows. */
    final void wakeAll() {
        if (nobodyWaits()) {
            return;
        }
        lock.lock();
        try {
            if ((flags & SB_WAIT) != 0) {
                wakeWaitersLocked();
            }
            if ((flags & SB_UPCALL) != 0) {
                callUpcallLocked();
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeWaitersLocked() {
        setFlagBits(0, SB_WAIT);
        waits.cond.broadcast();
    }

    private void callUpcallLocked() {
        final SockBufWait w = waits;
        if (w.upcall.upcall(so, w.upcallArg) == SU_ISCONNECTED) {
            upcallClearLocked();
            so.sockets.defer.connected(so);
        }
    }

    /**
     * Who sets one looks next whether there is something already: what it sees is not older than the upcall, so that
     * who changes something without this lock, and then asks {@link #nobodyWaits}, is seen or calls it.
     *
     * @bsd soupcall_set
     */
    final void upcallSetLocked(final SoUpcall function, final Object arg) {
        assert lock.owned();
        final SockBufWait w = waits();
        w.upcall = function;
        w.upcallArg = arg;
        setFlagBits(SB_UPCALL, 0);
        if (so.sockets.shared) {
            VarHandle.fullFence(); // letting go of the lock is none
        }
    }

    /** @bsd soupcall_clear */
    final void upcallClearLocked() {
        assert lock.owned();
        setFlagBits(0, SB_UPCALL);
        final SockBufWait w = waits;
        if (w != null) {
            w.upcall = null;
            w.upcallArg = null;
        }
    }

    /** Whether that is the upcall set. */
    final boolean upcallIsLocked(final SoUpcall function) {
        assert lock.owned();
        final SockBufWait w = waits;
        return w != null && w.upcall == function;
    }

    // ---- waiting ------------------------------------------------------------

    /** What a waiter compares with its wish: space, or octets; for messages any message is enough. */
    private int ready() {
        if (so.snd == this) {
            return space();
        }
        return so.proto.has(Protosw.PR_ATOMIC) && mbcnt() > 0 ? Integer.MAX_VALUE : avail();
    }

    /** Whether waiting has become pointless. */
    private boolean ended() {
        return cantMore() || so.error() != Errno.OK || !so.userHeld()
            || so.rcv == this && (state() & SBS_RERROR) != 0;
    }

    final boolean worthALook(final int octets) {
        return ready() >= octets || ended();
    }

    /**
     * Waits until {@code octets} can be taken or put, or the state changes: then the caller looks again. The I/O lock
     * may be held, no other. A vnet without threads has nobody to wait for: there this runs what is queued and
     * answers EAGAIN when that did not help.
     *
     * @return OK to look again, EAGAIN when the buffer's time-out is over, EINTR (the thread stays interrupted)
     * @bsd sbwait
     */
    final Errno sbwait(final int octets) {
        final Netisr netisr = so.vnet().netisr();
        netisr.swi();
        if (worthALook(octets)) {
            return Errno.OK;
        }
        if (!so.vnet().threaded()) {
            while (netisr.pending()) {
                netisr.swi();
                if (worthALook(octets)) {
                    return Errno.OK;
                }
            }
            return Errno.EAGAIN;
        }
        if (spin(octets, netisr)) {
            return Errno.OK;
        }
        netisr.leave();
        return park(octets);
    }

    private boolean spin(final int octets, final Netisr netisr) {
        final int longest = so.sockets.spinNs.getInt();
        if (longest <= 0 || Thread.currentThread().isVirtual()) {
            return false;
        }
        final SockBufWait w = waits();
        w.spins++;
        final int budget = w.spins % SPIN_PROBE == 0 ? longest : Math.min(w.spinNs, longest);
        final Clock clock = so.vnet().clock();
        final long start = clock.nanoTime();
        // Each round takes more than its count in ns, so a clock that stands still ends it too.
        for (int i = 1; i < budget; i++) {
            if (worthALook(octets)) {
                w.spinNs = longest;
                return true;
            }
            if (so.incoming() != null || netisr.attend(so.flowid(), true, 1) == 0) {
                Thread.onSpinWait();
            }
            if (i % SPIN_ROUND == 0) {
                netisr.swi();
                if (clock.nanoTime() - start >= budget) {
                    break;
                }
            }
        }
        w.spinNs = Math.max(Math.min(w.spinNs, budget) / 2, longest / SPIN_FLOOR);
        return false;
    }

    private Errno park(final int octets) {
        lock.lock();
        try {
            final SockBufWait w = waits();
            if (w.cond == null) {
                w.cond = new Cv(lock);
            }
            long left = Cv.limit(w.timeoNs);
            while (!worthALook(octets)) {
                if (left <= 0) {
                    return Cv.outcome(left);
                }
                w.wanted = (flags & SB_WAIT) != 0 ? Math.min(w.wanted, octets) : octets;
                setFlagBits(SB_WAIT, 0);
                VarHandle.fullFence();
                if (worthALook(octets)) {
                    break; // since then, by one who saw nobody wait
                }
                left = w.cond.timedAwaitSig(left);
            }
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    // ---- the I/O lock ------------------------------------------------------------

    /**
     * Begins a call that excludes others of its direction.
     *
     * @return OK; EAGAIN when another call is under way and {@code wait} is false; EINTR
     * @bsd soiolock
     */
    final Errno ioLock(final boolean wait) {
        if (ioTryLock()) {
            return Errno.OK;
        }
        return wait ? ioLockSlow(true) : Errno.EAGAIN;
    }

    /** As {@link #ioLock}, waiting, deaf to interrupts. @bsd SBL_NOINTR */
    final void ioLockNoIntr() {
        if (!ioTryLock()) {
            ioLockSlow(false);
        }
    }

    final boolean ioTryLock() {
        if (so.sockets.shared) {
            return IO.compareAndSet(this, IO_FREE, IO_HELD);
        }
        if (io != IO_FREE) {
            return false;
        }
        io = IO_HELD;
        return true;
    }

    private Errno ioLockSlow(final boolean intr) {
        so.vnet().netisr().leave();
        lock.lock();
        try {
            final SockBufWait w = waits();
            if (w.ioCond == null) {
                w.ioCond = new Cv(lock);
            }
            // From here on the holder's unlock sees IO_WANTED and signals under the buffer's lock.
            while ((int) IO.getAndSet(this, IO_WANTED) != IO_FREE) {
                if (!intr) {
                    w.ioCond.await();
                } else if (w.ioCond.awaitSig() != Errno.OK) {
                    return Errno.EINTR;
                }
            }
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** @bsd soiounlock */
    final void ioUnlock() {
        if (!so.sockets.shared) {
            io = IO_FREE; // nobody can be waiting for it
        } else if ((int) IO.getAndSet(this, IO_FREE) == IO_WANTED) {
            lock.lock();
            try {
                waits.ioCond.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    final boolean ioHeld() {
        return (int) IO.getOpaque(this) != IO_FREE;
    }
}
