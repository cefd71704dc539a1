package io.gatun.conformance.packetdrill;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scripts of text that overlaps and of text that comes in another order, with the acknowledgments that RFC 2018, RFC
 * 2883 and RFC 5681 ask for, worked out by a receiver in miniature. {@code overlap-250-475} sends that range to a
 * receiver who has 1:100, 200:300, 400:500 and 600:700; {@code order-31254f} sends five segments in that order, with a
 * FIN last in sequence.
 */
final class ReceiveMatrix {
    private static final int MOST_BLOCKS = 4;
    private static final int MAXWIN = 65_535;
    private static final int END = 800;
    private static final int[] FROM =
        {1, 50, 99, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 699, 700, 750};
    private static final int[] TO = {75, 100, 101, 150, 200, 275, 300, 350, 400, 475, 500, 550, 600, 675, 700, 750};

    /** A range of sequence numbers. */
    private record Range(int from, int to) {
        boolean meets(final Range o) {
            return from <= o.to && o.from <= to;
        }

        String text() {
            return from + ":" + to;
        }
    }

    /** What a receiver holds: all below next, and runs, the latest first. */
    private static final class Receiver {
        private final List<Range> runs = new ArrayList<>();
        private final int buffer;
        private int next = 1;
        private boolean pending; // one segment waits for the next to be acknowledged
        private Range duplicate;

        Receiver(final int buffer) {
            this.buffer = buffer;
        }

        /** Takes a segment; whether it is acknowledged at once. */
        boolean take(final Range seg) {
            duplicate = firstDuplicate(seg);
            final boolean quiet = runs.isEmpty() && seg.from == next;
            Range run = seg;
            for (final Range r : List.copyOf(runs)) {
                if (r.meets(run)) {
                    runs.remove(r);
                    run = new Range(Math.min(r.from, run.from), Math.max(r.to, run.to));
                }
            }
            if (run.from <= next) {
                next = Math.max(next, run.to);
            } else {
                runs.add(0, run);
            }
            pending = quiet && !pending;
            return !pending;
        }

        /** The lowest part of a segment that was here already. */
        private Range firstDuplicate(final Range seg) {
            Range low = seg.from < next ? new Range(seg.from, Math.min(seg.to, next)) : null;
            for (final Range r : runs) {
                final Range both = new Range(Math.max(seg.from, r.from), Math.min(seg.to, r.to));
                if (both.from < both.to && (low == null || both.from < low.from)) {
                    low = both;
                }
            }
            return low;
        }

        String ack(final boolean read) {
            final int window = Math.min(MAXWIN, buffer - (read ? 0 : next - 1));
            final List<Range> blocks = new ArrayList<>(runs);
            if (duplicate != null) {
                blocks.add(0, duplicate);
                duplicate = null;
            }
            final StringBuilder sack = new StringBuilder();
            for (int i = 0; i < Math.min(MOST_BLOCKS, blocks.size()); i++) {
                sack.append(' ').append(blocks.get(i).text());
            }
            return "> . 1:1(0) ack " + next + " win " + window
                + (sack.isEmpty() ? "" : " <nop,nop,sack" + sack + ">") + "\n";
        }
    }

    private final Map<String, String> scripts = new LinkedHashMap<>();
    private boolean v6;

    private ReceiveMatrix() {
    }

    /** All of them, by name. */
    static Map<String, String> scripts() {
        final ReceiveMatrix m = new ReceiveMatrix();
        for (final boolean six : new boolean[] {false, true}) {
            m.v6 = six;
            for (final int from : FROM) {
                for (final int to : TO) {
                    if (from < to) {
                        m.overlap(new Range(from, to));
                    }
                }
            }
            m.orders("", "12345");
        }
        return m.scripts;
    }

