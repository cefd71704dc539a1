package io.gatun.cli.bench;

import io.gatun.conformance.netsim.InternetTable;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;

/** A forwarding table of the internet's size, and what is asked of it. */
final class FibLab {
    private static final int ROUTES4 = 1_000_000;
    private static final int ROUTES6 = 200_000;
    private static final int NEXT_HOPS = 64;
    private static final int QUESTIONS = 1 << 16;
    private static final long SEED = 1;

    private final Fib fib = new Fib(0);
    private final NextHop[] hops = new NextHop[NEXT_HOPS];
    private final Random random = new Random(SEED);
    private int at;
    private long found;

    FibLab() {
        for (int i = 0; i < NEXT_HOPS; i++) {
            hops[i] = new NextHop(null, 0, SockAddr.in(0x0a000001 + i, 0), null, 0);
        }
    }

    private long[] load4() {
        final long[] prefixes = new InternetTable(SEED).prefixes4(ROUTES4);
        for (int i = 0; i < ROUTES4; i++) {
            fib.add(SockAddr.in((int) (prefixes[i] >>> 32), 0), (int) prefixes[i], hops[i % NEXT_HOPS]);
        }
        return prefixes;
    }

    private SockAddr[] load6(final int[] lengths) {
        final SockAddr[] prefixes = new InternetTable(SEED).prefixes6(ROUTES6, lengths);
        for (int i = 0; i < ROUTES6; i++) {
            fib.add(prefixes[i], lengths[i], hops[i % NEXT_HOPS]);
        }
        return prefixes;
    }

    /** Addresses below random prefixes. */
    private int[] questions4(final long[] prefixes) {
        final int[] asked = new int[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final long p = prefixes[random.nextInt(ROUTES4)];
            asked[i] = (int) (p >>> 32) | (int) (random.nextInt() & (1L << 32 - (int) p) - 1);
        }
        return asked;
    }

    /** The upper halves of addresses below random prefixes. */
    private long[] questions6(final SockAddr[] prefixes, final int[] lengths) {
        final long[] asked = new long[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final int k = random.nextInt(ROUTES6);
            asked[i] = prefixes[k].hi() | random.nextLong() & (1L << 64 - lengths[k]) - 1;
        }
        return asked;
    }

    /** IPv4 look-ups a second of addresses below random prefixes. */
    double lookup4(final Stack.Span span) throws IOException {
        final int[] asked = questions4(load4());
        return Rates.run(span, () -> {
            final NextHop nh = fib.lookup(asked[at++ & QUESTIONS - 1]);
            found += nh == null ? 0 : 1;
            return 1;
        }) + dead();
    }

    /** IPv6 look-ups a second. */
    double lookup6(final Stack.Span span) throws IOException {
        final int[] lengths = new int[ROUTES6];
        final long[] asked = questions6(load6(lengths), lengths);
        return Rates.run(span, () -> {
            final NextHop nh = fib.lookup6(asked[at++ & QUESTIONS - 1], 1);
            found += nh == null ? 0 : 1;
            return 1;
        }) + dead();
    }

    /** Changes a second of the IPv4 table at its full size, a route goes, a route comes, while another thread reads. */
    double update4(final Stack.Span span) throws IOException {
        final long[] prefixes = load4();
        final SockAddr[] dst = new SockAddr[QUESTIONS];
        final int[] bits = new int[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final long p = prefixes[random.nextInt(ROUTES4)];
            dst[i] = SockAddr.in((int) (p >>> 32), 0);
            bits[i] = (int) p;
        }
        final int[] asked = questions4(prefixes);
        return update(span, dst, bits, i -> fib.lookup(asked[i & QUESTIONS - 1]));
    }

    /** The same for the IPv6 table. */
    double update6(final Stack.Span span) throws IOException {
        final int[] lengths = new int[ROUTES6];
        final SockAddr[] prefixes = load6(lengths);
        final long[] asked = questions6(prefixes, lengths);
        final SockAddr[] dst = new SockAddr[QUESTIONS];
        final int[] bits = new int[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final int k = random.nextInt(ROUTES6);
            dst[i] = prefixes[k];
            bits[i] = lengths[k];
        }
        return update(span, dst, bits, i -> fib.lookup6(asked[i & QUESTIONS - 1], 1));
    }

    private double update(
        final Stack.Span span, final SockAddr[] dst, final int[] bits, final IntFunction<NextHop> question)
            throws IOException {
        final AtomicBoolean stop = new AtomicBoolean();
        final Worker reader = Worker.start("fib reader", () -> {
            int i = 0;
            int answers = 0;
            while (!stop.get()) {
                answers += question.apply(i++) == null ? 0 : 1;
            }
            found = answers;
        });
        try {
            return Rates.run(span, () -> {
                final int i = at++ & QUESTIONS - 1;
                fib.delete(dst[i], bits[i]);
                fib.add(dst[i], bits[i], hops[i % NEXT_HOPS]);
                return 2;
            });
        } finally {
            stop.set(true);
            reader.join();
        }
    }

    /** Octets of a table at its full size, next hops not counted. */
    double memory(final boolean six) {
        if (six) {
            load6(new int[ROUTES6]);
        } else {
            load4();
        }
        return fib.memory(six ? SockAddr.AF_INET6 : SockAddr.AF_INET);
    }

    /** Zero, but the compiler does not know. */
    private double dead() {
        return found < 0 ? 1 : 0;
    }
}
