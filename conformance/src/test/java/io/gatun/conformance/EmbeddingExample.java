package io.gatun.conformance;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The example of README.md; {@link EmbeddingExampleTest} runs it and compares the two texts. */
final class EmbeddingExample {
    private EmbeddingExample() {
    }

    // README begins
    static String greet() throws ErrnoException {
        try (Vnet vnet = Vnet.builder().name("example").build()) {
            Ifnet lo = vnet.ifnets().create("lo0");
            vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
            lo.up();
            try (SocketFile listener = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0);
                 SocketFile client = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0)) {
                listener.bind(SockAddr.of("127.0.0.1", 8080));
                listener.listen(16);
                client.connect(SockAddr.of("127.0.0.1", 8080));
                try (SocketFile server = listener.accept()) {
                    server.send(StandardCharsets.UTF_8.encode("hello from " + vnet.name()));
                }
                ByteBuffer in = ByteBuffer.allocateDirect(64);
                while (client.receive(in) != SocketFile.END) {
                    // until the server's close arrives
                }
                return StandardCharsets.UTF_8.decode(in.flip()).toString();
            }
        }
    }
    // README ends
}
