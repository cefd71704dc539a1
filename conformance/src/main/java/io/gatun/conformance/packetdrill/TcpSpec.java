package io.gatun.conformance.packetdrill;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A TCP segment of a script. Sequence numbers are as written.
 *
 * @param srcPort or 0 when not said
 * @param dstPort or 0
 * @param flags the bits of the header, TH_* and the three of ECN
 * @param ace flags were given as an ACE count
 * @param seqKind how the sequence number counts
 * @param ack 0 when not said
 * @param win -1 when not said
 * @param options null for {@code <...>}, anything goes
 * @param udpSrc port of the encapsulation, 0 for none
 * @param udpDst likewise
 */
record TcpSpec(boolean outbound, IpInfo ip, int srcPort, int dstPort, int flags, boolean ace, SeqKind seqKind, int seq,
    int payload, int ack, int win, int urg, List<TcpOpt> options, int udpSrc, int udpDst) implements Action.Packet {
    static final int FIN = 0x01;
    static final int SYN = 0x02;
    static final int RST = 0x04;
    static final int PSH = 0x08;
    static final int ACK = 0x10;
    static final int URG = 0x20;
    static final int ECE = 0x40;
    static final int CWR = 0x80;
    static final int AE = 0x100;
    /** Letters of the bits, from FIN on. */
    private static final String LETTERS = "FSRP.UEWA";
    private static final String SHOWN = "FSRPEWAU";

    /** How a sequence number is written. */
    enum SeqKind {
        /** {@code 1:1(0)}. */
        RELATIVE,
        /** {@code 1:1(0)!}: what stands in the header. */
        ABSOLUTE,
        /** {@code ...(0)}. */
        IGNORED
    }

    boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    boolean encapsulated() {
        return udpSrc != 0 || udpDst != 0;
    }

    /** The bit of a letter; 0 when it has none. */
    static int flag(final char letter) {
        final int i = LETTERS.indexOf(letter);
        return i < 0 ? 0 : 1 << i;
    }

    static String flagsText(final int flags) {
        final StringBuilder out = new StringBuilder();
        for (int i = 0; i < SHOWN.length(); i++) {
            if ((flags & flag(SHOWN.charAt(i))) != 0) {
                out.append(SHOWN.charAt(i));
            }
        }
        if ((flags & ACK) != 0) {
            out.append('.');
        }
        return out.isEmpty() ? "-" : out.toString();
    }

    static String optionsText(final List<TcpOpt> options) {
        return options.stream().map(TcpOpt::toString).collect(Collectors.joining(",", " <", ">"));
    }

    @Override
    public String toString() {
        final String range = seqKind == SeqKind.IGNORED ? "...(" + payload + ")"
            : Format.unsigned(seq) + ":" + Format.unsigned(seq + payload) + "(" + payload + ")"
                + (seqKind == SeqKind.ABSOLUTE ? "!" : "");
        final String opts = options == null ? " <...>" : options.isEmpty() ? "" : optionsText(options);
        return (outbound ? "> " : "< ") + ip + (srcPort == 0 ? "" : srcPort + " > " + dstPort + " ")
            + flagsText(flags) + " " + range + (has(ACK) || ack != 0 ? " ack " + Format.unsigned(ack) : "")
            + (win < 0 ? "" : " win " + win) + (urg == 0 ? "" : " urg " + urg) + opts
            + (encapsulated() ? "/udp(" + udpSrc + " > " + udpDst + ")" : "");
    }
}
