package io.gatun.spi.socket;

import java.util.Arrays;

/**
 * TCP_FASTOPEN's argument where a key is given with it; a number does otherwise. Immutable.
 *
 * @bsd struct tcp_fastopen
 */
public final class FastopenOpt {
    /** Octets of a pre-shared key. @bsd TCP_FASTOPEN_PSK_LEN */
    public static final int TCP_FASTOPEN_PSK_LEN = 16;

    private final boolean enable;
    private final byte[] psk;

    /**
     * @param enable whether Fast Open is used
     * @param psk the key that client and server share, 16 octets; the cookie goes out hashed with it
     */
    public FastopenOpt(final boolean enable, final byte[] psk) {
        if (psk.length != TCP_FASTOPEN_PSK_LEN) {
            throw new IllegalArgumentException("a key of " + psk.length + " octets");
        }
        this.enable = enable;
        this.psk = psk.clone();
    }

    /** @bsd enable */
    public boolean enable() {
        return enable;
    }

    /** A copy. @bsd psk */
    public byte[] psk() {
        return psk.clone();
    }

    @Override
    public boolean equals(final Object o) {
        return o instanceof FastopenOpt f && f.enable == enable && Arrays.equals(f.psk, psk);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(psk) + (enable ? 1 : 0);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "{enable=" + (enable ? 1 : 0) + ", psk}";
    }
}
