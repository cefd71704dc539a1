package io.gatun.spi.vnet;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/**
 * Dispatch of inbound packets to protocols, after netisr2. A packet is dispatched direct (run to completion by the
 * caller), hybrid or deferred, as the protocol's policy and {@code net.isr.dispatch} say; what is queued is run by
 * {@link #swi} at the next safe point of any thread.
 *
 * <p>A device that delivers from within {@code transmit} (loopback, epair) must use {@link #queue}: the sender holds
 * its pcb's lock.
 *
 * @bsd netisr
 * @see <a href="https://man.freebsd.org/netisr/9">netisr(9)</a>
 */
public interface Netisr {
    /** IPv4 packets. */
    int NETISR_IP = 1;
    /** IGMP, after ip. */
    int NETISR_IGMP = 2;
    /** Routing socket messages. */
    int NETISR_ROUTE = 3;
    /** ARP packets. */
    int NETISR_ARP = 4;
    /** Ethernet frames before demultiplexing. */
    int NETISR_ETHER = 5;
    /** IPv6 packets. */
    int NETISR_IPV6 = 6;
    /** One above the last protocol number. */
    int NETISR_MAXPROT = 16;

    /** Packets of one source interface stay ordered. */
    int NETISR_POLICY_SOURCE = 1;
    /** Packets of one flow stay ordered. */
    int NETISR_POLICY_FLOW = 2;
    /** The protocol names the workstream. */
    int NETISR_POLICY_CPU = 3;

    /**
     * Registers a protocol's input. EEXIST when the number is taken.
     *
     * @param proto NETISR_*, below {@link #NETISR_MAXPROT}
     * @param name for {@code netstat -Q}
     * @bsd netisr_register
     */
    Errno register(int proto, String name, int policy, NetisrHandler handler);

    /** Takes a protocol away again; packets that wait for it are dropped and counted. @bsd netisr_unregister */
    void unregister(int proto);

    /**
     * Hands a packet up by the protocol's dispatch policy. Consumes m. The caller holds no lock of the stack and calls
     * {@link #swi} at the end of its batch.
     *
     * @return OK; ENOBUFS when it had to be queued and the queue was full (counted under NETISR_QLIMIT);
     *     EPROTONOSUPPORT when nobody has registered the protocol (NETISR_NOPROTO)
     * @bsd netisr_dispatch
     */
    Errno dispatch(int proto, Mbuf m);

    /**
     * Queues a packet, whatever the policy. Consumes m. May be called with any lock held; never runs a handler.
     *
     * @return as {@link #dispatch}
     * @bsd netisr_queue
     */
    Errno queue(int proto, Mbuf m);

    /**
     * Queues something to be run by {@link #swi}, for devices whose delivery is not a packet to one protocol.
     *
     * @param task made once by its owner and queued at most once at a time
     */
    void schedule(SwiTask task);

    /**
     * The software interrupt: runs what is queued here and at linked netisrs, unless another thread is at it already,
     * and returns when all is idle or a budget is used up. To be called where no pcb, socket or buffer lock is held: at
     * the end of every socket call, of every receive batch of a driver, of every callout. Costs two plain reads when
     * nothing is queued.
     *
     * @bsd swi_net
     */
    void swi();

    /** Whether packets wait. */
    boolean pending();

    /** Whether all packets that the calling thread has queued for a protocol have been handled, whoever runs them. */
    default boolean quiet(final int proto) {
        return !pending();
    }

    /**
     * Receive flow steering: the calling thread looks, in a loop, for packets of a flow that others queue. While it
     * does so they are left to it, and this runs some of them. Nothing happens in a vnet without threads. As {@link
     * #swi} to be called where no pcb, socket or buffer lock is held.
     *
     * @param flowid of the packets, or 0 for any that are left to this thread already
     * @param waiting true when the thread does nothing else until it calls {@link #leave}; false for one look by a
     *     thread that may do something else next, which counts when there are many in a row
     * @param most packets to run now: no more than the thread will take in
     * @return packets run
     */
    default int attend(int flowid, boolean waiting, int most) {
        return 0;
    }

    /**
     * Before the calling thread parks: nothing more is left to it, and what was has been run, here or by netisr's own
     * thread. Where it can be called, as for {@link #swi}.
     */
    default void leave() {
        // nothing is left to anybody
    }

    /**
     * Lets this netisr's {@link #swi} run the other's queue too: the two ends of an epair. Symmetric, counted, undone
     * by {@link #unlink}.
     */
    void link(Netisr other);

    /** Undoes one {@link #link}. */
    void unlink(Netisr other);

    /** The queue limit of a protocol, packets. @bsd netisr_getqlimit */
    int qlimit(int proto);

    /** @bsd netisr_setqlimit */
    Errno setQlimit(int proto, int packets);
}
