package io.gatun.netinet.nd6;

/** What is known of a neighbour (RFC 4861 section 7.3.2). */
public enum Nd6State {
    /** Asked for; packets wait. @bsd ND6_LLINFO_INCOMPLETE */
    INCOMPLETE,
    /** Known to have heard us lately. @bsd ND6_LLINFO_REACHABLE */
    REACHABLE,
    /** Known, not confirmed; used as it is. @bsd ND6_LLINFO_STALE */
    STALE,
    /** Used while stale: a confirmation is given time to come. @bsd ND6_LLINFO_DELAY */
    DELAY,
    /** Asked again. @bsd ND6_LLINFO_PROBE */
    PROBE,
    /** Set by hand: never asked, never forgotten. @bsd LLE_STATIC */
    STATIC
}
