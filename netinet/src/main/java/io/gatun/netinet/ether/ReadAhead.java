package io.gatun.netinet.ether;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.route.Fib;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;

/**
 * For a router with a large table: touches what the look-ups of a list of packets will read, all of them before the
 * first packet is worked on, so that what is not in the cache is fetched at the same time and not one after another.
 * Changes nothing, decides nothing.
 *
 * <p>Locking key: (w) written by any thread, never read.
 */
final class ReadAhead {
    private static final int MAX = 64;
    private static final int DST4 = EtherHeader.ETHER_HDR_LEN + IpHeader.LEN - Integer.BYTES;
    private static final int DST6 = EtherHeader.ETHER_HDR_LEN + Ip6Header.LEN - 2 * Long.BYTES;

    private final Inet inet;
    private int used; // (w) keeps the compiler from leaving the reads out

    ReadAhead(final Inet inet) {
        this.inet = inet;
    }

    /** Reads ahead for frames linked by nextPkt. Borrows first and what follows. */
    void list(final Ifnet ifp, final Mbuf first) {
        final Fib fib = inet.fib(ifp.fibnum());
        final boolean four = fib.large(SockAddr.AF_INET);
        final boolean six = fib.large(SockAddr.AF_INET6);
        if (!four && !six) {
            return;
        }
        int sum = 0;
        int n = 0;
        for (Mbuf m = first; m != null && n < MAX; m = m.nextPkt()) {
            n++;
            final int len = m.len();
            final int type = len < DST4 + Integer.BYTES ? 0 : EtherHeader.type(m);
            if (four && type == EtherHeader.ETHERTYPE_IP) {
                sum += fib.touch(m.getInt(DST4));
            } else if (six && type == EtherHeader.ETHERTYPE_IPV6 && len >= DST6 + Long.BYTES) {
                sum += fib.touch6(m.getLong(DST6));
            }
        }
        used = sum;
    }
}
