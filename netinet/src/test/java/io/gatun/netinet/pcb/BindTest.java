package io.gatun.netinet.pcb;

import static io.gatun.netinet.pcb.PcbFixture.A1;
import static io.gatun.netinet.pcb.PcbFixture.A2;
import static io.gatun.netinet.pcb.PcbFixture.OTHER;
import static io.gatun.netinet.pcb.PcbFixture.PEER;
import static io.gatun.netinet.pcb.PcbFixture.USER;
import static io.gatun.netinet.pcb.PcbFixture.bind;
import static io.gatun.netinet.pcb.PcbFixture.connect;
import static io.gatun.netinet.pcb.PcbFixture.free;
import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT_LB;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BindTest {
    private static final int GROUP = 0xe0000105;
    private final PcbFixture f = new PcbFixture(InDefs.IPPROTO_UDP, 1);

    @AfterEach
    void whole() {
        assertThat(f.info.check()).isTrue();
    }

    private static int options(final String s) {
        return switch (s) {
            case "ADDR" -> SO_REUSEADDR;
            case "PORT" -> SO_REUSEPORT;
            case "LB" -> SO_REUSEPORT_LB;
            case "BOTH" -> SO_REUSEADDR | SO_REUSEPORT;
            default -> 0;
        };
    }

    private static int addr(final String s) {
        return switch (s) {
            case "any" -> 0;
            case "a1" -> A1;
            case "a2" -> A2;
            default -> GROUP;
        };
    }

    @ParameterizedTest
    @CsvSource({
        "any,-,any,-,EADDRINUSE", "any,-,a1,-,EADDRINUSE", "a1,-,any,-,EADDRINUSE", "a1,-,a1,-,EADDRINUSE",
        "a1,-,a2,-,OK",
        // SO_REUSEADDR of the newcomer forgives wildcards, never the very same endpoint
        "any,-,a1,ADDR,OK", "a1,-,any,ADDR,OK", "a1,ADDR,a1,ADDR,EADDRINUSE", "any,ADDR,any,ADDR,EADDRINUSE",
        "any,ADDR,a1,-,EADDRINUSE",
        // SO_REUSEPORT needs both sides
        "a1,PORT,a1,PORT,OK", "any,PORT,any,PORT,OK", "a1,PORT,a1,-,EADDRINUSE", "a1,-,a1,PORT,EADDRINUSE",
        "a1,ADDR,a1,PORT,EADDRINUSE", "a1,BOTH,a1,PORT,OK",
        "a1,LB,a1,LB,OK", "a1,LB,a1,PORT,EADDRINUSE", "a1,LB,a1,-,EADDRINUSE",
        // a group may be shared by SO_REUSEADDR alone
        "g,ADDR,g,ADDR,OK", "g,PORT,g,ADDR,OK", "g,-,g,ADDR,EADDRINUSE", "g,ADDR,g,-,EADDRINUSE",
    })
    void bound_secondBind_followsTheOptions(
        final String a, final String ao, final String b, final String bo, final Errno expected) {
        assertThat(bind(f.pcb(options(ao)), addr(a), 5000)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(options(bo)), addr(b), 5000)).isEqualTo(expected);
    }

    @Test
    void unbound_bindForeignAddress_notAvailable() {
        assertThat(bind(f.pcb(0), PEER, 5000)).isEqualTo(Errno.EADDRNOTAVAIL);
        final Inpcb any = f.pcb(0);
        PcbFixture.flag(any, Inpcb.INP_BINDANY);
        assertThat(bind(any, PEER, 5000)).isEqualTo(Errno.OK);
    }

    @Test
    void unbound_bindReservedPortAsUser_isRefused() {
        assertThat(bind(f.pcb(0, SOCK_DGRAM, USER), A1, 1023)).isEqualTo(Errno.EACCES);
        assertThat(bind(f.pcb(0, SOCK_DGRAM, USER), A1, 1024)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(0), A1, 80)).isEqualTo(Errno.OK);
        f.set("reservedhigh", 0);
        assertThat(bind(f.pcb(0, SOCK_DGRAM, USER), A1, 81)).isEqualTo(Errno.OK);
    }

    @Test
    void bound_bindAgain_isInvalid() {
        final Inpcb inp = f.pcb(0);
        assertThat(bind(inp, A1, 5000)).isEqualTo(Errno.OK);
        assertThat(bind(inp, A1, 5001)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void unbound_bindOtherFamily_isRefused() {
        final Inpcb inp = f.pcb(0);
        inp.lock.lock();
        try {
            assertThat(inp.bind(SockAddr.in6(0, 1, 80), inp.cred)).isEqualTo(Errno.EAFNOSUPPORT);
        } finally {
            inp.lock.unlock();
        }
    }

    @Test
    void boundByOneUser_otherUserWithReuseAddr_cannotSteal() {
        assertThat(bind(f.pcb(0, SOCK_DGRAM, USER), 0, 5000)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(SO_REUSEADDR, SOCK_DGRAM, OTHER), A1, 5000)).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb(SO_REUSEADDR, SOCK_DGRAM, USER), A1, 5000)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(SO_REUSEADDR), A2, 5000)).isEqualTo(Errno.OK);
    }

    @Test
    void connectedOnPort_bindNeedsReuseAddr() {
        final Inpcb conn = f.pcb(0, SOCK_STREAM, USER);
        assertThat(bind(conn, A1, 5000)).isEqualTo(Errno.OK);
        assertThat(connect(conn, PEER, 9)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(0, SOCK_STREAM, USER), 0, 5000)).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb(0, SOCK_STREAM, USER), A2, 5000)).isEqualTo(Errno.OK);
        assertThat(bind(f.pcb(SO_REUSEADDR, SOCK_STREAM, OTHER), 0, 5000)).isEqualTo(Errno.EADDRINUSE);
        assertThat(bind(f.pcb(SO_REUSEADDR, SOCK_STREAM, USER), 0, 5000)).isEqualTo(Errno.OK);
    }

    @Test
    void bound_freed_portIsFreeAgain() {
        final Inpcb inp = f.pcb(0);
        assertThat(bind(inp, A1, 5000)).isEqualTo(Errno.OK);
        free(inp);
        assertThat(f.find(PEER, 9, A1, 5000)).isNull();
        assertThat(bind(f.pcb(0), 0, 5000)).isEqualTo(Errno.OK);
    }
}
