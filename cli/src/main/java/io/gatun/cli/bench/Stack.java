package io.gatun.cli.bench;

import java.io.IOException;

/**
 * One way to run the workloads. Each call sets up, warms up, measures for a span and leaves nothing behind. All of it
 * happens between two ends on one machine. {@link Workload#sides} says which can do what.
 */
interface Stack {
    /**
     * One TCP connection, one way.
     *
     * @param writeOctets octets of each write
     * @return octets a second that the reader got
     */
    double bulk(int writeOctets, Span span) throws IOException;

    /**
     * One octet there and back on one TCP connection with TCP_NODELAY.
     *
     * @param spin both ends poll without blocking; otherwise they block
     * @return the median round trip, ns
     */
    double roundTripNs(boolean spin, Span span) throws IOException;

    /**
     * Datagrams of 64 octets, one sender, one receiver.
     *
     * @param burst datagrams sent and received by a call, where there are calls for several
     * @return datagrams a second that the receiver got
     */
    double udp64(int burst, Span span) throws IOException;

    /** Connect, accept, close with a reset (SO_LINGER 0). Connections a second. */
    double connections(Span span) throws IOException;

    /** IPv4 look-ups a second in a table of a million prefixes. */
    default double fib4Lookup(final Span span) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** IPv6 look-ups a second in a table of 200,000 prefixes. */
    default double fib6Lookup(final Span span) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Route changes a second in a table of a million IPv4 or 200,000 IPv6 prefixes while another thread looks up at
     * full speed.
     */
    default double fibUpdate(final boolean six, final Span span) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Octets of heap of such a table, estimated. */
    default double fibMemory(final boolean six) {
        throw new UnsupportedOperationException();
    }

    /**
     * Packets of 64 octets forwarded a second from one epair to another.
     *
     * @param routes size of the table; each packet goes to a random one of them
     * @param six IPv6 instead of IPv4
     */
    default double forward(final int routes, final boolean six, final Span span) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * How long to run.
     *
     * @param warmNs not counted
     * @param runNs counted
     */
    record Span(long warmNs, long runNs) {
    }
}
