package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;
import java.util.Arrays;
import java.util.IdentityHashMap;

/** Next hops by small numbers; 0 is none. */
final class Hops {
    NextHop[] hops = new NextHop[256];
    private final IdentityHashMap<NextHop, Integer> numbers = new IdentityHashMap<>();

    int number(final NextHop nh) {
        if (nh == null) {
            return 0;
        }
        final Integer known = numbers.get(nh);
        if (known != null) {
            return known;
        }
        final int i = numbers.size() + 1;
        if (i == hops.length) {
            hops = Arrays.copyOf(hops, 2 * i);
        }
        hops[i] = nh;
        numbers.put(nh, i);
        return i;
    }
}
