package io.gatun.conformance.packetdrill;

import io.gatun.spi.sys.Errno;

/**
 * What a system call answered.
 *
 * @param result -1 with an error
 * @param wrong a value that it filled in and the script does not expect, or null
 */
record Outcome(long result, Errno errno, String wrong) {
    static Outcome ok(final long result) {
        return new Outcome(result, Errno.OK, null);
    }

    static Outcome of(final Errno e) {
        return e == Errno.OK ? ok(0) : new Outcome(-1, e, null);
    }

    static Outcome filled(final String wrong) {
        return new Outcome(0, Errno.OK, wrong);
    }
}
