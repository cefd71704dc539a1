package io.gatun.conformance.packetdrill;

/** A script that cannot be read. The message is one line, {@code file:line:column: what}. */
public final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int line;
    private final int column;

    SyntaxException(final String file, final int line, final int column, final String what) {
        super(file + ":" + line + ":" + column + ": " + what);
        this.line = line;
        this.column = column;
    }

    /** From 1. */
    public int line() {
        return line;
    }

    /** From 1. */
    public int column() {
        return column;
    }
}
