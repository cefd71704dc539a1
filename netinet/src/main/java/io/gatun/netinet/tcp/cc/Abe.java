package io.gatun.netinet.tcp.cc;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * Alternative backoff with ECN (RFC 8511): a mark tells of a short queue, so that less of the window need go than for a
 * loss. The vnet's tunables of it.
 *
 * @bsd V_cc_do_abe
 */
final class Abe {
    private final Sysctl abe;
    private final Sysctl frlossreduce;

    Abe(final SysctlTree tree) {
        abe = tree.addBool("net.inet.tcp.cc.abe", false, "Reduce less for a mark than for a loss");
        frlossreduce = tree.addBool("net.inet.tcp.cc.abe_frlossreduce", false,
            "Reduce by the difference when a loss follows a mark");
    }

    boolean on() {
        return abe.getBool();
    }

    /** A loss in recovery from a mark takes what the mark has left. @bsd V_cc_abe_frlossreduce */
    boolean frlossreduce() {
        return abe.getBool() && frlossreduce.getBool();
    }
}
