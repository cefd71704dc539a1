package io.gatun.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;

/**
 * What a transfer came to.
 *
 * @param octets received
 * @param elapsedNs from connect to the end of the stream
 * @param sha256Sent hex
 * @param sha256Received hex
 * @param srttNs the sender's smoothed round trip time at the end; negative when unknown
 * @param sent the sending vnet's counters
 * @param received the receiving vnet's counters
 * @param drops by reason, both vnets together
 * @param outstanding mbufs that nobody gave back
 */
record TransferReport(
    long octets, long elapsedNs, String sha256Sent, String sha256Received, long srttNs, Map<String, Long> sent,
    Map<String, Long> received, Map<String, Long> drops, int outstanding) {

    private static final double NS_PER_S = 1e9;
    private static final double NS_PER_US = 1e3;
    private static final double MEGA = 1e6;

    /** Whether every octet arrived as it was sent and nothing leaked. */
    boolean ok() {
        return sha256Sent.equals(sha256Received) && outstanding == 0;
    }

    void print(final PrintWriter out) {
        final double seconds = elapsedNs / NS_PER_S;
        line(out, "SHA-256 sent", sha256Sent);
        line(out, "SHA-256 received",
            sha256Received + (sha256Sent.equals(sha256Received) ? "  (equal)" : "  (DIFFERS)"));
        line(out, "throughput", String.format(Locale.ROOT, "%.1f MB/s, %.1f MB in %.2f s (hashing included)",
            octets / MEGA / seconds, octets / MEGA, seconds));
        line(out, "round trip", srttNs < 0 ? "not measured" : String.format(Locale.ROOT, "%.0f us smoothed",
            srttNs / NS_PER_US));
        line(out, "segments", String.format(Locale.ROOT, "%d sent, %d received, %d acknowledgements back",
            of(sent, "tcp.sndtotal"), of(received, "tcp.rcvtotal"), of(received, "tcp.sndacks")));
        line(out, "retransmits", String.format(Locale.ROOT, "%d segments, %d octets; %d fast, %d by time-out",
            of(sent, "tcp.sndrexmitpack"), of(sent, "tcp.sndrexmitbyte"), of(sent, "tcp.fastrexmit"),
            of(sent, "tcp.rexmttimeo")));
        line(out, "out of order", of(received, "tcp.rcvoopack") + " segments");
        final StringBuilder d = new StringBuilder();
        drops.forEach((reason, n) -> d.append(d.isEmpty() ? "" : ", ").append(reason).append(' ').append(n));
        line(out, "drops", d.isEmpty() ? "none" : d.toString());
        line(out, "mbufs outstanding", Integer.toString(outstanding));
    }

    private static void line(final PrintWriter out, final String what, final String value) {
        out.printf("  %-18s %s%n", what, value);
    }

    private static long of(final Map<String, Long> counters, final String name) {
        return counters.getOrDefault(name, 0L);
    }
}
