package io.gatun.conformance.packetdrill;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * A packet that the stack sent, taken apart. Where TCP travels within UDP the TCP segment is what counts, and the ports
 * of the carrier are kept apart.
 *
 * @param timeNs when, by the vnet's clock
 * @param octets all of it, the IP header first
 * @param proto of the IP header
 * @param at offset of the TCP, UDP or ICMP header
 * @param udpSrc port of the carrier, or 0
 * @param udpDst likewise
 * @param wrong what cannot be right in any packet, or null
 */
@SuppressWarnings("ArrayRecordComponent") // never compared as a whole
record LivePacket(long timeNs, byte[] octets, boolean v6, int tos, int ttl, int flowlabel, int proto, byte[] src,
    byte[] dst, int at, int udpSrc, int udpDst, String wrong) {
    private static final int MIN_ICMP = 8;

    /** Takes a packet apart; never fails. */
    static LivePacket of(final long timeNs, final byte[] b, final boolean udpEncaps) {
        final boolean v6 = b.length > 0 && b[0] >>> 4 == 6;
        if (b.length < (v6 ? Wire.IP6_HEADER : Wire.IP4_HEADER)) {
            return new LivePacket(timeNs, b, v6, 0, 0, 0, -1, new byte[0], new byte[0], 0, 0, 0, "no IP packet");
        }
        final ByteBuffer in = ByteBuffer.wrap(b);
        final int head = v6 ? Wire.IP6_HEADER : (b[0] & 0xf) * Integer.BYTES;
        final int tos = v6 ? in.getInt(0) >>> 20 & 0xff : b[1] & 0xff;
        final int ttl = b[v6 ? 7 : 8] & 0xff;
        final int label = v6 ? in.getInt(0) & 0xfffff : 0;
        final int proto = b[v6 ? 6 : 9] & 0xff;
        final byte[] src = v6 ? Arrays.copyOfRange(b, 8, 24) : Arrays.copyOfRange(b, 12, 16);
        final byte[] dst = v6 ? Arrays.copyOfRange(b, 24, 40) : Arrays.copyOfRange(b, 16, 20);
        final LivePacket p =
            new LivePacket(timeNs, b, v6, tos, ttl, label, proto, src, dst, head, 0, 0, null);
        final String wrong = p.fault(in);
        if (wrong == null && proto == Wire.IPPROTO_UDP && udpEncaps) {
            return new LivePacket(timeNs, b, v6, tos, ttl, label, proto, src, dst, head + Wire.UDP_HEADER,
                p.u16(head), p.u16(head + 2), p.encapsulatedFault());
        }
        return new LivePacket(timeNs, b, v6, tos, ttl, label, proto, src, dst, head, 0, 0, wrong);
    }

    /** Lengths and checksums, of which packetdrill checks only the IP header's. */
    private String fault(final ByteBuffer in) {
        final int total = v6 ? (in.getShort(4) & 0xffff) + Wire.IP6_HEADER : in.getShort(2) & 0xffff;
        if (total != octets.length) {
            return "IP length " + total + ", the packet has " + octets.length + " octets";
        }
        if (!v6 && (at < Wire.IP4_HEADER || at > octets.length)) {
            return "IP header of " + at + " octets";
        }
        if (!v6 && Wire.checksum(Wire.sum(octets, 0, at, 0)) != 0) {
            return "bad IP checksum";
        }
        final int least = switch (proto) {
            case Wire.IPPROTO_TCP -> Wire.TCP_HEADER;
            case Wire.IPPROTO_UDP -> Wire.UDP_HEADER;
            default -> MIN_ICMP;
        };
        final int rest = octets.length - at;
        if (rest < least) {
            return "too short for its protocol: " + rest + " octets";
        }
        if (!v6 && (u16(6) & 0x3fff) != 0) {
            return null; // a fragment: the sum is over the whole
        }
        if (proto == Wire.IPPROTO_TCP && (tcpHeaderLength() < Wire.TCP_HEADER || tcpHeaderLength() > rest)) {
            return "TCP header of " + tcpHeaderLength() + " octets";
        }
        return badSum(rest) ? "bad checksum of the " + protoName() + " part" : null;
    }

    private boolean badSum(final int rest) {
        final boolean none = proto == Wire.IPPROTO_UDP && u16(at + 6) == 0;
        final boolean pseudo = proto != Wire.IPPROTO_ICMP;
        final boolean known = proto == Wire.IPPROTO_TCP || proto == Wire.IPPROTO_UDP || proto == Wire.IPPROTO_ICMP
            || proto == Wire.IPPROTO_ICMPV6;
        final long start = pseudo ? Wire.pseudoSum(src, dst, proto, rest) : 0;
        return known && !none && Wire.checksum(Wire.sum(octets, at, rest, start)) != 0;
    }

    private String encapsulatedFault() {
        final int tcp = octets.length - at - Wire.UDP_HEADER;
        return tcp < Wire.TCP_HEADER ? "too short for TCP within UDP: " + tcp + " octets" : null;
    }

    private String protoName() {
        return switch (proto) {
            case Wire.IPPROTO_TCP -> "TCP";
            case Wire.IPPROTO_UDP -> "UDP";
            default -> "ICMP";
        };
    }

    // ---- fields ------------------------------------------------------------

    int u16(final int i) {
        return (octets[i] & 0xff) << Byte.SIZE | octets[i + 1] & 0xff;
    }

    int i32(final int i) {
        return u16(i) << Short.SIZE | u16(i + 2);
    }

    /** TCP, in UDP or not. */
    boolean isTcp() {
        return proto == Wire.IPPROTO_TCP || encapsulated();
    }

    boolean encapsulated() {
        return udpSrc != 0 || udpDst != 0;
    }

    boolean isIcmp() {
        return proto == (v6 ? Wire.IPPROTO_ICMPV6 : Wire.IPPROTO_ICMP);
    }

    int srcPort() {
        return isIcmp() ? 0 : u16(at);
    }

    int dstPort() {
        return isIcmp() ? 0 : u16(at + 2);
    }

    int seq() {
        return i32(at + 4);
    }

    int ack() {
        return i32(at + 8);
    }

    int tcpHeaderLength() {
        return (octets[at + 12] >>> 4 & 0xf) * Integer.BYTES;
    }

    int flags() {
        return u16(at + 12) & 0x1ff;
    }

    int reserved() {
        return u16(at + 12) >>> 9 & 0x7;
    }

    boolean has(final int flag) {
        return (flags() & flag) != 0;
    }

    int win() {
        return u16(at + 14);
    }

    int urg() {
        return u16(at + 18);
    }

    byte[] optionOctets() {
        final int end = Math.min(octets.length, at + Math.max(tcpHeaderLength(), Wire.TCP_HEADER));
        return Arrays.copyOfRange(octets, at + Wire.TCP_HEADER, end);
    }

    List<TcpOpt> options() {
        return TcpOpt.decode(optionOctets());
    }

    /** Offset of the payload of TCP or UDP. */
    int payloadAt() {
        return Math.min(octets.length, at + (isTcp() ? tcpHeaderLength() : Wire.UDP_HEADER));
    }

    int payload() {
        return octets.length - payloadAt();
    }
}
