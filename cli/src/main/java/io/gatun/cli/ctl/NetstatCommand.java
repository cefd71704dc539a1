package io.gatun.cli.ctl;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;

/**
 * {@code netstat}: sockets, or with {@code -r} routes, {@code -i} interfaces, {@code -s} counters. Addresses are always
 * shown as numbers.
 *
 * @bsd netstat
 */
final class NetstatCommand implements StackCommand {
    private static final int MAX_FIB = 65_535;

    /** What was asked for. */
    private static final class Wish {
        private char what;  // r, i or s; 0 for sockets
        private boolean all;
        private boolean nonzero;
        private int family = SockAddr.AF_UNSPEC;
        private int fib;
        private String protocol;

        /** A word of letters such as {@code -rn}. */
        private void letters(final String word) {
            if (!word.matches("-[airsnW46]+")) {
                throw new IllegalArgumentException("there is no option " + word);
            }
            for (final char c : word.substring(1).toCharArray()) {
                switch (c) {
                    case 'a' -> all = true;
                    case '4' -> family = SockAddr.AF_INET;
                    case '6' -> family = SockAddr.AF_INET6;
                    case 'r', 'i', 's' -> choose(c);
                    default -> {
                        // n and W: the only way there is
                    }
                }
            }
        }

        private void choose(final char c) {
            if (what != 0 && what != c) {
                throw new IllegalArgumentException("want one of -r, -i and -s");
            }
            nonzero = what == 's'; // given twice
            what = c;
        }
    }

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) {
        final Wish w = new Wish();
        while (args.more()) {
            final String word = args.next("an option");
            switch (word) {
                case "-f" -> w.family = named(args.next("inet or inet6"));
                case "-F" -> w.fib = args.number("fib", 0, MAX_FIB);
                case "-p" -> w.protocol = args.next("a protocol");
                default -> w.letters(word);
            }
        }
        switch (w.what) {
            case 'r' -> routes(vnet, w, out);
            case 'i' -> NetstatShow.interfaces(vnet, out);
            case 's' -> NetstatShow.counters(vnet, w.protocol, w.nonzero, out);
            default -> NetstatShow.sockets(vnet, w.family, w.protocol, w.all, out);
        }
    }

    private static void routes(final Vnet vnet, final Wish w, final StringBuilder out) {
        final RouteConfig routing = vnet.service(InetConfig.class).routing();
        if (w.fib >= routing.fibs()) {
            throw new IllegalArgumentException("there is no fib " + w.fib);
        }
        RouteShow.table(vnet, routing.routes(w.fib), w.family, out);
    }

    private static int named(final String family) {
        return switch (family) {
            case "inet" -> SockAddr.AF_INET;
            case "inet6" -> SockAddr.AF_INET6;
            default -> throw new IllegalArgumentException("'" + family + "' is neither inet nor inet6");
        };
    }
}
