package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Cuts a script into tokens, longest match first. Comments go, {@code #ifdef NAME ... #endif} is kept when the name is
 * defined, a word that {@code --define} has given a meaning is replaced by it.
 */
final class Lexer {
    /** Words with a dash inside. */
    private static final Set<String> DASHED = Set.of("gen", "exp", "EXP", "voice");

    private final String file;
    private final String text;
    private final Set<String> defined;
    private final Map<String, String> defines;
    private int at;
    private int line = 1;
    private int lineStart;
    private int ifdefLine;

    Lexer(final String file, final String text, final Set<String> defined, final Map<String, String> defines) {
        this.file = file;
        this.text = text;
        this.defined = defined;
        this.defines = defines;
    }

    /** All tokens, the last of kind END. */
    List<Token> all() throws SyntaxException {
        final List<Token> out = new ArrayList<>();
        Token t = next();
        while (t.kind() != Kind.END) {
            out.add(t);
            t = next();
        }
        if (ifdefLine != 0) {
            throw error("#ifdef of line " + ifdefLine + " has no #endif");
        }
        out.add(t);
        return out;
    }

    private Token next() throws SyntaxException {
        skip();
        if (at >= text.length()) {
            return token(Kind.END, "", null, at);
        }
        final int start = at;
        final char c = text.charAt(at);
        if (isWordChar(c) || c == '.' && digit(at + 1)) {
            return wordOrNumber(start);
        }
        if (c == '-' && (digit(at + 1) || peek(1) == '.' && digit(at + 2))) {
            at++;
            return wordOrNumber(start);
        }
        return switch (c) {
            case '"' -> quoted(Kind.STRING, '"');
            case '`' -> quoted(Kind.COMMAND, '`');
            case '%' -> code();
            default -> punctOrOption(start);
        };
    }

    private Token punctOrOption(final int start) throws SyntaxException {
        if (text.startsWith("--", at) && at + 2 < text.length() && isWordChar(text.charAt(at + 2))) {
            return option(start);
        }
        if (text.startsWith("...", at)) {
            at += 3;
            return token(Kind.PUNCT, "...", null, start);
        }
        if (text.charAt(at) < ' ' || text.charAt(at) > '~') {
            throw error("a character that scripts do not have: U+%04X".formatted((int) text.charAt(at)));
        }
        at++;
        return token(Kind.PUNCT, text.substring(start, at), null, start);
    }

    private Token option(final int start) throws SyntaxException {
        at += 2;
        final int from = at;
        while (at < text.length() && isWordChar(text.charAt(at))) {
            at++;
        }
        final String name = text.substring(from, at);
        int equals = at;
        while (equals < text.length() && isBlank(text.charAt(equals))) {
            equals++;
        }
        if (equals == text.length() || text.charAt(equals) != '=') {
            return token(Kind.OPTION, name, null, start);
        }
        at = equals + 1;
        while (isBlank(peek(0))) {
            at++;
        }
        final int valueFrom = at;
        while (at < text.length() && !Character.isWhitespace(text.charAt(at))) {
            final char c = text.charAt(at);
            at++;
            if (c == '"' || c == '`') {
                final int close = text.indexOf(c, at);
                if (close < 0) {
                    throw error("the value of --" + name + " has no closing " + c);
                }
                at = close + 1;
            }
        }
        return token(Kind.OPTION, name, text.substring(valueFrom, at), start);
    }

    // ---- words and numbers ------------------------------------------------------------

    private Token wordOrNumber(final int start) throws SyntaxException {
        final int from = at;
        while (at < text.length() && isWordChar(text.charAt(at))) {
            at++;
        }
        final String run = text.substring(from, at);
        if (run.chars().allMatch(ch -> ch >= '0' && ch <= '9')) {
            if (peek(0) == '.' && digit(at + 1)) {
                at++;
                while (digit(at)) {
                    at++;
                }
                return token(Kind.FLOAT, text.substring(start, at), null, start);
            }
            return token(Kind.INTEGER, text.substring(start, at), null, start);
        }
        if (run.matches("0x[0-9a-fA-F]+") && start == from) {
            return token(Kind.HEX, run, null, start);
        }
        if (DASHED.contains(run) && peek(0) == '-' && at + 1 < text.length() && isWordChar(text.charAt(at + 1))) {
            at++;
            while (at < text.length() && isWordChar(text.charAt(at))) {
                at++;
            }
        }
        return replaced(start);
    }

    private Token replaced(final int start) throws SyntaxException {
        final String word = text.substring(start, at);
        final String meaning = defines.get(word);
        if (meaning == null) {
            return token(Kind.WORD, word, null, start);
        }
        final Token t = new Lexer(file, meaning, Set.of(), Map.of()).next();
        return token(t.kind(), t.text(), null, start);
    }

    private static boolean isWordChar(final char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    private static boolean isBlank(final char c) {
        return c == ' ' || c == '\t';
    }

    private boolean digit(final int i) {
        return i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }

    private char peek(final int ahead) {
        return at + ahead < text.length() ? text.charAt(at + ahead) : 0;
    }

    // ---- quoted ------------------------------------------------------------

    private Token quoted(final Kind kind, final char quote) throws SyntaxException {
        final int start = at;
        final int startLine = line;
        final int column = at - lineStart + 1;
        final StringBuilder out = new StringBuilder();
        at++;
        while (at < text.length() && text.charAt(at) != quote) {
            final char c = text.charAt(at);
            if (c == '\\' && at + 1 < text.length()) {
                out.append(kind == Kind.STRING ? escaped(text.charAt(at + 1)) : "\\" + text.charAt(at + 1));
                at++;
            } else {
                out.append(c);
            }
            newline(text.charAt(at));
            at++;
        }
        if (at >= text.length()) {
            throw new SyntaxException(file, startLine, column, "no closing " + quote);
        }
        at++;
        return new Token(kind, out.toString(), null, startLine, column, start, at);
    }

    private static String escaped(final char c) {
        return switch (c) {
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'r' -> "\r";
            case '0' -> "\0";
            default -> String.valueOf(c);
        };
    }

    private Token code() throws SyntaxException {
        final int start = at;
        final int startLine = line;
        final int column = at - lineStart + 1;
        if (peek(1) != '{') {
            throw error("'%' begins a code block only before '{'");
        }
        final int close = text.indexOf("}%", at + 2);
        if (close < 0) {
            throw error("the code block has no closing }%");
        }
        final String body = text.substring(at + 2, close);
        while (at < close + 2) {
            newline(text.charAt(at));
            at++;
        }
        return new Token(Kind.CODE, body, null, startLine, column, start, at);
    }

    // ---- what stands between ------------------------------------------------------------

    private void skip() throws SyntaxException {
        while (at < text.length()) {
            final char c = text.charAt(at);
            if (Character.isWhitespace(c)) {
                newline(c);
                at++;
            } else if (text.startsWith("//", at)) {
                toEndOfLine();
            } else if (text.startsWith("/*", at)) {
                comment();
            } else if (c == '#') {
                directive();
            } else {
                return;
            }
        }
    }

    private void toEndOfLine() {
        while (at < text.length() && text.charAt(at) != '\n') {
            at++;
        }
    }

    private void comment() throws SyntaxException {
        final int close = text.indexOf("*/", at + 2);
        if (close < 0) {
            throw error("the comment has no closing */");
        }
        while (at < close + 2) {
            newline(text.charAt(at));
            at++;
        }
    }

    private void directive() throws SyntaxException {
        if (text.startsWith("#endif", at)) {
            if (ifdefLine == 0) {
                throw error("#endif without #ifdef");
            }
            ifdefLine = 0;
            at += "#endif".length();
            return;
        }
        if (!text.startsWith("#ifdef", at)) {
            throw error("expected #ifdef or #endif");
        }
        if (ifdefLine != 0) {
            throw error("#ifdef within the #ifdef of line " + ifdefLine);
        }
        ifdefLine = line;
        at += "#ifdef".length();
        while (isBlank(peek(0))) {
            at++;
        }
        final int from = at;
        while (at < text.length() && isWordChar(text.charAt(at))) {
            at++;
        }
        final String name = text.substring(from, at);
        if (name.isEmpty()) {
            throw error("#ifdef wants a name");
        }
        if (!defined.contains(name) && !defines.containsKey(name)) {
            leaveOut();
        }
    }

    private void leaveOut() throws SyntaxException {
        while (at < text.length() && !text.startsWith("#endif", at)) {
            newline(text.charAt(at));
            at++;
        }
    }

    private void newline(final char c) {
        if (c == '\n') {
            line++;
            lineStart = at + 1;
        }
    }

    private Token token(final Kind kind, final String what, final String value, final int start) {
        return new Token(kind, what, value, line, start - lineStart + 1, start, at);
    }

    private SyntaxException error(final String what) {
        return new SyntaxException(file, line, at - lineStart + 1, what);
    }
}
