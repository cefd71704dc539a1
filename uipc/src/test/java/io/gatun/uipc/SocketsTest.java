package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import org.junit.jupiter.api.Test;

class SocketsTest {
    private final Setting s = new Setting(LockStrategy.COALESCED, false);

    private Errno create(final int family, final int type, final int protocol) {
        final SoResult r = s.vnet.sockets().create(family, type, protocol, Ucred.ROOT);
        if (r.so() != null) {
            r.so().close();
        }
        return r.errno();
    }

    @Test
    void create_unknown_saysWhichPart() {
        assertThat(create(1234, SocketDefs.SOCK_STREAM, 0)).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_RAW, 0)).isEqualTo(Errno.EPROTOTYPE);
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_STREAM, 200)).isEqualTo(Errno.EPROTONOSUPPORT);
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_STREAM, PairDomain.PROTO_DGRAM))
            .isEqualTo(Errno.EPROTOTYPE);
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_STREAM, PairDomain.PROTO_STREAM)).isEqualTo(Errno.OK);
        s.checkWhole();
    }

    @Test
    void create_beyondTheLimit_isRefused() {
        s.vnet.sysctl().set("kern.ipc.maxsockets", "1");
        final Socket so = s.socket(SocketDefs.SOCK_STREAM);
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_STREAM, 0)).isEqualTo(Errno.ENOBUFS);
        so.close();
        assertThat(create(PairDomain.AF_PAIR, SocketDefs.SOCK_STREAM, 0)).isEqualTo(Errno.OK);
        s.checkWhole();
    }

    @Test
    void options_setAndGet_keepTheirRanges() {
        final Socket so = s.socket(SocketDefs.SOCK_STREAM);
        assertThat(set(so, SocketDefs.SO_REUSEADDR, 1)).isEqualTo(Errno.OK);
        assertThat(get(so, SocketDefs.SO_REUSEADDR).value()).isOne();
        assertThat(set(so, SocketDefs.SO_REUSEADDR, 0)).isEqualTo(Errno.OK);
        assertThat(get(so, SocketDefs.SO_REUSEADDR).value()).isZero();
        assertThat(set(so, SocketDefs.SO_SNDBUF, 0)).isEqualTo(Errno.EINVAL);
        assertThat(set(so, SocketDefs.SO_SNDBUF, 3L << 20)).isEqualTo(Errno.ENOBUFS);
        assertThat(set(so, SocketDefs.SO_SNDBUF, 1000)).isEqualTo(Errno.OK);
        assertThat(get(so, SocketDefs.SO_SNDBUF).value()).isEqualTo(1000);
        assertThat(get(so, SocketDefs.SO_SNDLOWAT).value()).as("within the buffer").isEqualTo(1000);
        assertThat(set(so, SocketDefs.SO_RCVLOWAT, 1 << 30)).isEqualTo(Errno.OK);
        assertThat(get(so, SocketDefs.SO_RCVLOWAT).value()).isEqualTo(PairDomain.BUFFER);
        assertThat(set(so, SocketDefs.SO_RCVTIMEO, -1)).isEqualTo(Errno.EDOM);
        assertThat(set(so, SocketDefs.SO_TYPE, 1)).isEqualTo(Errno.ENOPROTOOPT);
        assertThat(get(so, SocketDefs.SO_TYPE).value()).isEqualTo(SocketDefs.SOCK_STREAM);
        assertThat(get(so, SocketDefs.SO_DOMAIN).value()).isEqualTo(PairDomain.AF_PAIR);
        assertThat(get(so, SocketDefs.SO_LINGER).object()).isEqualTo(new Linger(false, 0));
        assertThat(so.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 70_000))))
            .isEqualTo(Errno.EDOM);
        assertThat(so.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_LINGER, 5))).isEqualTo(Errno.EINVAL);
        so.setError(Errno.EHOSTUNREACH);
        assertThat(get(so, SocketDefs.SO_ERROR).value()).isEqualTo(Errno.EHOSTUNREACH.code());
        assertThat(get(so, SocketDefs.SO_ERROR).value()).isZero();
        assertThat(so.getOpt(SockOpt.get(6, 1))).as("no such level").isEqualTo(Errno.ENOPROTOOPT);
        so.close();
        assertThat(so.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1))).isEqualTo(Errno.EBADF);
        s.checkWhole();
    }

    private static Errno set(final Socket so, final int name, final long value) {
        return so.setOpt(SockOpt.set(SOL_SOCKET, name, value));
    }

    private static SockOpt get(final Socket so, final int name) {
        final SockOpt opt = SockOpt.get(SOL_SOCKET, name);
        assertThat(so.getOpt(opt)).isEqualTo(Errno.OK);
        return opt;
    }
}
