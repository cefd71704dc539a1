package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;

/** ICMP errors that quote a segment of ours. */
final class IcmpMaker {
    private static final int HDR = 8;

    private IcmpMaker() {
    }

    static void unreachable(TcpFixture fx, Out quoted, int code, int mtu) {
        final byte[] p = new byte[20 + HDR + 28];
        p[0] = 0x45;
        p[20] = 3;
        p[21] = (byte) code;
        p[26] = (byte) (mtu >> 8);
        p[27] = (byte) mtu;
        final int ip = 20 + HDR;
        p[ip] = 0x45;
        final int total = 40 + quoted.len;
        p[ip + 2] = (byte) (total >> 8);
        p[ip + 3] = (byte) total;
        TcpFixture.put32(p, ip + 12, quoted.src);
        TcpFixture.put32(p, ip + 16, quoted.dst);
        TcpFixture.put32(p, ip + 20, quoted.sport << 16 | quoted.dport);
        TcpFixture.put32(p, ip + 24, quoted.seq);
        final Mbuf m = fx.packet(p);
        fx.tcp.ctlinput.ctlinput(m, 20);
        m.freeChain();
        fx.vnet.poll();
    }
}
