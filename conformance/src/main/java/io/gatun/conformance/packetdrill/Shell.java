package io.gatun.conformance.packetdrill;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A small shell in process: pipelines joined by {@code ; && ||}, and the programs that scripts call. Output to files is
 * thrown away.
 */
final class Shell {
    private static final int NOT_FOUND = 127;
    private static final int USAGE = 2;

    /** What a command line left behind. */
    record Status(int status, String output, String error) {
        static Status ok(final String output) {
            return new Status(0, output, "");
        }

        static Status failed(final int status, final String error) {
            return new Status(status, "", error);
        }
    }

    private static final double US_PER_S = 1e6;

    private final Run run;
    private final NetCommands net;

    Shell(final Run run, final Set<String> absent) {
        this.run = run;
        net = new NetCommands(run, absent);
    }

    /** Runs a line. */
    Status run(final String line) {
        Status last = Status.ok("");
        String join = ";";
        final List<ShellWords.Piece> pipeline = new ArrayList<>();
        final List<ShellWords.Piece> pieces = new ArrayList<>(ShellWords.cut(line));
        pieces.add(new ShellWords.Piece(";", true));
        final StringBuilder output = new StringBuilder();
        final StringBuilder error = new StringBuilder();
        for (final ShellWords.Piece p : pieces) {
            if (!p.operator() || !p.text().matches(";|&|&&|\\|\\|")) {
                pipeline.add(p);
                continue;
            }
            final boolean runs = join.equals("&&") ? last.status() == 0 : !join.equals("||") || last.status() != 0;
            if (runs && !pipeline.isEmpty()) {
                last = pipeline(pipeline);
                output.append(last.output());
                error.append(last.error());
            }
            pipeline.clear();
            join = p.text();
        }
        return new Status(last.status(), output.toString(), error.toString());
    }

    /** Of the virtual clock. */
    private Status sleep(final List<String> args) {
        if (args.size() != 1 || !args.get(0).matches("[0-9]{1,5}([.][0-9]{1,6})?")) {
            return Status.failed(1, "usage: sleep SECONDS\n");
        }
        run.sleep((long) (Double.parseDouble(args.get(0)) * US_PER_S));
        return Status.ok("");
    }

    private Status pipeline(final List<ShellWords.Piece> pieces) {
        final boolean not = pieces.get(0).text().equals("!");
        Status last = Status.ok("");
        final StringBuilder error = new StringBuilder();
        final List<String> argv = new ArrayList<>();
        boolean target = false;
        for (final ShellWords.Piece p : not ? pieces.subList(1, pieces.size()) : pieces) {
            if (p.operator() && p.text().equals("|")) {
                last = command(argv, last.output());
                error.append(last.error());
                argv.clear();
            } else if (p.operator()) {
                target = true;
            } else if (target) {
                target = false;
            } else {
                argv.add(p.text());
            }
        }
        last = command(argv, last.output());
        final int status = not ? last.status() == 0 ? 1 : 0 : last.status();
        return new Status(status, last.output(), error + last.error());
    }

    private Status command(final List<String> argv, final String input) {
        if (argv.isEmpty()) {
            return Status.failed(USAGE, "sh: syntax error\n");
        }
        final String name = argv.get(0).substring(argv.get(0).lastIndexOf('/') + 1);
        final List<String> args = List.copyOf(argv.subList(1, argv.size()));
        return switch (name) {
            case "true", ":", "sync" -> Status.ok("");
            case "sleep" -> sleep(args);
            case "false" -> Status.failed(1, "");
            case "echo" -> Status.ok(String.join(" ", args) + "\n");
            case "cat" -> Status.ok(input);
            case "grep", "egrep", "fgrep" -> grep(name, args, input);
            case "wc" -> Status.ok(input.lines().count() + "\n");
            case "sysctl" -> net.sysctl(args);
            case "sockstat" -> net.sockstat(args);
            case "tcpdrop" -> net.tcpdrop(args);
            case "setkey" -> net.setkey(args, input);
            case "kldstat", "kldload", "kldunload" -> net.module(name, args);
            default -> Status.failed(NOT_FOUND, name + ": not known in process\n");
        };
    }

    private static Status grep(final String name, final List<String> args, final String input) {
        boolean count = false;
        boolean invert = false;
        boolean quiet = false;
        int flags = name.equals("fgrep") ? Pattern.LITERAL : 0;
        String pattern = null;
        for (final String a : args) {
            if (a.startsWith("-") && a.length() > 1 && pattern == null) {
                count |= a.indexOf('c') > 0;
                invert |= a.indexOf('v') > 0;
                quiet |= a.indexOf('q') > 0;
                flags |= a.indexOf('i') > 0 ? Pattern.CASE_INSENSITIVE : 0;
                flags |= a.indexOf('F') > 0 ? Pattern.LITERAL : 0;
                if (!a.matches("-[cvqiFEwe]+")) {
                    return Status.failed(USAGE, "grep: option " + a + " is not known\n");
                }
            } else {
                pattern = pattern == null ? a : pattern;
            }
        }
        if (pattern == null) {
            return Status.failed(USAGE, "grep: no pattern\n");
        }
        try {
            final Pattern p = Pattern.compile(pattern, flags);
            final boolean not = invert;
            final List<String> hits = input.lines().filter(l -> p.matcher(l).find() != not).toList();
            final String out = quiet ? "" : count ? hits.size() + "\n"
                : hits.isEmpty() ? "" : String.join("\n", hits) + "\n";
            return new Status(hits.isEmpty() ? 1 : 0, out, "");
        } catch (final PatternSyntaxException e) {
            return Status.failed(USAGE, "grep: " + e.getDescription() + "\n");
        }
    }
}
