package io.gatun.conformance.packetdrill;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.netinet.tcp.TcpState;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of Python that code blocks use: {@code assert}, assignments, and expressions of integers and names with
 * {@code or and not == != < <= > >= | ^ & << >> + - * // % ~} and parentheses. The names are those of TCP_INFO.
 */
final class CodeEval {
    /** A block that is wrong, or whose assertion fails. */
    static final class CodeException extends Exception {
        private static final long serialVersionUID = 1L;

        CodeException(final String what) {
            super(what);
        }
    }

    private static final Pattern TOKEN = Pattern.compile(
        "\\s*(0[xX][0-9a-fA-F]+|[0-9]+|[A-Za-z_][A-Za-z_0-9]*|\"[^\"]*\"|'[^']*'|==|!=|<=|>=|<<|>>|//"
            + "|[-+*%<>|&^~(),=])");
    private static final Pattern ASSIGNMENT = Pattern.compile("([A-Za-z_]\\w*)\\s*=(?!=)(.*)");
    /** What FreeBSD's stack never fills in. */
    private static final String[] ALWAYS_0 = {"tcpi_snd_bwnd", "tcpi_toe_tid", "tcpi_delivered_e0_bytes",
        "tcpi_delivered_e1_bytes", "tcpi_delivered_ce_bytes", "tcpi_received_e0_bytes", "tcpi_received_e1_bytes",
        "tcpi_received_ce_bytes"};
    private static final int MAX_DEPTH = 64;
    private static final long US = 1000;

    private final Map<String, Long> names;
    /** Only see whether it can be read. */
    private final boolean dry;
    private String line = "";
    private Matcher matcher = TOKEN.matcher("");
    private String token = "";
    private int depth;

    private CodeEval(final Map<String, Long> names, final boolean dry) {
        this.names = names;
        this.dry = dry;
    }

    /** The text of a block that can be read. */
    static String check(final TokenStream in, final Token code) throws SyntaxException {
        try {
            new CodeEval(new HashMap<>(), true).statements(code.text());
        } catch (final CodeException e) {
            throw in.error(code, e.getMessage());
        }
        return code.text().strip();
    }

    /** Carries a block out. */
    static void run(final String text, final Map<String, Long> names) throws CodeException {
        new CodeEval(new HashMap<>(names), false).statements(text);
    }

    private void statements(final String text) throws CodeException {
        for (final String raw : text.split("[\n;]")) {
            final String statement = raw.replaceFirst("#.*", "").strip();
            if (!statement.isEmpty()) {
                statement(statement);
            }
        }
    }

    private void statement(final String text) throws CodeException {
        final Matcher assignment = ASSIGNMENT.matcher(text);
        if (assignment.matches()) {
            begin(assignment.group(2));
            final long v = or();
            end();
            names.put(assignment.group(1), v);
        } else if (text.matches("assert\\b.*")) {
            begin(text.substring("assert".length()));
            final long v = or();
            if (take(",")) {
                or();
            }
            end();
            if (v == 0 && !dry) {
                throw new CodeException("assertion failed: " + text + shown(text));
            }
        } else if (!text.matches("(print|pass)\\b.*")) {
            throw new CodeException("only assert, print and assignments are supported in code: " + text);
        }
    }

    private void begin(final String text) throws CodeException {
        line = text;
        matcher = TOKEN.matcher(text);
        advance();
    }

    /** The names of a text with their values. */
    private String shown(final String text) {
        final StringBuilder out = new StringBuilder();
        final Matcher m = Pattern.compile("[A-Za-z_]\\w*").matcher(text);
        while (m.find()) {
            if (names.containsKey(m.group())) {
                out.append(out.isEmpty() ? "" : ", ").append(m.group()).append(" = ").append(names.get(m.group()));
            }
        }
        return out.isEmpty() ? "" : " (" + out + ")";
    }

    // ---- expressions ------------------------------------------------------------

    private void advance() throws CodeException {
        if (matcher.lookingAt()) {
            token = matcher.group(1);
            matcher.region(matcher.end(), line.length());
        } else if (matcher.regionStart() >= line.length() || line.substring(matcher.regionStart()).isBlank()) {
            token = "";
        } else {
            throw new CodeException("cannot read code: " + line);
        }
    }

    private boolean take(final String wanted) throws CodeException {
        if (token.equals(wanted)) {
            advance();
            return true;
        }
        return false;
    }

    private void end() throws CodeException {
        if (!token.isEmpty()) {
            throw new CodeException("cannot read code at '" + token + "': " + line);
        }
    }

    private long or() throws CodeException {
        if (++depth > MAX_DEPTH) {
            throw new CodeException("code is nested too deeply");
        }
        long v = and();
        while (take("or")) {
            final long right = and();
            v = v != 0 ? v : right;
        }
        depth--;
        return v;
    }

    private long and() throws CodeException {
        long v = not();
        while (take("and")) {
            final long right = not();
            v = v == 0 ? v : right;
        }
        return v;
    }

    private long not() throws CodeException {
        boolean odd = false;
        boolean any = false;
        while (take("not")) {
            odd = !odd;
            any = true;
        }
        final long v = comparison();
        return any ? truth((v == 0) == odd) : v;
    }

    /** Chained as in Python: a < b < c. */
    private long comparison() throws CodeException {
        long left = bits(0);
        boolean chained = false;
        boolean holds = true;
        while (token.matches("==|!=|<=|>=|<|>")) {
            final String op = token;
            advance();
            final long right = bits(0);
            holds &= switch (op) {
                case "==" -> left == right;
                case "!=" -> left != right;
                case "<" -> left < right;
                case "<=" -> left <= right;
                case ">" -> left > right;
                default -> left >= right;
            };
            left = right;
            chained = true;
        }
        return chained ? truth(holds) : left;
    }

    private static long truth(final boolean b) {
        return b ? 1 : 0;
    }

    /** From the loosest operator, |, to the tightest. */
    private long bits(final int level) throws CodeException {
        if (level == 6) {
            return unary();
        }
        long v = bits(level + 1);
        while (levelOf(token) == level) {
            final String op = token;
            advance();
            v = apply(op, v, bits(level + 1));
        }
        return v;
    }

    private static int levelOf(final String op) {
        return switch (op) {
            case "|" -> 0;
            case "^" -> 1;
            case "&" -> 2;
            case "<<", ">>" -> 3;
            case "+", "-" -> 4;
            case "*", "//", "%" -> 5;
            default -> -1;
        };
    }

    private long apply(final String op, final long a, final long b) throws CodeException {
        if ((op.equals("//") || op.equals("%")) && b == 0) {
            if (dry) {
                return 1;
            }
            throw new CodeException("division by zero: " + line);
        }
        return switch (op) {
            case "|" -> a | b;
            case "^" -> a ^ b;
            case "&" -> a & b;
            case "<<" -> a << b;
            case ">>" -> a >> b;
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "//" -> Math.floorDiv(a, b);
            default -> Math.floorMod(a, b);
        };
    }

    private long unary() throws CodeException {
        boolean complement = false;
        long sign = 1;
        while (token.equals("-") || token.equals("+")) {
            sign = token.equals("-") ? -sign : sign;
            advance();
        }
        if (take("~")) {
            complement = true;
        }
        final long v = atom();
        return sign * (complement ? ~v : v);
    }

    private long atom() throws CodeException {
        final String t = token;
        if (take("(")) {
            final long v = or();
            if (!take(")")) {
                throw new CodeException("no closing ) in code: " + line);
            }
            return v;
        }
        if (t.isEmpty()) {
            throw new CodeException("code ends too early: " + line);
        }
        advance();
        if (t.matches("0[xX][0-9a-fA-F]{1,16}")) {
            return Long.parseUnsignedLong(t.substring(2), 16);
        }
        if (t.matches("[0-9]{1,18}")) {
            return Long.parseLong(t);
        }
        if (t.matches("[\"'].*")) {
            return 1;
        }
        if (t.equals("True") || t.equals("False")) {
            return truth(t.equals("True"));
        }
        final Long v = names.get(t);
        if (v != null) {
            return v;
        }
        if (dry && t.matches("(tcpi|TCPI|TCP_CA)_\\w+")) {
            return 1;
        }
        throw new CodeException("unknown name in code: " + t);
    }

    // ---- names ------------------------------------------------------------

    /** What a block may know of a connection; times are microseconds, as in FreeBSD's struct tcp_info. */
    static Map<String, Long> names(final TcpInfo info) {
        final Map<String, Long> m = new HashMap<>();
        for (final TcpState s : TcpState.values()) {
            m.put("TCPI_" + s.name(), (long) s.ordinal());
        }
        m.put("TCPI_OPT_TIMESTAMPS", 1L);
        m.put("TCPI_OPT_SACK", 2L);
        m.put("TCPI_OPT_WSCALE", 4L);
        m.put("TCPI_OPT_ECN", 8L);
        m.put("TCPI_OPT_TOE", 16L);
        m.put("TCPI_OPT_TFO", 32L);
        m.put("TCPI_OPT_ACE", 64L);
        m.put("tcpi_state", (long) info.state().ordinal());
        m.put("tcpi_options", (long) info.options());
        m.put("tcpi_snd_wscale", (long) info.sndWscale());
        m.put("tcpi_rcv_wscale", (long) info.rcvWscale());
        m.put("tcpi_rto", info.rtoNs() / US);
        m.put("tcpi_snd_mss", (long) info.sndMss());
        m.put("tcpi_last_data_recv", info.sinceRcvNs() / US);
        m.put("tcpi_rtt", info.rttNs() / US);
        m.put("tcpi_rttvar", info.rttvarNs() / US);
        m.put("tcpi_rttmin", info.rttMinNs() / US);
        m.put("tcpi_snd_ssthresh", Format.unsigned(info.sndSsthresh()));
        m.put("tcpi_snd_cwnd", Format.unsigned(info.sndCwnd()));
        m.put("tcpi_rcv_space", (long) info.rcvSpace());
        m.put("tcpi_snd_wnd", Format.unsigned(info.sndWnd()));
        m.put("tcpi_snd_nxt", Format.unsigned(info.sndNxt()));
        m.put("tcpi_rcv_nxt", Format.unsigned(info.rcvNxt()));
        m.put("tcpi_snd_rexmitpack", (long) info.sndRexmitpack());
        m.put("tcpi_rcv_ooopack", (long) info.rcvOoopack());
        m.put("tcpi_snd_zerowin", (long) info.sndZerowin());
        m.put("tcpi_rcv_mss", (long) info.rcvMss());
        m.put("tcpi_snd_una", Format.unsigned(info.sndUna()));
        m.put("tcpi_snd_max", Format.unsigned(info.sndMax()));
        m.put("tcpi_rcv_numsacks", (long) info.rcvNumsacks());
        m.put("tcpi_rcv_adv", Format.unsigned(info.rcvAdv()));
        m.put("tcpi_dupacks", (long) info.dupacks());
        m.put("tcpi_delivered_ce", (long) info.deliveredCe());
        m.put("tcpi_received_ce", (long) info.receivedCe());
        m.put("tcpi_total_tlp", (long) info.totalTlp());
        m.put("tcpi_total_tlp_bytes", Format.unsigned(info.totalTlpBytes()));
        for (final String name : ALWAYS_0) {
            m.put(name, 0L);
        }
        return m;
    }
}
