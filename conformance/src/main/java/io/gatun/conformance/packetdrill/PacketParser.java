package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.TcpSpec.SeqKind;
import io.gatun.conformance.packetdrill.Token.Kind;
import java.util.List;

/** Reads the packets of a script. */
final class PacketParser {
    private static final int MAX_SEGMENT = 65_535;
    private static final int TCP_HEADER = 20;
    private static final int MAX_OPTIONS = 40;
    private static final String ECN_LETTERS = "EWA";

    private final TokenStream in;
    private final Config config;
    private final TcpOptParser options;

    PacketParser(final TokenStream in, final Config config) {
        this.in = in;
        this.config = config;
        options = new TcpOptParser(in);
    }

    Action.Packet packet() throws SyntaxException {
        final boolean outbound = in.next().is(">");
        final Token t = in.peek();
        if (t.kind() == Kind.WORD && t.text().matches("ipv4|ipv6|gre|mpls|sctp|udplite")) {
            throw in.error(t, t.text() + " is not supported");
        }
        final IpInfo ip = ipInfo(outbound);
        final Token proto = in.peek();
        if (proto.kind() == Kind.WORD && proto.text().matches("sctp|udplite")) {
            throw in.error(proto, proto.text() + " is not supported");
        }
        if (in.takeWord("udp")) {
            return udp(outbound, ip);
        }
        if (in.takeWord("icmp")) {
            return icmp(outbound, ip);
        }
        return tcp(outbound, ip);
    }

    // ---- IP ------------------------------------------------------------

    private IpInfo ipInfo(final boolean outbound) throws SyntaxException {
        final String close = in.peek().is("(") ? ")" : in.peek().is("[") ? "]" : null;
        if (close == null) {
            return IpInfo.NONE;
        }
        final Token start = in.next();
        IpInfo ip = IpInfo.NONE;
        do {
            ip = ipField(ip);
        } while (in.take(","));
        in.expect(close);
        if (ip.ect01() && !outbound) {
            throw in.error(start, "ect01 is for packets that come out only");
        }
        return ip;
    }

    private IpInfo ipField(final IpInfo ip) throws SyntaxException {
        final Token t = in.peek();
        final String name = in.word("tos, ttl, class, hlim, dscp, ecn or flowlabel");
        return switch (name) {
            case "ttl", "hlim" -> ip.withTtl(in.u8(name));
            case "flowlabel" -> ip.withFlowlabel((int) in.number("flowlabel", 0, 0xfffff));
            case "tos", "class" -> {
                if (ip.tosMask() != 0 || ip.ect01()) {
                    throw in.error(t, name + " is given twice");
                }
                yield ip.withTos(IpInfo.TOS, in.u8(name));
            }
            case "dscp" -> {
                if ((ip.tosMask() & IpInfo.DSCP) != 0) {
                    throw in.error(t, "dscp is given twice");
                }
                yield ip.withTos(IpInfo.DSCP, dscp() << 2);
            }
            case "ecn" -> ecn(ip, in.next());
            default -> ecn(ip, t);
        };
    }

    private IpInfo ecn(final IpInfo ip, final Token t) throws SyntaxException {
        if (ip.ecnSet()) {
            throw in.error(t, "ecn is given twice");
        }
        return switch (t.text()) {
            case "noecn" -> ip.withTos(IpInfo.ECN, 0);
            case "ect0" -> ip.withTos(IpInfo.ECN, IpInfo.ECT0);
            case "ect1" -> ip.withTos(IpInfo.ECN, IpInfo.ECT1);
            case "ce" -> ip.withTos(IpInfo.ECN, IpInfo.CE);
            case "ect01" -> ip.withEct01();
            default -> throw in.error(t, "unknown field of the IP header: " + t.shown());
        };
    }

    private int dscp() throws SyntaxException {
        if (in.peek().isNumber()) {
            return (int) in.number("dscp", 0, 0x3f);
        }
        final Token t = in.peek();
        final String name = in.word("a dscp");
        if (name.matches("cs[0-7]")) {
            return (name.charAt(2) - '0') << 3;
        }
        if (name.matches("af[1-4][1-3]")) {
            return (name.charAt(2) - '0') << 3 | (name.charAt(3) - '0') << 1;
        }
        return switch (name) {
            case "ef" -> 46;
            case "voice-admit" -> 44;
            case "le" -> 1;
            default -> throw in.error(t, "unknown dscp " + name);
        };
    }

