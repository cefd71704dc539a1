package io.gatun.netinet.tcp;

import io.gatun.spi.vnet.SysctlTree;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLongArray;

/** How many connections are in each state. @bsd V_tcps_states */
final class TcpStates {
    private final AtomicLongArray counts = new AtomicLongArray(TcpState.values().length);

    TcpStates(SysctlTree sysctl) {
        for (final TcpState s : TcpState.values()) {
            sysctl.addReading("net.inet.tcp.states." + s.name().toLowerCase(Locale.ROOT),
                () -> counts.get(s.ordinal()), "Connections in " + s);
        }
    }

    /** @bsd TCPSTATES_INC */
    void inc(TcpState s) {
        counts.incrementAndGet(s.ordinal());
    }

    /** @bsd TCPSTATES_DEC */
    void dec(TcpState s) {
        counts.decrementAndGet(s.ordinal());
    }

    long get(TcpState s) {
        return counts.get(s.ordinal());
    }
}
