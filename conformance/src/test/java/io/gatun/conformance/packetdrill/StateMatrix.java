package io.gatun.conformance.packetdrill;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Scripts for every combination of a state, a segment that arrives in it, where the segment lies, and the setting that
 * decides; by RFC 9293 section 3.10.7, RFC 5961, and FreeBSD where the two leave a choice. The name of a script says
 * which combination it is: {@code syn-last-ack-right-edge-insecure-ipv6}.
 */
final class StateMatrix {
    /** What an end of the connection says of itself, in both families. */
    private static final String PEER = "<mss ${mss},sackOK,eol,eol>";
    private static final String OURS = "<mss ${mss},nop,wscale 6,sackOK,TS val ${ts} ecr 0>";
    private static final String ACTIVE = """
         0.00 `sysctl -w net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.recvspace=65536`
        +0.00 `sysctl -w ${switch}`
        +0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0.00 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0
        +0.00 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
        +0.00 > S 0:0(0) win 65535\s""" + OURS.replace("${ts}", "100") + "\n";
    private static final String CONNECTED = ACTIVE + """
        +0.10 < S. 0:0(0) ack 1 win 32767 <mss ${mss},sackOK,eol,eol>
        +0.00 > .  1:1(0) ack 1 win 65535
        +0.00 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [${window}], [4]) = 0
        """;
    private static final String BOUND = """
         0.00 `sysctl -w net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.recvspace=65536`
        +0.00 `sysctl -w ${switch}`
        +0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0.00 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
        +0.00 bind(3, ..., ...) = 0
        """;
    private static final String LISTENING = BOUND + "+0.00 listen(3, 2) = 0\n";
    private static final String SHUT = "+0.10 shutdown(3, SHUT_WR) = 0\n+0.00 > F. 1:1(0) ack ${r} win 65535\n";
    private static final String FIN_ACKED = "+0.10 < F. 1:1(0) ack 2 win 32767\n+0.00 > . 2:2(0) ack 2 win 65535\n";
    private static final String NO_ERROR = "+0.00 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n";
    private static final String RESET = "+0.00 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n";
    private static final String REFUSED = "+0.00 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n";
    private static final String CLOSE = "+0.00 close(3) = 0\n";
    private static final String SYN = "net.inet.tcp.insecure_syn";
    private static final String RST = "net.inet.tcp.insecure_rst";
    private static final String NOTHING = "net.inet.tcp.blackhole=0";

    /** A synchronized state: what leads to it and out of it, and where the two ends then are. */
    private enum State {
        ESTABLISHED("", 1, 1, "+0.10 close(3) = 0\n+0.00 > F. 1:1(0) ack 1 win 65535\n" + FIN_ACKED),
        CLOSE_WAIT("+0.10 < F. 1:1(0) ack 1 win 32767\n+0.00 > . 1:1(0) ack 2 win 65535\n", 2, 1,
            "+0.10 close(3) = 0\n+0.00 > F. 1:1(0) ack 2 win 65535\n+0.10 < . 2:2(0) ack 2 win 32767\n"),
        FIN_WAIT_1(SHUT.replace("${r}", "1"), 1, 2, FIN_ACKED + CLOSE),
        CLOSING(SHUT.replace("${r}", "1") + "+0.10 < F. 1:1(0) ack 1 win 32767\n+0.00 > F. 1:1(0) ack 2 win 65535\n",
            2, 2, "+0.10 < . 2:2(0) ack 2 win 32767\n" + CLOSE),
        LAST_ACK("+0.10 < F. 1:1(0) ack 1 win 32767\n+0.00 > . 1:1(0) ack 2 win 65535\n" + SHUT.replace("${r}", "2"),
            2, 2, "+0.10 < . 2:2(0) ack 2 win 32767\n" + CLOSE),
        FIN_WAIT_2(SHUT.replace("${r}", "1") + "+0.10 < . 1:1(0) ack 2 win 32767\n", 1, 2, FIN_ACKED + CLOSE);

