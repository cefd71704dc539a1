package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SS_ASYNC;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_NBIO;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Cv;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.sys.Witness;
import io.gatun.spi.vnet.VnetSide;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The state of a socket and its changes; what users and protocols do with it is {@link Socket}.
 *
 * <p>Locking key: (b) this socket's lock, (w) written with release under this socket's lock, and volatile for who reads
 * without it: where its writer then reads what another writes without that lock, a full fence stands between, (v)
 * VarHandle or volatile, (r) the receive buffer's lock, (q) the lock of the queue in {@code head}, (a) benign race: a
 * hint, (t) whoever owns the reference: set before the socket is published, (d) owner of the entry in SoDefer.
 *
 * @bsd struct socket
 */
abstract sealed class SocketState implements SocketSide permits Socket {
    private static final VarHandle REFS;
    private static final VarHandle ERROR;
    private static final VarHandle DEFERRED;
    private static final VarHandle CLOSED;
    private static final VarHandle PCB;
    private static final VarHandle OPTIONS;
    private static final VarHandle STATE;
    private static final VarHandle LINGER;
    private static final VarHandle INCOMING;
    private static final VarHandle QUEUE;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            REFS = lookup.findVarHandle(SocketState.class, "refs", int.class);
            ERROR = lookup.findVarHandle(SocketState.class, "error", Errno.class);
            DEFERRED = lookup.findVarHandle(SocketState.class, "deferred", byte.class);
            CLOSED = lookup.findVarHandle(SocketState.class, "closed", boolean.class);
            PCB = lookup.findVarHandle(SocketState.class, "pcb", Object.class);
            OPTIONS = lookup.findVarHandle(SocketState.class, "options", int.class);
            STATE = lookup.findVarHandle(SocketState.class, "state", short.class);
            LINGER = lookup.findVarHandle(SocketState.class, "linger", short.class);
            INCOMING = lookup.findVarHandle(SocketState.class, "incoming", Object.class);
            QUEUE = lookup.findVarHandle(SocketState.class, "queue", AcceptQueue.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int INHERITED = SS_NBIO | SS_ASYNC;

    final Sockets sockets;
    final Protosw proto;
    final byte family;
    final Mtx lock;
    final MbufSockBuf snd;
    final MbufSockBuf rcv;
    private final Ucred cred;
    private volatile Object pcb;            // (v) the protocol's
    private volatile int options;           // (w)
    private volatile short state;           // (w)
    private volatile short linger;          // (w)
    private volatile short fibnum;          // (w)
    private short qstate;                   // (q) SQ_*
    private volatile int userCookie;        // (w)
    private volatile Errno error;           // (v)
    private volatile AcceptQueue queue;     // (w) a listener's own, (q) the one a child waits in
    private volatile boolean closed;        // (v)
    private volatile byte deferred;         // (v) SoDefer work
    private Object incoming;                // (v) of messages, with threads, an SoReader; else an SoFusion or null
    private boolean attached;               // (t)
    private volatile int refs;              // (v)
    private int oobMark;                    // (r)
    private int flowid;                     // (a) of what comes in
    private volatile Cv timeo;              // (w) made by the first waiter
    Socket qnext;                           // (q)
    Socket qprev;                           // (q)
    Socket listener;                        // (t) of a child: held until it is accepted or ended
    Socket deferNext;                       // (d)

    SocketState(final Sockets sockets, final Protosw proto, final int family, final Ucred cred, final int options) {
        this.sockets = sockets;
        this.proto = proto;
        this.family = (byte) family;
        this.cred = cred;
        // Plain where they begin: a volatile store would wait for all of the new socket to reach memory.
        OPTIONS.set(this, options);
        LINGER.set(this, (short) -1);
        ERROR.set(this, Errno.OK);
        REFS.set(this, 1);
        final SocketLocks locks = sockets.locks;
        lock = locks.so();
        final Socket self = (Socket) this;
        snd = new MbufSockBuf(self, locks.snd(lock));
        rcv = new MbufSockBuf(self, locks.rcv(lock));
        snd.setLowat(Mbuf.MCLBYTES);
        rcv.setLowat(1);
    }

    boolean wasAttached() {
        return attached;
    }

    void setAttached() {
        attached = true;
    }

    // ---- references ------------------------------------------------------------

    /** Begins a user's call; false after close. */
    boolean enter() {
        assert Witness.safePoint();
        if (!sockets.shared) {
            if (refs == 0 || closed) {
                return false;
            }
            addRefs(1);
            sockets.clock.callBegins();
            return true;
        }
        int n;
        do {
            n = refs;
            if (n == 0 || closed) {
                return false;
            }
        } while (!REFS.compareAndSet(this, n, n + 1));
        if (closed) {
            rele();
            return false;
        }
        return true;
    }

    /** Ends a user's call. */
    void exit() {
        rele();
        try {
            sockets.vnet.netisr().swi();
        } finally {
            if (!sockets.shared) {
                sockets.clock.callEnds();
            }
        }
    }

    /** Answers how many there were. In a vnet without threads nobody else counts. */
    private int addRefs(final int n) {
        if (sockets.shared) {
            return (int) REFS.getAndAdd(this, n);
        }
        final int before = (int) REFS.get(this);
        REFS.set(this, before + n);
        return before;
    }

    @Override
    public final void ref() {
        final int before = addRefs(1);
        assert before > 0 : "reference to a freed socket";
    }

    @Override
    public final void rele() {
        final int before = addRefs(-1);
        assert before > 0 : "reference given back twice";
        if (before == 1) {
            assert Witness.safePoint();
            SoClose.free((Socket) this);
        }
    }

    /** As {@link #rele} where the caller knows another reference, or that there is nothing to free. */
    void dropExtraRef() {
        addRefs(-1);
    }

    /** Takes n references, or gives back as many (negative) of which none is the last. */
    void extraRefs(final int n) {
        addRefs(n);
    }

    /** Adds to the work SoDefer has for this socket; answers what there was. */
    int deferWork(final int work) {
        return (byte) DEFERRED.getAndBitwiseOr(this, (byte) work);
    }

    int takeDeferred() {
        return (byte) DEFERRED.getAndSet(this, (byte) 0);
    }

    // ---- readings ------------------------------------------------------------

    @Override
    public final VnetSide vnet() {
        return sockets.vnet;
    }

    @Override
    public final Protosw proto() {
        return proto;
    }

    @Override
    public final int type() {
        return proto.type();
    }

    /** AF_*. */
    public final int family() {
        return family;
    }

    @Override
    public final Ucred cred() {
        return cred;
    }

    @Override
    public final int fibnum() {
        return fibnum;
    }

    void setFibnum(final int fib) {
        if (fibnum != fib) {
            fibnum = (short) fib;
        }
    }

    long userCookie() {
        return Integer.toUnsignedLong(userCookie);
    }

    void setUserCookie(final long cookie) {
        if (userCookie != (int) cookie) {
            userCookie = (int) cookie;
        }
    }

    @Override
    public final Mtx lock() {
        return lock;
    }

    @Override
    public final Mtx pcbLock() {
        return sockets.locks.inp(lock);
    }

    @Override
    public final Object pcb() {
        return pcb;
    }

    @Override
    public final void setPcb(final Object newPcb) {
        PCB.setRelease(this, newPcb);
    }

    @Override
    public final MbufSockBuf snd() {
        return snd;
    }

    @Override
    public final MbufSockBuf rcv() {
        return rcv;
    }

    @Override
    public final int options() {
        return options;
    }

    /** Changes SO_* bits. */
    void changeOptions(final int set, final int clear) {
        lock.lock();
        try {
            OPTIONS.setRelease(this, options & ~clear | set);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final int state() {
        return state;
    }

    /** Changes SS_* bits, and lets who waits for them look again. */
    void changeState(final int set, final int clear) {
        lock.lock();
        try {
            STATE.setRelease(this, (short) (state & ~clear | set));
            wakeTimeoLocked();
        } finally {
            lock.unlock();
        }
    }

    /** What a child takes over from its listener when it is accepted. @bsd ACCEPT4_INHERIT */
    void inheritState(final Socket from) {
        final int bits = from.state() & INHERITED;
        if ((state & INHERITED) != bits) {
            changeState(bits, INHERITED & ~bits);
        }
    }

    /** The same for a child that nobody knows yet: when it is accepted the listener will hardly have changed. */
    void beginAs(final Socket from) {
        STATE.set(this, (short) (from.state() & INHERITED));
    }

    @Override
    public final int linger() {
        return linger;
    }

    void setLinger(final int seconds) {
        LINGER.setRelease(this, (short) seconds);
    }

    @Override
    public final Errno error() {
        return error;
    }

    /** The pending error, which is pending no longer. */
    Errno takeError() {
        final Errno e = error;
        if (e == Errno.OK) {
            return e;
        }
        if (sockets.shared) {
            return (Errno) ERROR.getAndSet(this, Errno.OK);
        }
        ERROR.set(this, Errno.OK);
        return e;
    }

    @Override
    public final void setError(final Errno newError) {
        if (newError != Errno.OK) {
            ERROR.setRelease(this, newError); // before the locks that waking takes
            wakeAll();
        } else if (error != Errno.OK) {
            error = Errno.OK;
        }
    }

    @Override
    public final boolean listening() {
        return sol() != null;
    }

    /** Of a listener, or null. */
    AcceptQueue sol() {
        final AcceptQueue q = queue;
        return q != null && q.so == this ? q : null;
    }

    void setSol(final AcceptQueue own) {
        assert lock.owned();
        queue = own;
    }

    /** The queue of a listener that a child waits in, or null. */
    AcceptQueue head() {
        final AcceptQueue q = queue;
        return q != null && q.so != this ? q : null;
    }

    /** A child enters a queue, or leaves it; under the queue's lock. */
    void setHead(final AcceptQueue head, final int sq) {
        QUEUE.setRelease(this, head);
        qstate = (short) sq;
    }

    /** SQ_*; under the queue's lock, or as a hint. */
    int qstate() {
        return qstate;
    }

    @Override
    public final void flow(final int id) {
        if (flowid != id) {
            flowid = id;
        }
    }

    final int flowid() {
        return flowid;
    }

    @Override
    public final boolean userHeld() {
        return !closed;
    }

    /** True for the one caller that closes it. */
    boolean claimClose() {
        if (sockets.shared) {
            return CLOSED.compareAndSet(this, false, true);
        }
        final boolean first = !closed;
        CLOSED.set(this, true);
        return first;
    }

    /** What readers have taken out of the receive buffer; null before the first. */
    final SoReader reader() {
        return INCOMING.getAcquire(this) instanceof SoReader r ? r : null;
    }

    /** For messages. */
    final SoReader makeReader() {
        final SoReader r = reader();
        if (r != null) {
            return r;
        }
        final SoReader made = new SoReader();
        final Object other = INCOMING.compareAndExchange(this, null, made);
        return other == null ? made : (SoReader) other;
    }

    /** The way into the receive buffer, of a stream; or null. */
    final SoFusion incoming() {
        return INCOMING.getAcquire(this) instanceof SoFusion f ? f : null;
    }

    final void setIncoming(final SoFusion f) {
        INCOMING.setRelease(this, f);
    }

    /** The way past the send buffer, or null. */
    final SoFusion outgoing() {
        return snd.past();
    }

    final void setOutgoing(final SoFusion f) {
        snd.setPast(f);
    }

    /** Marks a child nobody will hold any more as closed. */
    void setClosed() {
        closed = true;
    }

    // ---- connection state ------------------------------------------------------------

    @Override
    public final void isConnecting() {
        changeState(SS_ISCONNECTING, SS_ISCONNECTED | SS_ISDISCONNECTING);
    }

    @Override
    public final void isConnected() {
        changeState(SS_ISCONNECTED, SS_ISCONNECTING | SS_ISDISCONNECTING);
        final AcceptQueue waiting = head();
        if (waiting != null && SoAccf.hold((Socket) this, waiting)) {
            return;
        }
        if (waiting == null || !waiting.complete((Socket) this)) {
            rWakeup();
            wWakeup();
        }
    }

    @Override
    public final void clearConnected() {
        changeState(0, SS_ISCONNECTED);
    }

    @Override
    public final void isDisconnecting() {
        changeState(SS_ISDISCONNECTING, SS_ISCONNECTING);
        cantRcvMore();
        cantSendMore();
    }

    @Override
    public final void isDisconnected() {
        changeState(SS_ISDISCONNECTED, SS_ISCONNECTING | SS_ISCONNECTED | SS_ISDISCONNECTING);
        cantRcvMore();
        snd.lock.lock();
        try {
            snd.cantMoreLocked(SocketDefs.SBS_CANTSENDMORE);
            snd.flushLocked();
        } finally {
            snd.lock.unlock();
        }
        final AcceptQueue waiting = head();
        if (waiting != null) {
            waiting.abandon((Socket) this);
        }
    }

    @Override
    public final void cantRcvMore() {
        rcv.cantMore(SocketDefs.SBS_CANTRCVMORE);
    }

    @Override
    public final void cantSendMore() {
        snd.cantMore(SocketDefs.SBS_CANTSENDMORE);
    }

    // ---- waking and waiting ------------------------------------------------------------

    @Override
    public final void rWakeup() {
        rcv.wakeup();
    }

    @Override
    public final void rWakeupLocked() {
        rcv.wakeupLocked();
    }

    @Override
    public final void overflowLocked() {
        if ((options & SocketDefs.SO_RERROR) != 0) {
            rcv.setStateBits(SocketDefs.SBS_RERROR, 0);
            rcv.wakeupLocked();
        }
    }

    @Override
    public final void wWakeup() {
        snd.wakeup();
    }

    @Override
    public final void wWakeupLocked() {
        snd.wakeupLocked();
    }

    @Override
    public final void hasOutOfBand() {
        rcv.wakeAll();
    }

    /** Wakes everybody who waits on this socket, to look again. */
    void wakeAll() {
        final AcceptQueue own = sol();
        if (own != null) {
            own.wake();
        }
        rcv.wakeAll();
        snd.wakeAll();
        if (timeo != null) { // who waits makes it, and then looks: after those fences one of us sees the other
            lock.lock();
            try {
                wakeTimeoLocked();
            } finally {
                lock.unlock();
            }
        }
    }

    private void wakeTimeoLocked() {
        assert lock.owned();
        if (timeo != null) {
            timeo.broadcast();
        }
    }

    /**
     * Waits while a bit of the connection state stays set; SS_ISCONNECTING also only while there is no error and the
     * user holds the socket.
     *
     * @param ns longest wait, 0 for ever
     * @return OK to look again, EAGAIN, EINTR (the thread stays interrupted)
     * @bsd so_timeo
     */
    Errno awaitState(final int whileSet, final long ns) {
        sockets.vnet.netisr().leave();
        lock.lock();
        try {
            if (timeo == null) {
                timeo = new Cv(lock);
            }
            long left = Cv.limit(ns);
            while ((state & whileSet) != 0 && (whileSet != SS_ISCONNECTING || error == Errno.OK && !closed)) {
                if (left <= 0) {
                    return Cv.outcome(left);
                }
                left = timeo.timedAwaitSig(left);
            }
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final int oobMark() {
        return oobMark;
    }

    @Override
    public final void setOobMark(final int octets) {
        assert rcv.lock.owned();
        oobMark = octets;
    }

    /** For diagnosis. */
    @Override
    public String toString() {
        return "socket type " + type() + " of " + sockets.vnet.name() + ", state " + Integer.toHexString(state)
            + (listening() ? ", listening" : "") + (closed ? ", closed" : "");
    }
}
