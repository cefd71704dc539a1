package io.gatun.cli.bench;

import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;
import java.io.IOException;
import java.util.Random;

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

    /** IPv4 look-ups a second of addresses below random prefixes. */
    double lookup4(final Stack.Span span) throws IOException {
        final long[] prefixes = load4();
        final int[] asked = new int[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final long p = prefixes[random.nextInt(ROUTES4)];
            asked[i] = (int) (p >>> 32) | (int) (random.nextInt() & (1L << 32 - (int) p) - 1);
        }
        return Rates.run(span, () -> {
            final NextHop nh = fib.lookup(asked[at++ & QUESTIONS - 1]);
            found += nh == null ? 0 : 1;
            return 1;
        }) + dead();
    }

    /** IPv6 look-ups a second. */
    double lookup6(final Stack.Span span) throws IOException {
        final int[] lengths = new int[ROUTES6];
        final SockAddr[] prefixes = new InternetTable(SEED).prefixes6(ROUTES6, lengths);
        for (int i = 0; i < ROUTES6; i++) {
            fib.add(prefixes[i], lengths[i], hops[i % NEXT_HOPS]);
        }
        final long[] asked = new long[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final int k = random.nextInt(ROUTES6);
            asked[i] = prefixes[k].hi() | random.nextLong() & (1L << 64 - lengths[k]) - 1;
        }
        return Rates.run(span, () -> {
            final NextHop nh = fib.lookup6(asked[at++ & QUESTIONS - 1], 1);
            found += nh == null ? 0 : 1;
            return 1;
        }) + dead();
    }

    /** Changes a second of the IPv4 table at its full size: a route goes, a route comes. */
    double update(final Stack.Span span) throws IOException {
        final long[] prefixes = load4();
        final SockAddr[] dst = new SockAddr[QUESTIONS];
        final int[] bits = new int[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            final long p = prefixes[random.nextInt(ROUTES4)];
            dst[i] = SockAddr.in((int) (p >>> 32), 0);
            bits[i] = (int) p;
        }
        return Rates.run(span, () -> {
            final int i = at++ & QUESTIONS - 1;
            fib.delete(dst[i], bits[i]);
            fib.add(dst[i], bits[i], hops[i % NEXT_HOPS]);
            return 2;
        });
    }

    /** Zero, but the compiler does not know. */
    private double dead() {
        return found < 0 ? 1 : 0;
    }
}
