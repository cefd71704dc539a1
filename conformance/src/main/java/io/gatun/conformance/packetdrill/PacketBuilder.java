package io.gatun.conformance.packetdrill;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Makes the octets of packets that go in, with their checksums. Payload is zeros. */
final class PacketBuilder {
    private static final int TTL = 255;
    private static final int ICMP_HEADER = 8;
    /** What ICMP quotes behind the IP header and, if there is one, the carrier. */
    private static final int QUOTED = 8;

    private final Config config;
    private final byte[] src;
    private final byte[] dst;

    /** @param src the remote end */
    PacketBuilder(final Config config, final byte[] src, final byte[] dst) {
        this.config = config;
        this.src = src;
        this.dst = dst;
    }

    // ---- TCP ------------------------------------------------------------

    /**
     * A segment whose numbers have been translated.
     *
     * @param options what goes out; an md5 that is to be right is computed here
     */
    byte[] tcp(final TcpSpec s, final int srcPort, final int dstPort, final int seq, final int ack,
            final List<TcpOpt> options) {
        final byte[] opts = TcpOpt.encode(options);
        final int head = Wire.TCP_HEADER + opts.length;
        final byte[] segment = new byte[head + s.payload()];
        ByteBuffer.wrap(segment).putShort((short) srcPort).putShort((short) dstPort).putInt(seq).putInt(ack)
            .putShort((short) (head / Integer.BYTES << 12 | s.flags())).putShort((short) s.win()).putShort((short) 0)
            .putShort((short) s.urg()).put(opts);
        sign(options, segment, head);
        put16(segment, Wire.TCP_SUM_AT, Wire.checksum(
            Wire.sum(segment, 0, segment.length, Wire.pseudoSum(src, dst, Wire.IPPROTO_TCP, segment.length))));
        if (!s.encapsulated()) {
            return ip(s.ip(), Wire.IPPROTO_TCP, segment);
        }
        // RFC 6951 leaves the inner sum; FreeBSD ignores it and trusts the carrier's.
        return ip(s.ip(), Wire.IPPROTO_UDP, udp(s.udpSrc(), s.udpDst(), segment));
    }

    private void sign(final List<TcpOpt> options, final byte[] segment, final int head) {
        int at = Wire.TCP_HEADER;
        for (final TcpOpt o : options) {
            if (o instanceof TcpOpt.Md5 m && m.valid()) {
                final String secret = config.tcpMd5Secret() == null ? "" : config.tcpMd5Secret();
                final byte[] digest = Wire.md5(src, dst, segment, 0, head, secret);
                System.arraycopy(digest, 0, segment, at + 2, digest.length);
            }
            at += o.octets().length;
        }
    }

    private byte[] udp(final int srcPort, final int dstPort, final byte[] payload) {
        final byte[] b = new byte[Wire.UDP_HEADER + payload.length];
        ByteBuffer.wrap(b).putShort((short) srcPort).putShort((short) dstPort).putShort((short) b.length)
            .putShort((short) 0).put(payload);
        final int sum =
            Wire.checksum(Wire.sum(b, 0, b.length, Wire.pseudoSum(src, dst, Wire.IPPROTO_UDP, b.length)));
        put16(b, 6, sum == 0 ? 0xffff : sum);
        return b;
    }

    byte[] udp(final UdpSpec s, final int srcPort, final int dstPort) {
        return ip(s.ip(), Wire.IPPROTO_UDP, udp(srcPort, dstPort, new byte[s.payload()]));
    }

    // ---- ICMP ------------------------------------------------------------

    /**
     * A message about a packet that the stack sent.
     *
     * @param localPort the stack's port
     * @param seq of the packet it quotes, translated
     */
    byte[] icmp(final IcmpSpec s, final int localPort, final int remotePort, final int seq) {
        final boolean echo = s.quoted() == null && s.id() != 0;
        final IcmpSpec.Quoted q = s.quoted() != null ? s.quoted() : new IcmpSpec.Quoted(Wire.IPPROTO_TCP, 0, 0, 0, 0);
        final byte[] quoted = echo ? new byte[0] : quote(q, localPort, remotePort, seq);
        final byte[] b = new byte[ICMP_HEADER + quoted.length];
        final ByteBuffer out = ByteBuffer.wrap(b);
        out.put((byte) s.type()).put((byte) s.code()).putShort((short) 0);
        if (config.v6()) {
            out.putInt(s.mtu() >= 0 ? (int) s.mtu() : s.id() << Short.SIZE);
        } else {
            out.putShort((short) s.id()).putShort((short) (s.mtu() >= 0 ? s.mtu() : 0));
        }
        out.put(quoted);
        final int proto = config.v6() ? Wire.IPPROTO_ICMPV6 : Wire.IPPROTO_ICMP;
        final long start = config.v6() ? Wire.pseudoSum(src, dst, proto, b.length) : 0;
        put16(b, 2, Wire.checksum(Wire.sum(b, 0, b.length, start)));
        return ip(s.ip(), proto, b);
    }

