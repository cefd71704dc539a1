package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.netsim.Pattern;
import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Fast Open between two stacks, over both families, under every lock strategy, with threads and without. */
class TcpFastopenSocketTest {
    private static final int PORT = 8080;
    private static final int ROUNDS = 12;
    private static final int REQUEST = 3000;
    private static final int ANSWER = 20_000;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(false, true)
            .flatMap(threads -> Stream.of(false, true).map(v6 -> Arguments.of(s, threads, v6))));
    }

    /** Two hosts and a cable; the pool is to be whole afterwards. */
    private static final class Net implements AutoCloseable {
        final VirtualClock clock = new VirtualClock();
        final MbufPool pool = MbufPool.builder().nmbufs(8192).nmbclusters(4096).nmbjumbop(512).nmbjumbo16(512)
            .threads(2).build();
        final boolean threads;
        final Vnet client;
        final Vnet server;
        final SockAddr to;
        final int family;

        Net(final LockStrategy strategy, final boolean threads, final boolean v6) throws ErrnoException {
            this.threads = threads;
            client = vnet(strategy, "client");
            server = vnet(strategy, "server");
            final Epair cable = Epair.join(client, server, 0, new Epair.Config(1500, 4096, true, false));
            client.service(InetConfig.class).addAddress(cable.a(), v6 ? "2001:db8::1/64" : "10.0.0.1/24");
            server.service(InetConfig.class).addAddress(cable.b(), v6 ? "2001:db8::2/64" : "10.0.0.2/24");
            to = SockAddr.of(v6 ? "2001:db8::2" : "10.0.0.2", PORT);
            family = v6 ? SockAddr.AF_INET6 : SockAddr.AF_INET;
        }

        private Vnet vnet(final LockStrategy strategy, final String name) {
            final var b = Vnet.builder().name(name).pool(pool).lockStrategy(strategy).seed(7)
                .sysctl("net.inet6.ip6.dad_count", "0").sysctl("net.inet.tcp.fastopen.server_enable", "1");
            return (threads ? b : b.clock(clock).threads(false)).build();
        }

        SocketFile socket(final Vnet v) throws ErrnoException {
            final SocketFile so = SocketFile.socket(v, family, SocketDefs.SOCK_STREAM, 0);
            so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_FASTOPEN, 1);
            so.setNonBlocking(true);
            return so;
        }

        /** Lets the stacks go on; without threads to the next deadline when nothing is left to do now. */
        void step() {
            if (threads) {
                Thread.onSpinWait();
                return;
            }
            if (!client.poll() && !server.poll()) {
                final long next = Math.min(client.nextDeadlineNs(), server.nextDeadlineNs());
                assertThat(next).as("something is still to happen").isNotEqualTo(Long.MAX_VALUE);
                clock.advanceTo(next);
            }
        }

        @Override
        public void close() {
            client.close();
            server.close();
            assertThat(pool.outstanding()).isZero();
        }
    }

    private static ByteBuffer octets(final Pattern p, final int n) {
        return ByteBuffer.wrap(p.segment().asSlice(p.offset(0), n).toArray(ValueLayout.JAVA_BYTE));
    }

    private static ByteBuffer read(final Net net, final SocketFile so, final int n) throws ErrnoException {
        final ByteBuffer in = ByteBuffer.allocate(n);
        while (in.hasRemaining()) {
            if (so.receive(in) == SocketFile.WOULD_BLOCK) {
                net.step();
            }
        }
        return in.flip();
    }

    @ParameterizedTest
    @MethodSource("modes")
    void requestsAndAnswers_arriveWhole(final LockStrategy strategy, final boolean threads, final boolean v6)
            throws Exception {
        final Pattern pattern = new Pattern(ANSWER);
        try (Net net = new Net(strategy, threads, v6)) {
            final SocketFile head = net.socket(net.server);
            head.bind(net.to);
            head.listen(8);
            for (int i = 0; i < ROUNDS; i++) {
                final SocketFile client = net.socket(net.client);
                assertThat(client.sendto(octets(pattern, REQUEST), 0, net.to)).isEqualTo(REQUEST);
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
                assertThat(read(net, child, REQUEST)).isEqualTo(octets(pattern, REQUEST));
                final ByteBuffer answer = octets(pattern, ANSWER);
                while (answer.hasRemaining()) {
                    if (child.send(answer) == SocketFile.WOULD_BLOCK) {
                        net.step();
                    }
                }
                child.shutdown(SocketDefs.SHUT_WR);
                assertThat(read(net, client, ANSWER)).isEqualTo(octets(pattern, ANSWER));
                client.close();
                while (child.receive(ByteBuffer.allocate(1)) == SocketFile.WOULD_BLOCK) {
                    net.step();
                }
                child.close();
            }
            head.close();
        }
    }
}
