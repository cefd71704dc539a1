package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SB_UPCALL;
import static io.gatun.spi.socket.SocketDefs.SB_WAIT;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Fusion;
import java.lang.invoke.VarHandle;

/**
 * From one socket's user straight into another's receive buffer. The send buffer stays empty meanwhile; its limit adds
 * to that of the receive buffer, as data would else wait in both.
 *
 * <p>A sender waits as for its own buffer. The reader, who makes the room, does not take the lock of that buffer to see
 * whether anybody waits there: who waits says so first and looks at the room again then, who makes room looks for
 * waiters after.
 *
 * <p>Locking key: (c) constant, (r) written under the lock of the receive buffer, (v) volatile.
 */
final class SoFusion implements Fusion {
    private final Socket to;       // (c)
    private final Ifnet way;       // (c)
    private volatile Socket from;  // (r,v) null once it has ended
    private volatile boolean refused; // (r,v)
    private long octets;           // (r)

    SoFusion(final Socket from, final Socket to, final Ifnet way) {
        this.from = from;
        this.to = to;
        this.way = way;
    }

    @Override
    public boolean put(final Mbuf m) {
        final MbufSockBuf rcv = to.rcv;
        if (!way.transparent()) {
            return false;
        }
        rcv.lock.lock();
        try {
            if (from == null || refused || rcv.cantMore()) {
                return false;
            }
            final int before = rcv.ccc;
            rcv.appendStreamLocked(m, 0);
            octets += rcv.ccc - before;
            rcv.wakeupLocked();
            return true;
        } finally {
            rcv.lock.unlock();
        }
    }

    @Override
    public void end() {
        final Socket sender;
        to.rcv.lock.lock();
        try {
            sender = from;
            from = null;
        } finally {
            to.rcv.lock.unlock();
        }
        if (sender != null) {
            sender.setOutgoing(null);
            sender.snd.wakeAll();
        }
    }

    @Override
    public void refuse() {
        to.rcv.lock.lock();
        try {
            refused = true;
        } finally {
            to.rcv.lock.unlock();
        }
        wakeSender();
    }

    @Override
    public Socket to() {
        return to;
    }

    @Override
    public boolean ended() {
        return from == null;
    }

    @Override
    public long octets() {
        to.rcv.lock.lock();
        try {
            return octets;
        } finally {
            to.rcv.lock.unlock();
        }
    }

    @Override
    public void settled() {
        assert from == null : "settled before its end";
        if (to.incoming() == this) {
            to.setIncoming(null);
        }
    }

    /** Octets the sender, whose buffer is {@code snd}, may put now. Advisory: no lock. */
    int space(final SockBufState snd) {
        final MbufSockBuf rcv = to.rcv;
        if (from == null || refused || rcv.cantMore()) {
            return snd.ownSpace(); // there it goes on, or learns that nobody reads
        }
        final long room = (long) snd.hiwat() + rcv.hiwat() - rcv.used();
        final long storage = (long) snd.mbmax() + rcv.mbmax() - rcv.mbcnt();
        return (int) Math.min(Math.min(room, storage), Integer.MAX_VALUE);
    }

    /** The reader has made room: wakes a sender that waits for it. False once ended. No lock is held. */
    boolean roomMade() {
        final Socket sender = from;
        if (sender == null) {
            return false;
        }
        if (sender.sockets.shared) {
            VarHandle.fullFence(); // the room before the look at who waits; who waits says so and then looks
        }
        if ((sender.snd.flags() & (SB_WAIT | SB_UPCALL)) != 0) {
            sender.snd.wakeup();
        }
        return true;
    }

    /** Lets a sender that waits look again. */
    void wakeSender() {
        final Socket sender = from;
        if (sender != null) {
            sender.snd.wakeAll();
        }
    }
}
