package io.gatun.uipc;

import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.MtxPool;
import io.gatun.spi.vnet.LockStrategy;

/**
 * The mutexes of sockets and their control blocks, as the vnet's strategy has them: which are one, which of their own.
 *
 * <p>Locking key: (c) constant.
 */
final class SocketLocks {
    private final LockStrategy strategy; // (c)
    private final MtxPool sockets;       // (c)
    private final MtxPool sends;         // (c)
    private final MtxPool receives;      // (c)
    private final MtxPool blocks;        // (c)

    SocketLocks(final LockStrategy strategy, final boolean shared) {
        this.strategy = strategy;
        // VERTICAL's one lock stands where a pcb's does, for it is held while hash locks are taken.
        sockets =
            new MtxPool(strategy == LockStrategy.VERTICAL ? LockClass.INPCB : LockClass.SOCKET, "so", shared);
        sends = new MtxPool(LockClass.SOCKBUF, "so_snd", shared);
        receives = new MtxPool(LockClass.SOCKBUF, "so_rcv", shared);
        blocks = new MtxPool(LockClass.INPCB, "inp", shared);
    }

    /** A socket's. */
    Mtx so() {
        return sockets.alloc();
    }

    /** The send buffer's of the socket that has {@code so}. */
    Mtx snd(final Mtx so) {
        return strategy == LockStrategy.COALESCED ? so : sends.alloc();
    }

    /** The receive buffer's. */
    Mtx rcv(final Mtx so) {
        return strategy == LockStrategy.COALESCED ? so : receives.alloc();
    }

    /** The control block's. */
    Mtx inp(final Mtx so) {
        return strategy == LockStrategy.VERTICAL ? so : blocks.alloc();
    }
}
