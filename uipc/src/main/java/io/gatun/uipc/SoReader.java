package io.gatun.uipc;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.sys.Errno;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Messages that the readers of a socket took out of its receive buffer in one visit to its lock, to be delivered one by
 * one. What a reader needs for a message is here and not in the buffer, whose cache lines stay with those who fill it;
 * what was delivered is freed with the last of those that were taken with it.
 *
 * <p>One reader at a time: one that finds another at it waits without parking, for all that is done meanwhile is the
 * copying of a message.
 *
 * <p>Locking key: (i) the reader who holds {@code busy}; counts are read without it, (v) VarHandle.
 */
final class SoReader {
    private static final VarHandle BUSY;
    private static final int SPINS = 1000;

    static {
        try {
            BUSY = MethodHandles.lookup().findVarHandle(SoReader.class, "busy", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Taken out and not delivered, by nextPkt. */
    Mbuf taken;         // (i)
    /** Octets of messages in them. */
    int acc;            // (i)
    /** Their storage, octets. */
    int mbcnt;          // (i)
    private Mbuf done;  // (i) delivered since, one chain
    private int busy;   // (v)

    void lock() {
        for (int i = 0; !BUSY.compareAndSet(this, 0, 1); i++) {
            if (i % SPINS == SPINS - 1) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    void unlock() {
        BUSY.setRelease(this, 0);
    }

    /** The oldest message, which stays; null when there is none. Under the lock. */
    Mbuf first(final MbufSockBuf sb) {
        if (taken == null) {
            sb.takeMany(this);
            PackedMessages.readAhead(taken);
        }
        return taken;
    }

    /** Gives the oldest message, which {@link #first} answered, to the caller. Under the lock. */
    Errno deliver(final Mbuf first, final MbufSockBuf sb, final RecvMsg msg) {
        if (PackedMessages.isPacked(first)) {
            return deliverPacked(first, sb, msg);
        }
        leave(first);
        Mbuf left = first;
        try {
            left = SoReceiveRecord.give(first, msg);
        } finally {
            delivered(left);
        }
        return Errno.OK;
    }

    /** As copies in mbufs where those are wanted; without any it stays, ENOBUFS. */
    private Errno deliverPacked(final Mbuf first, final MbufSockBuf sb, final RecvMsg msg) {
        if (msg.wantMbufs) {
            final Mbuf copy = PackedMessages.copyFirst(first, sb.so.vnet().pool());
            if (copy == null) {
                return Errno.ENOBUFS;
            }
            acc -= PackedMessages.drop(first);
            SoReceiveRecord.deliver(copy, msg);
        } else {
            acc -= PackedMessages.take(first, msg);
        }
        if (first.len() == 0) {
            leave(first);
            delivered(first);
            PackedMessages.readAhead(taken);
        }
        return Errno.OK;
    }

    private void leave(final Mbuf first) {
        taken = first.nextPkt();
        first.nextPkt(null);
        for (Mbuf m = first; m != null; m = m.next()) {
            acc -= MbufSockBuf.dataIn(m);
            mbcnt -= MbufSockBuf.storage(m);
        }
    }

    /** A message was delivered, of which m is left, or null. Consumes m. */
    private void delivered(final Mbuf m) {
        if (m != null) {
            m.last().next(done);
            done = m;
        }
        if (taken == null && done != null) {
            done.freeChain();
            done = null;
        }
    }

    /** Frees what was not delivered. Under the lock, or when nobody reads any more. */
    void flush() {
        if (taken != null) {
            taken.freePkts();
            taken = null;
        }
        acc = 0;
        mbcnt = 0;
        delivered(null);
    }
}
