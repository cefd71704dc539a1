package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** What socket tests share: a vnet, sockets in the states they start from, and plain arrays in and out. */
final class Setting {
    static final int PORT = 7;
    final TestVnet vnet;

    Setting(final LockStrategy strategy, final boolean threaded) {
        vnet = new TestVnet(strategy, threaded);
        vnet.sockets();
    }

    Socket socket(final int type) {
        final SoResult r = vnet.sockets().create(PairDomain.AF_PAIR, type, 0, Ucred.ROOT);
        assertThat(r.errno()).isEqualTo(Errno.OK);
        return r.so();
    }

    Socket[] pair(final int type) {
        final Socket[] pair = new Socket[2];
        assertThat(vnet.sockets().createPair(PairDomain.AF_PAIR, type, 0, Ucred.ROOT, pair)).isEqualTo(Errno.OK);
        return pair;
    }

    Socket listener(final int backlog) {
        final Socket so = socket(SocketDefs.SOCK_STREAM);
        assertThat(so.bind(SockAddr.in(0, PORT), Ucred.ROOT)).isEqualTo(Errno.OK);
        assertThat(so.listen(backlog, Ucred.ROOT)).isEqualTo(Errno.OK);
        return so;
    }

    /** A client that has begun to connect without waiting. */
    Socket connecting() {
        final Socket so = socket(SocketDefs.SOCK_STREAM);
        so.setNonBlocking(true);
        so.connect(SockAddr.in(0, PORT), Ucred.ROOT);
        return so;
    }

    static byte[] octets(final int n, final long seed) {
        final byte[] b = new byte[n];
        new Random(seed).nextBytes(b);
        return b;
    }

    static byte[] ascii(final String s) {
        return s.getBytes(StandardCharsets.US_ASCII);
    }

    static Errno send(final Socket so, final byte[] b, final int flags) {
        return so.send(null, uio(b), null, null, flags);
    }

    static Uio uio(final byte[] b) {
        return new Uio().set(MemorySegment.ofArray(b), 0, b.length);
    }

    static RecvMsg msg(final byte[] b, final int flags) {
        final RecvMsg msg = new RecvMsg();
        msg.uio.set(MemorySegment.ofArray(b), 0, b.length);
        msg.flags = flags;
        return msg;
    }

    /** What one call receives, or null with EAGAIN. */
    static byte[] receive(final Socket so, final int max, final int flags) {
        final byte[] b = new byte[max];
        final RecvMsg msg = msg(b, flags);
        final Errno e = so.receive(msg);
        if (e == Errno.EAGAIN) {
            return null;
        }
        assertThat(e).isEqualTo(Errno.OK);
        return Arrays.copyOf(b, (int) (max - msg.uio.resid()));
    }

    Mbuf packet(final byte[] b) {
        final Mbuf m = vnet.pool().getm2(null, Math.max(1, b.length), Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        assertThat(m.copyBack(0, b.length, b, 0)).isTrue();
        m.fixHdr();
        return m;
    }

    void checkWhole() {
        vnet.checkWhole();
    }
}
