package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.netsim.Pattern;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Fast Open between two stacks, over both families, under every lock strategy, with threads and without. */
class TcpFastopenSocketTest {
    private static final Map<String, String> FASTOPEN = Map.of("net.inet.tcp.fastopen.server_enable", "1");
    private static final int ROUNDS = 12;
    private static final int REQUEST = 3000;
    private static final int ANSWER = 20_000;

    @ParameterizedTest
    @MethodSource("io.gatun.conformance.inet.TwoHosts#modes")
    void requestsAndAnswers_arriveWhole(final LockStrategy strategy, final boolean threads, final boolean v6)
            throws Exception {
        final Pattern pattern = new Pattern(ANSWER);
        try (TwoHosts net = new TwoHosts(strategy, threads, v6, FASTOPEN)) {
            final SocketFile head = fastopen(net, net.server);
            head.bind(net.to);
            head.listen(8);
            for (int i = 0; i < ROUNDS; i++) {
                final SocketFile client = fastopen(net, net.client);
                assertThat(client.sendto(TwoHosts.octets(pattern, REQUEST), 0, net.to)).isEqualTo(REQUEST);
                SocketFile child = head.accept();
                while (child == null) {
                    net.step();
                    child = head.accept();
                }
                child.setNonBlocking(true);
                if (!threads && i > 0) {
                    final TcpInfo info = child.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
                    assertThat(info.state()).as("it is in use before the handshake is over")
                        .isEqualTo(TcpState.SYN_RECEIVED);
                }
                assertThat(child.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_FASTOPEN)).isEqualTo(i > 0 ? 1 : 0);
                assertThat(net.read(child, REQUEST)).isEqualTo(TwoHosts.octets(pattern, REQUEST));
                net.send(child, TwoHosts.octets(pattern, ANSWER));
                child.shutdown(SocketDefs.SHUT_WR);
                assertThat(net.read(client, ANSWER)).isEqualTo(TwoHosts.octets(pattern, ANSWER));
                client.close();
                while (child.receive(ByteBuffer.allocate(1)) == SocketFile.WOULD_BLOCK) {
                    net.step();
                }
                child.close();
            }
            head.close();
        }
    }

    private static SocketFile fastopen(final TwoHosts net, final Vnet v) throws ErrnoException {
        final SocketFile so = net.socket(v);
        so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_FASTOPEN, 1);
        return so;
    }
}
