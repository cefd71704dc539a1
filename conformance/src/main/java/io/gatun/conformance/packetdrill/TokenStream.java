package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Token.Kind;
import java.util.List;

/** A script's tokens with a place in them, and the steps that all parts of the parser take. */
final class TokenStream {
    private final String file;
    private final List<Token> tokens;
    private int at;

    /** @param tokens the last is of kind END */
    TokenStream(final String file, final List<Token> tokens) {
        this.file = file;
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peek(final int ahead) {
        return tokens.get(Math.min(at + ahead, tokens.size() - 1));
    }

    Token next() {
        final Token t = tokens.get(at);
        if (t.kind() != Kind.END) {
            at++;
        }
        return t;
    }

    boolean atEnd() {
        return peek().kind() == Kind.END;
    }

    /** Takes the sign if it is next. */
    boolean take(final String punct) {
        if (peek().is(punct)) {
            at++;
            return true;
        }
        return false;
    }

    /** Takes the word if it is next. */
    boolean takeWord(final String word) {
        if (peek().isWord(word)) {
            at++;
            return true;
        }
        return false;
    }

    void expect(final String punct) throws SyntaxException {
        if (!take(punct)) {
            throw unexpected("'" + punct + "'");
        }
    }

    String word(final String what) throws SyntaxException {
        if (peek().kind() != Kind.WORD) {
            throw unexpected(what);
        }
        return next().text();
    }

    /** A number within bounds, decimal or hexadecimal. */
    long number(final String what, final long min, final long max) throws SyntaxException {
        final Token t = peek();
        if (!t.isNumber()) {
            throw unexpected(what);
        }
        final long v = value(t);
        if (v < min || v > max) {
            throw error(t, what + " " + t.text() + " is not in " + min + ".." + max);
        }
        next();
        return v;
    }

    int u16(final String what) throws SyntaxException {
        return (int) number(what, 0, 0xffff);
    }

    int u8(final String what) throws SyntaxException {
        return (int) number(what, 0, 0xff);
    }

    /** 32 bits, without a sign. */
    int u32(final String what) throws SyntaxException {
        return (int) number(what, 0, 0xffff_ffffL);
    }

    /** The value of a token that is a number. */
    long value(final Token t) throws SyntaxException {
        try {
            return t.kind() == Kind.HEX ? Long.parseUnsignedLong(t.text().substring(2), 16) : Long.parseLong(t.text());
        } catch (final NumberFormatException e) {
            throw error(t, "the number " + t.text() + " is too large");
        }
    }

    SyntaxException unexpected(final String wanted) {
        return error(peek(), "expected " + wanted + ", found " + peek().shown());
    }

    SyntaxException error(final Token where, final String what) {
        return new SyntaxException(file, where.line(), where.column(), what);
    }
}
