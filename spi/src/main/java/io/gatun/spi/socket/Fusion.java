package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;

/**
 * One direction of a connection between two sockets of one stack: what the first sends is put into the receive buffer
 * of the second at once, past the protocol's segments. The protocol begins it by {@link SocketSide#fuse} and ends it
 * before it goes on by segments; what went meanwhile it learns from {@link #octets}. The other direction has one of its
 * own, or none.
 *
 * <p>While it lasts the sender's space is that of both buffers, readers wake the sender, and {@link Protosw#rcvd} is
 * not called. It ends once, by {@link #end}; {@link #put} then answers false, as it does when the receiver refuses, or
 * will not read any more, or the way of the packets is no longer {@link io.gatun.spi.ifnet.Ifnet#transparent}.
 *
 * <p>Known elsewhere as TCP fusion (Solaris) and TCP fast loopback (AIX, Windows).
 */
public interface Fusion {
    /**
     * Appends to the receiver's buffer and wakes its readers. Takes that buffer's lock.
     *
     * @param m octets of a stream, consumed when the answer is true
     * @return false when this way is closed; m is the caller's still
     */
    boolean put(Mbuf m);

    /** Ends it: from the return on nothing is put. Under the sending pcb's lock; takes buffer locks. */
    void end();

    /** The receiver wants segments: {@link #put} answers false from the return on. Takes buffer locks. */
    void refuse();

    boolean ended();

    /** The receiver. */
    SocketSide to();

    /** Octets put since the beginning; constant once ended. Takes the receiver's buffer lock. */
    long octets();

    /** The receiving protocol has taken note of the end. Under the receiving pcb's lock. */
    void settled();
}
