package io.gatun.cli.ctl;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;

/** {@code netstat -r}: the routes. @bsd netstat */
final class NetstatCommand implements StackCommand {
    private static final int MAX_FIB = 65_535;

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) {
        boolean routes = false;
        int family = SockAddr.AF_UNSPEC;
        int fib = 0;
        while (args.more()) {
            final String word = args.next("an option");
            switch (word) {
                case "-r", "-rn", "-nr", "-rnW" -> routes = true;
                case "-n", "-W" -> {
                    // the only way there is
                }
                case "-4" -> family = SockAddr.AF_INET;
                case "-6" -> family = SockAddr.AF_INET6;
                case "-f" -> family = named(args.next("inet or inet6"));
                case "-F" -> fib = args.number("fib", 0, MAX_FIB);
                default -> throw new IllegalArgumentException("there is no option " + word);
            }
        }
        final RouteConfig routing = vnet.service(InetConfig.class).routing();
        if (!routes || fib >= routing.fibs()) {
            throw new IllegalArgumentException(routes ? "there is no fib " + fib : "want -r");
        }
        RouteShow.table(vnet, routing.routes(fib), family, out);
    }

    private static int named(final String family) {
        return switch (family) {
            case "inet" -> SockAddr.AF_INET;
            case "inet6" -> SockAddr.AF_INET6;
            default -> throw new IllegalArgumentException("'" + family + "' is neither inet nor inet6");
        };
    }
}
