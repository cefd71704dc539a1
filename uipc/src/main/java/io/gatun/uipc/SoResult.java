package io.gatun.uipc;

import io.gatun.spi.sys.Errno;

/**
 * A socket, or why there is none.
 *
 * @param errno OK with a socket
 * @param so null with an error
 */
public record SoResult(Errno errno, Socket so) {
    /** Made once, since it is the answer to those who poll. */
    private static final SoResult NOT_YET = new SoResult(Errno.EAGAIN, null);

    static SoResult of(final Socket so) {
        return new SoResult(Errno.OK, so);
    }

    static SoResult failed(final Errno errno) {
        return errno == Errno.EAGAIN ? NOT_YET : new SoResult(errno, null);
    }
}
