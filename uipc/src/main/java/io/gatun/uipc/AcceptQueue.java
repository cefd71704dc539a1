package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SQ_COMP;
import static io.gatun.spi.socket.SocketDefs.SQ_INCOMP;
import static io.gatun.spi.socket.SocketDefs.SQ_NONE;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SoUpcall;
import io.gatun.spi.sys.Cv;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Padded;
import io.gatun.spi.vnet.Netisr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * A listener's children: those whose handshake is under way (incomp), and those that wait for accept (comp), each
 * oldest first.
 *
 * <p>A queued child holds a reference on its listener, and the queue holds the child's first reference; whoever takes
 * a child off the queue takes over both. A child's {@code head} and {@code qstate} belong to this queue's lock: who
 * finds, under the lock, that the head is no longer this queue has lost a race against accept or close, and leaves the
 * child alone.
 *
 * <p>DIFFERS: the queue has a lock of its own, the last of its class, where FreeBSD uses the listener's so_lock and
 * backs off when it meets the child's lock held. So a child may complete with any lock of its own held.
 *
 * <p>Locking key: (l) this queue's lock, (a) benign race, (w) written under this queue's lock, volatile for who reads
 * without it. Who waits, or sets the upcall, does so under that lock too, so no fence is needed.
 *
 * @bsd sol_comp
 */
