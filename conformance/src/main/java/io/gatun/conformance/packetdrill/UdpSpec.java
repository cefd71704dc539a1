package io.gatun.conformance.packetdrill;

/**
 * A UDP datagram of a script.
 *
 * @param srcPort or 0 when not said
 * @param dstPort or 0
 * @param payload octets
 */
record UdpSpec(boolean outbound, IpInfo ip, int srcPort, int dstPort, int payload) implements Action.Packet {
    @Override
    public String toString() {
        return (outbound ? "> " : "< ") + ip + "udp " + (srcPort == 0 ? "" : srcPort + " > " + dstPort + " ") + "("
            + payload + ")";
    }
}
