package io.gatun.netinet.route;

/**
 * A change of a table, as route(4) tells it.
 *
 * @param kind what happened
 * @param fib number of the table
 * @param route the prefix and its way: the new one, or the one that went
 * @bsd struct rt_msghdr
 */
public record RouteEvent(Kind kind, int fib, Route route) {
    /** What happened to a route. */
    public enum Kind {
        /** @bsd RTM_ADD */
        ADD,
        /** @bsd RTM_CHANGE */
        CHANGE,
        /** @bsd RTM_DELETE */
        DELETE
    }
}
