package io.gatun.cli.ctl;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ip6.In6Policy;
import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;

/**
 * {@code ip6addrctl}, with the words of ip6addrctl(8): the policy table of RFC 6724. {@code default} puts the RFC's
 * back, where FreeBSD installs a file.
 *
 * @bsd ip6addrctl
 */
final class Ip6addrctlCommand implements StackCommand {
    private static final int MOST = 999_999_999;

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final In6Policy policy = vnet.service(InetConfig.class).addrPolicy();
        final String word = args.more() ? args.next("a word") : "show";
        switch (word) {
            case "show" -> {
                args.end();
                show(policy, out);
            }
            case "add" -> add(policy, args);
            case "delete" -> delete(policy, args);
            case "flush", "default" -> {
                args.end();
                policy.reset("default".equals(word));
            }
            default -> throw new IllegalArgumentException("there is no word " + word);
        }
    }

    private static void show(final In6Policy policy, final StringBuilder out) {
        out.append(String.format("%-30s %5s %5s%n", "Prefix", "Prec", "Label"));
        for (final In6Policy.Entry e : policy.all()) {
            out.append(String.format("%-30s %5d %5d%n", e.prefix().host() + "/" + e.prefixLen(), e.precedence(),
                e.label()));
        }
    }

    private static void add(final In6Policy policy, final Args args) throws IOException {
        final InPrefix p = InPrefix.parse(args.next("a prefix"), null);
        final int precedence = args.number("precedence", 0, MOST);
        final int label = args.number("label", 0, MOST);
        args.end();
        check(policy.add(p.addr(), p.bits(), precedence, label), p);
    }

    private static void delete(final In6Policy policy, final Args args) throws IOException {
        final InPrefix p = InPrefix.parse(args.next("a prefix"), null);
        args.end();
        check(policy.delete(p.addr(), p.bits()), p);
    }

    private static void check(final Errno e, final InPrefix p) throws IOException {
        ErrnoException.check(e, p.toString());
    }
}