final class AcceptQueue {
    private static final VarHandle QLEN;
    private static final VarHandle INCQLEN;
    /** A queue overflows beyond this many halves of its limit. */
    private static final int HALVES = 3;
    private static final int SPIN_ROUND = 32;
    /** Turns of waiting between two looks at children that gather: a look takes the line from who brings them. */
    private static final int TURNS = 16;
    /** So many looks in vain are a thread that does nothing else. */
    private static final int LOOKS = 2048;
    /** With each so many children more that wait, who brings them gives way to who may take them. */
    private static final int CROWD = 16;
    /** References on the listener that are taken at once, so that its line is left to those who look at it. */
    private static final int REFS = 64;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            QLEN = lookup.findVarHandle(Looks.class, "qlen", int.class);
            INCQLEN = lookup.findVarHandle(AcceptQueue.class, "incqlen", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Socket so;
    final Mtx lock;
    @GuardedBy("lock")
    private final ChildList comp = new ChildList();
    @GuardedBy("lock")
    private final ChildList incomp = new ChildList();
    private volatile int incqlen; // (w) of incomp
    private volatile int qlimit;  // (w)
    private volatile boolean closed; // (w)
    @GuardedBy("lock")
    private long overcount;       // (l)
    @GuardedBy("lock")
    private int waiters;          // (l)
    @GuardedBy("lock")
    private Cv cond;       // (l) made by the first waiter
    @GuardedBy("lock")
    private SoUpcall upcall;      // (l)
    @GuardedBy("lock")
    private Object upcallArg;     // (l)
    private volatile SoAccf.Held filter; // (w)
    private final Looks looks = new Looks();
    @GuardedBy("lock")
    private int spareRefs;        // (l) references on the listener for children to come

    AcceptQueue(final Socket so) {
        this.so = so;
        lock = new Mtx(LockClass.SOCKET, "sol", so.vnet().threaded());
    }

    /** What who polls the listener looks at, on a line of its own: who fills the queue is not to wait for it. */
    private static final class Looks extends Padded {
        private volatile int qlen; // (w) of comp
        private int vain;          // (a) looks that found nothing, since the last that gave way
        private boolean emptyHanded; // (a) the last look found nothing
    }

    /** A queue linked through the sockets. */
    private static final class ChildList {
        Socket first;
        Socket last;
        int length;

        void add(final Socket so) {
            length++;
            so.qprev = last;
            so.qnext = null;
            if (last == null) {
                first = so;
            } else {
                last.qnext = so;
            }
            last = so;
        }

        void remove(final Socket so) {
            length--;
            if (so.qprev == null) {
                first = so.qnext;
            } else {
                so.qprev.qnext = so.qnext;
            }
            if (so.qnext == null) {
                last = so.qprev;
            } else {
                so.qnext.qprev = so.qprev;
            }
            so.qprev = null;
            so.qnext = null;
        }
    }

    int qlen() {
        return looks.qlen;
    }

    /**
     * A look in vain. Who does nothing but look gives way now and then, for whom it waits for may wait for its
     * processor: else the two would take turns of whole time slices.
     */
    void lookedInVain() {
        looks.emptyHanded = true;
        if (++looks.vain >= LOOKS) {
            looks.vain = 0;
            Thread.yield();
        }
    }

    /**
     * Who polls and found nothing last time waits a moment before it takes a child, or until there are two. The first
     * has only just come: who brought it is still at it, and the two would meet at each of its locks.
     */
    void letGather() {
        if (!looks.emptyHanded) {
            return;
        }
        looks.emptyHanded = false;
        final int longest = so.sockets.gatherNs.getInt();
        final long start = so.sockets.clock.nanoTime();
        // Each turn takes more than a ns, so a clock that stands still ends it too.
        for (int i = 0; i < longest && looks.qlen < 2 && so.sockets.clock.nanoTime() - start < longest; i += TURNS) {
            for (int turn = 0; turn < TURNS; turn++) {
                Thread.onSpinWait();
            }
        }
    }

    int incqlen() {
        return incqlen;
    }

    int qlimit() {
        return qlimit;
    }

    void setQlimit(final int backlog) {
        lock.lock();
        try {
            qlimit = backlog;
        } finally {
            lock.unlock();
        }
    }

    /** Connections refused for want of room. @bsd sol_overcount */
    long overcount() {
        lock.lock();
        try {
            return overcount;
        } finally {
            lock.unlock();
        }
    }

    // ---- children ------------------------------------------------------------

    /** Whether there is room for one more; counts when there is not. */
    boolean admit() {
        if (!closed && 2 * looks.qlen <= HALVES * qlimit) {
            return true;
        }
        lock.lock();
        try {
            overcount++;
        } finally {
            lock.unlock();
        }
        so.sockets.listenOverflow.increment();
        return false;
    }

    /**
     * Queues a fresh child. Makes room among the incomplete by ending the oldest.
     *
     * @return false when the listener has closed meanwhile
     * @bsd solisten_enqueue
     */
    boolean enqueue(final Socket child, final boolean complete) {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            child.listener = listener();
            if (complete) {
                addCompleteLocked(child);
                return true;
            }
            while (incqlen > qlimit) {
                final Socket oldest = incomp.first;
                unlinkLocked(oldest);
                so.sockets.defer.child(oldest, true);
            }
            child.setHead(this, SQ_INCOMP);
            incomp.add(child);
            countIncomplete();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** A child's handshake is done. False when it is not, or no longer, an incomplete child of this queue. */
    boolean complete(final Socket child) {
        lock.lock();
        try {
            if (child.head() != this || child.qstate() != SQ_INCOMP) {
                return false;
            }
            incomp.remove(child);
            countIncomplete();
            addCompleteLocked(child);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** An incomplete child is disconnected: nobody will ever accept it. One that is complete never becomes such. */
    void abandon(final Socket child) {
        if (child.qstate() == SQ_COMP) {
            return;
        }
        lock.lock();
        try {
            if (child.head() == this && child.qstate() == SQ_INCOMP) {
                unlinkLocked(child);
                so.sockets.defer.child(child, false);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void countComplete() {
        QLEN.setRelease(looks, comp.length);
    }

    @GuardedBy("lock")
    private void countIncomplete() {
        INCQLEN.setRelease(this, incomp.length);
    }

    @GuardedBy("lock")
    private void addCompleteLocked(final Socket child) {
        child.setHead(this, SQ_COMP);
        comp.add(child);
        countComplete();
        if (comp.length % CROWD == 0) {
            so.sockets.crowd.gathers();
        }
        if (waiters > 0) {
            cond.signal();
        }
        if (upcall != null) {
            upcall.upcall(so, upcallArg);
        }
    }

    @GuardedBy("lock")
    private void unlinkLocked(final Socket child) {
        if (child.qstate() == SQ_COMP) {
            comp.remove(child);
            countComplete();
        } else {
            incomp.remove(child);
            countIncomplete();
        }
        child.setHead(null, SQ_NONE);
    }

    /** Takes the oldest complete child, or null. A reference that it still has is the caller's to give back. */
    Socket poll() {
        if (looks.qlen == 0) {
            return null;
        }
        lock.lock();
        try {
            final Socket child = comp.first;
            if (child != null) {
                unlinkLocked(child);
                if (!closed) {
                    child.listener = null;
                    spareRefs++;
                }
            }
            return child;
        } finally {
            lock.unlock();
        }
    }

    /** The listener, with a reference for a child. */
    @GuardedBy("lock")
    private Socket listener() {
        if (spareRefs == 0) {
            so.extraRefs(REFS);
            spareRefs = REFS;
        }
        spareRefs--;
        return so;
    }

    /** Refuses further children and wakes accept. */
    void close() {
        lock.lock();
        try {
            closed = true;
            so.extraRefs(-spareRefs); // the user's is there yet
            spareRefs = 0;
            upcall = null;
            upcallArg = null;
            if (waiters > 0) {
                cond.broadcast();
            }
        } finally {
            lock.unlock();
        }
    }

    /** After {@link #close}: takes any child off the queue, or null when none is left. */
    Socket drain() {
        lock.lock();
        try {
            final Socket child = comp.first != null ? comp.first : incomp.first;
            if (child != null) {
                unlinkLocked(child);
            }
            return child;
        } finally {
            lock.unlock();
        }
    }

    /** Wakes accept to look at the listener's error. */
    void wake() {
        lock.lock();
        try {
            if (waiters > 0) {
                cond.broadcast();
            }
            if (upcall != null) {
                upcall.upcall(so, upcallArg);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Null clears. @bsd solisten_upcall_set */
    void upcallSet(final SoUpcall function, final Object arg) {
        lock.lock();
        try {
            upcall = function;
            upcallArg = function == null ? null : arg;
        } finally {
            lock.unlock();
        }
    }

    // ---- the accept filter ------------------------------------------------------------

    /** The filter that holds children back, or null. @bsd sol_accept_filter */
    SoAccf.Held filter() {
        return filter;
    }

    /** False when there is one already. */
    boolean setFilter(final SoAccf.Held held) {
        lock.lock();
        try {
            if (filter != null) {
                return false;
            }
            filter = held;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Takes the filter away: the caller's to destroy; null without one. */
    SoAccf.Held takeFilter() {
        lock.lock();
        try {
            final SoAccf.Held held = filter;
            filter = null;
            return held;
        } finally {
            lock.unlock();
        }
    }

    /** The incomplete children, the oldest first, with a reference on each that is the caller's to give back. */
    List<Socket> incomplete() {
        lock.lock();
        try {
            final List<Socket> out = new ArrayList<>(incqlen);
            for (Socket child = incomp.first; child != null; child = child.qnext) {
                child.ref();
                out.add(child);
            }
            return out;
        } finally {
            lock.unlock();
        }
    }

    // ---- waiting ------------------------------------------------------------

    private boolean worthALook() {
        return looks.qlen > 0 || closed || so.error() != Errno.OK;
    }

    /**
     * Waits until accept should look again. As {@link SockBufState#sbwait}; the time-out is the listener's
     * SO_RCVTIMEO. DIFFERS: FreeBSD's accept has no time-out.
     */
    Errno await() {
        final Netisr netisr = so.vnet().netisr();
        netisr.swi();
        if (!so.vnet().threaded()) {
            while (!worthALook() && netisr.pending()) {
                netisr.swi();
            }
            return worthALook() ? Errno.OK : Errno.EAGAIN;
        }
        return spin(netisr) ? Errno.OK : park();
    }

    private boolean spin(final Netisr netisr) {
        final int budget = Thread.currentThread().isVirtual() ? 0 : so.sockets.spinNs.getInt();
        final long start = so.vnet().clock().nanoTime();
        for (int i = 1; i < budget && !worthALook(); i++) {
            Thread.onSpinWait();
            if (i % SPIN_ROUND == 0) {
                netisr.swi();
                if (so.vnet().clock().nanoTime() - start >= budget) {
                    break;
                }
            }
        }
        return worthALook();
    }

    private Errno park() {
        so.vnet().netisr().leave();
        lock.lock();
        try {
            if (cond == null) {
                cond = new Cv(lock);
            }
            waiters++;
            final Errno e = awaitLocked(so.rcv.timeoNs());
            waiters--;
            return e;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private Errno awaitLocked(final long timeoNs) {
        long left = Cv.limit(timeoNs);
        while (!worthALook()) {
            if (left <= 0) {
                return Cv.outcome(left);
            }
            left = cond.timedAwaitSig(left);
        }
        return Errno.OK;
    }
}
