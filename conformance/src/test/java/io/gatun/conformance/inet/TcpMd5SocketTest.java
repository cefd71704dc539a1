package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.netsim.Pattern;
import io.gatun.netinet.tcp.Sadb;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Signed connections between two stacks, over both families, under every lock strategy, with threads and without. */
class TcpMd5SocketTest {
    private static final int OCTETS = 300_000;
    private static final byte[] KEY = {1, 2, 3};

    private static void keys(final Vnet v, final SockAddr a, final SockAddr b, final byte[] key) {
        final Sadb sadb = v.service(Sadb.class);
        assertThat(sadb.add(a, b, Sadb.TCP_SIG_SPI, key)).isEqualTo(Errno.OK);
        assertThat(sadb.add(b, a, Sadb.TCP_SIG_SPI, key)).isEqualTo(Errno.OK);
    }

    private static SocketFile signing(final TwoHosts net, final Vnet v) throws ErrnoException {
        final SocketFile so = net.socket(v);
        so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_MD5SIG, 1);
        return so;
    }

    private static SocketFile listener(final TwoHosts net) throws ErrnoException {
        final SocketFile head = signing(net, net.server);
        head.bind(net.to);
        head.listen(8);
        return head;
    }

    @ParameterizedTest
    @MethodSource("io.gatun.conformance.inet.TwoHosts#modes")
    void signedBothWays_arrivesWhole(final LockStrategy strategy, final boolean threads, final boolean v6)
            throws Exception {
        final Pattern pattern = new Pattern(OCTETS);
        try (TwoHosts net = new TwoHosts(strategy, threads, v6, Map.of())) {
            final SockAddr us = SockAddr.of(v6 ? "2001:db8::1" : "10.0.0.1", 0);
            keys(net.client, us, net.to, KEY);
            keys(net.server, us, net.to, KEY);
            final SocketFile head = listener(net);
            final SocketFile[] c = net.connection(signing(net, net.client), head);
            for (int way = 0; way < 2; way++) {
                final ByteBuffer out = TwoHosts.octets(pattern, OCTETS);
                final ByteBuffer in = ByteBuffer.allocate(OCTETS);
                while (in.hasRemaining()) {
                    if (out.hasRemaining()) {
                        c[way].send(out);
                    }
                    if (c[1 - way].receive(in) == SocketFile.WOULD_BLOCK) {
                        net.step();
                    }
                }
                assertThat(in.flip()).isEqualTo(TwoHosts.octets(pattern, OCTETS));
            }
            assertThat(net.server.counters().get("tcp.sig_rcvgoodsig")).isGreaterThan(100);
            assertThat(net.server.counters().get("tcp.sig_rcvbadsig")).isZero();
            c[0].close();
            c[1].close();
            head.close();
        }
    }

    @ParameterizedTest
    @MethodSource("io.gatun.conformance.inet.TwoHosts#modes")
    void otherKey_neverConnects(final LockStrategy strategy, final boolean threads, final boolean v6)
            throws Exception {
        try (TwoHosts net = new TwoHosts(strategy, threads, v6, Map.of("net.inet.tcp.rexmit_initial", "50"))) {
            final SockAddr us = SockAddr.of(v6 ? "2001:db8::1" : "10.0.0.1", 0);
            keys(net.client, us, net.to, KEY);
            keys(net.server, us, net.to, new byte[] {3, 2, 1});
            final SocketFile head = listener(net);
            final SocketFile so = signing(net, net.client);
            so.connect(net.to);
            while (net.server.drops(DropReason.TCP_BADSIG) < 2) {
                net.step();
            }
            assertThat(head.accept()).isNull();
            so.close();
            head.close();
        }
    }
}
