package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.Pools;
import io.gatun.conformance.netsim.Pattern;
import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Two stacks and a cable, over either family; the pool is to be whole afterwards. Sockets are non-blocking. */
final class TwoHosts implements AutoCloseable {
    private static final int PORT = 8080;

    final VirtualClock clock = new VirtualClock();
    final MbufPool pool = Pools.take("two hosts", MbufPool.builder().nmbufs(8192).nmbclusters(4096).nmbjumbop(512)
        .nmbjumbo16(512).threads(2));
    final boolean threads;
    final Vnet client;
    final Vnet server;
    final SockAddr to;
    final int family;
    private final Map<String, String> sysctls;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(false, true)
            .flatMap(threads -> Stream.of(false, true).map(v6 -> Arguments.of(s, threads, v6))));
    }

    /** @param sysctls values in place of defaults, of both stacks */
    TwoHosts(final LockStrategy strategy, final boolean threads, final boolean v6, final Map<String, String> sysctls)
            throws ErrnoException {
        this.threads = threads;
        this.sysctls = sysctls;
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
            .sysctl("net.inet6.ip6.dad_count", "0");
        sysctls.forEach(b::sysctl);
        return (threads ? b : b.clock(clock).threads(false)).build();
    }

    SocketFile socket(final Vnet v) throws ErrnoException {
        final SocketFile so = SocketFile.socket(v, family, SocketDefs.SOCK_STREAM, 0);
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

    /** The first octets of a stream. */
    static ByteBuffer octets(final Pattern p, final int n) {
        return ByteBuffer.wrap(p.segment().asSlice(p.offset(0), n).toArray(ValueLayout.JAVA_BYTE));
    }

    /** Reads so many, however long that takes. */
    ByteBuffer read(final SocketFile so, final int n) throws ErrnoException {
        final ByteBuffer in = ByteBuffer.allocate(n);
        while (in.hasRemaining()) {
            if (so.receive(in) == SocketFile.WOULD_BLOCK) {
                step();
            }
        }
        return in.flip();
    }

    /** A connection and its peer, once they are established. */
    SocketFile[] connection(final SocketFile from, final SocketFile head) throws ErrnoException {
        from.connect(to);
        SocketFile child = head.accept();
        while (child == null) {
            step();
            child = head.accept();
        }
        child.setNonBlocking(true);
        return new SocketFile[] {from, child};
    }

    /** Sends all of it, however long that takes. */
    void send(final SocketFile so, final ByteBuffer all) throws ErrnoException {
        while (all.hasRemaining()) {
            if (so.send(all) == SocketFile.WOULD_BLOCK) {
                step();
            }
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
        assertThat(pool.outstanding()).isZero();
        Pools.giveBack(pool);
    }
}
