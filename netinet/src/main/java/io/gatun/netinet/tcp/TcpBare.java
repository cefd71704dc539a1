package io.gatun.netinet.tcp;

import io.gatun.netinet.route.RouteCache;

/**
 * A segment without text that is to be sent by {@link TcpRespond}: whom it is for, its numbers, and what its IP header
 * says. Claimed for the time of one output and reused.
 *
 * <p>Locking key: (t) owned by the thread that claimed it.
 */
final class TcpBare {
    final InConninfo inc = new InConninfo(); // (t)
    final TcpOpt to = new TcpOpt();          // (t)
    /** Stands for a connection that only a cookie remembers. */
    SyncacheEntry entry = new SyncacheEntry(); // (t)
    /** The way of those without a route of their own. */
    final RouteCache route = new RouteCache(); // (t)
    int seq;       // (t)
    int ack;       // (t)
    /** TH_*. */
    int flags;     // (t)
    /** The window field as it is to stand. */
    int win;       // (t)
    int ttl;       // (t)
    /** Type of service; of IPv6 traffic class and flow label. */
    int tos;       // (t)
    /** Not to be fragmented on its way. */
    boolean df;    // (t)
    /** The peer's UDP port when it goes encapsulated; 0 plain. */
    int port;      // (t)
    /** Its flow; 0 none. */
    int flowid;    // (t)

    TcpBare() {
        // filled by who claims it
    }
}
