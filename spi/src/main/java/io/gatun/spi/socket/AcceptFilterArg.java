package io.gatun.spi.socket;

/**
 * The value of SO_ACCEPTFILTER, for a listener. An empty name takes the filter away.
 *
 * @param name a filter's, as in {@code dataready}
 * @param arg the filter's argument; empty for none
 * @bsd struct accept_filter_arg
 */
public record AcceptFilterArg(String name, String arg) {
    /** A filter without an argument. */
    public static AcceptFilterArg of(final String name) {
        return new AcceptFilterArg(name, "");
    }
}
