package io.gatun.spi.socket;

import java.util.Arrays;

/**
 * Argument of the socket option ICMP6_FILTER: which types of ICMPv6 message a raw socket hears. New ones let all pass.
 * Not for several threads at once; the option takes a copy.
 *
 * @bsd struct icmp6_filter
 */
public final class Icmp6Filter {
    private static final int TYPES = 256;

    private final long[] pass = new long[TYPES / Long.SIZE];

    /** Lets all pass. */
    public Icmp6Filter() {
        setPassAll();
    }

    /** @bsd ICMP6_FILTER_SETPASSALL */
    public Icmp6Filter setPassAll() {
        Arrays.fill(pass, -1);
        return this;
    }

    /** @bsd ICMP6_FILTER_SETBLOCKALL */
    public Icmp6Filter setBlockAll() {
        Arrays.fill(pass, 0);
        return this;
    }

    /** @bsd ICMP6_FILTER_SETPASS */
    public Icmp6Filter setPass(final int type) {
        pass[type >>> 6] |= 1L << type;
        return this;
    }

    /** @bsd ICMP6_FILTER_SETBLOCK */
    public Icmp6Filter setBlock(final int type) {
        pass[type >>> 6] &= ~(1L << type);
        return this;
    }

    /** @bsd ICMP6_FILTER_WILLPASS */
    public boolean willPass(final int type) {
        return (pass[type >>> 6] >>> type & 1) != 0;
    }

    /** The same in an object of its own. */
    public Icmp6Filter copy() {
        final Icmp6Filter f = new Icmp6Filter();
        System.arraycopy(pass, 0, f.pass, 0, pass.length);
        return f;
    }
}