        private final String path;
        private final int rcvNxt;
        private final int sndNxt;
        private final String end;

        State(final String path, final int rcvNxt, final int sndNxt, final String end) {
            this.path = path + "+0.00 %{ assert tcpi_state == TCPI_" + name() + " }%\n";
            this.rcvNxt = rcvNxt;
            this.sndNxt = sndNxt;
            this.end = end;
        }

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    /** Where a sequence number lies in a window. */
    private enum Edge {
        OUTSIDE_LEFT, LEFT_EDGE, RIGHT_EDGE, OUTSIDE_RIGHT;

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }

        int of(final int left, final int window) {
            return switch (this) {
                case OUTSIDE_LEFT -> left - 1;
                case LEFT_EDGE -> left;
                case RIGHT_EDGE -> left + window - 1;
                case OUTSIDE_RIGHT -> left + window;
            };
        }

        boolean inside() {
            return this == LEFT_EDGE || this == RIGHT_EDGE;
        }
    }

    private final Map<String, String> scripts = new LinkedHashMap<>();
    private boolean v6;

    private StateMatrix() {
    }

    /** All of them, by name. */
    static Map<String, String> scripts() {
        final StateMatrix m = new StateMatrix();
        for (final boolean six : new boolean[] {false, true}) {
            m.v6 = six;
            for (final boolean insecure : new boolean[] {false, true}) {
                m.synchronizedStates(insecure);
                m.synReceived(insecure);
                m.timeWait(insecure);
            }
            m.timeWaitAcks();
            m.closedAndListen();
            m.synSent();
        }
        return m.scripts;
    }

    private int window() {
        return v6 ? 66_240 : 65_700;
    }

    private void add(final String name, final String text) {
        final String full = "--ip_version=" + (v6 ? "ipv6" : "ipv4") + "\n--tolerance_usecs=10000\n"
            + text.replace("${mss}", v6 ? "1440" : "1460").replace("${window}", Integer.toString(window()))
            .replace("${v}", v6 ? "6" : "4").replace("${peer}", PEER.replace("${mss}", v6 ? "1440" : "1460"));
        if (scripts.put(name + (v6 ? "-ipv6" : "-ipv4"), full) != null) {
            throw new IllegalStateException("twice: " + name);
        }
    }

    private static String label(final boolean insecure) {
        return insecure ? "-insecure" : "-secure";
    }

    private static String set(final String name, final boolean on) {
        return name + "=" + (on ? 1 : 0);
    }

    // ---- a connection and what may end it ------------------------------------------------------------

    private void synchronizedStates(final boolean insecure) {
        for (final State s : State.values()) {
            for (final Edge edge : Edge.values()) {
                final int seq = edge.of(s.rcvNxt, window());
                final String ack = "+0.00 > . %d:%d(0) ack %d win 65535\n".formatted(s.sndNxt, s.sndNxt, s.rcvNxt);
                final String reset = "+0.00 > R. %d:%d(0) ack %d win 0\n".formatted(s.sndNxt, s.sndNxt, s.rcvNxt);
                final String name = "-" + s.label() + "-" + edge.label() + label(insecure);
                final boolean ends = insecure && edge.inside();
                add("syn" + name, CONNECTED.replace("${switch}", set(SYN, insecure)) + s.path
                    + "+0.10 < S %d:%d(0) win 32767 ${peer}\n".formatted(seq, seq)
                    + (ends ? reset + RESET + CLOSE : ack + NO_ERROR + s.end));
                final boolean resets = ends || edge == Edge.LEFT_EDGE;
                add("rst" + name, CONNECTED.replace("${switch}", set(RST, insecure)) + s.path
                    + "+0.10 < R %d:%d(0) win 32767\n".formatted(seq, seq)
                    + (resets ? RESET + CLOSE : (edge == Edge.RIGHT_EDGE ? ack : "") + NO_ERROR + s.end));
            }
        }
    }

