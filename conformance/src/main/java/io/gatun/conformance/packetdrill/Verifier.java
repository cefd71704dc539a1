package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.TcpSpec.SeqKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Compares a packet that came out with the script's, in the script's numbers. */
final class Verifier {
    private final Config config;

    Verifier(final Config config) {
        this.config = config;
    }

    /** Null when they agree; else what differs, {@code name: expected X, seen Y}. */
    String compare(final Action.Packet script, final LivePacket live, final Conn conn) {
        if (live.wrong() != null) {
            return live.wrong();
        }
        return switch (script) {
            case TcpSpec t -> tcp(t, live, conn);
            case UdpSpec u -> udp(u, live);
            case IcmpSpec i -> icmp(i, live);
        };
    }

    private static String diff(final String name, final long expected, final long seen) {
        return expected == seen ? null : name + ": expected " + expected + ", seen " + seen;
    }

    private static String first(final String... all) {
        for (final String s : all) {
            if (s != null) {
                return s;
            }
        }
        return null;
    }

    private String ip(final IpInfo info, final LivePacket live, final int proto, final int length) {
        final String ecn = info.ect01() && (live.tos() & IpInfo.ECN) != IpInfo.ECT0
            && (live.tos() & IpInfo.ECN) != IpInfo.ECT1 ? "ecn: expected ect0 or ect1, seen "
            + IpInfo.ecnName(live.tos() & IpInfo.ECN) : null;
        final String tosName = info.tosMask() == IpInfo.ECN ? "ecn" : info.tosMask() == IpInfo.DSCP ? "dscp" : "tos";
        final int shift = info.tosMask() == IpInfo.DSCP ? 2 : 0;
        return first(diff("IP version", config.v6() ? 6 : 4, live.v6() ? 6 : 4),
            diff("IP protocol", proto, live.proto()), diff("IP length", length, live.octets().length),
            info.tosMask() == 0 ? null
                : diff(tosName, info.tos() >>> shift, (live.tos() & info.tosMask()) >>> shift),
            ecn, info.ttl() < 0 ? null : diff(config.v6() ? "hop limit" : "ttl", info.ttl(), live.ttl()),
            info.flowlabel() < 0 ? null : diff("flow label", info.flowlabel(), live.flowlabel()));
    }

    private int ipHeader() {
        return config.v6() ? Wire.IP6_HEADER : Wire.IP4_HEADER;
    }

    // ---- TCP ------------------------------------------------------------

    private String tcp(final TcpSpec s, final LivePacket live, final Conn conn) {
        final int proto = s.encapsulated() ? Wire.IPPROTO_UDP : Wire.IPPROTO_TCP;
        if (live.proto() != proto) {
            return diff("IP protocol", proto, live.proto());
        }
        final boolean syn = live.has(TcpSpec.SYN);
        final int opts = s.options() == null ? live.optionOctets().length : TcpOpt.encode(s.options()).length;
        final int length =
            ipHeader() + (s.encapsulated() ? Wire.UDP_HEADER : 0) + Wire.TCP_HEADER + opts + s.payload();
        final int seq = s.seqKind() == SeqKind.ABSOLUTE ? live.seq() : live.seq() - conn.localOffset(syn);
        final int ack = live.has(TcpSpec.ACK) ? live.ack() - conn.remoteOffset(syn) : live.ack();
        final String ports = first(s.encapsulated() ? diff("UDP source port", s.udpSrc(), live.udpSrc()) : null,
            s.encapsulated() ? diff("UDP destination port", s.udpDst(), live.udpDst()) : null,
            s.srcPort() == 0 ? null : diff("source port", s.srcPort(), live.srcPort()),
            s.dstPort() == 0 ? null : diff("destination port", s.dstPort(), live.dstPort()));
        return first(ports, flags(s, live), s.seqKind() == SeqKind.IGNORED ? null
            : diff("sequence number", Format.unsigned(s.seq()), Format.unsigned(seq)),
            diff("acknowledgment number", Format.unsigned(s.ack()), Format.unsigned(ack)),
            s.win() < 0 ? null : diff("window", s.win(), live.win()), diff("urgent pointer", s.urg(), live.urg()),
            diff("payload length", s.payload(), live.payload()), options(s, live, conn),
            diff("TCP header length", Wire.TCP_HEADER + opts, live.tcpHeaderLength()),
            ip(s.ip(), live, proto, length), diff("reserved bits", 0, live.reserved()), payload(live));
    }

    private static String flags(final TcpSpec s, final LivePacket live) {
        return s.flags() == live.flags() ? null
            : "flags: expected " + TcpSpec.flagsText(s.flags()) + ", seen " + TcpSpec.flagsText(live.flags());
    }

    /** Scripts send zeros. */
    private static String payload(final LivePacket live) {
        for (int i = live.payloadAt(); i < live.octets().length; i++) {
            if (live.octets()[i] != 0) {
                return "payload: octet " + (i - live.payloadAt()) + " is not 0";
            }
        }
        return null;
    }

