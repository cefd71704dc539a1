package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a script: options, an init command, events, a cleanup command. Recursive descent; packets and expressions have
 * parsers of their own.
 */
final class Parser {
    /** What {@code #ifdef} finds. */
    private static final Set<String> DEFINED = Set.of("FreeBSD");
    private static final double US_PER_S = 1e6;
    private static final long MAX_SECONDS = 1_000_000_000L;

    private final String file;
    private TokenStream in;
    private ExprParser exprs;
    private PacketParser packets;

    private Parser(final String file) {
        this.file = file;
    }

    /**
     * Reads a script.
     *
     * @param file its name, for messages
     * @throws SyntaxException with one line that says where and what
     */
    static Script parse(final String file, final String text) throws SyntaxException {
        return new Parser(file).script(text);
    }

    private Script script(final String text) throws SyntaxException {
        final Config.Builder builder = new Config.Builder();
        // Twice, since --define changes what later words mean.
        in = new TokenStream(file, new Lexer(file, text, DEFINED, Map.of()).all());
        options(builder);
        if (!builder.defines().isEmpty()) {
            in = new TokenStream(file, new Lexer(file, text, DEFINED, builder.defines()).all());
            options(new Config.Builder());
        }
        final Config config = builder.build();
        exprs = new ExprParser(in);
        packets = new PacketParser(in, config);
        final String init = in.peek().kind() == Kind.COMMAND ? in.next().text() : null;
        final List<Event> events = new ArrayList<>();
        String cleanup = null;
        while (!in.atEnd()) {
            if (in.peek().kind() == Kind.COMMAND && !events.isEmpty()) {
                cleanup = in.next().text();
                if (!in.atEnd()) {
                    throw in.unexpected("the end of the script behind its cleanup command");
                }
            } else {
                events.add(event());
            }
        }
        if (events.isEmpty()) {
            throw in.unexpected("an event");
        }
        check(events);
        return new Script(file, config, init, events, cleanup, text.lines().toList());
    }

    private void options(final Config.Builder builder) throws SyntaxException {
        Token last = in.peek();
        while (in.peek().kind() == Kind.OPTION) {
            last = in.next();
            final String wrong = builder.add(last.text(), last.value());
            if (wrong != null) {
                throw in.error(last, wrong);
            }
        }
        final String wrong = builder.checkAll();
        if (wrong != null) {
            throw in.error(last, wrong);
        }
    }

    /** The first event is at 0, and time does not go back. */
    private void check(final List<Event> events) throws SyntaxException {
        final Event first = events.get(0);
        if (first.time().startUs() != 0) {
            throw new SyntaxException(file, first.line(), 1, "the first event has to be at time 0");
        }
        for (int i = 1; i < events.size(); i++) {
            final EventTime before = events.get(i - 1).time();
            final EventTime now = events.get(i).time();
            if (!before.relative() && !now.relative() && now.startUs() < before.startUs()) {
                throw new SyntaxException(file, events.get(i).line(), 1,
                    "time goes back from " + before + " to " + now);
            }
        }
    }

    // ---- events ------------------------------------------------------------

    private Event event() throws SyntaxException {
        final Token start = in.peek();
        final EventTime time = time();
        final Action action = action(time);
        final boolean out = action instanceof Action.Packet p && p.outbound();
        if (!out && (time.kind() == EventTime.Kind.ANY || time.range())) {
            throw in.error(start, "only a packet that comes out may have the time " + time);
        }
        return new Event(start.line(), time, action);
    }

    private EventTime time() throws SyntaxException {
        if (in.take("*")) {
            return new EventTime(EventTime.Kind.ANY, 0, 0);
        }
        final boolean relative = in.take("+");
        final Token at = in.peek();
        final long start = microseconds();
        if (!in.take("~")) {
            return new EventTime(relative ? EventTime.Kind.RELATIVE : EventTime.Kind.ABSOLUTE, start, start);
        }
        if (relative) {
            in.expect("+");
        }
        final long end = microseconds();
        if (end < start) {
            throw in.error(at, "the range of time ends before it begins");
        }
        return new EventTime(relative ? EventTime.Kind.RELATIVE_RANGE : EventTime.Kind.ABSOLUTE_RANGE, start, end);
    }

    private long microseconds() throws SyntaxException {
        final Token t = in.peek();
        if (t.kind() != Kind.FLOAT && t.kind() != Kind.INTEGER) {
            throw in.unexpected("a time");
        }
        in.next();
        final double seconds = Double.parseDouble(t.text());
        if (seconds < 0 || seconds > MAX_SECONDS) {
            throw in.error(t, "the time " + t.text() + " is not in 0.." + MAX_SECONDS + " s");
        }
        return Math.round(seconds * US_PER_S);
    }

    private Action action(final EventTime time) throws SyntaxException {
        final Token t = in.peek();
        if (t.kind() == Kind.COMMAND) {
            return new Action.Command(in.next().text());
        }
        if (t.kind() == Kind.CODE) {
            final Token code = in.next();
            return new Action.Code(CodeEval.check(in, code));
        }
        if (t.is("<") || t.is(">")) {
            return packets.packet();
        }
        if (t.is("...") || t.kind() == Kind.WORD) {
            return syscall(time);
        }
        throw in.unexpected("a packet, a system call, a command or a code block");
    }

    // ---- system calls ------------------------------------------------------------

    private Action syscall(final EventTime time) throws SyntaxException {
        long endUs = -1;
        if (in.take("...")) {
            final Token at = in.peek();
            endUs = microseconds();
            if (endUs < time.startUs()) {
                throw in.error(at, "the call returns before it begins");
            }
        }
        final Token at = in.peek();
        final String name = in.word("the name of a system call");
        if (!Syscalls.NAMES.contains(name)) {
            throw in.error(at, "unknown system call " + name);
        }
        in.expect("(");
        final List<Expr> args = new ArrayList<>();
        if (!in.take(")")) {
            do {
                args.add(exprs.expression());
            } while (in.take(","));
            in.expect(")");
        }
        in.expect("=");
        final int line = in.peek().line();
        final Expr result = exprs.expression();
        String errno = null;
        if (in.peek().kind() == Kind.WORD && in.peek().line() == line) {
            errno = errno();
        }
        return new Action.Syscall(endUs, name, args, result, errno, note());
    }

    private String errno() throws SyntaxException {
        final Token t = in.next();
        if (Symbols.find(t.text()) == null) {
            throw in.error(t, "unknown error " + t.text());
        }
        return t.text();
    }

    /** {@code (Operation now in progress)}, anything but a parenthesis. */
    private String note() throws SyntaxException {
        if (!in.take("(")) {
            return null;
        }
        final StringBuilder out = new StringBuilder();
        while (!in.peek().is(")")) {
            if (in.atEnd()) {
                throw in.unexpected("')'");
            }
            final Token t = in.next();
            final boolean tight = out.isEmpty() || t.kind() == Kind.PUNCT && !t.is("|");
            out.append(tight ? "" : " ").append(t.text());
        }
        in.expect(")");
        return out.toString();
    }
}