    // ---- SYN-RECEIVED ------------------------------------------------------------

    private void synReceived(final boolean insecure) {
        for (final Edge edge : Edge.values()) {
            viaListen("rst-syn-rcvd-via-listen-" + edge.label(), edge, "R", "", insecure);
            viaSynSent("rst-syn-rcvd-via-syn-sent-" + edge.label(), edge, "R", "", insecure);
            for (final Edge ack : Edge.values()) {
                final String a = "ack " + (ack.of(0, 2) & 0xffff_ffffL);
                final String name = edge.label() + "-ack-" + ack.label();
                viaListen("rst-ack-syn-rcvd-via-listen-" + name, edge, "R.", a, insecure);
                viaSynSent("rst-ack-syn-rcvd-via-syn-sent-" + name, edge, "R.", a, insecure);
            }
        }
    }

    private static boolean resets(final Edge edge, final boolean insecure) {
        return edge == Edge.LEFT_EDGE || insecure && edge == Edge.RIGHT_EDGE;
    }

    /** The SYN cache holds no buffer yet: its window is what a segment without scaling can say. */
    private void viaListen(final String name, final Edge edge, final String flags, final String ack,
            final boolean insecure) {
        final int seq = edge.of(1, 65_535);
        final String count = "+0.10 `sockstat -${v} -P tcp -p 8080 -s | grep -c SYN_RCVD | grep %d`\n";
        final String challenge = edge == Edge.RIGHT_EDGE ? "+0.00 > . 1:1(0) ack 1 win 65535\n" : "";
        add(name + label(insecure), LISTENING.replace("${switch}", set(RST, insecure)) + """
            +0.00 < S  0:0(0) win 32767 ${peer}
            +0.00 > S. 0:0(0) ack 1 win 65535 ${peer}
            """ + count.formatted(1) + "+0.10 < %s %d:%d(0) %s win 32767\n".formatted(flags, seq, seq, ack)
            + (resets(edge, insecure) ? count.formatted(0) + CLOSE : challenge + """
            +0.10 < .  1:1(0) ack 1 win 32767
            +0.10 accept(3, ..., ...) = 4
            +0.00 < F. 1:1(0) ack 1 win 32767
            +0.00 > .  1:1(0) ack 2 win 65535
            +0.00 close(4) = 0
            +0.00 > F. 1:1(0) ack 2 win 65535
            +0.00 < .  2:2(0) ack 2 win 32767
            """ + CLOSE));
    }

    private void viaSynSent(final String name, final Edge edge, final String flags, final String ack,
            final boolean insecure) {
        final int seq = edge.of(1, window());
        final String challenge = edge == Edge.RIGHT_EDGE ? "+0.00 > . 1:1(0) ack 1 win 65535\n" : "";
        add(name + label(insecure), ACTIVE.replace("${switch}", set(RST, insecure)) + """
            +0.10 < S  0:0(0) win 32767 ${peer}
            +0.00 > S. 0:0(0) ack 1 win 65535 ${peer}
            +0.00 %{ assert tcpi_state == TCPI_SYN_RECEIVED }%
            """ + "+0.10 < %s %d:%d(0) %s win 32767\n".formatted(flags, seq, seq, ack)
            + (resets(edge, insecure) ? REFUSED + CLOSE : challenge + NO_ERROR + """
            +0.10 < .  1:1(0) ack 1 win 32767
            +0.00 < F. 1:1(0) ack 1 win 32767
            +0.00 > .  1:1(0) ack 2 win 65535
            +0.00 close(3) = 0
            +0.00 > F. 1:1(0) ack 2 win 65535
            +0.00 < .  2:2(0) ack 2 win 32767
            """));
    }

    // ---- TIME-WAIT ------------------------------------------------------------

