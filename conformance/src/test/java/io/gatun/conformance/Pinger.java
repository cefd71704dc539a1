package io.gatun.conformance;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.route.RouteCache;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A ping: puts itself before the ICMP of a vnet, takes echo replies out, and leaves all else to it. */
final class Pinger {
    private static final int ICMP_MINLEN = 8;
    private static final int ECHO = 8;
    private static final int ECHOREPLY = 0;
    private static final int HEADERS = IpHeader.LEN + ICMP_MINLEN;

    /** The data of the replies, in order. */
    final List<byte[]> replies = new ArrayList<>();
    private final Vnet vnet;
    private final RouteCache route = new RouteCache();
    private int seq;

    Pinger(final Vnet vnet) {
        this.vnet = vnet;
        final IpprotoTable table = vnet.ipproto();
        final IpprotoTable.Input icmp = table.input(SockAddr.AF_INET, InDefs.IPPROTO_ICMP);
        final IpprotoTable.Ctlinput ctl = table.ctlinput(SockAddr.AF_INET, InDefs.IPPROTO_ICMP);
        check(table.unregister(SockAddr.AF_INET, InDefs.IPPROTO_ICMP));
        check(table.register(SockAddr.AF_INET, InDefs.IPPROTO_ICMP, (m, off, proto) -> {
            final byte[] type = new byte[1];
            m.copyData(off, 1, type, 0);
            // What was spoilt on the way may look like a reply: that is for ICMP to drop.
            return type[0] == ECHOREPLY && InCksum.cksumSkip(m, m.pktLen(), off) == 0 ? reply(m, off)
                : icmp.input(m, off, proto);
        }, ctl));
    }

    private static void check(final Errno e) {
        if (e != Errno.OK) {
            throw new AssertionError(e);
        }
    }

    private int reply(final Mbuf m, final int off) {
        final byte[] data = new byte[m.pktLen() - off - ICMP_MINLEN];
        m.copyData(off + ICMP_MINLEN, data.length, data, 0);
        replies.add(data);
        m.freeChain();
        return InDefs.IPPROTO_DONE;
    }

    /** Sends an echo request with so many octets of data, which it answers. */
    byte[] ping(final String to, final int octets) {
        return ping(to, octets, IpHeader.IPDEFTTL);
    }

    byte[] ping(final String to, final int octets, final int ttl) {
        final byte[] data = new byte[octets];
        new SplittableRandom(++seq).nextBytes(data);
        final byte[] head = new byte[HEADERS];
        final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.data(m.data() + vnet.pool().maxLinkhdr());
        if (!m.append(head, 0, HEADERS) || !m.append(data, 0, octets)) {
            throw new AssertionError("no mbufs");
        }
        IpHeader.init(m, 0, HEADERS + octets, 0);
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(ttl, InDefs.IPPROTO_ICMP), 0, SockAddr.of(to, 0).in4());
        m.put8(IpHeader.LEN, ECHO);
        m.put16(IpHeader.LEN + 6, seq);
        m.put16(IpHeader.LEN + 2, InCksum.cksumSkip(m, HEADERS + octets, IpHeader.LEN));
        check(vnet.service(InetConfig.class).inet().ipOutput.output(m, route, 0));
        vnet.netisr().swi();
        return data;
    }
}
