package io.gatun.netinet.tcp;

/** What becomes of a segment after one of the steps of RFC 9293 section 3.10.7. */
public enum Verdict {
    /** Go on with the next step. */
    NEXT,
    /** Drop it silently. The reason stands in {@link Seg}. @bsd drop */
    DROP,
    /** Drop it, and send an acknowledgment. @bsd dropafterack */
    DROP_AFTER_ACK,
    /** Drop it, and answer with a reset. @bsd dropwithreset */
    DROP_WITH_RESET,
    /** It has been dealt with; send what is due. @bsd check_delack */
    DONE
}
