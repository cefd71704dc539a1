package io.gatun.cli.bench;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What is measured, with its name, its unit and which way is better. */
enum Workload {
    TCP_BULK_1448("GB/s", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.bulk(1448, span) / GIGA;
        }
    },
    TCP_BULK_16384("GB/s", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.bulk(16_384, span) / GIGA;
        }
    },
    TCP_BULK_65536("GB/s", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.bulk(65_536, span) / GIGA;
        }
    },
    TCP_RTT_SPIN("us", false, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.roundTripNs(true, span) / KILO;
        }
    },
    TCP_RTT_BLOCK("us", false, Side.GATUN, Side.KERNEL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.roundTripNs(false, span) / KILO;
        }
    },
    UDP_64("Mpps", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.udp64(1, span) / MEGA;
        }
    },
    UDP_64_MMSG("Mpps", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.udp64(BURST, span) / MEGA;
        }
    },
    TCP_CONNECT("k/s", true, Side.values()) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.connections(span) / KILO;
        }
    },
    FIB4_LOOKUP("M/s", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.fib4Lookup(span) / MEGA;
        }
    },
    FIB6_LOOKUP("M/s", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.fib6Lookup(span) / MEGA;
        }
    },
    FIB4_UPDATE("k/s", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.fibUpdate(false, span) / KILO;
        }
    },
    FIB4_MEMORY("MB", false, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) {
            return stack.fibMemory(false) / MEGA;
        }
    },
    FIB6_UPDATE("k/s", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.fibUpdate(true, span) / KILO;
        }
    },
    FIB6_MEMORY("MB", false, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) {
            return stack.fibMemory(true) / MEGA;
        }
    },
    FORWARD_1("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(1, false, span) / MEGA;
        }
    },
    FORWARD_1000("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(1000, false, span) / MEGA;
        }
    },
    FORWARD_1000000("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(1_000_000, false, span) / MEGA;
        }
    },
    FORWARD6_1("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(1, true, span) / MEGA;
        }
    },
    FORWARD6_1000("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(1000, true, span) / MEGA;
        }
    },
    FORWARD6_200000("Mpps", true, Side.POLL) {
        @Override
        double run(final Stack stack, final Stack.Span span) throws IOException {
            return stack.forward(200_000, true, span) / MEGA;
        }
    };

    /** Datagrams to a call of sendmmsg and recvmmsg; java.nio has no such call. */
    private static final int BURST = 64;
    private static final double KILO = 1e3;
    private static final double MEGA = 1e6;
    private static final double GIGA = 1e9;

    private final String unit;
    private final boolean more;
    private final Set<Side> sides;

    /**
     * @param more more is better
     * @param sides which have a part in it
     */
    Workload(final String unit, final boolean more, final Side... sides) {
        this.unit = unit;
        this.more = more;
        this.sides = EnumSet.copyOf(List.of(sides));
    }

    abstract double run(Stack stack, Stack.Span span) throws IOException;

    /** The one with this label, which there must be. */
    static Workload of(final String label) {
        return valueOf(label.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** Which sides have a part in it. */
    Set<Side> sides() {
        return sides;
    }

    /** As in {@code tcp-bulk-1448}. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String unit() {
        return unit;
    }

    /** Above 1: {@code ours} is better than {@code theirs}. */
    double ratio(final double ours, final double theirs) {
        return more ? ours / theirs : theirs / ours;
    }
}
