package io.gatun.spi.sys;

import java.io.IOException;

/** An {@link Errno} at the Java-facing edge of the stack. Never thrown inside it, where outcomes are return values. */
public final class ErrnoException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /**
     * @param errno what went wrong, not {@link Errno#OK}
     * @param call what the caller had asked for, as in {@code bind 10.0.0.1:80}
     */
    public ErrnoException(final Errno errno, final String call) {
        super(call + ": " + errno.text() + " (" + errno.name() + ")");
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }

    /** Throws when {@code errno} is not {@link Errno#OK}. */
    public static void check(final Errno errno, final String call) throws ErrnoException {
        if (errno != Errno.OK) {
            throw new ErrnoException(errno, call);
        }
    }
}
