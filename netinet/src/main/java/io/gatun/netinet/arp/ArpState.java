package io.gatun.netinet.arp;

/** What is known of a neighbour. */
public enum ArpState {
    /** Asked for; packets wait. */
    INCOMPLETE,
    /** Known. */
    REACHABLE,
    /** Known, soon to be forgotten; asked again, for it is in use. */
    STALE,
    /** Did not answer; not asked at every packet. @bsd RTF_REJECT */
    FAILED,
    /** Set by hand; never forgotten. */
    STATIC
}
