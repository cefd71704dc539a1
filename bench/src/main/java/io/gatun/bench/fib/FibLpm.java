package io.gatun.bench.fib;

import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;

/** The table of the stack: its trie alone, or with what is derived from it. */
final class FibLpm implements Lpm {
    private final Fib fib;
    private final boolean six;

    FibLpm(final boolean derive, final boolean six) {
        fib = new Fib(0, derive);
        this.six = six;
    }

    @Override
    public NextHop lookup(final long addr) {
        return six ? fib.find6(addr, 0) : fib.find((int) (addr >>> Integer.SIZE));
    }

    @Override
    public void put(final long prefix, final int bits, final NextHop nh) {
        final SockAddr dst = six ? SockAddr.in6(prefix, 0, 0) : SockAddr.in((int) (prefix >>> Integer.SIZE), 0);
        if (nh == null) {
            fib.delete(dst, bits);
        } else {
            fib.change(dst, bits, nh);
        }
    }
}
