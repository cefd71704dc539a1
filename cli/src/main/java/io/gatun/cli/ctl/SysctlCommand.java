package io.gatun.cli.ctl;

import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Sysctl;
import java.io.IOException;

/** {@code sysctl}: the stack's tunables and readings, with the options {@code -adeinNqw} of sysctl(8). @bsd sysctl */
final class SysctlCommand implements StackCommand {
    /** What was asked for. */
    private static final class Wish {
        private boolean all;
        private boolean describe;   // -d
        private boolean nameOnly;   // -N
        private boolean valueOnly;  // -n
        private boolean ignore;     // -i: unknown names are no error
        private boolean quiet;      // -q: what was set is not shown
        private String sign = ": "; // -e: name=value

        private void letters(final String word) {
            if (!word.matches("-[adeinNqwW]+")) {
                throw new IllegalArgumentException("there is no option " + word);
            }
            for (final char c : word.substring(1).toCharArray()) {
                switch (c) {
                    case 'a' -> all = true;
                    case 'd' -> describe = true;
                    case 'e' -> sign = "=";
                    case 'i' -> ignore = true;
                    case 'n' -> valueOnly = true;
                    case 'N' -> nameOnly = true;
                    case 'q' -> quiet = true;
                    default -> {
                        // w is no longer needed, W shows what there is anyway
                    }
                }
            }
        }

        private String prefix(final String name) {
            return valueOnly ? "" : name + sign;
        }

        private void show(final Sysctl s, final StringBuilder out) {
            out.append(nameOnly ? s.name() : prefix(s.name()) + (describe ? s.description() : s.getString()))
                .append('\n');
        }
    }

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final Wish w = new Wish();
        while (args.peek().startsWith("-")) {
            w.letters(args.next("an option"));
        }
        if (w.all) {
            args.end();
            vnet.sysctl().forEach(s -> w.show(s, out));
            return;
        }
        do {
            one(vnet, args.next("a name, or -a"), w, out);
        } while (args.more());
    }

    private static void one(final Vnet vnet, final String word, final Wish w, final StringBuilder out)
            throws IOException {
        final int eq = word.indexOf('=');
        final String name = eq < 0 ? word : word.substring(0, eq);
        final Sysctl node = vnet.sysctl().find(name);
        if (node == null) {
            branch(vnet, name, w, out);
        } else if (eq < 0) {
            w.show(node, out);
        } else {
            final String before = node.getString();
            ErrnoException.check(vnet.sysctl().set(name, word.substring(eq + 1)), word);
            if (!w.quiet) {
                out.append(w.prefix(name)).append(before).append(" -> ").append(node.getString()).append('\n');
            }
        }
    }

    /** All below a name. */
    private static void branch(final Vnet vnet, final String name, final Wish w, final StringBuilder out)
            throws IOException {
        final int start = out.length();
        vnet.sysctl().forEach(s -> {
            if (s.name().startsWith(name + ".")) {
                w.show(s, out);
            }
        });
        ErrnoException.check(out.length() == start && !w.ignore ? Errno.ENOENT : Errno.OK,
            "unknown oid '" + name + "'");
    }
}
