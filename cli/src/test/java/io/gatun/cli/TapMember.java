package io.gatun.cli;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A program that embeds the stack on a TAP device and listens to groups of both families: {@code TAP HOST-CIDR CIDR
 * PORT}, without a host address with {@code -}. It does what the lines of its standard input say, {@code join GROUP} or
 * {@code leave GROUP}, says so, and prints what it hears.
 */
public final class TapMember {
    private TapMember() {
    }

    /** Runs until the end of standard input. */
    public static void main(final String[] args) throws IOException {
        try (Vnet vnet = Vnet.builder().name("member").build()) {
            final Ifnet ifp = vnet.ifnets().create("tap0", "-".equals(args[1]) ? Map.of("name", args[0])
                : Map.of("name", args[0], "host-address", args[1]));
            vnet.service(InetConfig.class).addAddress(ifp, args[2]);
            ifp.up();
            try (SocketFile member = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0);
                 SocketFile member6 = SocketFile.socket(vnet, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0)) {
                member.bind(SockAddr.in(SockAddr.INADDR_ANY, Integer.parseInt(args[3])));
                member6.bind(SockAddr.in6(0, 0, Integer.parseInt(args[3])));
                Thread.ofPlatform().daemon().start(() -> hear(member));
                Thread.ofPlatform().daemon().start(() -> hear(member6));
                System.out.println("ready");
                commands(member, member6, ifp);
            }
        }
    }

    private static void commands(final SocketFile member, final SocketFile member6, final Ifnet ifp)
            throws IOException {
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line = in.readLine();
        while (line != null) {
            final String[] words = line.split(" ");
            final boolean six = words[1].indexOf(':') >= 0;
            (six ? member6 : member).setOption(six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP,
                "join".equals(words[0]) ? InDefs.MCAST_JOIN_GROUP : InDefs.MCAST_LEAVE_GROUP,
                new GroupReq(ifp.index(), SockAddr.of(words[1], 0)));
            System.out.println("done: " + line);
            line = in.readLine();
        }
    }

    private static void hear(final SocketFile member) {
        final ByteBuffer in = ByteBuffer.allocate(2048);
        try {
            while (true) {
                member.receive(in.clear());
                System.out.println("heard: " + StandardCharsets.UTF_8.decode(in.flip()).toString().strip());
            }
        } catch (final ErrnoException e) {
            System.out.println("end: " + e.getMessage());
        }
    }
}