    /** The stack's packet: from here to there, so the ends change places. */
    @SuppressWarnings("ArgumentSelectionDefectChecker")
    private byte[] quote(final IcmpSpec.Quoted q, final int localPort, final int remotePort, final int seq) {
        final boolean carried = q.udpSrc() != 0 || q.udpDst() != 0;
        final int inner = (q.protocol() == Wire.IPPROTO_TCP ? Wire.TCP_HEADER : Wire.UDP_HEADER) + q.payload();
        final int all = (carried ? Wire.UDP_HEADER : 0) + inner;
        final byte[] body = new byte[(carried ? Wire.UDP_HEADER : 0) + QUOTED];
        final ByteBuffer out = ByteBuffer.wrap(body);
        if (carried) {
            out.putShort((short) q.udpSrc()).putShort((short) q.udpDst()).putShort((short) all).putShort((short) 0);
        }
        out.putShort((short) localPort).putShort((short) remotePort);
        if (q.protocol() == Wire.IPPROTO_TCP) {
            out.putInt(seq);
        } else {
            out.putShort((short) inner).putShort((short) 0);
        }
        final PacketBuilder back = new PacketBuilder(config, dst, src);
        return back.ip(IpInfo.NONE, carried ? Wire.IPPROTO_UDP : q.protocol(), body, all);
    }

    // ---- IP ------------------------------------------------------------

    private byte[] ip(final IpInfo info, final int proto, final byte[] payload) {
        return ip(info, proto, payload, payload.length);
    }

    /** @param length what the header says of the payload; what is quoted may be cut */
    private byte[] ip(final IpInfo info, final int proto, final byte[] payload, final int length) {
        final int head = config.v6() ? Wire.IP6_HEADER : Wire.IP4_HEADER;
        final byte[] b = new byte[head + payload.length];
        final ByteBuffer out = ByteBuffer.wrap(b);
        final int ttl = info.ttl() >= 0 ? info.ttl() : TTL;
        final int tos = info.tosMask() != 0 ? info.tos() : 0;
        if (config.v6()) {
            out.putInt(6 << 28 | tos << 20 | Math.max(0, info.flowlabel())).putShort((short) length)
                .put((byte) proto).put((byte) ttl).put(src).put(dst);
        } else {
            out.put((byte) 0x45).put((byte) tos).putShort((short) (head + length)).putInt(0).put((byte) ttl)
                .put((byte) proto).putShort((short) 0).put(src).put(dst);
            put16(b, 10, Wire.checksum(Wire.sum(b, 0, head, 0)));
        }
        System.arraycopy(payload, 0, b, head, payload.length);
        return b;
    }

    private static void put16(final byte[] b, final int at, final int v) {
        b[at] = (byte) (v >>> Byte.SIZE);
        b[at + 1] = (byte) v;
    }

    /** Options with SACK edges and echoed timestamps translated; null when an echo stands for nothing sent. */
    static List<TcpOpt> translated(final TcpSpec s, final Conn conn) {
        final List<TcpOpt> out = new ArrayList<>();
        for (final TcpOpt o : s.options()) {
            if (o instanceof TcpOpt.Sack sack) {
                out.add(sack.shifted(conn.localOffset(s.has(TcpSpec.SYN))));
            } else if (o instanceof TcpOpt.Ts ts && s.has(TcpSpec.ACK) && !ts.absolute()) {
                final Integer live = conn.liveTimestamp(ts.ecr());
                if (live == null) {
                    return null;
                }
                out.add(new TcpOpt.Ts(ts.val(), live, false, false));
            } else {
                out.add(o);
            }
        }
        return out;
    }
}