    // ---- UDP, ICMP ------------------------------------------------------------

    private UdpSpec udp(final boolean outbound, final IpInfo ip) throws SyntaxException {
        final int[] ports = ports();
        in.expect("(");
        final int payload = in.u16("a length");
        in.expect(")");
        return new UdpSpec(outbound, ip, ports[0], ports[1], payload);
    }

    private int[] ports() throws SyntaxException {
        if (in.peek().kind() == Kind.INTEGER && in.peek(1).is(">")) {
            final int src = in.u16("a port");
            in.expect(">");
            return new int[] {src, in.u16("a port")};
        }
        return new int[2];
    }

    private IcmpSpec icmp(final boolean outbound, final IpInfo ip) throws SyntaxException {
        final Token t = in.peek();
        final String typeName = in.word("an ICMP type");
        final int type = IcmpNames.type(config.v6(), typeName);
        if (type < 0) {
            throw in.error(t, "unknown ICMP" + (config.v6() ? "v6" : "") + " type " + typeName);
        }
        int code = 0;
        String text = typeName;
        final Token c = in.peek();
        if (c.kind() == Kind.WORD && !c.text().matches("mtu|id")) {
            code = IcmpNames.code(config.v6(), type, in.next().text());
            text += " " + c.text();
            if (code < 0) {
                throw in.error(c, "unknown code " + c.text() + " of ICMP type " + typeName);
            }
        }
        final long mtu = in.takeWord("mtu") ? in.number("an MTU", 0, config.v6() ? 0xffff_ffffL : 0xffff) : -1;
        final int id = in.takeWord("id") ? in.u16("an id") : 0;
        final IcmpSpec.Quoted quoted = quoted();
        checkMtu(t, type, code, mtu);
        return new IcmpSpec(outbound, ip, type, code, text, mtu, id, quoted);
    }

    private void checkMtu(final Token at, final int type, final int code, final long mtu) throws SyntaxException {
        final boolean big = config.v6() ? type == IcmpNames.V6_TOO_BIG
            : type == IcmpNames.UNREACHABLE && code == IcmpNames.FRAG_NEEDED;
        if (mtu >= 0 && !big) {
            throw in.error(at, "an MTU goes with " + (config.v6() ? "packet_too_big" : "unreachable frag_needed"));
        }
        if (config.v6() && big && mtu < 0) {
            throw in.error(at, "packet_too_big wants an MTU");
        }
    }

    private IcmpSpec.Quoted quoted() throws SyntaxException {
        if (!in.take("[")) {
            return null;
        }
        final IcmpSpec.Quoted q;
        if (in.takeWord("udp")) {
            in.expect("(");
            q = new IcmpSpec.Quoted(Wire.IPPROTO_UDP, 0, in.u16("a length"), 0, 0);
            in.expect(")");
        } else {
            final Range r = range();
            final int[] udp = udpSuffix();
            q = new IcmpSpec.Quoted(Wire.IPPROTO_TCP, r.seq, r.payload, udp[0], udp[1]);
        }
        in.expect("]");
        return q;
    }

    // ---- TCP ------------------------------------------------------------

    /** A sequence range. */
    private record Range(SeqKind kind, int seq, int payload) {
    }

    private TcpSpec tcp(final boolean outbound, final IpInfo ip) throws SyntaxException {
        final int[] ports = ports();
        final Token flagsAt = in.peek();
        final String flags = flags();
        final int bits = flagBits(flagsAt, flags);
        final Token rangeAt = in.peek();
        final Range r = range();
        if (r.kind == SeqKind.IGNORED && !outbound) {
            throw in.error(rangeAt, "a packet that goes in needs its sequence number");
        }
        final int ack = in.takeWord("ack") ? in.u32("an acknowledgment number") : 0;
        final Token winAt = in.peek();
        final int win = in.takeWord("win") ? in.u16("a window") : -1;
        if (win < 0 && !outbound) {
            throw in.error(winAt, "a packet that goes in needs its window");
        }
        final int urg = in.takeWord("urg") ? in.u16("an urgent pointer") : 0;
        final Token optAt = in.peek();
        final List<TcpOpt> opts = options.options();
        check(outbound, optAt, opts, r.payload);
        final int[] udp = udpSuffix();
        final boolean ace = flags.chars().anyMatch(c -> c >= '0' && c <= '7');
        return new TcpSpec(outbound, ip, ports[0], ports[1], bits, ace, r.kind, r.seq, r.payload, ack, win, urg, opts,
            udp[0], udp[1]);
    }

