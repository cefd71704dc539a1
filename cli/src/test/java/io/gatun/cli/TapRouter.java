package io.gatun.cli;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.StringJoiner;

/**
 * A program that embeds the stack as a router between two TAP devices: {@code TAP CIDR CIDR6 TAP CIDR CIDR6}. It says
 * {@code ready}, answers each line with its counters that are not 0, and runs until the end of standard input.
 */
public final class TapRouter {
    private TapRouter() {
    }

    /** As in {@code drop.if_oqfull=3 ip.forward=100}. */
    private static String counters(final Vnet vnet) {
        final StringJoiner out = new StringJoiner(" ");
        vnet.counters().forEach((name, value) -> {
            if (value != 0) {
                out.add(name + "=" + value);
            }
        });
        return out.toString();
    }

    /** Routes both families. */
    public static void main(final String[] args) throws IOException {
        try (Vnet vnet = Vnet.builder().name("router").build()) {
            final InetConfig config = vnet.service(InetConfig.class);
            for (int i = 0; i < 2; i++) {
                final Ifnet ifp = vnet.ifnets().create("tap" + i, Map.of("name", args[3 * i]));
                config.addAddress(ifp, args[3 * i + 1]);
                config.addAddress(ifp, args[3 * i + 2]);
                ifp.up();
            }
            config.setForwarding(true);
            config.setForwarding6(true);
            System.out.println("ready");
            final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
            while (in.readLine() != null) {
                System.out.println(counters(vnet));
            }
        }
    }
}
