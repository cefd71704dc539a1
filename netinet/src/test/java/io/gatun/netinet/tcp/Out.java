package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;

/** A segment that TCP sent, taken apart. */
final class Out {
    final int src;
    final int dst;
    final int sport;
    final int dport;
    final int seq;
    final int ack;
    final int flags;
    final int win;
    final int urp;
    final int ttl;
    final int tos;
    final boolean df;
    final boolean tso;
    final int segsz;
    final int flowid;
    final byte[] data;
    int mss = -1;
    int wscale = -1;
    boolean sackPerm;
    boolean hasTs;
    int tsval;
    int tsecr;
    int[] sacks = {};
    byte[] cookie;
    byte[] signature;
    final byte[] packet;
    final int len;

    /** Consumes m. */
    Out(Mbuf m) {
        assertThat(m.pktLen()).as("packet length").isEqualTo(m.length());
        assertThat(IpHeader.len(m, 0)).as("IP length").isEqualTo(m.pktLen());
        assertThat(IpHeader.p(m, 0)).isEqualTo(InDefs.IPPROTO_TCP);
        src = IpHeader.src(m, 0);
        dst = IpHeader.dst(m, 0);
        ttl = IpHeader.ttl(m, 0);
        tos = IpHeader.tos(m, 0);
        df = (IpHeader.off(m, 0) & IpHeader.IP_DF) != 0;
        final int th = IpHeader.hlen(m, 0);
        assertThat(TcpHeader.sum(m, th)).as("pseudo-header sum")
            .isEqualTo(InCksum.pseudo(src, dst, InDefs.IPPROTO_TCP + m.pktLen() - th));
        assertThat(m.csumFlags() & Csum.CSUM_IP_TCP).isNotZero();
        sport = TcpHeader.sport(m, th);
        dport = TcpHeader.dport(m, th);
        seq = TcpHeader.seq(m, th);
        ack = TcpHeader.ack(m, th);
        flags = TcpHeader.flags(m, th);
        win = TcpHeader.win(m, th);
        urp = TcpHeader.urp(m, th);
        tso = (m.csumFlags() & Csum.CSUM_IP_TSO) != 0;
        segsz = m.tsoSegsz();
        flowid = m.flowid();
        final int hdr = th + TcpHeader.hlen(m, th);
        options(m, th + TcpHeader.SIZE, hdr);
        len = m.pktLen() - hdr;
        data = new byte[len];
        if (len > 0) {
            m.copyData(hdr, len, data, 0);
        }
        packet = new byte[m.pktLen()];
        m.copyData(0, packet.length, packet, 0);
        m.freeChain();
    }

    /** Whether it is signed, with that key. */
    boolean signed(String key) {
        return signature != null && java.util.Arrays.equals(signature, TcpFixture.digest(packet, key));
    }

    private void options(Mbuf m, int from, int end) {
        int at = from;
        while (at < end) {
            final int kind = m.getU8(at);
            if (kind == 0) {
                return;
            }
            if (kind == 1) {
                at++;
                continue;
            }
            switch (kind) {
                case 2 -> mss = m.getU16(at + 2);
                case 3 -> wscale = m.getU8(at + 2);
                case 4 -> sackPerm = true;
                case 5 -> {
                    sacks = new int[(m.getU8(at + 1) - 2) / 4];
                    for (int i = 0; i < sacks.length; i++) {
                        sacks[i] = m.getInt(at + 2 + 4 * i);
                    }
                }
                case 8 -> {
                    hasTs = true;
                    tsval = m.getInt(at + 2);
                    tsecr = m.getInt(at + 6);
                }
                case 19 -> {
                    signature = new byte[16];
                    m.copyData(at + 2, 16, signature, 0);
                }
                case 34 -> {
                    cookie = new byte[m.getU8(at + 1) - 2];
                    for (int i = 0; i < cookie.length; i++) {
                        cookie[i] = (byte) m.getU8(at + 2 + i);
                    }
                }
                default -> throw new AssertionError("option " + kind);
            }
            at += m.getU8(at + 1);
        }
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    @Override
    public String toString() {
        final StringBuilder b = new StringBuilder();
        final String letters = "FSRP.UEWA";
        for (int i = 0; i < letters.length(); i++) {
            if ((flags >> i & 1) != 0) {
                b.append(letters.charAt(i));
            }
        }
        return b + " seq " + Integer.toUnsignedString(seq) + " ack " + Integer.toUnsignedString(ack) + " win " + win
            + " len " + len;
    }
}