    private static final String TIME_WAIT_4 = LISTENING + """
        +0.00 < S  0:0(0) win 32767 ${peer}
        +0.00 > S. 0:0(0) ack 1 win 65535 ${peer}
        +0.10 < .  1:1(0) ack 1 win 32767
        +0.00 accept(3, ..., ...) = 4
        +0.00 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [${window}], [4]) = 0
        +0.10 shutdown(4, SHUT_WR) = 0
        +0.00 > F. 1:1(0) ack 1 win 65535
        """ + FIN_ACKED;
    private static final String STILL_THERE =
        "+0.10 `sockstat -${v} -P tcp -s | grep packetdril | grep -c TIME_WAIT | grep 1`\n";
    private static final String STILL = STILL_THERE + "+0.00 `tcpdrop -s TIME_WAIT`\n";
    private static final String ASKED = "+0.10 < . 1:1(0) ack 2 win 32767\n+0.00 > . 2:2(0) ack 2 win 65535\n";
    private static final String ANSWER = "+0.00 > . 2:2(0) ack 2 win 65535\n";
    private static final String CLOSE_BOTH = "+0.00 close(4) = 0\n+0.00 close(3) = 0\n";

    /** FreeBSD takes a new connection for each SYN beyond RCV.NXT, whatever its window, and has no setting there. */
    private void timeWait(final boolean insecure) {
        for (final Edge edge : Edge.values()) {
            final int seq = edge.of(2, 65_535);
            final String name = "-time-wait-" + edge.label() + label(insecure);
            final boolean anew = edge == Edge.RIGHT_EDGE || edge == Edge.OUTSIDE_RIGHT;
            final String fresh = "+0.00 > S. ...(0) ack " + (seq + 1) + " win 65535 ${peer}\n";
            final String head = TIME_WAIT_4.replace("${switch}", set(SYN, insecure));
            add("syn" + name, head + "+0.10 < S %d:%d(0) win 32767 ${peer}\n".formatted(seq, seq)
                + (anew ? fresh : ASKED + STILL) + CLOSE_BOTH);
            add("syn-ack" + name, head + "+0.10 < S. %d:%d(0) ack 0 win 32767 ${peer}\n".formatted(seq, seq)
                + ANSWER + STILL + CLOSE_BOTH);
            for (final boolean drop : new boolean[] {false, true}) {
                add("syn-fin" + name + (drop ? "-drop" : "-nodrop"),
                    TIME_WAIT_4.replace("${switch}", set(SYN, insecure) + " " + set("net.inet.tcp.drop_synfin", drop))
                    + "+0.10 < SF %d:%d(0) win 32767 ${peer}\n".formatted(seq, seq)
                    + (anew && !drop ? fresh : ASKED + STILL) + CLOSE_BOTH);
            }
            final int far = edge.of(2, window());
            final String active = CONNECTED.replace("${switch}", set(RST, insecure)) + SHUT.replace("${r}", "1")
                + FIN_ACKED;
            add("rst" + name, active + "+0.10 < R %d:%d(0) win 32767\n".formatted(far, far) + STILL_THERE + CLOSE);
            add("rst-ack" + name,
                active + "+0.10 < R. %d:%d(0) ack 2 win 32767\n".formatted(far, far) + STILL_THERE + CLOSE);
        }
    }

    /** All but the acknowledgment expected is answered; what has no ACK is not. */
    private void timeWaitAcks() {
        final String head = CONNECTED.replace("${switch}", NOTHING) + SHUT.replace("${r}", "1") + FIN_ACKED;
        for (int i = 0; i <= Edge.values().length; i++) {
            final boolean middle = i == Edge.values().length;
            final Edge edge = middle ? null : Edge.values()[i];
            final int seq = middle ? 3 : edge.of(2, window());
            final String name = "-time-wait-" + (middle ? "middle" : edge.label());
            add("ack" + name, head + "+0.10 < . %d:%d(0) ack 2 win 32767\n".formatted(seq, seq)
                + (edge == Edge.LEFT_EDGE ? "" : ANSWER) + STILL_THERE + CLOSE);
            add("fin-ack" + name, head + "+0.10 < F. %d:%d(0) ack 2 win 32767\n".formatted(seq, seq)
                + ANSWER + STILL_THERE + CLOSE);
            add("fin" + name, head + "+0.10 < F %d:%d(0) win 32767\n".formatted(seq, seq)
                + ASKED + STILL_THERE + CLOSE);
        }
    }

