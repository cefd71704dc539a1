package io.gatun.netinet.nd6;

import io.gatun.netinet.Packets6;
import java.util.ArrayList;
import java.util.List;

/** A router's advertisement, put together by a test. */
final class Ra {
    private int hops;
    private int flags;
    private int lifetime;
    private int reachable;
    private int retrans;
    private final List<byte[]> options = new ArrayList<>();

    static Ra router(final int seconds) {
        final Ra ra = new Ra();
        ra.lifetime = seconds;
        return ra;
    }

    Ra hops(final int n) {
        hops = n;
        return this;
    }

    Ra high() {
        flags |= 0x08;
        return this;
    }

    Ra low() {
        flags |= 0x18;
        return this;
    }

    Ra times(final int reachableMs, final int retransMs) {
        reachable = reachableMs;
        retrans = retransMs;
        return this;
    }

    Ra option(final byte[]... parts) {
        options.add(Packets6.join(parts));
        return this;
    }

    Ra mac(final long mac) {
        return option(Packets6.six(1, mac));
    }

    Ra mtu(final int octets) {
        return option(Packets6.octets(5, 1, 0, 0), Packets6.word(octets));
    }

    /** @param how flags: 0x80 on the link, 0x40 for addresses */
    Ra prefix(final String prefix, final int bits, final int how, final long valid, final long preferred) {
        return option(Packets6.octets(3, 4, bits, how), Packets6.word(valid), Packets6.word(preferred),
            Packets6.word(0), Packets6.addr(prefix));
    }

    /** @param prf 8 high, 0 medium, 0x18 low */
    Ra route(final String prefix, final int bits, final int prf, final long seconds) {
        return option(Packets6.octets(24, 3, bits, prf), Packets6.word(seconds), Packets6.addr(prefix));
    }

    Ra rdnss(final long seconds, final String... servers) {
        byte[] all = new byte[0];
        for (final String s : servers) {
            all = Packets6.join(all, Packets6.addr(s));
        }
        return option(Packets6.octets(25, 1 + 2 * servers.length, 0, 0), Packets6.word(seconds), all);
    }

    byte[] body() {
        return Packets6.join(Packets6.octets(hops, flags, lifetime >>> 8, lifetime), Packets6.word(reachable),
            Packets6.word(retrans), Packets6.join(options.toArray(byte[][]::new)));
    }

    void to(final Nd6Net net) {
        by(net, Nd6Net.PEER);
    }

    void by(final Nd6Net net, final String router) {
        net.hear(router, Nd6Net.ALL_NODES, Packets6.RA, body());
    }
}
