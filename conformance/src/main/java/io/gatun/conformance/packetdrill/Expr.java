package io.gatun.conformance.packetdrill;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** An argument or result of a system call, as written. */
sealed interface Expr {
    /** {@code ...}: whatever. */
    record Ellipsis() implements Expr {
        @Override
        public String toString() {
            return "...";
        }
    }

    /** A number. */
    record Num(long value, String text) implements Expr {
        @Override
        public String toString() {
            return text;
        }
    }

    /** A name, of a number mostly. */
    record Name(String name) implements Expr {
        @Override
        public String toString() {
            return name;
        }
    }

    /** A string; {@code cut} when dots follow it. */
    record Str(String text, boolean cut) implements Expr {
        @Override
        public String toString() {
            return "\"" + text + "\"" + (cut ? "..." : "");
        }
    }

    /** {@code a | b}. */
    record Or(Expr left, Expr right) implements Expr {
        @Override
        public String toString() {
            return left + " | " + right;
        }
    }

    /** {@code [a, b]}. */
    record Array(List<Expr> items) implements Expr {
        @Override
        public String toString() {
            return items.stream().map(Expr::toString).collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /** {@code {name=value, ...}}; a member that is not named has its number as its name. */
    record Struct(Map<String, Expr> members) implements Expr {
        @Override
        public String toString() {
            return members.entrySet().stream()
                .map(m -> Character.isDigit(m.getKey().charAt(0)) ? m.getValue().toString()
                    : m.getKey() + "=" + m.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
        }
    }

    /** {@code inet_addr("10.0.0.1")}, {@code htons(80)}. */
    record Call(String function, List<Expr> args) implements Expr {
        @Override
        public String toString() {
            return args.stream().map(Expr::toString).collect(Collectors.joining(", ", function + "(", ")"));
        }
    }

    default boolean isEllipsis() {
        return this instanceof Ellipsis;
    }
}
