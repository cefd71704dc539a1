package io.gatun.netinet.tcp;

/** Why a segment goes out now. {@link #NONE}: nothing is due. */
enum SendReason {
    NONE,
    /** A full segment is there. */
    FULL_SEGMENT,
    /** All there is to send, and nothing waits for an ACK or the user wants no delay (RFC 9293 SHLD-7, Nagle). */
    ALL_THERE_IS,
    /** A window probe (MUST-36). */
    PROBE,
    /** At least half the largest window ever offered (RFC 9293 section 3.8.6.2.1). */
    HALF_WINDOW,
    /** Sent before and now again. */
    RETRANSMIT,
    /** The receive window has opened enough to tell (MUST-39). */
    WINDOW_UPDATE,
    /** An acknowledgment is due. */
    ACK_NOW,
    /** SYN or RST. */
    CONTROL,
    /** The urgent pointer has moved. */
    URGENT,
    /** FIN, for the first time or again. */
    FIN
}
