package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Domains, the protocol switch and transport protocols by number. */
final class SwitchTest {
    private static final int FAMILY = SockAddr.AF_INET;
    private final List<String> log = new ArrayList<>();

    private static final class Proto extends Protosw {
        Proto(int type, int protocol) {
            super(type, protocol, 0);
        }

        @Override
        public Errno attach(SocketSide so, int proto, Ucred cred) {
            return Errno.OK;
        }
    }

    private final class Dom implements Domain {
        private final int family;
        private final List<Protosw> protocols;
        private final Errno outcome;

        Dom(int family, Errno outcome, Protosw... protocols) {
            this.family = family;
            this.outcome = outcome;
            this.protocols = List.of(protocols);
        }

        @Override
        public int family() {
            return family;
        }

        @Override
        public String name() {
            return "dom" + family;
        }

        @Override
        public Errno init(VnetSide vnet) {
            log.add("init " + family + " " + vnet.name());
            return outcome;
        }

        @Override
        public List<Protosw> protosw() {
            return protocols;
        }

        @Override
        public void destroy() {
            log.add("destroy " + family);
        }
    }

    private static VnetBuilder builder() {
        return TestVnets.polled(new VirtualClock()).name("v");
    }

    @Test
    void domains_builtAndClosed_inOrderOfFamily() {
        builder().domain(new Dom(9, Errno.OK)).domain(new Dom(FAMILY, Errno.OK)).build().close();
        assertThat(log).containsExactly("init 2 v", "init 9 v", "destroy 9", "destroy 2");
    }

    @Test
    void domain_initFails_buildFailsAndUndoes() {
        assertThatThrownBy(
            () -> builder().domain(new Dom(FAMILY, Errno.OK)).domain(new Dom(9, Errno.ENOMEM)).build())
            .isInstanceOf(IllegalStateException.class).hasMessageContaining("dom9");
        assertThat(log).containsExactly("init 2 v", "init 9 v", "destroy 2");
    }

    @Test
    void find_byTypeAndProtocol() {
        Proto stream = new Proto(SocketDefs.SOCK_STREAM, 6);
        Proto dgram = new Proto(SocketDefs.SOCK_DGRAM, 17);
        Proto raw = new Proto(SocketDefs.SOCK_RAW, 0);
        try (Vnet v = builder().domain(new Dom(FAMILY, Errno.OK, stream, dgram, raw)).build()) {
            assertThat(v.domains().findType(FAMILY, SocketDefs.SOCK_DGRAM)).isSameAs(dgram);
            assertThat(v.domains().findProto(FAMILY, 6, SocketDefs.SOCK_STREAM)).isSameAs(stream);
            assertThat(v.domains().findProto(FAMILY, 6, SocketDefs.SOCK_DGRAM)).isNull();
            assertThat(v.domains().findProto(FAMILY, 89, SocketDefs.SOCK_RAW)).isSameAs(raw);
            assertThat(v.domains().findProto(99, 6, SocketDefs.SOCK_STREAM)).isNull();
            assertThat(v.domains().findType(99, SocketDefs.SOCK_STREAM)).isNull();
            assertThat(v.domains().find(FAMILY).name()).isEqualTo("dom2");
            assertThat(v.domains().all()).hasSize(1);
        }
    }

    @Test
    void protocol_registeredAtRunTime() {
        try (Vnet v = builder().domain(new Dom(FAMILY, Errno.OK)).build()) {
            Proto sctp = new Proto(SocketDefs.SOCK_STREAM, 132);
            assertThat(v.domains().register(99, sctp)).isEqualTo(Errno.EPFNOSUPPORT);
            assertThat(v.domains().register(FAMILY, sctp)).isEqualTo(Errno.OK);
            assertThat(v.domains().register(FAMILY, new Proto(SocketDefs.SOCK_STREAM, 132))).isEqualTo(Errno.EEXIST);
            assertThat(v.domains().findProto(FAMILY, 132, SocketDefs.SOCK_STREAM)).isSameAs(sctp);
            assertThat(v.domains().unregister(FAMILY, sctp)).isEqualTo(Errno.OK);
            assertThat(v.domains().unregister(FAMILY, sctp)).isEqualTo(Errno.ENOENT);
            assertThat(v.domains().findProto(FAMILY, 132, SocketDefs.SOCK_STREAM)).isNull();
        }
    }

    @Test
    void domain_familyTaken_isRefused() {
        try (Vnet v = builder().domain(new Dom(FAMILY, Errno.OK)).build()) {
            assertThat(v.domains().add(new Dom(FAMILY, Errno.OK))).isEqualTo(Errno.EEXIST);
            assertThat(log).containsExactly("init 2 v");
        }
    }

    @Test
    void ipproto_registerAndUnregister() {
        try (Vnet v = builder().build()) {
            IpprotoTable t = v.ipproto();
            IpprotoTable.Input in = (m, off, proto) -> proto;
            IpprotoTable.Ctlinput ctl = (m, off) -> { };
            assertThat(t.register(SockAddr.AF_INET, 6, in, ctl)).isEqualTo(Errno.OK);
            assertThat(t.register(SockAddr.AF_INET, 6, in, ctl)).isEqualTo(Errno.EEXIST);
            assertThat(t.register(SockAddr.AF_INET, 0, in, ctl)).isEqualTo(Errno.EPROTONOSUPPORT);
            assertThat(t.register(SockAddr.AF_INET, 256, in, ctl)).isEqualTo(Errno.EPROTONOSUPPORT);
            assertThat(t.register(99, 6, in, ctl)).isEqualTo(Errno.EPFNOSUPPORT);
            assertThat(t.input(SockAddr.AF_INET, 6)).isSameAs(in);
            assertThat(t.ctlinput(SockAddr.AF_INET, 6)).isSameAs(ctl);
            assertThat(t.input(SockAddr.AF_INET6, 6)).isNull();
            assertThat(t.register(SockAddr.AF_INET6, 6, in, null)).isEqualTo(Errno.OK);
            assertThat(t.unregister(SockAddr.AF_INET, 6)).isEqualTo(Errno.OK);
            assertThat(t.unregister(SockAddr.AF_INET, 6)).isEqualTo(Errno.ENOENT);
            assertThat(t.input(SockAddr.AF_INET, 6)).isNull();
            assertThat(t.input(SockAddr.AF_INET6, 6)).isSameAs(in);
        }
    }
}
