package io.gatun.conformance.packetdrill;

/**
 * A piece of a script.
 *
 * @param text what it stands for: quotes and brackets are gone
 * @param value of an option what follows its {@code =}, or null
 * @param line from 1
 * @param column from 1
 * @param start offset of its first character
 * @param end offset behind its last character
 */
record Token(Kind kind, String text, String value, int line, int column, int start, int end) {
    /** What it is. */
    enum Kind {
        INTEGER("a number"), HEX("a hexadecimal number"), FLOAT("a number"), WORD("a word"), STRING("a string"),
        COMMAND("a command"), CODE("a code block"), OPTION("an option"), PUNCT("a sign"), END("the end of the script");

        final String what;

        Kind(final String what) {
            this.what = what;
        }
    }

    boolean is(final String punct) {
        return kind == Kind.PUNCT && text.equals(punct);
    }

    boolean isWord(final String word) {
        return kind == Kind.WORD && text.equals(word);
    }

    boolean isNumber() {
        return kind == Kind.INTEGER || kind == Kind.HEX;
    }

    /** For messages. */
    String shown() {
        return switch (kind) {
            case END, CODE, COMMAND -> kind.what;
            case STRING -> "\"" + text + "\"";
            case OPTION -> "--" + text;
            default -> "'" + text + "'";
        };
    }
}
