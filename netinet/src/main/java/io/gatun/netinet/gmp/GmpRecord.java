package io.gatun.netinet.gmp;

/**
 * One group record of a report (RFC 3376 section 4.2.4, RFC 3810 section 5.2.4). Immutable.
 *
 * @param type one of the constants
 * @param hi first word of the group; 0 of IPv4
 * @param lo second word of the group
 * @param sources the senders it lists
 * @bsd struct igmp_grouprec
 */
public record GmpRecord(int type, long hi, long lo, SourceSet sources) {
    /** @bsd IGMP_MODE_IS_INCLUDE */
    public static final int MODE_IS_INCLUDE = 1;
    /** @bsd IGMP_MODE_IS_EXCLUDE */
    public static final int MODE_IS_EXCLUDE = 2;
    /** @bsd IGMP_CHANGE_TO_INCLUDE_MODE */
    public static final int CHANGE_TO_INCLUDE_MODE = 3;
    /** @bsd IGMP_CHANGE_TO_EXCLUDE_MODE */
    public static final int CHANGE_TO_EXCLUDE_MODE = 4;
    /** @bsd IGMP_ALLOW_NEW_SOURCES */
    public static final int ALLOW_NEW_SOURCES = 5;
    /** @bsd IGMP_BLOCK_OLD_SOURCES */
    public static final int BLOCK_OLD_SOURCES = 6;

    /** Whether its list may be cut but not divided: what is missing is then let in (RFC 3376 section 4.2.16). */
    boolean whole() {
        return type == MODE_IS_EXCLUDE || type == CHANGE_TO_EXCLUDE_MODE;
    }
}
