package io.gatun.conformance.packetdrill;

import io.gatun.uipc.Socket;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;

/**
 * What the runner knows of one socket of a script: how far the handshake is, the live endpoints, and how numbers of the
 * script translate to the wire's.
 */
final class Conn {
    /** As packets and calls have shown it so far. */
    enum State { NEW, LISTENING, PACKET_RECEIVED, SYNACK_SENT, SYNACK_ACKED, CONNECTING, SYN_SENT, SYN_ACKED }

    State state = State.NEW;
    /** Of the script; -1 for a connection that has not been accepted. */
    int fd = -1;
    boolean closed;
    /** FD_CLOEXEC or 0. */
    int fdFlags;
    /** The live socket; null for a connection that has not been accepted. */
    Socket so;
    /** A blocking connect goes on. */
    boolean connecting;
    /** SOCK_*. */
    final int type;
    byte[] remote; // null while there is none
    int remotePort;
    byte[] local;  // null while not known
    int localPort;
    int liveLocalIsn;
    int scriptLocalIsn;
    int remoteIsn;
    private final Map<Integer, Integer> timestamps = new HashMap<>();
    private boolean firstTs;
    private int firstScriptTs;
    private int firstLiveTs;

    Conn(final int type) {
        this.type = type;
    }

    /** From a local number of the script to the wire's. A SYN's numbers stand for themselves. */
    int localOffset(final boolean syn) {
        return syn ? liveLocalIsn - scriptLocalIsn : liveLocalIsn;
    }

    /** From a remote number of the script to the wire's. */
    int remoteOffset(final boolean syn) {
        return syn ? 0 : remoteIsn;
    }

    /** Remembers which timestamp stands for one of the script. Returns the live one in terms of the script. */
    int learnTimestamp(final TcpOpt.Ts script, final int live) {
        if (!script.anyVal()) {
            timestamps.put(script.val(), live);
        }
        if (!firstTs) {
            firstTs = true;
            firstScriptTs = script.val();
            firstLiveTs = live;
        }
        return firstScriptTs + (live - firstLiveTs);
    }

    /** The live timestamp that a script's stands for, or null. */
    Integer liveTimestamp(final int script) {
        return timestamps.get(script);
    }

    static boolean isAddress(final String literal) {
        try {
            return address(literal).length != 0;
        } catch (final IllegalArgumentException e) {
            return false;
        }
    }

    static byte[] address(final String literal) {
        try {
            return InetAddress.ofLiteral(literal).getAddress();
        } catch (final IllegalArgumentException e) {
            throw new IllegalArgumentException("not an address: " + literal, e);
        }
    }

    static String shown(final byte[] address, final int port) {
        if (address == null) {
            return "*:" + port;
        }
        try {
            return InetAddress.getByAddress(address).getHostAddress() + ":" + port;
        } catch (final UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
