package io.gatun.conformance.inet;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.Map;

/**
 * Two hosts on one cable and one virtual clock: 10.0.0.1/24 and 2001:db8::1/64 on the left, the same ending in 2 on the
 * right. Closing it closes their sockets and lets what is under way arrive first.
 */
final class Pair {
    private static final int STEPS = 30;
    private static final long STEP_NS = 100_000_000L;

    final Host left;
    final Host right;
    final Epair cable;

    /** @param params of the cable */
    Pair(final LockStrategy locks, final Map<String, String> params) throws Exception {
        left = new Host(locks).dual();
        right = new Host(locks, left.clock, "other").dual();
        cable = left.join(right, params);
        left.config().addAddress(cable.a(), "2001:db8::1/64");
        right.config().addAddress(cable.b(), "2001:db8::2/64");
    }

    /** Until the hosts have said on the link what they say in the beginning. */
    Pair settled() {
        for (int i = 0; i < STEPS; i++) {
            left.clock.advance(STEP_NS);
            run();
        }
        return this;
    }

    /** Lets all happen that is due, there and back. */
    void run() {
        for (int i = 0; i < 4; i++) {
            left.run();
            right.run();
        }
    }

    /** An unbound datagram socket. */
    static SocketFile udp(final Host h, final boolean six) throws Exception {
        return six ? h.udp6() : h.udp();
    }

    /** Every address of a family. */
    static SockAddr any(final boolean six, final int port) {
        return six ? SockAddr.in6(0, 0, port) : SockAddr.in(0, port);
    }

    void close() throws Exception {
        left.closeFiles();
        right.closeFiles();
        run();
        right.close();
        left.close();
    }
}