    private String options(final TcpSpec s, final LivePacket live, final Conn conn) {
        if (s.options() == null) {
            return null;
        }
        if (s.options().size() == 1 && s.options().get(0) instanceof TcpOpt.Raw raw) {
            return Arrays.equals(raw.octets(), live.optionOctets()) ? null
                : "options: expected " + Format.hex(raw.octets()) + ", seen " + Format.hex(live.optionOctets());
        }
        final List<TcpOpt> seen = mapped(live, conn);
        for (int i = 0; i < Math.max(seen.size(), s.options().size()); i++) {
            final TcpOpt want = i < s.options().size() ? s.options().get(i) : null;
            final TcpOpt got = i < seen.size() ? seen.get(i) : null;
            if (want == null || got == null || !agree(want, got, live, conn)) {
                return "option " + (i + 1) + ": expected " + (want == null ? "none" : want) + ", seen "
                    + (got == null ? "none" : got);
            }
        }
        return null;
    }

    private boolean agree(final TcpOpt want, final TcpOpt got, final LivePacket live, final Conn conn) {
        if (want instanceof TcpOpt.Ts script && got instanceof TcpOpt.Ts ts) {
            final int shown = conn.learnTimestamp(script, ts.val());
            final long off = Math.abs((long) (shown - script.val())) * config.tsTickUs();
            return script.anyVal() || config.tsTickUs() == 0 || off <= config.toleranceUs();
        }
        if (want instanceof TcpOpt.Md5 m && m.valid() && got instanceof TcpOpt.Md5 seen) {
            return Arrays.equals(seen.digest(), Wire.md5(live.src(), live.dst(), live.octets(), live.at(),
                live.tcpHeaderLength(), config.tcpMd5Secret() == null ? "" : config.tcpMd5Secret()));
        }
        return Arrays.equals(want.octets(), got.octets());
    }

    /** The options of a live segment in the script's numbers. */
    private static List<TcpOpt> mapped(final LivePacket live, final Conn conn) {
        final List<TcpOpt> out = new ArrayList<>();
        for (final TcpOpt o : live.options()) {
            out.add(o instanceof TcpOpt.Sack sack ? sack.shifted(-conn.remoteOffset(live.has(TcpSpec.SYN))) : o);
        }
        return out;
    }

    // ---- UDP, ICMP ------------------------------------------------------------

    private String udp(final UdpSpec s, final LivePacket live) {
        return first(diff("IP protocol", Wire.IPPROTO_UDP, live.proto()),
            s.srcPort() == 0 ? null : diff("source port", s.srcPort(), live.srcPort()),
            s.dstPort() == 0 ? null : diff("destination port", s.dstPort(), live.dstPort()),
            diff("payload length", s.payload(), live.payload()),
            ip(s.ip(), live, Wire.IPPROTO_UDP, ipHeader() + Wire.UDP_HEADER + s.payload()), payload(live));
    }

    private String icmp(final IcmpSpec s, final LivePacket live) {
        final int proto = config.v6() ? Wire.IPPROTO_ICMPV6 : Wire.IPPROTO_ICMP;
        return first(diff("ICMP type", s.type(), live.octets()[live.at()] & 0xff),
            diff("ICMP code", s.code(), live.octets()[live.at() + 1] & 0xff),
            s.mtu() < 0 ? null : diff("MTU", s.mtu(),
                config.v6() ? Format.unsigned(live.i32(live.at() + 4)) : live.u16(live.at() + 6)),
            ip(s.ip(), live, proto, live.octets().length));
    }

    // ---- showing ------------------------------------------------------------

    /** A live packet in tcpdump's style, in the script's numbers where there is a connection. */
    static String describe(final LivePacket p, final Conn conn, final boolean outbound) {
        final String arrow = outbound ? "> " : "< ";
        if (!p.isTcp() || p.wrong() != null && p.octets().length < p.at() + Wire.TCP_HEADER) {
            return arrow + (p.isIcmp() ? "icmp type " + (p.octets()[p.at()] & 0xff) + " code "
                + (p.octets()[p.at() + 1] & 0xff) : p.proto() == Wire.IPPROTO_UDP ? "udp " + p.srcPort() + " > "
                + p.dstPort() + " (" + p.payload() + ")" : "protocol " + p.proto());
        }
        final boolean syn = p.has(TcpSpec.SYN);
        // Inbound packets are the other side's: what is local to them is remote here.
        final int seqOff = conn == null ? 0 : outbound ? conn.localOffset(syn) : conn.remoteOffset(syn);
        final int ackOff = conn == null ? 0 : outbound ? conn.remoteOffset(syn) : conn.localOffset(syn);
        final int seq = p.seq() - seqOff;
        final List<TcpOpt> opts = new ArrayList<>();
        for (final TcpOpt o : p.options()) {
            opts.add(o instanceof TcpOpt.Sack sack ? sack.shifted(-ackOff) : o);
        }
        final IpInfo info = p.tos() == 0 ? IpInfo.NONE : IpInfo.NONE.withTos(IpInfo.TOS, p.tos());
        return arrow + info + TcpSpec.flagsText(p.flags()) + " " + Format.unsigned(seq) + ":"
            + Format.unsigned(seq + p.payload()) + "(" + p.payload() + ")"
            + (p.has(TcpSpec.ACK) ? " ack " + Format.unsigned(p.ack() - ackOff) : "") + " win " + p.win()
            + (p.urg() == 0 ? "" : " urg " + p.urg()) + (opts.isEmpty() ? "" : TcpSpec.optionsText(opts))
            + (p.encapsulated() ? "/udp(" + p.udpSrc() + " > " + p.udpDst() + ")" : "");
    }
}
