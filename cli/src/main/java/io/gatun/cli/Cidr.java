package io.gatun.cli;

import io.gatun.spi.socket.SockAddr;

/**
 * An IPv4 address with its prefix, as in {@code 10.0.0.1/24}.
 *
 * @param addr the address
 * @param prefixLen 1..32
 */
record Cidr(SockAddr addr, int prefixLen) {
    private static final int BITS = 32;

    /** Fails, with what is wrong, for anything else. */
    static Cidr parse(final String option, final String text) {
        final int slash = text.indexOf('/');
        try {
            final SockAddr addr = SockAddr.of(slash < 0 ? text : text.substring(0, slash), 0);
            final int bits = slash < 0 ? BITS : Integer.parseInt(text.substring(slash + 1));
            if (addr.family() == SockAddr.AF_INET && bits >= 1 && bits <= BITS) {
                return new Cidr(addr, bits);
            }
        } catch (final IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": '" + text + "' is not an address like 10.0.0.1/24", e);
        }
        throw new IllegalArgumentException(option + ": '" + text + "' is not an IPv4 address like 10.0.0.1/24");
    }

    @Override
    public String toString() {
        final String a = addr.toString();
        return a.substring(0, a.indexOf(':')) + "/" + prefixLen;
    }
}
