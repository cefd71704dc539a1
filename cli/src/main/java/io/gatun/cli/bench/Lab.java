package io.gatun.cli.bench;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;

/** A vnet with a loopback interface, and the sockets of a workload on it. Fails by ErrnoException. */
final class Lab implements AutoCloseable {
    private static final int NMBUFS = 1 << 16;
    private static final int CLUSTERS_2K = 1 << 14;
    private static final int CLUSTERS_16K = 1 << 11;
    private static final int BACKLOG = 1024;
    private static final int PORT = 5001;

    private final Vnet vnet;
    private final Sockets sockets;

    /** @param packets whether what its sockets send to each other goes in packets, in place of past them */
    Lab(final boolean threads, final boolean packets) throws ErrnoException {
        vnet = Vnet.builder().name("bench").threads(threads)
            .pool(MbufPool.builder().nmbufs(NMBUFS).nmbclusters(CLUSTERS_2K).nmbjumbo16(CLUSTERS_16K)).build();
        final Ifnet lo = vnet.ifnets().create("lo0");
        vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
        lo.up();
        if (packets) {
            vnet.sysctl().find("net.inet.tcp.fusion").set(0);
            vnet.sysctl().find("net.inet.udp.fusion").set(0);
        }
        sockets = Sockets.of(vnet);
    }

    Vnet vnet() {
        return vnet;
    }

    static SockAddr loopback(final int port) {
        return SockAddr.in(SockAddr.INADDR_LOOPBACK, port);
    }

    Socket socket(final int type) throws ErrnoException {
        final SoResult r = sockets.create(SockAddr.AF_INET, type, 0, Ucred.ROOT);
        ErrnoException.check(r.errno(), "socket");
        return r.so();
    }

    /** A bound listener. */
    Socket listener() throws ErrnoException {
        final Socket so = socket(SocketDefs.SOCK_STREAM);
        check(so.bind(loopback(PORT), Ucred.ROOT), "bind");
        check(so.listen(BACKLOG, Ucred.ROOT), "listen");
        return so;
    }

    static SockAddr listenerAddr() {
        return loopback(PORT);
    }

    /** Two connected TCP sockets, the connecting one first, with TCP_NODELAY when asked. */
    Socket[] pair(final boolean nodelay) throws ErrnoException {
        final Socket head = listener();
        final Socket a = socket(SocketDefs.SOCK_STREAM);
        a.setNonBlocking(true);
        final Errno e = a.connect(listenerAddr(), Ucred.ROOT);
        if (e != Errno.EINPROGRESS) {
            check(e, "connect");
        }
        final SoResult r = head.accept(new SockAddr(), SocketDefs.MSG_DONTWAIT);
        check(r.errno(), "accept");
        check(head.close(), "close");
        a.setNonBlocking(false);
        for (final Socket so : new Socket[] {a, r.so()}) {
            if (nodelay) {
                check(so.setOpt(SockOpt.set(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, 1)), "TCP_NODELAY");
            }
        }
        return new Socket[] {a, r.so()};
    }

    /** Makes close reset the connection. */
    static void lingerZero(final Socket so) throws ErrnoException {
        check(so.setOpt(SockOpt.set(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0))), "SO_LINGER");
    }

    static void check(final Errno e, final String what) throws ErrnoException {
        ErrnoException.check(e, what);
    }

    @Override
    public void close() {
        vnet.close();
    }
}
