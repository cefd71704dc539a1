package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.vnet.VnetSide;
import java.util.Locale;

/** How many connections are in each state. @bsd V_tcps_states */
final class TcpStates {
    private final Counter[] counts = new Counter[TcpState.values().length];

    TcpStates(VnetSide vnet) {
        for (final TcpState s : TcpState.values()) {
            final String name = s.name().toLowerCase(Locale.ROOT);
            final Counter c = vnet.counters().counter("tcp.states." + name);
            counts[s.ordinal()] = c;
            vnet.sysctl().addReading("net.inet.tcp.states." + name, c::get, "Connections in " + s);
        }
    }

    /** @bsd TCPSTATES_INC */
    void inc(TcpState s) {
        counts[s.ordinal()].increment();
    }

    /** @bsd TCPSTATES_DEC */
    void dec(TcpState s) {
        counts[s.ordinal()].add(-1);
    }

    void change(TcpState from, TcpState to) {
        Counter.move(counts[from.ordinal()], counts[to.ordinal()]);
    }

    long get(TcpState s) {
        return counts[s.ordinal()].get();
    }
}
