package io.gatun.netinet.nd6;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of neighbour discovery. */
final class Nd6Stat {
    /** Neighbours that did not answer. */
    final Counter timeouts;
    /** Neighbours forgotten to make room for others. */
    final Counter evicted;
    /** Messages that are malformed, or did not come from this link. */
    final Counter bad;
    /** Addresses of this host that somebody else has. @bsd dad_failures */
    final Counter duplicates;
    /** Addresses that were checked and are this host's alone. */
    final Counter dadSuccess;
    /** Checks by others of addresses that are this host's. */
    final Counter dadDefended;
    /** Our own solicitations that came back (RFC 7527). */
    final Counter dadLoopback;
    /** Routers asked for. */
    final Counter solicits;
    /** Advertisements of routers on interfaces that take none. */
    final Counter unwanted;
    /** Routers, routes and prefixes beyond the limit. */
    final Counter overflow;

    Nd6Stat(final CounterSet set) {
        timeouts = set.counter("nd6.timeouts");
        evicted = set.counter("nd6.evicted");
        bad = set.counter("nd6.bad");
        duplicates = set.counter("nd6.dupips");
        dadSuccess = set.counter("nd6.dad.success");
        dadDefended = set.counter("nd6.dad.defended");
        solicits = set.counter("nd6.rs.sent");
        unwanted = set.counter("nd6.ra.unwanted");
        overflow = set.counter("nd6.ra.overflow");
        dadLoopback = set.counter("nd6.dad.loopback");
    }
}
