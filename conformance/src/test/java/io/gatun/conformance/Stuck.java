package io.gatun.conformance;

import io.gatun.netinet.tcp.TcpPcblist;
import io.gatun.protosw.Vnet;

/** What to print when something that should have come about has not. */
final class Stuck {
    private Stuck() {
    }

    /** What all threads do, the connections of a vnet, its armed callouts, what netisr holds, and its counters. */
    static String describe(final Vnet v) {
        final StringBuilder out = new StringBuilder(threads());
        out.append(v.service(TcpPcblist.class).describe()).append(v.describeCallouts())
            .append(", next in ").append(v.nextDeadlineNs() - v.clock().nanoTime()).append(" ns\n")
            .append(v.netisrStats()).append('\n');
        v.counters().forEach((name, value) -> out.append(value == 0 ? "" : name + '=' + value + '\n'));
        return out.toString();
    }

    /** The stacks of all threads. */
    static String threads() {
        final StringBuilder out = new StringBuilder();
        Thread.getAllStackTraces().forEach((t, stack) -> {
            out.append('\n').append(t).append(' ').append(t.getState()).append('\n');
            for (final StackTraceElement e : stack) {
                out.append("    ").append(e).append('\n');
            }
        });
        return out.toString();
    }
}
