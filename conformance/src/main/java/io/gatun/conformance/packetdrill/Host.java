package io.gatun.conformance.packetdrill;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;

/** The host under test: a fresh vnet with one interface, a virtual clock and no threads. */
final class Host implements AutoCloseable {
    private static final long NS_PER_US = 1000;
    private static final int SEED = 0x7061636b;

    final Vnet vnet;
    final DrillIf drill;
    private final VirtualClock clock = new VirtualClock();
    private final long startNs;

    /** @param pool shared by the scripts that one thread runs */
    Host(final Config config, final MbufPool pool, final LockStrategy locks) throws ErrnoException {
        vnet = Vnet.builder().name("packetdrill").clock(clock).threads(false).seed(SEED).pool(pool).strict(false)
            .lockStrategy(locks).build();
        boolean done = false;
        try {
            drill = new DrillIf(vnet, config.mtu(), config.udpEncaps());
            startNs = clock.nanoTime();
            if (!config.v6() || hasV6()) {
                final InetConfig inet = vnet.service(InetConfig.class);
                inet.addAddress(drill.ifp, config.localIp() + "/" + config.prefix());
                inet.addRoute(config.v6() ? "::/0" : "default", config.gatewayIp(), drill.ifp);
            }
            vnet.runUntilIdle();
            done = true;
        } finally {
            if (!done) {
                vnet.close();
            }
        }
    }

    boolean hasV6() {
        return vnet.domains().find(SockAddr.AF_INET6) != null;
    }

    /** Of the script: it began at 0. */
    long nowUs() {
        return (clock.nanoTime() - startNs) / NS_PER_US;
    }

    long toUs(final long ns) {
        return (ns - startNs) / NS_PER_US;
    }

    void settle() {
        vnet.runUntilIdle();
    }

    /** Goes on to the next deadline, at most to an instant. False when that instant has come. */
    boolean step(final long untilUs) {
        final long until = startNs + untilUs * NS_PER_US;
        final long next = vnet.nextDeadlineNs();
        if (next >= until) {
            clock.advanceTo(until);
            vnet.runUntilIdle();
            return false;
        }
        clock.advanceTo(next);
        vnet.runUntilIdle();
        return true;
    }

    @Override
    public void close() {
        vnet.close();
    }
}
