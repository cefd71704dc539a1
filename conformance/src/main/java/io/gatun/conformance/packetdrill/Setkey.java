package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Shell.Status;
import io.gatun.netinet.tcp.Sadb;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * setkey(8), as far as TCP-MD5 wants it: {@code -c} reads {@code add}, {@code delete}, {@code flush} and {@code
 * dump} statements, {@code -F} flushes, {@code -D} dumps.
 */
final class Setkey {
    private static final int ADDRESSES = 3;
    private static final int SPI_AT = 4;

    private final Sadb sadb;

    /** A statement that is none of ours. */
    private static final class BadStatement extends Exception {
        private static final long serialVersionUID = 1L;

        BadStatement(final String what) {
            super(what);
        }
    }

    Setkey(final Sadb sadb) {
        this.sadb = sadb;
    }

    Status run(final List<String> args, final String input) {
        if (args.equals(List.of("-F")) || args.equals(List.of("-FP"))) {
            sadb.flush();
            return Status.ok("");
        }
        if (args.equals(List.of("-D"))) {
            return Status.ok(dump());
        }
        if (!args.equals(List.of("-c"))) {
            return Status.failed(1, "setkey: only -c, -D and -F are known in process\n");
        }
        final StringBuilder out = new StringBuilder();
        try {
            for (final List<String> s : statements(input)) {
                out.append(statement(s));
            }
        } catch (final BadStatement e) {
            return Status.failed(1, "setkey: " + e.getMessage() + "\n");
        }
        return Status.ok(out.toString());
    }

    private String dump() {
        final List<String> all = sadb.dump();
        return all.isEmpty() ? "No SAD entries.\n" : String.join("", all);
    }

    // ---- statements ------------------------------------------------------------

    /** Words between semicolons. A quoted word keeps its quotes; {@code #} begins a comment. */
    private static List<List<String>> statements(final String input) throws BadStatement {
        final List<List<String>> out = new ArrayList<>();
        List<String> words = new ArrayList<>();
        int at = 0;
        while (at < input.length()) {
            final char c = input.charAt(at);
            if (c == ';') {
                out.add(words);
                words = new ArrayList<>();
                at++;
            } else if (Character.isWhitespace(c)) {
                at++;
            } else if (c == '#') {
                at = end(input, at, "\n");
            } else if (c == '"') {
                final int close = input.indexOf('"', at + 1);
                if (close < 0) {
                    throw new BadStatement("a quote that is not closed");
                }
                words.add(input.substring(at, close + 1));
                at = close + 1;
            } else {
                final int end = end(input, at, " \t\n;#\"");
                words.add(input.substring(at, end));
                at = end;
            }
        }
        if (!words.isEmpty()) {
            throw new BadStatement("no ; behind: " + String.join(" ", words));
        }
        return out;
    }

    /** Where the first of some characters stands, or the end. */
    private static int end(final String s, final int from, final String any) {
        int at = from;
        while (at < s.length() && any.indexOf(s.charAt(at)) < 0) {
            at++;
        }
        return at;
    }

    private String statement(final List<String> words) throws BadStatement {
        final String what = words.isEmpty() ? "" : words.get(0);
        return switch (what) {
            case "" -> "";
            case "flush" -> {
                sadb.flush();
                yield "";
            }
            case "dump" -> dump();
            case "add" -> add(words);
            case "delete" -> {
                final Errno e = sadb.delete(address(words, 1), address(words, 2), spi(words));
                yield done(e, words);
            }
            default -> throw new BadStatement("no such statement: " + what);
        };
    }

    /** {@code add SRC DST tcp SPI -A tcp-md5 KEY}. */
    private String add(final List<String> words) throws BadStatement {
        final int a = words.indexOf("-A");
        if (a < 0 || a + 2 >= words.size() || !words.get(a + 1).equals("tcp-md5")) {
            throw new BadStatement("only -A tcp-md5 KEY is known in process: " + String.join(" ", words));
        }
        return done(sadb.add(address(words, 1), address(words, 2), spi(words), key(words.get(a + 2))), words);
    }

    private static String done(final Errno e, final List<String> words) throws BadStatement {
        if (e != Errno.OK) {
            throw new BadStatement(String.join(" ", words) + ": " + e.text());
        }
        return "";
    }

    private static SockAddr address(final List<String> words, final int i) throws BadStatement {
        if (words.size() <= SPI_AT || !words.get(ADDRESSES).equals("tcp")) {
            throw new BadStatement("expected SRC DST tcp SPI: " + String.join(" ", words));
        }
        try {
            return SockAddr.of(words.get(i), 0);
        } catch (final IllegalArgumentException e) {
            throw new BadStatement("no address: " + words.get(i));
        }
    }

    private static int spi(final List<String> words) throws BadStatement {
        try {
            return (int) (long) Long.decode(words.get(SPI_AT));
        } catch (final NumberFormatException e) {
            throw new BadStatement("no number: " + words.get(SPI_AT));
        }
    }

    private static byte[] key(final String word) throws BadStatement {
        if (word.startsWith("\"")) {
            return word.substring(1, word.length() - 1).getBytes(StandardCharsets.ISO_8859_1);
        }
        if (!word.matches("0x([0-9a-fA-F]{2})+")) {
            throw new BadStatement("a key is quoted, or hexadecimal: " + word);
        }
        return HexFormat.of().parseHex(word.substring(2));
    }
}
