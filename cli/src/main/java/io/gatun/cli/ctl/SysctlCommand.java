package io.gatun.cli.ctl;

import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Sysctl;
import java.io.IOException;

/** {@code sysctl}: the stack's tunables and readings. @bsd sysctl */
final class SysctlCommand implements StackCommand {
    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final boolean describe = args.take("-d");
        if (args.take("-a")) {
            args.end();
            vnet.sysctl().forEach(s -> show(s, describe, out));
            return;
        }
        do {
            one(vnet, args.next("a name, or -a"), describe, out);
        } while (args.more());
    }

    private static void one(final Vnet vnet, final String word, final boolean describe, final StringBuilder out)
            throws IOException {
        final int eq = word.indexOf('=');
        final String name = eq < 0 ? word : word.substring(0, eq);
        final Sysctl node = vnet.sysctl().find(name);
        if (node == null) {
            branch(vnet, name, describe, out);
        } else if (eq < 0) {
            show(node, describe, out);
        } else {
            final String before = node.getString();
            ErrnoException.check(vnet.sysctl().set(name, word.substring(eq + 1)), word);
            out.append(name).append(": ").append(before).append(" -> ").append(vnet.sysctl().find(name).getString())
                .append('\n');
        }
    }

    /** All below a name. */
    private static void branch(final Vnet vnet, final String name, final boolean describe, final StringBuilder out)
            throws IOException {
        final int start = out.length();
        vnet.sysctl().forEach(s -> {
            if (s.name().startsWith(name + ".")) {
                show(s, describe, out);
            }
        });
        ErrnoException.check(out.length() == start ? Errno.ENOENT : Errno.OK, "unknown oid '" + name + "'");
    }

    private static void show(final Sysctl s, final boolean describe, final StringBuilder out) {
        out.append(s.name()).append(": ").append(describe ? s.description() : s.getString()).append('\n');
    }
}