    private String head() {
        final String mss = v6 ? "1440" : "1460";
        return "--ip_version=" + (v6 ? "ipv6" : "ipv4") + "\n--tolerance_usecs=10000\n" + """
             0.00 `sysctl -w net.inet.tcp.recvspace=65536 net.inet.tcp.delacktime=40`
            +0.00 `sysctl -w net.inet.tcp.hostcache.purgenow=1`
            +0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
            +0.00 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
            +0.00 bind(3, ..., ...) = 0
            +0.00 listen(3, 1) = 0
            +0.00 < S  0:0(0) win 65535 <mss ${mss},sackOK,eol,eol>
            +0.00 > S. 0:0(0) ack 1 win 65535 <mss ${mss},sackOK,eol,eol>
            +0.01 < .  1:1(0) ack 1 win 65535
            +0.00 accept(3, ..., ...) = 4
            +0.00 close(3) = 0
            """.replace("${mss}", mss);
    }

    private int buffer() {
        return v6 ? 66_240 : 65_700;
    }

    private void add(final String name, final String text) {
        scripts.put(name + (v6 ? "-ipv6" : "-ipv4"), text);
    }

    private static String inject(final Range r) {
        return "+0.00 < . %d:%d(%d) ack 1 win 65535\n".formatted(r.from, r.to, r.to - r.from);
    }

    private static String close(final int end, final boolean fin) {
        final String closes = "+0.10 < F. %1$d:%1$d(0) ack 1 win 65535\n+0.00 > . 1:1(0) ack %2$d win 65535\n";
        return ((fin ? "" : closes) + """
            +0.00 recv(4, ..., 1024, 0) = 0
            +0.00 close(4) = 0
            +0.00 > F. 1:1(0) ack %2$d win 65535
            +0.01 < .  %2$d:%2$d(0) ack 2 win 65535
            """).formatted(end, end + 1);
    }

    private void overlap(final Range seg) {
        final StringBuilder text = new StringBuilder(head());
        final Receiver r = new Receiver(buffer());
        for (final Range held : new Range[] {new Range(1, 100), new Range(200, 300), new Range(400, 500),
            new Range(600, 700), seg, new Range(1, END)}) {
            text.append(inject(held));
            if (r.take(held)) {
                text.append("+0.00 ").append(r.ack(false));
            }
            text.append("+0.00 recv(4, ..., 1024, MSG_PEEK) = ").append(r.next - 1).append('\n');
        }
        text.append("+0.00 recv(4, ..., 1024, 0) = ").append(END - 1).append('\n');
        text.append(close(END, false));
        add("overlap-%03d-%03d".formatted(seg.from, seg.to), text.toString());
    }

    private void orders(final String done, final String left) {
        if (left.isEmpty()) {
            order(done, false);
            order(done, true);
        }
        for (int i = 0; i < left.length(); i++) {
            orders(done + left.charAt(i), left.substring(0, i) + left.substring(i + 1));
        }
    }

    /** Segment n has twice the octets of the one before; the FIN goes with the fifth. */
    private void order(final String order, final boolean fin) {
        final StringBuilder text = new StringBuilder(head());
        final Receiver r = new Receiver(buffer());
        boolean finHeld = false;
        for (int i = 0; i < order.length(); i++) {
            final int n = order.charAt(i) - '1';
            final Range seg = new Range(1 << n, 2 << n);
            final boolean last = n == order.length() - 1;
            text.append(fin && last ? inject(seg).replace("< .", "< F.") : inject(seg));
            finHeld |= fin && last;
            final boolean now = r.take(seg);
            final int octets = r.next - 1;
            if (finHeld && r.next == 2 << order.length() - 1) {
                text.append("+0.00 ").append(r.ack(false).replace("ack " + r.next, "ack " + (r.next + 1)));
            } else if (now) {
                text.append("+0.00 ").append(r.ack(false));
            } else if (i == order.length() - 1) {
                text.append("+0.04 ").append(r.ack(false));
            }
            if (octets > 0) {
                text.append("+0.00 recv(4, ..., 1024, MSG_PEEK) = ").append(octets).append('\n');
            }
        }
        final int end = 2 << order.length() - 1;
        text.append("+0.00 recv(4, ..., 1024, 0) = ").append(end - 1).append('\n');
        text.append(close(end, fin));
        add("order-" + order + (fin ? "f" : ""), text.toString());
    }
}
