package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the arguments of system calls. */
final class ExprParser {
    private static final int MAX_DEPTH = 32;

    private final TokenStream in;
    private int depth;

    ExprParser(final TokenStream in) {
        this.in = in;
    }

    Expr expression() throws SyntaxException {
        if (++depth > MAX_DEPTH) {
            throw in.error(in.peek(), "the expression is nested too deeply");
        }
        Expr left = primary();
        while (in.take("|")) {
            left = new Expr.Or(left, primary());
        }
        depth--;
        return left;
    }

    private Expr primary() throws SyntaxException {
        final Token t = in.peek();
        if (in.take("...")) {
            return new Expr.Ellipsis();
        }
        if (in.take("[")) {
            return new Expr.Array(list("]"));
        }
        if (in.take("{")) {
            return struct();
        }
        if (in.take("(")) {
            final Expr inner = expression();
            in.expect(")");
            return inner;
        }
        return switch (t.kind()) {
            case INTEGER, HEX -> {
                in.next();
                yield new Expr.Num(in.value(t), t.text());
            }
            case STRING -> {
                in.next();
                yield new Expr.Str(t.text(), in.take("..."));
            }
            case WORD -> name();
            default -> throw in.unexpected("a value");
        };
    }

    private Expr name() throws SyntaxException {
        final Token t = in.next();
        if (in.take("(")) {
            if (!t.text().matches("htons|htonl|inet_addr")) {
                throw in.error(t, "unknown function " + t.text());
            }
            return new Expr.Call(t.text(), list(")"));
        }
        if (t.text().equals("NULL")) {
            return new Expr.Num(0, "NULL");
        }
        if (Symbols.find(t.text()) == null) {
            throw in.error(t, "unknown name " + t.text());
        }
        return new Expr.Name(t.text());
    }

    private List<Expr> list(final String end) throws SyntaxException {
        final List<Expr> items = new ArrayList<>();
        if (!in.take(end)) {
            do {
                items.add(expression());
            } while (in.take(","));
            in.expect(end);
        }
        return items;
    }

    /** Members are named, or stand in their order; {@code name(n)=} gives the number of an array's items. */
    private Expr struct() throws SyntaxException {
        final Map<String, Expr> members = new LinkedHashMap<>();
        do {
            final Token t = in.peek();
            if (t.kind() == Kind.WORD && (in.peek(1).is("=") || in.peek(1).is("(") && in.peek(3).is(")")
                && in.peek(4).is("="))) {
                in.next();
                if (in.take("(")) {
                    final Expr n = expression();
                    in.expect(")");
                    members.put(t.text() + "()", n);
                }
                in.expect("=");
                if (members.put(t.text(), member(t.text())) != null) {
                    throw in.error(t, t.text() + " is there twice");
                }
            } else {
                members.put(String.valueOf(members.size()), expression());
            }
        } while (in.take(","));
        in.expect("}");
        members.keySet().removeIf(k -> k.endsWith("()"));
        return new Expr.Struct(members);
    }

    /** The value of a member; words that are no symbols stand for themselves here, as in psk=0102ab. */
    private Expr member(final String name) throws SyntaxException {
        final Token t = in.peek();
        if (t.kind() == Kind.WORD && !in.peek(1).is("(") && Symbols.find(t.text()) == null && name.equals("psk")) {
            in.next();
            return new Expr.Str(t.text(), false);
        }
        return expression();
    }
}
