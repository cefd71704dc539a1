package io.gatun.cli;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * A program that embeds the stack on a vlan of a TAP device: {@code TAP HOST-CIDR VID CIDR CIDR6}. It sends datagrams
 * to port 7 of either family back, until the end of standard input.
 */
public final class TapVlan {
    private static final int ECHO = 7;
    private static final int LONGEST = 1 << 16;

    private TapVlan() {
    }

    /** Runs until the end of standard input. */
    public static void main(final String[] args) throws IOException {
        try (Vnet vnet = Vnet.builder().name("vlan").sysctl("net.inet6.ip6.dad_count", "0").build()) {
            final Ifnet tap = vnet.ifnets().create("tap0", Map.of("name", args[0], "host-address", args[1]));
            tap.up();
            final Ifnet vlan = vnet.ifnets().create("vlan" + args[2], Map.of("parent", "tap0", "vid", args[2]));
            vnet.service(InetConfig.class).addAddress(vlan, args[3]);
            vnet.service(InetConfig.class).addAddress(vlan, args[4]);
            vlan.up();
            try (SocketFile four = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0);
                 SocketFile six = SocketFile.socket(vnet, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0)) {
                four.bind(SockAddr.in(SockAddr.INADDR_ANY, ECHO));
                six.bind(SockAddr.in6(0, 0, ECHO));
                Thread.ofPlatform().daemon().start(() -> echo(four));
                Thread.ofPlatform().daemon().start(() -> echo(six));
                System.out.println("ready");
                while (System.in.read() >= 0) {
                    // the test ends it
                }
            }
        }
    }

    private static void echo(final SocketFile so) {
        final ByteBuffer in = ByteBuffer.allocate(LONGEST);
        final SockAddr from = new SockAddr();
        try {
            while (true) {
                so.recvfrom(in.clear(), 0, from);
                so.sendto(in.flip(), 0, from);
            }
        } catch (final ErrnoException e) {
            System.out.println("end: " + e.getMessage());
        }
    }
}