    // ---- no connection yet ------------------------------------------------------------

    private void closedAndListen() {
        for (final int length : new int[] {0, 3}) {
            final String with = length == 0 ? "-without-data" : "-with-data";
            final String text = "17:" + (17 + length) + "(" + length + ")";
            final String opens = "+0.00 < S 0:0(0) win 32767 ${peer}\n";
            final String opened = "+0.00 > S. 0:0(0) ack 1 win 65535 ${peer}\n";
            for (final boolean listen : new boolean[] {false, true}) {
                final String head = (listen ? LISTENING : BOUND).replace("${switch}", NOTHING);
                final String state = with + (listen ? "-listen" : "-closed");
                // numbers of what follows, but for a SYN, count from the first segment's
                final String alive = listen ? opens + opened
                    : "+0.00 < S 17:17(0) win 32767 ${peer}\n+0.00 > R. 0:0(0) ack 1 win 0\n";
                add("ack" + state, head + "+0.10 < . " + text + " ack 34 win 32767\n+0.00 > R 34:34(0) win 0\n"
                    + CLOSE);
                add("fin-ack" + state, head + "+0.10 < F. " + text + " ack 34 win 32767\n+0.00 > R 34:34(0) win 0\n"
                    + CLOSE);
                add("rst" + state, head + "+0.10 < R " + text + " win 32767\n" + alive + CLOSE);
                add("rst-ack" + state, head + "+0.10 < R. " + text + " ack 34 win 32767\n" + alive + CLOSE);
                add("fin" + state, head + "+0.10 < F " + text + " win 32767\n"
                    + (listen ? opens + opened : "+0.00 > R. 0:0(0) ack " + (1 + length) + " win 0\n") + CLOSE);
                add("syn-ack" + state, head + "+0.10 < S. " + text + " ack 34 win 32767 ${peer}\n"
                    + (listen ? opens + opened : "+0.00 > R 34:34(0) win 0\n") + CLOSE);
                add("syn" + state, head + "+0.10 < S " + text + " win 32767 ${peer}\n"
                    + (listen ? "+0.00 > S. 0:0(0) ack 18 win 65535 ${peer}\n"
                        : "+0.00 > R. 0:0(0) ack " + (1 + length) + " win 0\n") + CLOSE);
                for (final boolean drop : new boolean[] {false, true}) {
                    final String synFin = (listen ? LISTENING : BOUND)
                        .replace("${switch}", set("net.inet.tcp.drop_synfin", drop))
                        + "+0.10 < SF " + text + " win 32767 ${peer}\n";
                    final String reply = drop ? alive : listen ? "+0.00 > S. 0:0(0) ack 18 win 65535 ${peer}\n"
                        : "+0.00 > R. 0:0(0) ack " + (2 + length) + " win 0\n";
                    add("syn-fin" + state + (drop ? "-drop" : "-nodrop"), synFin + reply + CLOSE);
                }
            }
        }
    }

