package io.gatun.conformance.packetdrill;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Scripts of a Fast Open client (RFC 7413) whose server gives a cookie of every length that the option has room for:
 * with the first answer, with the acknowledgment of the text, and with its refusal. Valid are even lengths from 4 to
 * 16.
 */
final class FastOpenMatrix {
    private static final int LONGEST = 38;
    private static final int OPTION_ROOM = 40;
    private static final String COOKIE = "0102030405060708";
    private static final String BEGIN = """
        +0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0.00 setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, [1], 4) = 0
        +0.00 sendto(3, ..., 100, 0, ..., ...) = 100
        """;
    private static final String TEXT = "+0.00 > P. 1:101(100) ack 1 win 65535\n+0.05 < . 1:1(0) ack 101 win 65535\n";
    private static final String TAKEN = "+0.00 > . 101:101(0) ack 1 win 65535\n";
    private static final String END = """
        +0.00 < F. 1:1(0) ack 101 win 65535
        +0.00 > .  101:101(0) ack 2 win 65535
        +0.00 close(3) = 0
        +0.00 > F. 101:101(0) ack 2 win 65535
        +0.05 < .  2:2(0) ack 102 win 65535
        """;

    private final Map<String, String> scripts = new LinkedHashMap<>();
    private boolean v6;

    private FastOpenMatrix() {
    }

    /** All of them, by name. */
    static Map<String, String> scripts() {
        final FastOpenMatrix m = new FastOpenMatrix();
        for (final boolean six : new boolean[] {false, true}) {
            m.v6 = six;
            m.add("no-fast-open", m.first("mss ${mss},sackOK,eol,eol") + m.plain());
            m.add("not-updated", m.first(m.option(COOKIE)) + m.taken(COOKIE, "mss ${mss}")
                + m.taken(COOKIE, "mss ${mss}"));
            for (int length = 1; length <= LONGEST; length++) {
                final String cookie = cookie(length, 1);
                final boolean valid = length % 2 == 0 && length >= 4 && length <= 16;
                m.add("initial-" + length,
                    m.first(m.option(cookie)) + (valid ? m.taken(cookie, "mss ${mss}") : m.plain()));
                m.add("update-" + length, m.first(m.option(COOKIE)) + m.taken(COOKIE, m.option(cookie))
                    + m.taken(valid ? cookie : COOKIE, "mss ${mss},sackOK,eol,eol"));
                final String other = cookie(length, 2);
                m.add("reject-" + length, m.first(m.option(COOKIE)) + m.refused(COOKIE, m.option(other))
                    + (valid ? m.taken(other, "mss ${mss},sackOK,eol,eol") : m.plain()));
            }
        }
        return m.scripts;
    }

    /** Octets that count, in decimal digits. */
    private static String cookie(final int length, final int from) {
        final StringBuilder out = new StringBuilder();
        for (int i = 0; i < length; i++) {
            out.append("%02d".formatted(from + i));
        }
        return out.toString();
    }

    /** The server's options: a maximum segment size where there is room beside the cookie. */
    private String option(final String cookie) {
        final int length = 2 + cookie.length() / 2;
        final boolean room = length + 6 <= OPTION_ROOM;
        return (room ? "mss ${mss},sackOK," : "") + "FO " + cookie
            + ",eol".repeat((OPTION_ROOM - length - (room ? 6 : 0)) % 4);
    }

    private void add(final String name, final String text) {
        final String head = "--ip_version=" + (v6 ? "ipv6" : "ipv4") + "\n--tolerance_usecs=10000\n"
            + " 0.00 `sysctl -w net.inet.tcp.fastopen.client_enable=0 net.inet.tcp.fastopen.client_enable=1`\n";
        final String mss = v6 ? "1440" : "1460";
        scripts.put("fast-open-" + name + (v6 ? "-ipv6" : "-ipv4"), head + text.replace("${mss}", mss));
    }

    private static String syn(final int octets, final String rest) {
        return "+0.00 > S 0:%d(%d) win 65535 <mss ${mss},nop,wscale 6,sackOK,TS val 0 ecr 0%s>\n"
            .formatted(octets, octets, rest);
    }

    private static String synAck(final int ack, final String options) {
        return "+0.05 < S. 0:0(0) ack " + ack + " win 65535 <" + options + ">\n";
    }

    private static String withCookie(final String cookie) {
        return syn(100, ",FO " + cookie + ",eol".repeat((2 * OPTION_ROOM - 22 - cookie.length() / 2) % 4));
    }

    private String first(final String options) {
        return BEGIN + syn(0, ",FO,eol,eol") + synAck(1, options) + TEXT + END;
    }

    private String plain() {
        return BEGIN + syn(0, "") + synAck(1, "mss ${mss},sackOK,eol,eol") + TEXT + END;
    }

    private String taken(final String cookie, final String options) {
        return BEGIN + withCookie(cookie) + synAck(101, options) + TAKEN + END;
    }

    private String refused(final String cookie, final String options) {
        return BEGIN + withCookie(cookie) + synAck(1, options) + TEXT + END;
    }
}
