package io.gatun.spi.socket;

/**
 * One get or set of a socket option on its way down. A number travels in {@code value} (booleans as 0 and 1, times in
 * nanoseconds for SO_RCVTIMEO and SO_SNDTIMEO, in seconds where FreeBSD's option is in seconds), anything else in
 * {@code object}.
 *
 * @bsd struct sockopt
 */
public final class SockOpt {
    /** @bsd sopt_dir */
    public enum Dir {
        /** @bsd SOPT_GET */
        GET,
        /** @bsd SOPT_SET */
        SET
    }

    private final Dir dir;
    private final int level;
    private final int name;
    private long value;
    private Object object;

    private SockOpt(final Dir dir, final int level, final int name, final long value, final Object object) {
        this.dir = dir;
        this.level = level;
        this.name = name;
        this.value = value;
        this.object = object;
    }

    /** Asks for an option. */
    public static SockOpt get(final int level, final int name) {
        return new SockOpt(Dir.GET, level, name, 0, null);
    }

    /** Sets one that is a number, a switch or a time. */
    public static SockOpt set(final int level, final int name, final long value) {
        return new SockOpt(Dir.SET, level, name, value, null);
    }

    /** Sets one that is anything else. */
    public static SockOpt set(final int level, final int name, final Object object) {
        return new SockOpt(Dir.SET, level, name, 0, object);
    }

    public Dir dir() {
        return dir;
    }

    /** SOL_SOCKET or IPPROTO_*. */
    public int level() {
        return level;
    }

    public int name() {
        return name;
    }

    public long value() {
        return value;
    }

    public Object object() {
        return object;
    }

    /** The answer to a get. @bsd sooptcopyout */
    public void answer(final long number) {
        value = number;
    }

    /** The answer to a get. @bsd sooptcopyout */
    public void answer(final Object any) {
        object = any;
    }
}