    /** A segment that changes nothing in SYN-SENT leaves the SYN to be sent again, and the connection to come up. */
    private void synSent() {
        final String again = "+0.90 > S 0:0(0) win 65535 " + OURS.replace("${ts}", "1100") + "\n" + NO_ERROR + """
            +0.10 < S. 0:0(0) ack 1 win 32767 ${peer}
            +0.00 > .  1:1(0) ack 1 win 65535
            +0.00 close(3) = 0
            +0.00 > F. 1:1(0) ack 1 win 65535
            """ + FIN_ACKED;
        final String head = ACTIVE.replace("${switch}", NOTHING);
        for (final int length : new int[] {0, 3}) {
            final String with = length == 0 ? "-without-data-syn-sent" : "-with-data-syn-sent";
            final String text = "0:" + length + "(" + length + ")";
            for (int ack = 0; ack <= 2; ack++) {
                final String name =
                    with + "-ack-" + (ack == 0 ? "outside-left" : ack == 1 ? "left-edge" : "outside-right");
                final String reset = ack == 1 ? "" : "+0.00 > R %d:%d(0) win 0\n".formatted(ack, ack);
                final String rest = " " + text + " ack " + ack + " win 32767";
                add("ack" + name, head + "+0.10 < ." + rest + "\n" + reset + again);
                add("fin-ack" + name, head + "+0.10 < F." + rest + "\n" + reset + again);
                add("rst-ack" + name, head + "+0.10 < R." + rest + "\n" + (ack == 1 ? REFUSED + CLOSE : again));
                add("syn-ack" + name, head + "+0.10 < S." + rest + " ${peer}\n"
                    + (ack == 1 ? connected(length) : reset + again));
            }
            add("fin" + with, head + "+0.10 < F " + text + " win 32767\n" + again);
            add("rst" + with, head + "+0.10 < R " + text + " win 32767\n" + again);
            add("syn" + with, head + "+0.10 < S " + text + " win 32767 ${peer}\n" + simultaneous(length, ""));
            add("syn-fin" + with + "-drop",
                ACTIVE.replace("${switch}", "net.inet.tcp.drop_synfin=1") + "+0.10 < SF " + text
                + " win 32767 ${peer}\n" + again);
            add("syn-fin" + with + "-nodrop", head + "+0.10 < SF " + text + " win 32767 ${peer}\n"
                + simultaneous(length, "F"));
        }
    }

    private static String connected(final int length) {
        final int next = 1 + length;
        return "+0.00 > . 1:1(0) ack " + next + " win 65535\n%{ assert tcpi_state == TCPI_ESTABLISHED }%\n"
            .replace("%{", "+0.00 %{") + (length == 0 ? "" : "+0.10 read(3, ..., 100) = " + length + "\n") + """
            +0.00 close(3) = 0
            +0.00 > F. 1:1(0) ack %1$d win 65535
            +0.00 < F. %1$d:%1$d(0) ack 2 win 32767
            +0.00 > .  2:2(0) ack %2$d win 65535
            """.formatted(next, next + 1);
    }

    /** Text and FIN of the peer's SYN wait until ours is acknowledged; delivering them is no cause to answer. */
    private static String simultaneous(final int length, final String fin) {
        final int next = 1 + length;
        final String waits = "+0.00 read(3, ..., 100) = -1 EWOULDBLOCK (Resource temporarily unavailable)\n";
        return "+0.00 > S. 0:0(0) ack 1 win 65535 ${peer}\n+0.00 %{ assert tcpi_state == TCPI_SYN_RECEIVED }%\n" + waits
            + (fin.isEmpty() ? "+0.10 < . %1$d:%1$d(0) ack 1 win 32767\n".formatted(next) + NO_ERROR
                : "+0.10 < F. %1$d:%1$d(0) ack 1 win 32767\n+0.00 > . 1:1(0) ack %2$d win 65535\n"
                    .formatted(next, next + 1)) + "+0.00 %{ assert tcpi_state == TCPI_"
            + (fin.isEmpty() ? "ESTABLISHED" : "CLOSE_WAIT") + " }%\n"
            + (length == 0 ? "" : "+0.10 read(3, ..., 100) = " + length + "\n")
            + "+0.00 close(3) = 0\n+0.00 > F. 1:1(0) ack %d win 65535\n".formatted(next + fin.length());
    }
}
