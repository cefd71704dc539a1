package io.gatun.netinet.gmp;

/**
 * A router's question.
 *
 * @param version of the protocol it is asked in
 * @param hi first word of the group, 0 for all
 * @param lo second word of the group, 0 for all
 * @param sources the senders asked about; empty for the group as a whole
 * @param maxRespNs within which time the answer must come
 * @param robustness the querier's, 0 when it tells none
 * @param intervalNs the querier's interval between general queries, 0 when it tells none
 */
public record GmpQuery(
    int version, long hi, long lo, SourceSet sources, long maxRespNs, int robustness, long intervalNs) {
    boolean general() {
        return (hi | lo) == 0;
    }
}
