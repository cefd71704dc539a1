package io.gatun.conformance;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;

/** An address family, and the addresses that tests give their hosts in it. */
enum Family {
    V4("10.0.0.1", "10.0.0.2", 24),
    V6("2001:db8::1", "2001:db8::2", 64);

    private final String left;
    private final String right;
    private final int bits;

    Family(final String left, final String right, final int bits) {
        this.left = left;
        this.right = right;
        this.bits = bits;
    }

    String leftAddress() {
        return left;
    }

    SockAddr left(final int port) {
        return SockAddr.of(left, port);
    }

    SockAddr right(final int port) {
        return SockAddr.of(right, port);
    }

    /** Addresses for both ends of a cable, which come up. */
    void up(final Epair cable) throws ErrnoException {
        Bed.up(cable, left + "/" + bits, right + "/" + bits);
    }

    /** Two hosts on a cable. */
    Vnet[] pair(final Bed bed, final Epair.Config config) throws ErrnoException {
        final Vnet a = bed.vnet("left");
        final Vnet b = bed.vnet("right");
        up(bed.cable(a, b, config));
        return new Vnet[] {a, b};
    }
}