    private void check(final boolean outbound, final Token at, final List<TcpOpt> opts, final int payload)
            throws SyntaxException {
        if (opts == null) {
            if (!outbound) {
                throw in.error(at, "<...> is for packets that come out only");
            }
            return;
        }
        final int octets = TcpOpt.encode(opts).length;
        if (octets % Integer.BYTES != 0) {
            throw in.error(at, "the options are not a multiple of 4 octets: " + octets);
        }
        if (octets > MAX_OPTIONS) {
            throw in.error(at, "the options are longer than " + MAX_OPTIONS + " octets: " + octets);
        }
        final int ipHeader = config.v6() ? Wire.IP6_HEADER : Wire.IP4_HEADER;
        if (ipHeader + TCP_HEADER + octets + payload > MAX_SEGMENT) {
            throw in.error(at, "the segment is too long");
        }
    }

    /** {@code S}, {@code S.}, {@code .}, {@code -}, {@code SEW}, {@code S.5} with the ACE count as a digit. */
    private String flags() throws SyntaxException {
        final StringBuilder out = new StringBuilder();
        if (in.take("-")) {
            return "";
        }
        Token t = in.peek();
        if (t.kind() == Kind.WORD) {
            out.append(in.next().text());
            t = in.peek();
        }
        if (t.is(".") || t.kind() == Kind.FLOAT && t.text().startsWith(".")) {
            out.append(in.next().text());
            if (in.peek().kind() == Kind.WORD && in.peek().start() == t.end()) {
                out.append(in.next().text());
            }
        }
        if (out.isEmpty()) {
            throw in.unexpected("TCP flags");
        }
        return out.toString();
    }

    private int flagBits(final Token at, final String flags) throws SyntaxException {
        int bits = 0;
        boolean ecn = false;
        boolean ace = false;
        for (int i = 0; i < flags.length(); i++) {
            final char c = flags.charAt(i);
            if (c >= '0' && c <= '7') {
                if (ecn || ace) {
                    throw in.error(at, "conflicting TCP flag '" + c + "'");
                }
                ace = true;
                final int count = c - '0';
                bits |= ((count & 1) != 0 ? TcpSpec.ECE : 0) | ((count & 2) != 0 ? TcpSpec.CWR : 0)
                    | ((count & 4) != 0 ? TcpSpec.AE : 0);
                continue;
            }
            final int bit = TcpSpec.flag(c);
            if (bit == 0) {
                throw in.error(at, "unknown TCP flag '" + c + "'");
            }
            if (ECN_LETTERS.indexOf(c) >= 0) {
                if (ace) {
                    throw in.error(at, "conflicting TCP flag '" + c + "'");
                }
                ecn = true;
            }
            bits |= bit;
        }
        return bits;
    }

    private Range range() throws SyntaxException {
        if (in.take("...")) {
            return new Range(SeqKind.IGNORED, 0, length());
        }
        final Token at = in.peek();
        final long start = in.number("a sequence number", 0, 0xffff_ffffL);
        in.expect(":");
        final long end = in.number("a sequence number", 0, 0xffff_ffffL);
        final int payload = length();
        if (end != (start + payload & 0xffff_ffffL)) {
            throw in.error(at, start + ":" + end + " is not " + payload + " octets");
        }
        return new Range(in.take("!") ? SeqKind.ABSOLUTE : SeqKind.RELATIVE, (int) start, payload);
    }

    private int length() throws SyntaxException {
        in.expect("(");
        final int n = in.u16("a length");
        in.expect(")");
        return n;
    }

    private int[] udpSuffix() throws SyntaxException {
        if (!in.take("/")) {
            return new int[2];
        }
        if (!in.takeWord("udp")) {
            throw in.unexpected("udp");
        }
        in.expect("(");
        final int src = in.u16("a port");
        in.expect(">");
        final int dst = in.u16("a port");
        in.expect(")");
        return new int[] {src, dst};
    }
}
