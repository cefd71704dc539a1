package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;

/**
 * A longest-prefix table. An IPv4 address is the upper half of the word, an IPv6 address its first 64 bits: the
 * internet's table has no prefix longer than that.
 */
interface Lpm {
    /** The next hop of the longest prefix that covers an address, or null. */
    NextHop lookup(long addr);

    /** Makes a prefix have a next hop in place of what it had; null takes it out. */
    void put(long prefix, int bits, NextHop nh);
}
