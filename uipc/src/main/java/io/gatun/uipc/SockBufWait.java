package io.gatun.uipc;

import io.gatun.spi.socket.SoUpcall;
import io.gatun.spi.sys.Cv;

/**
 * What only a socket buffer has that somebody has waited for, or that has a time-out or an upcall; idle connections
 * are many, and have none.
 *
 * <p>Locking key: (l) the buffer's lock, (w) volatile, (a) benign race: a hint.
 */
final class SockBufWait {
    Cv cond;               // (l) made by the first waiter
    Cv ioCond;             // (l) made by the first waiter
    int wanted;            // (l) the least any waiter waits for, with SB_WAIT
    int spinNs = Integer.MAX_VALUE; // (a)
    int spins;             // (a) waits that spun
    volatile long timeoNs; // (w) 0 waits for ever
    SoUpcall upcall;       // (l)
    Object upcallArg;      // (l)

    SockBufWait() {
        // filled by who needs it
    }
}
