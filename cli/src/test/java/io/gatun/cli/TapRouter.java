package io.gatun.cli;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import java.io.IOException;
import java.util.Map;

/**
 * A program that embeds the stack as a router between two TAP devices: {@code TAP CIDR CIDR6 TAP CIDR CIDR6}. It says
 * {@code ready} and runs until the end of standard input.
 */
public final class TapRouter {
    private TapRouter() {
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
            while (System.in.read() >= 0) {
                // until nobody is there any more
            }
        }
    }
}
