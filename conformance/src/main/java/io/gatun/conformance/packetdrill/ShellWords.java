package io.gatun.conformance.packetdrill;

import java.util.ArrayList;
import java.util.List;

/** Cuts a command line as sh(1) does: words with quotes, and the operators {@code | || && ; & < > >>}. */
final class ShellWords {
    /**
     * A piece of a command line.
     *
     * @param operator whether it is an operator, not a word
     */
    record Piece(String text, boolean operator) {
    }

    private final String line;
    private final List<Piece> out = new ArrayList<>();
    private StringBuilder word; // null between words
    private int at;

    private ShellWords(final String line) {
        this.line = line;
    }

    /** Never fails: a quote that is not closed ends with the line. */
    static List<Piece> cut(final String line) {
        return new ShellWords(line).cut();
    }

    private List<Piece> cut() {
        while (at < line.length()) {
            final char c = line.charAt(at);
            if (c == '\'' || c == '"') {
                quoted(c);
            } else if (c == '\\' && at + 1 < line.length()) {
                put(line.charAt(at + 1));
                at += 2;
            } else if ("|&;<>\n".indexOf(c) >= 0) {
                operator(c);
            } else if (Character.isWhitespace(c)) {
                endWord();
                at++;
            } else {
                put(c);
                at++;
            }
        }
        endWord();
        return out;
    }

    private void put(final char c) {
        if (word == null) {
            word = new StringBuilder();
        }
        word.append(c);
    }

    private void endWord() {
        if (word != null) {
            out.add(new Piece(word.toString(), false));
            word = null;
        }
    }

    private void quoted(final char quote) {
        at++;
        word = word == null ? new StringBuilder() : word;
        while (at < line.length() && line.charAt(at) != quote) {
            if (quote == '"' && line.charAt(at) == '\\' && at + 1 < line.length()) {
                at++;
            }
            word.append(line.charAt(at));
            at++;
        }
        at++;
    }

    private void operator(final char c) {
        // A number before a redirection is a descriptor: 2>&1.
        if ((c == '>' || c == '<') && word != null && word.toString().matches("[0-9]")) {
            word = null;
        }
        endWord();
        final boolean twice = at + 1 < line.length() && line.charAt(at + 1) == c && "|&>".indexOf(c) >= 0;
        final boolean dup = c == '>' && at + 1 < line.length() && line.charAt(at + 1) == '&';
        final String op = dup ? ">&" : twice ? "" + c + c : c == '\n' ? ";" : String.valueOf(c);
        out.add(new Piece(op, true));
        at += dup || twice ? 2 : 1;
    }
}
