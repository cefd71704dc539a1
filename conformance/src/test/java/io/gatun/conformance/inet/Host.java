package io.gatun.conformance.inet;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/** One vnet in poll mode, strict about leaks, with lo0. Closing it closes the sockets it made. */
final class Host implements AutoCloseable {
    final VirtualClock clock;
    final Vnet vnet;
    final Ifnet lo;
    private final Deque<SocketFile> files = new ArrayDeque<>();

    Host(final LockStrategy locks) {
        this(locks, new VirtualClock(), "host");
    }

    Host(final LockStrategy locks, final VirtualClock clock, final String name) {
        this.clock = clock;
        vnet = Vnet.builder().name(name).clock(clock).threads(false).seed(name.hashCode()).lockStrategy(locks)
            .sysctl("net.inet6.ip6.dad_count", "0").sysctl("net.inet6.ip6.auto_linklocal", "0").strict(true)
            .pool(MbufPool.builder().small()).build();
        try {
            lo = vnet.ifnets().create("lo0");
            config().addAddress(lo, "127.0.0.1/8");
        } catch (final io.gatun.spi.sys.ErrnoException e) {
            throw new IllegalStateException(e);
        }
        up(lo);
    }

    InetConfig config() {
        return vnet.service(InetConfig.class);
    }

    static void up(final Ifnet ifp) {
        if (ifp.up() != Errno.OK) {
            throw new IllegalStateException("cannot bring up " + ifp);
        }
    }

    /** Joins two hosts by a cable: 10.0.0.1/24 here and 10.0.0.2/24 there. */
    Epair join(final Host other, final Map<String, String> params) throws Exception {
        final Epair pair = Epair.join(vnet, other.vnet, 0, Epair.Config.parse(params));
        config().addAddress(pair.a(), "10.0.0.1/24");
        other.config().addAddress(pair.b(), "10.0.0.2/24");
        up(pair.a());
        up(pair.b());
        return pair;
    }

    SocketFile udp() throws Exception {
        return file(SocketDefs.SOCK_DGRAM);
    }

    SocketFile tcp() throws Exception {
        return file(SocketDefs.SOCK_STREAM);
    }

    SocketFile udp6() throws Exception {
        return file(SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
    }

    /** Gives lo0 its IPv6 address too. */
    Host dual() throws Exception {
        config().addAddress(lo, "::1/128");
        return this;
    }

    private SocketFile file(final int type) throws Exception {
        return file(SockAddr.AF_INET, type, 0);
    }

    SocketFile file(final int family, final int type, final int protocol) throws Exception {
        final SocketFile f = SocketFile.socket(vnet, family, type, protocol);
        f.setNonBlocking(true);
        files.push(f);
        return f;
    }

    /** A bare socket, for tests of errnos. */
    Socket socket(final int type, final Ucred cred) {
        return socket(SockAddr.AF_INET, type, cred);
    }

    /** A bare datagram socket of IPv6. */
    Socket socket6(final Ucred cred) {
        return socket(SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, cred);
    }

    private Socket socket(final int family, final int type, final Ucred cred) {
        final SoResult r = Sockets.of(vnet).create(family, type, 0, cred);
        if (r.errno() != Errno.OK) {
            throw new IllegalStateException(r.toString());
        }
        r.so().setNonBlocking(true);
        return r.so();
    }

    /** Owns a file that came by accept. */
    SocketFile own(final SocketFile f) {
        files.push(f);
        return f;
    }

    /** Lets all that is due happen. */
    void run() {
        vnet.runUntilIdle();
    }

    static ByteBuffer bytes(final String s) {
        return ByteBuffer.wrap(s.getBytes(StandardCharsets.US_ASCII));
    }

    /** What the file has to read now; "-" when it would wait, "$" at the end. */
    static String read(final SocketFile f, final SockAddr from) throws Exception {
        final ByteBuffer in = ByteBuffer.allocate(70_000);
        final int n = f.recvfrom(in, SocketDefs.MSG_DONTWAIT, from);
        if (n < 0) {
            return n == SocketFile.WOULD_BLOCK ? "-" : "$";
        }
        return StandardCharsets.US_ASCII.decode(in.flip()).toString();
    }

    static String read(final SocketFile f) throws Exception {
        return read(f, null);
    }

    /** Moves the clock of all by a span and lets happen what is due. */
    void pass(final long ms) {
        clock.advance(ms * 1_000_000);
        run();
    }

    void closeFiles() throws IOException {
        while (!files.isEmpty()) {
            files.pop().close();
        }
    }

    @Override
    public void close() throws IOException {
        closeFiles();
        run();
        vnet.close();
    }
}
