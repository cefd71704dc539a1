package io.gatun.cli.ctl;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.util.List;

/**
 * {@code netstat}: sockets, or with {@code -r} routes, {@code -i} interfaces, {@code -s} counters, {@code -m} memory,
 * {@code -g} groups. Addresses are always shown as numbers.
 *
 * @bsd netstat
 */
final class NetstatCommand implements StackCommand {
    private static final int MAX_FIB = 65_535;

    /** What was asked for. */
    private static final class Wish {
        private char what;  // r, i, s, m or g; 0 for sockets
        private boolean all;
        private boolean nonzero;
        private int family = SockAddr.AF_UNSPEC;
        private int fib;
        private String protocol;

        /** A word of letters such as {@code -rn}. */
        private Ifnet ifp;
        private boolean octets;

        /** A word of letters such as {@code -rn}; one that takes a value takes the rest of the word or the next. */
        private void letters(final Vnet vnet, final String word, final Args args) {
            if (!word.matches("-[abdgimnrsW46fFpI].*")) {
                throw new IllegalArgumentException("there is no option " + word);
            }
            for (int i = 1; i < word.length(); i++) {
                final char c = word.charAt(i);
                if ("fFpI".indexOf(c) >= 0) {
                    final String rest = word.substring(i + 1);
                    value(vnet, c, rest.isEmpty() ? args : new Args(List.of(rest)));
                    return;
                }
                letter(c, word);
            }
        }

        private void letter(final char c, final String word) {
            switch (c) {
                case 'a' -> all = true;
                case 'b' -> octets = true;
                case '4' -> family = SockAddr.AF_INET;
                case '6' -> family = SockAddr.AF_INET6;
                case 'r', 'i', 's', 'm', 'g' -> choose(c);
                case 'n', 'W', 'd' -> {
                    // the only way there is
                }
                default -> throw new IllegalArgumentException("there is no option " + word);
            }
        }

        private void value(final Vnet vnet, final char c, final Args args) {
            switch (c) {
                case 'f' -> family = named(args.next("inet or inet6"));
                case 'F' -> fib = args.number("fib", 0, MAX_FIB);
                case 'I' -> {
                    choose('i');
                    ifp = args.ifnet(vnet);
                }
                default -> protocol = args.next("a protocol");
            }
        }

        private void choose(final char c) {
            if (what != 0 && what != c) {
                throw new IllegalArgumentException("want one of -r, -i, -s, -m and -g");
            }
            nonzero = what == 's'; // given twice
            what = c;
        }
    }

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) {
        final Wish w = new Wish();
        while (args.more()) {
            w.letters(vnet, args.next("an option"), args);
        }
        switch (w.what) {
            case 'r' -> routes(vnet, w, out);
            case 'i' -> NetstatShow.interfaces(vnet, w.ifp, w.octets, out);
            case 'm' -> NetstatShow.mbufs(vnet, out);
            case 'g' -> NetstatShow.groups(vnet, w.family, out);
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
