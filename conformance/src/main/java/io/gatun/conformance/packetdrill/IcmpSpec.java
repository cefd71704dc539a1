package io.gatun.conformance.packetdrill;

/**
 * An ICMP or ICMPv6 message of a script, with the packet it complains of.
 *
 * @param type the number
 * @param code the number
 * @param text type and code as written
 * @param mtu or -1
 * @param id of an echo, or 0
 * @param quoted what of the stack's packet it quotes, or null for nothing said
 */
record IcmpSpec(boolean outbound, IpInfo ip, int type, int code, String text, long mtu, int id, Quoted quoted)
        implements Action.Packet {
    /**
     * The packet within.
     *
     * @param protocol IPPROTO_TCP or IPPROTO_UDP
     * @param seq of TCP, relative to the sender's initial number
     * @param payload octets
     * @param udpSrc port of an encapsulation, or 0
     * @param udpDst likewise
     */
    record Quoted(int protocol, int seq, int payload, int udpSrc, int udpDst) {
        @Override
        public String toString() {
            if (protocol != Wire.IPPROTO_TCP) {
                return " [udp (" + payload + ")]";
            }
            return " [" + Format.unsigned(seq) + ":" + Format.unsigned(seq + payload) + "(" + payload + ")"
                + (udpSrc + udpDst == 0 ? "" : "/udp(" + udpSrc + " > " + udpDst + ")") + "]";
        }
    }

    @Override
    public String toString() {
        return (outbound ? "> " : "< ") + ip + "icmp " + text + (mtu < 0 ? "" : " mtu " + mtu)
            + (id == 0 ? "" : " id " + id) + (quoted == null ? "" : quoted);
    }
}
